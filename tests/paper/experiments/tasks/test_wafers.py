"""Wafers with patterns that the network sees, against wafers without."""

import keras
import numpy as np
import pytest

from tests.networks import needs_data
from tests.paper.datasets.test_planted_wafers import wafer
from tf_ig2.metrics.predict import Predictor
from tf_ig2.paper.datasets import planted_wafers, wm811k
from tf_ig2.paper.experiments.tasks import wafers

CENTER, RING, NONE = (wm811k.CLASSES.index(name) for name in ("Center", "Edge-Ring", "none"))


def network():
    """Sees failing dies in the centre and at the edge, and no other pattern."""
    y, x = np.mgrid[:56, :56] - 27.5
    radius = np.hypot(x, y) / 28
    look = np.zeros([56, 56, 3, 2])
    for unit, place in enumerate((radius < 0.2, (radius > 0.87) & (radius < 1))):
        look[place, wm811k.FAIL, unit] = 1 / place.sum()
    fc1, logits = keras.layers.Dense(2, name="fc1"), keras.layers.Dense(len(wm811k.CLASSES), name="logits")
    made = keras.Sequential([keras.Input([56, 56, 3]), keras.layers.Flatten(name="flatten"), fc1, logits])
    kernel = np.zeros([2, len(wm811k.CLASSES)])
    kernel[0, CENTER] = kernel[1, RING] = 1
    fc1.set_weights([look.reshape(-1, 2), np.zeros(2)])
    logits.set_weights([kernel, np.where(np.arange(len(wm811k.CLASSES)) == NONE, 0.5, 0.0)])
    return made


@pytest.fixture
def source(monkeypatch, tmp_path):
    clean = np.stack([wafer(seed) for seed in range(30)])
    planted = planted_wafers.plant(clean[:12], ["Center", "Edge-Ring", "Donut"] * 4).maps
    labels = np.array([CENTER, RING, wm811k.CLASSES.index("Donut")] * 4 + [NONE] * 18)
    part = wm811k.Wafers(np.concatenate([planted, clean[12:]]), labels)
    wm811k.save(tmp_path / "wafers.npz", part, part)
    monkeypatch.setattr(wafers.saved_models, "load", lambda name: network())
    return tmp_path / "wafers.npz"


@pytest.mark.parametrize("load", [wafers.planted, wafers.real])
def test_only_patterns_that_the_network_sees_are_explained(source, load):
    task = load(12, references=2, source=source)
    assert set(task.target) == {CENTER, RING}
    assert all(name.endswith(wm811k.CLASSES[target]) for name, target in zip(task.names, task.target, strict=True))
    assert f"{len(task)} maps" in task.notes[0]


@pytest.mark.parametrize("load", [wafers.planted, wafers.real])
def test_references_are_free_of_patterns_and_differ_between_explicands(source, load):
    task = load(12, references=2, source=source)
    flat = task.references.reshape(-1, *task.references.shape[2:])
    assert (Predictor(task.view)(flat).argmax(axis=1) == NONE).all()
    assert not (task.references[0] == task.references[1:]).all()


def test_what_is_removed_becomes_a_passing_die(source):
    task = wafers.planted(12, references=1, source=source)
    before, after = task.points.argmax(axis=-1), task.background.argmax(axis=-1)
    np.testing.assert_array_equal(after, np.where(before == wm811k.FAIL, wm811k.PASS, before))


def test_the_ground_truth_of_planted_wafers_is_what_was_planted(source):
    task = wafers.planted(12, references=1, source=source)
    assert (task.points[task.masks].argmax(axis=-1) == wm811k.FAIL).all()
    assert task.masks.any(axis=(1, 2)).all()
    assert wafers.real(12, references=1, source=source).masks is None


def test_an_unknown_half(source):
    with pytest.raises(ValueError, match="`half`: 'both'"):
        wafers.planted(half="both", source=source)


@needs_data
def test_of_real_wafers_there_are_as_many_of_each_pattern():
    task = wafers.real(16, references=1)
    assert len(task) >= 12
    assert np.bincount(task.target, minlength=9).max() == 2

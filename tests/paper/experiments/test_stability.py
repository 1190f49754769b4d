"""Maps that move and maps that do not; weights that are shuffled are put back."""

from dataclasses import replace

import numpy as np
import pytest

from tests.paper.experiments.small import small_task
from tf_ig2.paper.experiments import rivals, stability
from tf_ig2.paper.experiments.methods import IG2
from tf_ig2.paper.experiments.options import Options


def plain(task, seed=0):
    """Methods that need no compiling: the image, and what the network says of it."""
    return {
        IG2: lambda part: part.inputs + seed,
        "Expected IG": lambda part: part.inputs * part.references.mean(axis=1),
        "Gradient": lambda part: part.inputs * np.asarray(part.view.outputs(part.inputs))[:, None, None, :],
    }


@pytest.fixture
def asked(monkeypatch):
    def load(name, options, more=0):
        rng = np.random.default_rng(more)
        masks = np.zeros([2, 12, 12], bool)
        masks[:, 3:8, 3:8] = True
        task = small_task()
        references = rng.random(task.references.shape, np.float32)
        return replace(task, references=references, masks=masks, channels=("absolute",), curve_steps=2)

    monkeypatch.setattr(stability, "load", load)
    monkeypatch.setattr(stability, "methods", plain)
    monkeypatch.setattr(stability, "counts", lambda references: dict.fromkeys(plain(None), (1, 1)))
    return load


def test_the_page_says_what_moves_what_it_is_worth_and_what_it_costs(asked, tmp_path):
    options = Options(tmp_path, tasks=("digits",), verbose=False)
    page = stability.run(options)[0].read_text("utf-8")
    assert page.index("rank correlations") < page.index("what the maps are worth") < page.index("what they cost")
    assert stability.run(options)[0].read_text("utf-8") == page


def test_only_what_matters_to_a_method_moves_its_map(asked, tmp_path):
    task, options = asked("digits", None), Options(tmp_path, verbose=False)
    records = stability.Records(tmp_path, "stability", {})
    found = stability.compare(task, asked("digits", None, 1), records, options, precise=True)
    scores = {(record.arm, record.explicand): record.scores for record in found}
    own, expected, gradient = (scores[name, "image 0"] for name in (IG2, "Expected IG", "Gradient"))
    assert own["top"] == own["all"] == own["float64"] == own["references"] == 1
    assert 0.9 < own["noise"] < 1
    assert expected["references"] < 0.9
    assert "references" not in gradient
    assert gradient["all"] < 1


def test_shuffled_weights_are_put_back():
    model = small_task().view.model
    before = [weight.copy() for weight in model.get_weights()]
    with stability.randomised(model, everywhere=False):
        changed = [not np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True)]
        assert changed[:2] == [False, False]
        assert changed[2]
        np.testing.assert_allclose(np.sort(model.get_weights()[2].ravel()), np.sort(before[2].ravel()))
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_the_network_in_float64():
    task = small_task()
    exact = stability.in_float64(task)
    found = np.asarray(exact.view.outputs(exact.inputs))
    assert found.dtype == np.float64
    np.testing.assert_allclose(found, task.view.outputs(task.inputs), atol=1e-5)


def test_constant_maps_tell_nothing():
    assert stability.rank_correlation(np.ones(4), np.arange(4.0)) == 0


def test_every_method_is_counted():
    assert set(stability.counts(4)) == {*stability.ARMS, *stability.OF_IG2}
    assert stability.counts(4)[IG2] == (24, 28)
    assert rivals.SQUARES in stability.counts(4)

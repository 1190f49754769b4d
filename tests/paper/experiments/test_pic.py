"""Performance information curves of small photographs: whose curve there is, and the page."""

from dataclasses import replace

import numpy as np
import pytest

from tests.paper.experiments import stubs
from tf_ig2.paper.experiments import photographs, pic
from tf_ig2.paper.experiments.bench import Bench
from tf_ig2.paper.experiments.map_store import MapStore
from tf_ig2.paper.experiments.methods import IG2
from tf_ig2.paper.experiments.options import Options
from tf_ig2.paper.experiments.table import Table


class Middle:
    """A network that is the surer of every class the more of the middle it sees; of flat pictures it never is."""

    def __init__(self, *args, **options):
        pass

    def __call__(self, images):
        contrast = images[:, 3:8, 3:8].std(axis=(1, 2, 3)) / 70
        return np.repeat(np.minimum(contrast, 1)[:, None], 8, axis=1)


@pytest.fixture
def task(monkeypatch):
    monkeypatch.setattr(pic, "Predictor", Middle)
    made = stubs.masked_task(4)
    x = np.random.default_rng(0).integers(0, 256, made.inputs.shape).astype(np.float32)
    x[1] = 7
    return replace(made, inputs=x)


def test_photographs_without_a_curve_are_passed_over(task):
    found, looked_at = pic.first_defined(task, 2)
    assert found.names == (task.names[0], task.names[2])
    assert looked_at == 3


def test_the_mask_is_the_photographs_own(task):
    curves = [pic.curve(task.take(np.array([row])), np.zeros([12, 12]), (0.5,)) for row in (0, 0, 2)]
    assert curves[0].auc == curves[1].auc
    assert (curves[0].blurred_images[0] == task.inputs[0]).any(axis=-1).sum() >= 4
    assert (curves[0].blurred_images[0] != curves[2].blurred_images[0]).any()


def test_a_map_that_shows_what_counts_has_the_larger_area(task):
    part = task.take(np.array([0]))
    shown = np.zeros([12, 12])
    shown[3:8, 3:8] = 1
    shown += np.random.default_rng(0).random([12, 12]) / 10
    assert pic.curve(part, shown).auc > pic.curve(part, -shown).auc


def test_the_page_has_both_tables_of_defaults_and_a_rerun_is_the_same(task, monkeypatch, tmp_path):
    stubs.few_trials(monkeypatch)
    world = photographs.World(Bench(task.view, {}, MapStore(tmp_path / "maps"), 2), task, None)
    monkeypatch.setattr(photographs, "world", lambda network, options: world)
    monkeypatch.setattr(Table, "files", lambda table: {"csv": b"", "png": b""})
    options = Options(tmp_path, samples=2, references=2, tasks=("SqueezeNet",), verbose=False)
    page = pic.run(options)[0].read_text()
    assert page.count("## SqueezeNet, defaults") == 2
    assert "2 photographs of the report half with masks, the first of 3 of which the curve is defined" in page
    for row in (IG2, "XRAI", "squared SmoothGrad"):
        assert f"| {row} |" in page
    assert pic.run(options)[0].read_text() == page

"""The grid pointing game on small photographs: grids whose answer is known, and the page."""

import numpy as np
import pytest

from tests.paper.experiments import stubs
from tests.paper.experiments.small import small_task
from tf_ig2.paper.experiments import grid
from tf_ig2.paper.experiments.options import Options
from tf_ig2.paper.experiments.table import Table
from tf_ig2.paper.experiments.tasks.photographs import Photographs


@pytest.fixture
def found():
    """Eight photographs of one grey each, predicted as eight classes; of the last the network is not sure."""
    x = np.ones([8, 13, 12, 3], np.float32) * np.arange(8, dtype=np.float32)[:, None, None, None]
    probabilities = np.eye(8)
    probabilities[7] = 0.1
    probabilities[7, 7] = 0.3
    return Photographs(small_task().view, x, tuple("abcdefgh"), probabilities, np.zeros([8, 2], int))


def test_the_explained_class_is_in_its_cell_and_not_among_the_references(found):
    made = grid.compose(found, references=2, seed=0, count=6)
    task = made.task(np.arange(6))
    assert task.inputs.shape == (6, 13, 12, 3)
    assert made.sure == 7
    for x, target, mask, references in zip(task.inputs, task.target, task.masks, task.references, strict=True):
        assert mask.sum() == 36
        assert (x[mask] == target).all()
        assert not set(np.unique(references)) & set(np.unique(x))
        assert 7 not in np.unique(x)


def test_the_page_says_the_shares(found, monkeypatch, tmp_path):
    stubs.few_trials(monkeypatch)
    even = Photographs(found.view, found.inputs[:, 1:], found.names, found.probabilities, found.chosen)
    monkeypatch.setattr(grid, "game", lambda network, references, seed: grid.compose(even, references, seed, 3))
    monkeypatch.setattr(Table, "files", lambda table: {"csv": b"", "png": b""})
    options = Options(tmp_path, samples=2, references=2, tasks=("SqueezeNet",), verbose=False)
    page = grid.run(options)[0].read_text()
    assert page.count("## SqueezeNet, ") == 4
    assert "2 grids of 2 × 2 of the 7 photographs (of 8) that it predicts with at least 0.9" in page
    assert "| share in the cell ↑ | GT-AUC ↑ |" in page
    # The stub of IG² is the middle of the picture: a quarter of it is in any cell.
    (line,) = [line for line in page.splitlines() if line.startswith("| squared SmoothGrad |")]
    assert 0.15 < float(line.split("|")[2].replace("**", "").split("[")[0].rstrip("▾▴ ")) < 0.4
    assert grid.run(options)[0].read_text() == page


def test_more_grids_than_there_are_is_an_error(tmp_path):
    with pytest.raises(ValueError, match="300 grids"):
        grid.run(Options(tmp_path, samples=301))

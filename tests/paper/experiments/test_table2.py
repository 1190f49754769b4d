"""Table 2: what its benchmark is made of, and that a run that was finished is not computed again."""

import csv
import json
from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from tf_ig2.paper.datasets import xai_bench as data
from tf_ig2.paper.experiments import synthetic, table2
from tf_ig2.paper.experiments.methods import IG2
from tf_ig2.paper.experiments.options import Options


@pytest.fixture(scope="module")
def benchmark():
    return replace(synthetic.load(8, 3, seed=0), draws=20)


def _sides(benchmark, points):
    return np.asarray(benchmark.task.view.outputs(points))[:, 0] > 0.5


def test_settings_are_chosen_on_other_explicands_than_are_reported_on_and_neither_was_trained_on():
    drawn = [synthetic.load(8, 1, 0, split).task.inputs for split in (synthetic.REPORT, synthetic.STUDY)]
    rows = {tuple(row) for part in [data.load(10_000, 0).x, *drawn] for row in part}
    assert len(rows) == 10_000 + 8 + 8


def test_references_are_on_the_other_side_of_the_network(benchmark):
    references = benchmark.task.references
    assert references.shape == (8, 3, 5)
    sides = _sides(benchmark, references.reshape(-1, 5)).reshape(8, 3)
    assert_array_equal(sides, np.repeat(~_sides(benchmark, benchmark.task.inputs)[:, None], 3, axis=1))


def test_the_nearest_references_are_nearer_than_drawn_ones(benchmark):
    task = benchmark.task
    near = synthetic.draw_references(task.view, task.inputs, 3, synthetic.REPORT, synthetic.NEAREST)
    distances = [np.linalg.norm(task.inputs[:, None] - points, axis=2) for points in (near, task.references)]
    assert (distances[0].max(axis=1) <= distances[1].min(axis=1)).all()
    assert (np.diff(distances[0]) >= 0).all()


def test_references_of_an_unknown_kind_are_refused(benchmark):
    with pytest.raises(ValueError, match="Unknown `kind`"):
        synthetic.draw_references(benchmark.task.view, benchmark.task.inputs, 3, 0, "farthest")


def test_the_shapley_values_themselves_agree_with_the_ground_truth(benchmark):
    scores = benchmark.scores(np.arange(8), benchmark.shapley)
    assert_allclose([score["gt_shapley"] for score in scores], 1.0)
    assert np.mean([score["faithfulness"] for score in scores]) > 0.7


def test_an_explicands_scores_do_not_depend_on_its_batch(benchmark):
    values = synthetic.random_attributions(range(8), 0)
    assert benchmark.scores(np.arange(8), values)[5] == benchmark.scores(np.array([5]), values[5:6])[0]


def test_a_retrained_network_learns_and_the_same_number_gives_the_same_network():
    retraining, train = synthetic.Retraining(), data.load(600, 1)
    first = retraining.of(0)(train.x, train.y)(train.x)
    assert np.abs(first - train.y).mean() < 0.3
    other = retraining.of(1)(train.x, train.y)(train.x)
    assert_array_equal(retraining.of(0)(train.x, train.y)(train.x), first)
    assert (other != first).any()


@pytest.fixture
def small(monkeypatch, tmp_path):
    monkeypatch.setattr(table2, "VARIANTS", (table2.CHOSEN, replace(table2.CHOSEN, references=2, kind=table2.NEAREST)))
    monkeypatch.setattr(table2, "RETRAININGS", 2)
    monkeypatch.setattr(table2, "GRADIENTS", 8)
    return Options(tmp_path, samples=10, references=3, verbose=False)


def test_a_second_run_computes_nothing_again(small, monkeypatch):
    files = table2.run(small)
    assert {path.name for path in files} == {
        "table2.md",
        *(f"table2_{number}.{kind}" for number in (1, 2) for kind in ("csv", "png")),
        *(f"table2_study.{kind}" for kind in ("md", "csv", "png")),
    }
    before = {path.name: path.read_bytes() for path in files}
    main = (small.out / "table2_1.csv").read_text()
    assert main.count("\n") == 1 + 9 * 5
    assert f"{IG2},roar," in main
    described = [json.loads(path.read_text())["arms"] for path in (small.out / "records").glob("table2-*.json")]
    assert all(arms[table2.DEFAULTS]["rule"] == "segment" for arms in described)
    assert len(described) == 2

    def unwanted(*args, **kwargs):
        raise AssertionError("computed again")

    for name in ("scores", "roar"):
        monkeypatch.setattr(synthetic.Benchmark, name, unwanted)
    monkeypatch.setattr(table2, "_methods", lambda task, seed: dict.fromkeys(_arms(main), unwanted))
    monkeypatch.setattr(table2.Settings, "method", lambda self, view: unwanted)
    again = table2.run(small)
    assert {path.name: path.read_bytes() for path in again if path.suffix != ".png"} == {
        name: content for name, content in before.items() if not name.endswith(".png")
    }


def _arms(text):
    """The methods of a table, in order."""
    return dict.fromkeys(row["arm"] for row in csv.DictReader(text.splitlines()))

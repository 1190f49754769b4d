"""Distances reach IG² and nothing else changes; gaps are paired."""

import csv

import numpy as np
import pytest

from tests.paper.experiments.small import small_task
from tf_ig2.explainers.ig2 import IG2Explainer
from tf_ig2.paper.experiments import tablea2, tasks
from tf_ig2.paper.experiments.options import Options


@pytest.fixture(scope="module")
def task():
    return small_task(**{"IG²": {"steps": 3, "step_size": 0.5}})


@pytest.mark.parametrize(("arm", "distance"), [("Euclidean", "euclidean"), ("Cosine", "cosine"), ("ℓ1 norm", "l1")])
def test_each_arm_is_ig2_with_its_distance_and_the_tasks_options(task, arm, distance):
    explainer = IG2Explainer(task.view, steps=3, step_size=0.5, clip_min_max=(0.0, 1.0), distance=distance)
    expected = explainer.explain(task.inputs, task.references, task.target).values
    np.testing.assert_allclose(tablea2.distances(task)[arm](task), expected, atol=1e-6)


def test_the_gaps_are_the_scores_minus_those_of_the_euclidean_distance(task, tmp_path, monkeypatch):
    monkeypatch.setattr(tasks, "load", lambda name, options: task)
    files = tablea2.run(Options(tmp_path, seed=3, tasks=("trec",), verbose=False))
    page = files[0].read_text()
    assert all(text in page for text in ("gap to Euclidean", "(-0.010)", "Seed 3", "A small task."))
    tables = [list(csv.DictReader(file.read_text().splitlines())) for file in files if file.suffix == ".csv"]
    scores = {(row["arm"], row["metric"]): float(row["mean"]) for row in tables[0]}
    gaps = {(row["arm"], row["metric"]): float(row["mean"]) for row in tables[2]}
    assert {arm for arm, _ in gaps} == {"Cosine", "ℓ1 norm"}
    for (arm, metric), gap in gaps.items():
        assert gap == pytest.approx(scores[arm, metric] - scores["Euclidean", metric], abs=1e-5)

"""The seven methods are the explainers that exist, joined as their names say; the page has the paper's numbers."""

from dataclasses import replace

import numpy as np
import pytest

from tests.paper.experiments.small import small_task
from tf_ig2.explainers.guided_ig import GuidedIGExplainer
from tf_ig2.explainers.ig2 import IG2Explainer
from tf_ig2.explainers.integrated_gradients import IntegratedGradientsExplainer
from tf_ig2.paper.experiments import table4, tasks
from tf_ig2.paper.experiments.options import Options


@pytest.fixture(scope="module")
def task():
    task = small_task(**{"IG²": {"steps": 3, "step_size": 0.5}})
    masks = np.zeros([2, 12, 12], bool)
    masks[:, 3:8, 3:8] = True
    return replace(task, masks=masks, curve_steps=3, background=0.0)


@pytest.fixture(scope="module")
def found(task):
    return {arm: method(task) for arm, method in table4.paths_and_baselines(task, steps=4).items()}


def test_there_is_a_method_for_each_of_the_papers_rows(found):
    assert list(found) == list(table4._PAPER)


@pytest.mark.parametrize(
    ("path", "explainer"),
    [("Straight line", IntegratedGradientsExplainer), ("Guided IG's path", GuidedIGExplainer)],
)
def test_a_path_from_gradcf_starts_where_gradpath_ends(task, found, path, explainer):
    ends = IG2Explainer(task.view, steps=3, step_size=0.5, clip_min_max=(0.0, 1.0)).explain(
        task.inputs, task.references, task.target
    )
    expected = explainer(task.view, steps=4).explain(task.inputs, ends.counterfactuals, task.target).values
    np.testing.assert_allclose(found[f"{path}, GradCF"], expected, atol=1e-6)
    np.testing.assert_allclose(found[table4.GRADPATH], ends.values, atol=1e-6)


def test_train_data_are_the_tasks_references_and_black_is_zero(task, found):
    explainer = IntegratedGradientsExplainer(task.view, steps=4)
    for baseline, points in (("train data", task.references), ("black", 0.0)):
        expected = explainer.explain(task.inputs, points, task.target).values
        np.testing.assert_allclose(found[f"Straight line, {baseline}"], expected, atol=1e-6)


def test_the_page_has_ours_beside_the_papers_and_says_data_and_seed(task, tmp_path, monkeypatch):
    monkeypatch.setattr(tasks, "load", lambda name, options: task)
    files = table4.run(Options(tmp_path, seed=3, tasks=("planted",), verbose=False))
    page = files[0].read_text()
    assert files[0].name == "table4_planted.md"
    assert all(f"| {arm} |" in page for arm in table4._PAPER)
    assert all(text in page for text in ("(0.849)", "Seed 3", "A small task."))


def test_without_ground_truth_only_the_curves_are_compared(task, tmp_path, monkeypatch):
    monkeypatch.setattr(tasks, "load", lambda name, options: replace(task, masks=None))
    page = table4.run(Options(tmp_path, tasks=("wafers",), verbose=False))[0].read_text()
    assert "SIC ADD" in page
    assert "GT-AUC" not in page
    assert "(0.849)" not in page

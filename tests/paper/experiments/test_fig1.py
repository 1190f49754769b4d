"""What is summed up along kept paths is what the explainers give."""

import dataclasses

import numpy as np
import pytest

from tests.paper.experiments.small import small_task
from tf_ig2.explainers.guided_ig import GuidedIGExplainer
from tf_ig2.explainers.ig2 import IG2Explainer
from tf_ig2.explainers.integrated_gradients import IntegratedGradientsExplainer
from tf_ig2.paper.experiments import fig1
from tf_ig2.paper.experiments.along_path import STEPS
from tf_ig2.paper.experiments.options import Options

IG2_OPTIONS = {"IG²": {"steps": 3, "step_size": "range"}}


def one_image(**options):
    return small_task(**options).take(np.array([0]))


@pytest.mark.parametrize("rule", ["explicand", "counterfactual", "trapezoid", "segment"])
def test_the_whole_integral_is_the_attribution_of_ig2(rule):
    task = one_image(**{"IG²": {"steps": 3, "rule": rule}})
    expected = IG2Explainer(task.view, steps=3, rule=rule, clip_min_max=(0, 1)).explain(task.inputs, task.references)
    found = fig1.collect(task)["IG²"]
    np.testing.assert_allclose(found.until(1.0), expected.values[0], atol=1e-5)
    np.testing.assert_allclose(found.logits[:, -1], expected.output[0], rtol=1e-5)


def test_the_whole_integral_is_the_attribution_of_the_others():
    task = one_image(**IG2_OPTIONS)
    found = fig1.collect(task)
    guided = GuidedIGExplainer(task.view, steps=STEPS).explain(task.inputs, task.references)
    vanilla = IntegratedGradientsExplainer(task.view, steps=STEPS, rule="midpoint").explain(task.inputs)
    np.testing.assert_allclose(found["Guided IG"].until(1.0), guided.values[0], atol=1e-5)
    np.testing.assert_allclose(found["Vanilla IG"].until(1.0), vanilla.values[0], atol=1e-5)


def test_the_integral_so_far_takes_parts_of_segments():
    contributions = np.array([[1.0], [10.0]])
    found = fig1.Collected(np.zeros([1, 3]), contributions, np.zeros(1))
    assert [float(found.until(alpha)[0]) for alpha in (0.0, 0.25, 0.5, 0.75, 1.0)] == [0, 0.5, 1, 6, 11]


def test_the_straight_line_arrives_in_the_direction_of_the_explicand():
    task = one_image(**IG2_OPTIONS)
    np.testing.assert_allclose(fig1.collect(task)["Vanilla IG"].direction, task.points[0], atol=1e-4)


def test_the_figure_is_written(monkeypatch, tmp_path):
    task = dataclasses.replace(small_task(**IG2_OPTIONS), names=("other.png", fig1.PHOTOGRAPH))
    monkeypatch.setattr(fig1.imagenet, "load", lambda **options: task)
    page, picture, table = fig1.run(Options(tmp_path, verbose=False))
    assert [page.name, picture.name, table.name] == ["fig1.md", "fig1.png", "fig1.csv"]
    assert table.read_text().count("sum of attributions") == 9

"""Segments are halved where the gap comes from, and only as far as asked for."""

import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf

from tf_ig2 import IG2Explainer, Keep
from tf_ig2.explainers.blur_ig import BlurIGExplainer
from tf_ig2.explainers.guided_ig import GuidedIGExplainer
from tf_ig2.explainers.integrated_gradients import IntegratedGradientsExplainer
from tf_ig2.pair.callback_view import INPUT_OUTPUT_GRADIENTS, OUTPUT_LAYER_VALUES
from tf_ig2.paths import rules, sums
from tf_ig2.paths.base import Rows, Seen
from tf_ig2.paths.straight_line import StraightLine
from tf_ig2.paths.walk import walk

from .smooth import HEAD, WEIGHTS, draw, view


class Kinks:
    """f(x) = Σ max(xᵢ − kinkᵢ, 0)."""

    def __init__(self, *kinks):
        self._kinks = tf.constant(kinks, tf.float64)

    def evaluate(self, point, rows, path, *, output_gradient, objective_gradient):
        output = tf.reduce_sum(tf.nn.relu(point - self._kinks), axis=-1)
        gradient = tf.cast(point > self._kinks, point.dtype)
        return Seen(output, tf.zeros_like(output), gradient if output_gradient else ())


def kink(tolerance, *, ends=((1.0,),), model=None, refinements=8, steps=1, rows_per_pass=100):
    """From 0 to each of the ends, by midpoints."""
    rule = dataclasses.replace(rules.segment(1, tolerance), refinements=refinements)
    end = tf.constant(ends, tf.float64)
    return walk(
        model or Kinks(0.3),
        StraightLine(),
        rule,
        Rows(end, (), (), tf.zeros_like(end)),
        steps=tf.constant(steps),
        tableau=sums.Tableau(*(tf.constant(part) for part in rule.tableau(1))),
        rows_per_pass=tf.constant(rows_per_pass),
        keep=Keep(),
    )


def test_halving_by_hand():
    """The middle of [0, 1] gives 1 for 0.7; its halves give 0.5; halves of the left one 0.25 + 0.5, near enough."""
    walked = kink(0.1)
    np.testing.assert_allclose(walked.values, [[0.75]])
    assert walked.gradients.numpy().tolist() == [1 + 2 + 2]


@pytest.mark.parametrize(("refinements", "value"), [(0, 1.0), (1, 0.5), (2, 0.75), (3, 0.75), (4, 0.6875)])
def test_the_limit_leaves_a_gap(refinements, value):
    walked = kink(1e-6, refinements=refinements)
    np.testing.assert_allclose(walked.values, [[value]])
    assert walked.gradients.numpy().tolist() == [1 + 2 * refinements]


@pytest.mark.parametrize("rows_per_pass", [1, 2, 100])
def test_each_row_takes_what_it_needs(rows_per_pass):
    walked = kink(0.1, ends=((0.2,), (1.0,), (0.0,)), rows_per_pass=rows_per_pass)
    np.testing.assert_allclose(walked.values, [[0.0], [0.75], [0.0]])
    assert walked.gradients.numpy().tolist() == [1, 5, 1]


def test_misses_that_cancel_are_no_reason_to_halve():
    """The first half of the way gives 0 for 0.2, the second 1 for 0.8."""
    walked = kink(1e-6, ends=((1.0, 1.0),), model=Kinks(0.3, 0.7), steps=2)
    np.testing.assert_allclose(walked.values, [[0.5, 0.5]])
    assert walked.gradients.numpy().tolist() == [2]


@pytest.fixture(scope="module")
def relu_net64():
    keras.utils.set_random_seed(3)
    return keras.Sequential(
        [
            keras.Input((6,), dtype="float64"),
            keras.layers.Dense(12, "relu", dtype="float64"),
            keras.layers.Dense(8, "relu", dtype="float64"),
            keras.layers.Dense(3, dtype="float64"),
        ]
    )


EXPLAINERS = {
    "IG²": lambda model, tolerance: IG2Explainer(
        model, steps=3, step_size=0.4, rule="segment", nodes=1, completeness_tolerance=tolerance
    ),
    "IG², calibrated": lambda model, tolerance: IG2Explainer(
        model, rule="segment", nodes=1, completeness_tolerance=tolerance
    ),
    "IG": lambda model, tolerance: IntegratedGradientsExplainer(model, steps=1, completeness_tolerance=tolerance),
    "Guided IG": lambda model, tolerance: GuidedIGExplainer(
        model, steps=3, max_dist=0.4, rule="segment", nodes=1, completeness_tolerance=tolerance
    ),
}


@pytest.mark.parametrize("name", EXPLAINERS)
@pytest.mark.parametrize("net", ["tanh_net", "relu_net64"])
def test_the_tolerance_is_met(request, net, name, x, references):
    model = request.getfixturevalue(net)
    rough = EXPLAINERS[name](model, 10.0).explain(x, references[:1], target=0)
    fine = EXPLAINERS[name](model, 0.01).explain(x, references[:1], target=0)
    assert (fine.relative_completeness_gap <= 0.01).all()
    assert (fine.gradients >= rough.gradients).all()
    assert (rough.relative_completeness_gap > 0.01).any()
    np.testing.assert_array_equal(fine.gradients % 2, rough.steps_taken % 2 if "IG²" in name else 1)


def test_where_no_refinement_is_needed_it_is_gauss_legendre(tanh_net, x, references):
    options = {"steps": 4, "step_size": 0.1, "rule": "segment"}
    plain = IG2Explainer(tanh_net, nodes=5, **options).explain(x, references, target=1)
    refined = IG2Explainer(tanh_net, nodes=4, completeness_tolerance=0.1, **options).explain(x, references, target=1)
    np.testing.assert_allclose(refined.values, plain.values, rtol=1e-12)
    np.testing.assert_array_equal(refined.gradients, 4 * 5)
    assert not plain.gradients.any()


@pytest.mark.parametrize("every", [1, 2, 5])
def test_the_path_is_kept_as_asked_for(tanh_net, x, references, every):
    options, keep = {"steps": 4, "step_size": 0.1, "rule": "segment"}, Keep(path=True, every=every)
    plain = IG2Explainer(tanh_net, **options).explain(x, references, keep=keep)
    refined = IG2Explainer(tanh_net, completeness_tolerance=0.1, **options).explain(x, references, keep=keep)
    np.testing.assert_allclose(refined.path, plain.path, rtol=1e-12)


def test_rows_without_a_step_have_no_gradients(tanh_net, x):
    explainer = IG2Explainer(tanh_net, rule="segment", completeness_tolerance=0.1, clip_min_max=None)
    explanation = explainer.explain(x, x[:1], target=0)  # the first is its own reference
    assert explanation.steps_taken[0, 0] == explanation.gradients[0, 0] == 0
    assert not explanation.values[0].any()
    assert (explanation.gradients[1:] > 0).all()


def test_with_a_callback():
    (x,), contrast = draw(explicands=1)

    def call(points, call_model_args=None, expected_keys=None):
        hidden = np.tanh(points @ WEIGHTS)
        answers = {
            OUTPUT_LAYER_VALUES: hidden @ HEAD[:, 1],
            INPUT_OUTPUT_GRADIENTS: ((1 - hidden**2) * HEAD[:, 1]) @ WEIGHTS.T,
        }
        return {key: answers[key] for key in expected_keys}

    options = {"steps": 1, "completeness_tolerance": 1e-4}
    mask = IntegratedGradientsExplainer(**options).GetMask(x, call, baselines=contrast)
    expected = IntegratedGradientsExplainer(view(), **options).explain(x, contrast, target=1)
    np.testing.assert_allclose(mask, expected.values, atol=1e-13)
    assert expected.relative_completeness_gap <= 1e-3


def test_xla_which_wants_fixed_shapes_is_refused(tanh_net):
    with pytest.raises(ValueError, match="jit_compile"):
        IG2Explainer(tanh_net, rule="segment", completeness_tolerance=0.01, jit_compile=True)


REFUSED = {
    "IG²": lambda: IG2Explainer(rule="trapezoid", completeness_tolerance=0.1),
    "IG": lambda: IntegratedGradientsExplainer(rule="midpoint", completeness_tolerance=0.1),
    "Guided IG": lambda: GuidedIGExplainer(rule="left", completeness_tolerance=0.1),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_tolerance_needs_a_rule_that_has_nodes(case):
    with pytest.raises(ValueError, match="`completeness_tolerance` adds nodes to rule="):
        REFUSED[case]()


@pytest.mark.parametrize("tolerance", [0, -1.0])
def test_a_tolerance_is_positive(tolerance):
    with pytest.raises(ValueError, match="`completeness_tolerance` must be positive"):
        IG2Explainer(rule="segment", completeness_tolerance=tolerance)


def test_blur_ig_has_none():
    with pytest.raises(TypeError, match="completeness_tolerance"):
        BlurIGExplainer(completeness_tolerance=0.1)

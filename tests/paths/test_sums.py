"""IDGI adds up to rounding whatever the path, and shares out by the squares of the gradient."""

import numpy as np
import pytest
import tensorflow as tf

from tests import numpy_ig2
from tf_ig2 import IG2Explainer, Keep, ModelView
from tf_ig2.explainers.blur_ig import BlurIGExplainer
from tf_ig2.explainers.expected_ig import ExpectedIGExplainer
from tf_ig2.explainers.guided_ig import GuidedIGExplainer
from tf_ig2.explainers.integrated_gradients import IntegratedGradientsExplainer
from tf_ig2.pair.callback_view import INPUT_OUTPUT_GRADIENTS, OUTPUT_LAYER_VALUES
from tf_ig2.paths import rules, sums
from tf_ig2.paths.base import Seen

from .smooth import HEAD, WEIGHTS, draw, view

EXPLAINERS = {
    "GradPath": lambda model, rule: IG2Explainer(model, rule=rule, steps=6, step_size=0.2, clip_min_max=None),
    "GradPath, calibrated": lambda model, rule: IG2Explainer(model, rule=rule, steps=4),
    "straight line": lambda model, rule: IntegratedGradientsExplainer(model, rule=rule, steps=7),
    "straight line, one cell": lambda model, rule: IntegratedGradientsExplainer(model, rule=rule, steps=1),
    "Guided": lambda model, rule: GuidedIGExplainer(model, rule=rule, steps=5, max_dist=0.3),
    "Expected, drawn": lambda model, rule: ExpectedIGExplainer(model, rule=rule, steps=4),
    "Expected, regular": lambda model, rule: ExpectedIGExplainer(model, rule=rule, steps=4, sample_alpha=False),
}
RULES = ["idgi", "idgi-both"]


def adds_up(explanation):
    np.testing.assert_allclose(explanation.completeness_gap, 0, atol=1e-13)
    assert np.abs(explanation.values).max() > 1e-2


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("name", EXPLAINERS)
def test_it_telescopes_along_every_path(name, rule):
    x, contrast = draw()
    adds_up(EXPLAINERS[name](view(), rule).explain(x, contrast, target=1))


@pytest.mark.parametrize("rule", RULES)
def test_it_telescopes_along_the_blur(rng, rule):
    weights = tf.constant(rng.normal(size=[20, 4]))
    model = ModelView.from_callables(
        lambda x: tf.tanh(tf.reshape(x, [-1, 20]) @ weights), lambda h: h, tf.TensorSpec([None, 5, 4, 1], tf.float64)
    )
    adds_up(BlurIGExplainer(model, steps=6, max_sigma=2, rule=rule).explain(rng.normal(size=[2, 5, 4, 1])))


@pytest.mark.parametrize("batch_size", [1, 3, 100])
def test_how_many_nodes_go_together_does_not_matter(batch_size):
    x, contrast = draw()
    explainer = IntegratedGradientsExplainer(view(), rule="idgi-both", steps=9)
    whole = explainer.explain(x, contrast, batch_size=32).values
    np.testing.assert_allclose(explainer.explain(x, contrast, batch_size=batch_size).values, whole, atol=1e-14)


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("name", ["straight line", "Guided", "Expected, drawn"])
def test_a_callback_answers_with_the_output_and_it_telescopes(name, rule):
    (x,), contrast = draw(explicands=1)
    explainer = EXPLAINERS[name]

    def call(points, call_model_args=None, expected_keys=None):
        hidden = np.tanh(points @ WEIGHTS)
        answers = {
            OUTPUT_LAYER_VALUES: hidden @ HEAD[:, 1],
            INPUT_OUTPUT_GRADIENTS: ((1 - hidden**2) * HEAD[:, 1]) @ WEIGHTS.T,
        }
        return {key: answers[key] for key in expected_keys}

    argument = explainer(None, rule).walk.contrast.argument
    mask = explainer(None, rule).GetMask(x, call, **{argument: contrast})
    expected = explainer(view(), rule).explain(x, contrast, target=1)
    np.testing.assert_allclose(mask, expected.values, atol=1e-13)
    adds_up(expected)


def test_a_callback_that_answers_with_another_shape_is_told():
    with pytest.raises(ValueError, match=r"OUTPUT_LAYER_VALUES has shape .* the explained output of each row"):
        IntegratedGradientsExplainer(rule="idgi", steps=2).GetMask(
            np.ones(3), lambda x, call_model_args, expected_keys: dict.fromkeys(expected_keys, x)
        )


@pytest.mark.parametrize("rule", RULES)
def test_on_a_linear_model_shares_go_by_the_squared_weights_and_not_by_the_way(rule):
    weights = np.array([1.0, -2.0, 3.0, 0.0])
    model = ModelView.from_callables(
        lambda x: x, lambda x: tf.linalg.matvec(x, weights)[:, None], tf.TensorSpec([None, 4], tf.float64)
    )
    x, baseline = np.array([[1.0, 2.0, 5.0, 7.0]]), np.array([[0.0, 0.0, 5.0, 0.0]])  # the third does not move
    explanation = IntegratedGradientsExplainer(model, rule=rule, steps=3).explain(x, baseline)
    difference = (x - baseline) @ weights
    np.testing.assert_allclose(explanation.values, difference[:, None] * weights**2 / (weights**2).sum(), atol=1e-14)
    assert explanation.values[0, 2] != 0


def seen(output, gradient):
    return Seen(tf.constant([output]), tf.constant([0.0]), tf.constant([gradient]))


class TestPieces:
    """One piece between two points, known by hand."""

    def piece(self, rule, start, end):
        sum_ = sums.of(rule)
        added, held = sum_.depart(start, ())
        assert added is None
        return sum_.arrive(held, start.output, end).numpy().tolist()

    def test_the_gradient_at_its_start_shares_out_the_difference(self):
        assert self.piece(rules.IDGI, seen(1.0, [1.0, 2.0]), seen(6.0, [3.0, 0.0])) == [[1.0, 4.0]]

    def test_the_mean_of_the_shares_at_both_ends(self):
        assert self.piece(rules.IDGI_BOTH, seen(1.0, [1.0, 2.0]), seen(6.0, [3.0, 0.0])) == [[3.0, 2.0]]

    @pytest.mark.parametrize("rule", [rules.IDGI, rules.IDGI_BOTH])
    def test_a_zero_gradient_at_the_start_leaves_it_to_the_end(self, rule):
        assert self.piece(rule, seen(1.0, [0.0, 0.0]), seen(6.0, [1.0, 2.0])) == [[1.0, 4.0]]

    def test_a_zero_gradient_at_the_end_leaves_it_to_the_start(self):
        assert self.piece(rules.IDGI_BOTH, seen(1.0, [1.0, 2.0]), seen(6.0, [0.0, 0.0])) == [[1.0, 4.0]]

    @pytest.mark.parametrize("rule", [rules.IDGI, rules.IDGI_BOTH])
    def test_without_any_gradient_nobody_gets_anything(self, rule):
        assert self.piece(rule, seen(1.0, [0.0, 0.0]), seen(6.0, [0.0, 0.0])) == [[0.0, 0.0]]

    def test_of_the_last_point_there_is_no_gradient(self):
        last = seen(6.0, [1.0, 1.0])._replace(output_gradient=())
        assert self.piece(rules.IDGI, seen(1.0, [0.0, 0.0]), last) == [[0.0, 0.0]]

    def test_squares_of_tiny_gradients_do_not_vanish(self):
        assert self.piece(rules.IDGI, seen(0.0, [1e-30, 2e-30]), seen(5.0, [0.0, 0.0])) == [[1.0, 4.0]]


def test_a_start_without_gradient_is_made_up_for():
    """ReLU from where it is flat: the first piece goes by the gradient at its end, so nothing is lost."""
    weights = np.array([1.0, 2.0])
    model = ModelView.from_callables(
        lambda x: x,
        lambda x: tf.nn.relu(tf.linalg.matvec(x, weights) - 1)[:, None],
        tf.TensorSpec([None, 2], tf.float64),
    )
    explainer = IntegratedGradientsExplainer(model, rule="idgi", steps=2)
    explanation = explainer.explain(np.array([[2.0, 1.0]]), np.zeros([1, 2]))
    np.testing.assert_allclose(explanation.values, [[3 / 5, 12 / 5]], atol=1e-14)


@pytest.mark.parametrize("rule", RULES)
def test_a_plain_numpy_reading_gives_the_same(tanh_net, x, references, rule):
    explainer = IG2Explainer(tanh_net, steps=9, step_size=0.1, clip_min_max=None, rule=rule)
    explanation = explainer.explain(x, references, target=2, keep=Keep(path=True))
    model = numpy_ig2.Mlp(tanh_net, 2, "tanh")
    for i in range(len(x)):
        expected = np.mean([numpy_ig2.idgi(model, path, rule) for path in explanation.path[i]], axis=0)
        np.testing.assert_allclose(explanation.values[i], expected, atol=1e-10)

"""Boundary-based IG against a plain reading of it and closed forms."""

import numpy as np
import pytest
import tensorflow as tf

from tests.numpy_tanh import TanhNet
from tests.paths.smooth import Recorder, explain
from tests.serving.conftest import check
from tf_ig2 import BIGExplainer, IntegratedGradientsExplainer, ModelView
from tf_ig2.contrasts.boundary import Attack
from tf_ig2.models.explained_output import ExplainedOutput
from tf_ig2.serving import export

NET = TanhNet()
X = np.random.default_rng(1).uniform(-1, 1, [6, 5])
ATTACKS = (Attack("l2", 0.05, 6), Attack("sign", 0.03, 6))
OPTIONS = {"attacks": ATTACKS, "value_range": (-1, 1), "steps": 8}


def attacked(x, attack):
    """The end of an attack on one explicand, and whether it is of another class."""
    target, point = NET.outputs(x).argmax(), x
    for _ in range(attack.steps):
        gradient = NET.class_gradient(point, target)
        direction = np.sign(gradient) if attack.norm == "sign" else gradient / np.linalg.norm(gradient)
        point = np.clip(point - 2 * attack.fraction * direction, -1, 1)
        if NET.outputs(point).argmax() != target:
            return point, True
    return point, False


def test_the_line_comes_from_the_nearest_point_of_another_class_or_the_farthest_that_was_reached():
    explanation = BIGExplainer(NET.view, **OPTIONS).explain(X)
    for row, x in enumerate(X):
        ends = [attacked(x, attack) for attack in ATTACKS]
        found = [end for end, other in ends if other]
        away = [np.linalg.norm(end - x) for end in (found or [end for end, _ in ends])]
        expected = found[np.argmin(away)] if found else ends[np.argmax(away)][0]
        np.testing.assert_allclose(explanation.counterfactuals[row, 0], expected, atol=1e-12)
        assert explanation.stop_reason[row, 0] == ("arrived" if found else "steps")
    assert set(explanation.stop_reason[:, 0]) == {"arrived", "steps"}
    line = IntegratedGradientsExplainer(NET.view, steps=8).explain(X, explanation.counterfactuals)
    np.testing.assert_allclose(explanation.values, line.values, atol=1e-12)
    np.testing.assert_allclose(explanation.counterfactual_output, line.counterfactual_output, atol=1e-12)


def test_a_linear_model_has_its_closed_form():
    """Along w/‖w‖ the boundary is 0.22 away: the l2 attack's 3 steps of 0.1 win over the sign's 2 of 0.1·√2."""
    head = np.stack([[3.0, -4.0], np.zeros(2)], axis=1)
    view = ModelView.from_callables(lambda x: x, lambda x: x @ head, tf.TensorSpec([None, 2], tf.float64))
    attacks = (Attack("l2", 0.01, 9), Attack("sign", 0.03, 9))
    explanation = BIGExplainer(view, attacks=attacks, value_range=(-5, 5)).explain(np.array([[0.5, 0.1]]))
    np.testing.assert_allclose(explanation.values, [[0.3 * 9 / 5, 0.3 * 16 / 5]])
    np.testing.assert_allclose(explanation.completeness_gap, 0, atol=1e-12)


def test_the_line_is_walked_once():
    """Eight nodes for each row, beside what the attacks take."""
    explainer, nodes = BIGExplainer(NET.view, **OPTIONS), []

    class Counting(Recorder):
        def evaluate(self, point, rows, path, **wanted):
            nodes.append(len(point) if path is None and wanted["output_gradient"] else 0)
            return super().evaluate(point, rows, path, **wanted)

    explain(explainer, X, None, model=Counting(ExplainedOutput(NET.view)))
    assert sum(nodes) == 8 * len(X)
    assert explainer.explain(X).outputs.shape == (6, 1, 2)


def test_another_class_than_the_predicted_one_is_its_own_counterfactual():
    explanation = BIGExplainer(NET.view, **OPTIONS).explain(X, target=NET.outputs(X).argmin(axis=1))
    assert not explanation.values.any()
    assert (explanation.stop_reason == "arrived").all()


def test_a_batch_is_its_rows_one_by_one_and_xla_changes_nothing():
    whole = BIGExplainer(NET.view, **OPTIONS).explain(X, batch_size=4)
    compiled = BIGExplainer(NET.view, jit_compile=True, **OPTIONS).explain(X)
    np.testing.assert_allclose(compiled.values, whole.values, atol=1e-10)
    np.testing.assert_array_equal(compiled.stop, whole.stop)
    alone = BIGExplainer(NET.view, **OPTIONS).explain(X[2])
    np.testing.assert_allclose(alone.values, whole.values[2], atol=1e-12)


def test_it_is_exported(tmp_path):
    explainer = BIGExplainer(NET.view, **OPTIONS)
    explain = tf.saved_model.load(export(explainer, tmp_path, batch_size=4)).signatures["explain"]
    answer = explain(x=tf.constant(X), target=tf.constant(-1))
    check({name: value.numpy() for name, value in answer.items()}, explainer.explain(X))


@pytest.mark.parametrize(
    ("attacks", "error", "word"),
    [
        ((), TypeError, "attacks"),
        (("l2",), TypeError, "attacks"),
        ((Attack("l1", 0.1, 5),), ValueError, "norm"),
        ((Attack("l2", 0.0, 5),), ValueError, "fraction"),
        ((Attack("l2", 0.1, 0),), ValueError, "steps"),
    ],
)
def test_wrong_attacks_are_named(attacks, error, word):
    with pytest.raises(error, match=word):
        BIGExplainer(NET.view, attacks=attacks)


def test_a_callback_is_refused():
    with pytest.raises(NotImplementedError, match="callback"):
        BIGExplainer().GetMask(X[0], lambda *_, **__: {})

"""Integrated Decision Gradients against closed forms and a plain reading of it."""

import numpy as np
import pytest
import tensorflow as tf

from tests.numpy_tanh import TanhNet
from tests.serving.conftest import check
from tf_ig2 import IDGExplainer, Keep, ModelView
from tf_ig2.serving import export

NET = TanhNet()
X = np.random.default_rng(1).uniform(-1, 1, [4, 5])


def read(x, steps, coarse):
    """Attributions and positions for one explicand and the zero baseline."""
    target = NET.outputs(x).argmax()
    grid = np.linspace(0, 1, coarse + 1)
    change = np.abs(np.diff([NET.outputs(a * x)[target] for a in grid]))
    reached = np.append(0, np.cumsum(change / change.sum()))
    alphas = np.interp(np.linspace(0, 1, steps + 1), reached, grid)
    outputs = [NET.outputs(a * x)[target] for a in alphas]
    gradients = [NET.class_gradient(a * x, target) for a in alphas]
    return x * sum(g * d for g, d in zip(gradients[1:], np.diff(outputs), strict=True)), alphas


def test_it_does_what_a_plain_reading_does():
    explanation = IDGExplainer(NET.view, steps=9, coarse=4).explain(X, keep=Keep(path=True))
    for row, x in enumerate(X):
        values, alphas = read(x, 9, 4)
        np.testing.assert_allclose(explanation.values[row], values, atol=1e-12)
        points = explanation.path[row, 0, 1:][::-1]  # the explicand comes first, and twice
        np.testing.assert_allclose(points, alphas[:, None] * x, atol=1e-12)


def test_a_linear_model_has_its_closed_form():
    """∇f is w all the way: φ = w ⊙ x · f(x), not f(x) in sum."""
    w = np.array([[3.0], [-4.0]])
    view = ModelView.from_callables(lambda x: x, lambda x: x @ w, tf.TensorSpec([None, 2], tf.float64))
    explanation = IDGExplainer(view, steps=3).explain(np.array([[2.0, 0.5]]))
    np.testing.assert_allclose(explanation.values, [[6 * 4, -2 * 4]])
    assert explanation.completeness_gap is None


def test_nodes_lie_where_the_output_changes():
    """A step at α = 1/2 in a plateau: α moves over pieces without slope, and all nodes lie on the one that has it."""
    view = ModelView.from_callables(
        lambda x: x, lambda x: tf.clip_by_value(8 * x - 4, 0, 1), tf.TensorSpec([None, 1], tf.float64)
    )
    explanation = IDGExplainer(view, steps=4, coarse=8).explain(np.array([[1.0]]), keep=Keep(path=True))
    inner = explanation.path[0, 0, 2:-1, 0]
    np.testing.assert_allclose(inner, [0.5 + 0.125 * part for part in (0.75, 0.5, 0.25)])


def test_without_any_change_there_is_nothing():
    view = ModelView.from_callables(lambda x: x, lambda x: 0 * x, tf.TensorSpec([None, 1], tf.float64))
    assert not IDGExplainer(view, steps=4).explain(np.array([[1.0]])).values.any()


def test_a_batch_is_its_rows_one_by_one_and_xla_changes_nothing():
    whole = IDGExplainer(NET.view, steps=6).explain(X, X[:2], batch_size=3)
    compiled = IDGExplainer(NET.view, steps=6, jit_compile=True).explain(X, X[:2])
    np.testing.assert_allclose(compiled.values, whole.values, atol=1e-10)
    alone = IDGExplainer(NET.view, steps=6).explain(X[2], X[:2])
    np.testing.assert_allclose(alone.values, whole.values[2], atol=1e-12)


def test_it_is_exported(tmp_path):
    explainer = IDGExplainer(NET.view, steps=6)
    explain = tf.saved_model.load(export(explainer, tmp_path, 0.0, batch_size=3)).signatures["explain"]
    answer = explain(x=tf.constant(X), target=tf.constant(-1))
    check({name: value.numpy() for name, value in answer.items()}, explainer.explain(X))


@pytest.mark.parametrize(("options", "word"), [({"steps": 0}, "steps"), ({"coarse": 0}, "coarse")])
def test_wrong_arguments_are_named(options, word):
    with pytest.raises(ValueError, match=word):
        IDGExplainer(NET.view, **options)


def test_a_callback_is_refused():
    with pytest.raises(NotImplementedError, match="callback"):
        IDGExplainer().GetMask(X[0], lambda *_, **__: {})

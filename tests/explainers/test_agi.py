"""AGI against a plain reading of its algorithm, and what must hold of it whatever the model."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.numpy_tanh import TanhNet
from tests.serving.conftest import check
from tf_ig2 import AGIExplainer, ModelView
from tf_ig2.serving import export

NET = TanhNet()
X = np.random.default_rng(1).uniform(-1, 1, [6, 5])
OPTIONS = {"steps": 12, "step_size": 0.1, "value_range": (-1, 1)}


def read(x, false, steps=12, step=0.1):
    """Algorithm 1 for one explicand and one false class: attributions, the end."""
    target, point, values = NET.outputs(x).argmax(), x, np.zeros_like(x)
    for _ in range(steps):
        if NET.outputs(point).argmax() == false:
            break
        probabilities = NET.probabilities(point)
        up = NET.gradient(point, probabilities[false] * (np.eye(4)[false] - probabilities))
        to = np.clip(point + step * np.sign(up), -1, 1)
        values -= NET.class_gradient(point, target) * (to - point)
        point = to
    return values, point


def test_it_does_what_the_paper_says_class_by_class():
    explanation = AGIExplainer(NET.view, classes=2, **OPTIONS).explain(X)
    reasons = set()
    for row, x in enumerate(X):
        likely = np.argsort(-NET.outputs(x))[1:3]
        values, ends = zip(*(read(x, false) for false in likely), strict=True)
        np.testing.assert_allclose(explanation.values[row], np.sum(values, axis=0), atol=1e-12)
        np.testing.assert_allclose(explanation.counterfactuals[row], ends, atol=1e-12)
        for end, false, reason in zip(ends, likely, explanation.stop_reason[row], strict=True):
            assert reason == ("arrived" if NET.outputs(end).argmax() == false else "steps")
            reasons.add(reason)
    assert reasons == {"arrived", "steps"}


def test_a_linear_model_has_its_closed_form():
    """p_1 rises against w = (3, −4): each step adds ε·|w|, f falls by 7ε, and nothing is missed."""
    head = np.stack([[3.0, -4.0], np.zeros(2)], axis=1)
    view = ModelView.from_callables(lambda x: x, lambda x: x @ head, tf.TensorSpec([None, 2], tf.float64))
    explanation = AGIExplainer(view, step_size=0.1, value_range=(-5, 5)).explain(np.array([[0.5, 0.1]]))
    assert explanation.steps_taken.tolist() == [[2]]  # 1.1 − 2·0.7 < 0
    np.testing.assert_allclose(explanation.values, [[0.6, 0.8]])
    np.testing.assert_allclose(explanation.completeness_gap, 0, atol=1e-12)


def test_named_classes_are_summed_and_the_explained_one_adds_nothing():
    parts = [AGIExplainer(NET.view, classes=[c], **OPTIONS).explain(X).values for c in range(4)]
    whole = AGIExplainer(NET.view, classes=range(4), **OPTIONS).explain(X)
    np.testing.assert_allclose(whole.values, np.sum(parts, axis=0), atol=1e-12)
    own = whole.steps_taken[np.arange(6), whole.target]
    assert not own.any()


def test_drawn_classes_are_others_and_depend_on_the_seed_alone():
    everything = AGIExplainer(NET.view, classes=9, **OPTIONS).explain(X)
    assert everything.steps_taken.shape == (6, 3)
    drawn = AGIExplainer(NET.view, classes=9, seed=3, **OPTIONS).explain(X)
    np.testing.assert_allclose(drawn.values, everything.values, atol=1e-12)
    one, again, other = (AGIExplainer(NET.view, classes=1, seed=s, **OPTIONS).explain(X).values for s in (0, 0, 1))
    np.testing.assert_array_equal(one, again)
    assert not np.allclose(one, other)


def test_logits_and_probabilities_go_the_same_way():
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input([5]), keras.layers.Dense(9, "tanh"), keras.layers.Dense(4, "softmax")])
    options = {"classes": 2, "value_range": (-1, 1), "step_size": 0.05}
    logits, likely = (AGIExplainer(model, output=o, **options).explain(X) for o in ("logits", "probabilities"))
    np.testing.assert_allclose(logits.counterfactuals, likely.counterfactuals, atol=1e-6)
    np.testing.assert_allclose(logits.distances, likely.distances, atol=1e-4)
    assert not np.allclose(logits.values, likely.values, atol=1e-3)


def test_a_batch_is_its_rows_one_by_one_and_xla_changes_nothing():
    whole = AGIExplainer(NET.view, **OPTIONS).explain(X, batch_size=4)
    compiled = AGIExplainer(NET.view, jit_compile=True, **OPTIONS).explain(X)
    np.testing.assert_allclose(compiled.values, whole.values, atol=1e-10)
    for row, x in enumerate(X):
        np.testing.assert_allclose(AGIExplainer(NET.view, **OPTIONS).explain(x).values, whole.values[row], atol=1e-12)


def test_it_is_exported(tmp_path):
    explainer = AGIExplainer(NET.view, **OPTIONS)
    explain = tf.saved_model.load(export(explainer, tmp_path, batch_size=4, max_steps=30)).signatures["explain"]
    answer = explain(x=tf.constant(X), target=tf.constant(-1), steps=tf.constant(12))
    check({name: value.numpy() for name, value in answer.items()}, explainer.explain(X))


def test_several_inputs_come_back_in_their_structure():
    inputs = [keras.Input([3]), keras.Input([2])]
    model = keras.Model(inputs, keras.layers.Dense(3, "softmax")(keras.layers.Concatenate()(inputs)))
    values = AGIExplainer(model).explain([X[:, :3], X[:, 3:]]).values
    assert [part.shape for part in values] == [(6, 3), (6, 2)]


@pytest.mark.parametrize(
    ("options", "error", "word"),
    [
        ({"classes": 0}, ValueError, "classes"),
        ({"classes": [1, 1]}, ValueError, "classes"),
        ({"classes": [0.5]}, TypeError, "classes"),
        ({"classes": [1], "seed": 1}, ValueError, "seed"),
        ({"steps": 0}, ValueError, "steps"),
        ({"step_size": -1.0}, ValueError, "step_size"),
        ({"rule": "middle"}, ValueError, "rule"),
    ],
)
def test_wrong_arguments_are_named(options, error, word):
    with pytest.raises(error, match=word):
        AGIExplainer(NET.view, **options)


def test_what_has_no_other_class_is_refused():
    with pytest.raises(ValueError, match="out of range"):
        AGIExplainer(NET.view, classes=[7]).explain(X)
    one = ModelView.from_callables(lambda x: x, lambda x: x[:, :1], tf.TensorSpec([None, 5], tf.float64))
    with pytest.raises(ValueError, match="no other class"):
        AGIExplainer(one).explain(X)
    with pytest.raises(NotImplementedError, match="callback"):
        AGIExplainer().GetMask(X[0], lambda *_, **__: {})


def test_settings_roundtrip_through_get_mask():
    mask = AGIExplainer(NET.view, classes=2).GetMask(X[0], steps=7, classes=1)
    np.testing.assert_array_equal(mask, AGIExplainer(NET.view, classes=1, steps=7).explain(X[0]).values)

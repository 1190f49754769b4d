"""A target is what it computes now, is one number per row, and has a gradient."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from tf_ig2 import DeepSHAPExplainer, GradCAMExplainer, GradientExplainer, IntegratedGradientsExplainer
from tf_ig2.explainers.kernel_shap import KernelSHAPExplainer
from tf_ig2.models.traced_target import TracedTarget

CLASSES = 3
X = np.random.default_rng(0).normal(size=[CLASSES, 4]).astype("float32")  # as many rows as classes
SPEC = tf.TensorSpec([None, CLASSES])


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(0)
    return keras.Sequential([keras.Input((4,)), layers.Dense(5, "relu"), layers.Dense(CLASSES)])


def image_model():
    keras.utils.set_random_seed(0)
    last = [layers.Conv2D(2, 1, activation="relu"), layers.Flatten(), layers.Dense(CLASSES)]
    return keras.Sequential([keras.Input((4,)), layers.Reshape((2, 2, 1)), *last])


class Pick:
    def __init__(self, k):
        self.k = k

    def __call__(self, z):
        return z[:, self.k]


STATE = {"k": 0}


def stateful():
    """Pairs of a target and what makes it the one of class 1."""
    k = [0]
    pick, variable, numbers = Pick(0), tf.Variable(0), iter([0, 1])
    return {
        "closure": (lambda z: z[:, k[0]], lambda: k.__setitem__(0, 1)),
        "attribute": (pick, lambda: setattr(pick, "k", 1)),
        "global": (lambda z: z[:, STATE["k"]], lambda: STATE.update(k=1)),
        "variable": (lambda z: tf.gather(z, variable, axis=1), lambda: variable.assign(1)),
        "iterator": (lambda z: z[:, next(numbers)], lambda: None),
    }


EXPLAINERS = {
    "gradient": (lambda model: GradientExplainer(model), []),
    "DeepSHAP": (lambda model: DeepSHAPExplainer(model), [np.zeros([1, 4])]),
    "KernelSHAP": (lambda model: KernelSHAPExplainer(model), [np.zeros([1, 4])]),
}


@pytest.mark.parametrize("explainer", EXPLAINERS)
@pytest.mark.parametrize("kind", stateful())
def test_what_a_target_remembers_is_seen(model, explainer, kind):
    STATE["k"] = 0
    make, arguments = EXPLAINERS[explainer]
    explain = make(model).explain
    target, change = stateful()[kind]
    for index in (0, 1):
        expected = model(X)[:, index]
        np.testing.assert_allclose(explain(X, *arguments, target=target).output, expected, rtol=1e-5)
        change()


def test_fresh_functions_of_the_same_kind_share_a_graph(model):
    explainer = IntegratedGradientsExplainer(model, steps=3)
    for _ in range(5):
        explainer.explain(X, target=lambda z: z[:, 1] - z[:, 0])
    assert len(explainer._graphs) == 1


def test_two_gradients_of_the_same_value_are_two_targets():
    def with_slope(slope):
        @tf.custom_gradient
        def target(z):
            return z[:, 0], lambda upstream: slope * tf.ones_like(z) * upstream[:, None]

        return target

    assert TracedTarget(with_slope(1.0), SPEC) == TracedTarget(with_slope(1.0), SPEC)
    assert TracedTarget(with_slope(1.0), SPEC) != TracedTarget(with_slope(2.0), SPEC)


def test_what_is_captured_is_told_apart():
    one, other = tf.Variable(1.0), tf.Variable(1.0)
    assert TracedTarget(lambda z: one * z[:, 0], SPEC) == TracedTarget(lambda z: one * z[:, 0], SPEC)
    assert TracedTarget(lambda z: one * z[:, 0], SPEC) != TracedTarget(lambda z: other * z[:, 0], SPEC)


NOT_A_NUMBER_PER_ROW = {
    "one row": lambda z: z[0],
    "a sum over rows": lambda z: tf.reduce_sum(z, axis=0),
    "all in a row": lambda z: tf.reshape(z, [-1]),
    "scalar": tf.reduce_sum,
    "a column": lambda z: z[:, :1],
    "the output": lambda z: z,
}


@pytest.mark.parametrize("kind", NOT_A_NUMBER_PER_ROW)
@pytest.mark.parametrize("explainer", EXPLAINERS)
def test_a_target_that_is_not_one_number_per_row_is_refused(model, explainer, kind):
    make, arguments = EXPLAINERS[explainer]
    with pytest.raises(ValueError, match=r"one number per row, shape \[B\]"):
        make(model).explain(X, *arguments, target=NOT_A_NUMBER_PER_ROW[kind])


FLAT = {
    "argmax": lambda z: tf.argmax(z, axis=-1),
    "argmax, cast": lambda z: tf.cast(tf.argmax(z, axis=-1), tf.float32),
    "a comparison": lambda z: tf.cast(z[:, 0] > z[:, 1], tf.float32),
    "a constant": lambda z: tf.ones(tf.shape(z)[0]),
}


@pytest.mark.parametrize("kind", FLAT)
@pytest.mark.parametrize("explainer", ["gradient", "DeepSHAP"])
def test_a_target_without_gradient_is_refused(model, explainer, kind):
    make, arguments = EXPLAINERS[explainer]
    with pytest.raises(ValueError, match="`target` callable has no gradient"):
        make(model).explain(X, *arguments, target=FLAT[kind])


def test_kernel_shap_needs_no_gradient(model):
    target = FLAT["a comparison"]
    explanation = KernelSHAPExplainer(model).explain(X, np.zeros([1, 4]), target=target)
    np.testing.assert_allclose(explanation.output, target(model(X)))


def test_grad_cam_sees_it_too():
    explainer, k = GradCAMExplainer(keras.Sequential([keras.Input((2, 2, 1)), *image_model().layers[1:]])), [0]
    x = np.ones([2, 2, 2, 1], "float32")
    for index in (0, 1):
        k[0] = index
        expected = explainer.explain(x, target=index).output
        np.testing.assert_allclose(explainer.explain(x, target=lambda z: z[:, k[0]]).output, expected)


def test_a_target_in_a_walk_compiled_by_xla(model):
    def target(z):
        return tf.reduce_logsumexp(z, axis=-1)

    plain, compiled = (GradientExplainer(model, jit_compile=jit).explain(X, target=target) for jit in (False, True))
    np.testing.assert_allclose(compiled.values, plain.values, rtol=1e-5)

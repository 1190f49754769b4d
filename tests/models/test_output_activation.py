"""Logits are behind the activation that comes last, or refused: never probabilities under their name."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers, ops

from tf_ig2 import GradientExplainer, IntegratedGradientsExplainer, ModelView, OutputActivationError

FEATURES = 6
X = np.random.default_rng(0).normal(size=[4, FEATURES]).astype("float32")


def softmax(z):
    """Not what its name says."""
    return 3 * z


def model_of(*last):
    keras.utils.set_random_seed(0)
    return keras.Sequential([keras.Input((FEATURES,)), layers.Dense(5, "tanh"), *last])


def of_graph(end, units=3, activation="softmax"):
    keras.utils.set_random_seed(0)
    inputs = keras.Input((FEATURES,))
    return keras.Model(inputs, end(layers.Dense(units, activation)(inputs)))


def odd(w):
    return 0.01 * ops.sum(w * w)


LOOKED_THROUGH = {
    "spectral normalisation": lambda: model_of(layers.SpectralNormalization(layers.Dense(3, "softmax"))),
    "time distributed": lambda: model_of(
        layers.Reshape((1, 5)), layers.TimeDistributed(layers.Dense(3, "softmax")), layers.Flatten()
    ),
    "time distributed softmax": lambda: model_of(
        layers.Dense(3), layers.Reshape((1, 3)), layers.TimeDistributed(layers.Softmax()), layers.Flatten()
    ),
    "cast": lambda: of_graph(lambda p: ops.cast(p, "float64")),
    "noise": lambda: model_of(layers.Dense(3, "softmax"), layers.GaussianNoise(0.1)),
    "tensorflow's own": lambda: model_of(layers.Dense(3, tf.nn.softmax)),
    "by keyword": lambda: of_graph(lambda z: layers.Activation("softmax")(inputs=z), activation=None),
    "fused, by keyword": lambda: of_graph(lambda z: layers.Dense(3, "softmax")(inputs=z), activation=None),
    "custom parts": lambda: model_of(
        layers.Dense(
            3,
            "softmax",
            kernel_regularizer=odd,
            bias_constraint=lambda w: w,
            kernel_initializer=lambda shape, dtype: keras.random.normal(shape, dtype=dtype, seed=1),
        )
    ),
}


@pytest.mark.parametrize("kind", LOOKED_THROUGH)
def test_logits_are_looked_through_to(kind):
    model = LOOKED_THROUGH[kind]()
    logits = ModelView(model).outputs(tf.constant(X))
    np.testing.assert_allclose(tf.nn.softmax(logits), model(X), rtol=1e-4, atol=1e-6)
    assert np.abs(np.sum(logits, axis=-1) - 1).max() > 1e-3


def test_a_slice_of_probabilities_is_the_slice_of_the_logits():
    model = of_graph(lambda p: p[:, 1:])
    logits = ModelView(model).outputs(tf.constant(X))
    expected = X @ model.layers[1].kernel.numpy() + model.layers[1].bias.numpy()
    np.testing.assert_allclose(logits, expected[:, 1:], rtol=1e-4, atol=1e-6)


REFUSED = {
    "clip": lambda: of_graph(lambda p: ops.clip(p, 1e-7, 1)),
    "rescaling": lambda: model_of(layers.Dense(3, "softmax"), layers.Rescaling(1.0)),
    "average": lambda: of_graph(lambda p: layers.Average()([p, layers.Softmax()(p)])),
    "a half of each": lambda: of_graph(lambda p: 0.5 * p + 0.5 * layers.Dense(3, "softmax")(p)),
    "one less": lambda: of_graph(lambda p: 1.0 - p, units=1, activation="sigmoid"),
    "a function of that name": lambda: model_of(layers.Dense(3, softmax)),
    "an activation of that name": lambda: model_of(layers.Dense(3), layers.Activation(softmax)),
    "lambda": lambda: model_of(layers.Lambda(lambda z: z)),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_cannot_be_looked_through_is_refused_with_the_way_out(kind):
    model = REFUSED[kind]()
    with pytest.raises(OutputActivationError, match=r'output="(probabilities|raw)"'):
        ModelView(model)
    for output in ("raw", "probabilities"):
        np.testing.assert_allclose(
            ModelView(model, output=output).outputs(tf.constant(X)), model(X), rtol=1e-5, atol=1e-6
        )


@pytest.mark.parametrize(
    "model",
    [
        lambda: of_graph(ops.softmax),
        lambda: of_graph(ops.log),
        lambda: model_of(layers.Reshape((-1, 1)), layers.LSTM(3, activation="softmax")),
        lambda: model_of(layers.Reshape((-1, 1)), layers.Bidirectional(layers.SimpleRNN(3, activation="sigmoid"))),
    ],
    ids=["a softmax of a softmax", "its logarithm", "a softmax in a cell", "in both directions"],
)
def test_what_only_looks_like_logits_is_refused(model):
    with pytest.raises(OutputActivationError, match=r'output="raw"'):
        ModelView(model())
    assert ModelView(model(), output="raw").output_spec.shape.rank == 2


def test_a_saved_model_inside_is_refused(tmp_path):
    model_of(layers.Dense(3, "softmax")).export(tmp_path / "inner", verbose=False)
    inner = layers.TFSMLayer(str(tmp_path / "inner"), call_endpoint="serve")
    inputs = keras.Input((FEATURES,))
    with pytest.raises(OutputActivationError, match="TFSMLayer"):
        ModelView(keras.Model(inputs, inner(inputs)))


def by_hand(z):
    e = ops.exp(z)
    return e / ops.sum(e, axis=-1, keepdims=True)


@pytest.mark.parametrize("target", [None, 1, lambda z: z[:, 0]])
def test_probabilities_that_cannot_be_seen_are_refused_when_they_come(target):
    model = of_graph(by_hand, activation=None)
    with pytest.raises(OutputActivationError, match="add up to 1"):
        IntegratedGradientsExplainer(model).explain(X, target=target)
    assert np.isfinite(IntegratedGradientsExplainer(model, output="raw").explain(X, target=target).values).all()


def test_logits_pass():
    assert GradientExplainer(of_graph(lambda z: z, activation=None)).explain(X).values.shape == X.shape
    mixture = of_graph(lambda p: ops.sum(p[:, None] * layers.Reshape((2, 3))(layers.Dense(6)(p)), axis=-1))
    assert ModelView(mixture).output_spec.shape == (None, 2)


def test_an_activation_that_is_shared_is_left_out_at_the_end_alone():
    keras.utils.set_random_seed(0)
    inputs, shared = keras.Input((FEATURES,)), layers.Activation("sigmoid")
    model = keras.Model(inputs, shared(layers.Dense(3)(shared(layers.Dense(4)(inputs)))))
    np.testing.assert_allclose(tf.sigmoid(ModelView(model).outputs(tf.constant(X))), model(X), rtol=1e-5)

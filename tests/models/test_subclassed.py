"""Models without a graph are called as they are: gradients work, and whoever looks inside is told the way out."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from tf_ig2 import (
    DeepSHAPExplainer,
    GradCAMExplainer,
    GradientExplainer,
    IG2Explainer,
    IntegratedGradientsExplainer,
    LayerError,
    ModelView,
    OutputActivationError,
    inner_layers,
)

X = np.random.default_rng(0).normal(size=[3, 4]).astype("float32")


class Net(keras.Model):
    def __init__(self, activation=None):
        super().__init__()
        self.first, self.drop, self.last = layers.Dense(5, "tanh"), layers.Dropout(0.5), layers.Dense(3, activation)

    def call(self, x, training=None):
        return self.last(self.drop(self.first(x), training=training))


class Tenfold(keras.Model):
    """A Functional model whose own call is another."""

    def __init__(self):
        inputs = keras.Input((4,))
        super().__init__(inputs, layers.Dense(3)(layers.Dense(5, "tanh")(inputs)))

    def call(self, x, training=None):
        return 10 * super().call(x)


class TenfoldSequential(keras.Sequential):
    def call(self, x, training=None, mask=None):
        return 10 * super().call(x)


def net(activation=None):
    keras.utils.set_random_seed(0)
    model = Net(activation)
    model(X)
    return model


def nested():
    inputs = keras.Input((4,))
    return keras.Model(inputs, layers.Dense(2)(Tenfold()(inputs)))


MODELS = {
    "subclassed": net,
    "functional with its own call": Tenfold,
    "sequential with its own call": lambda: TenfoldSequential([keras.Input((4,)), layers.Dense(3)]),
    "nested": nested,
}


@pytest.mark.parametrize("kind", MODELS)
def test_the_models_own_call_is_explained(kind):
    model = MODELS[kind]()
    explanation = IntegratedGradientsExplainer(model, steps=200).explain(X, target=1)
    np.testing.assert_allclose(explanation.output, model.predict(X, verbose=0)[:, 1], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(explanation.completeness_gap, 0, atol=1e-2)
    with tf.GradientTape() as tape:
        tape.watch(points := tf.constant(X))
        output = model(points, training=False)[:, 1]
    gradient = GradientExplainer(model).explain(X, target=1).values
    np.testing.assert_allclose(gradient, tape.gradient(output, points), rtol=1e-5, atol=1e-6)


def test_weights_that_change_are_seen():
    model = net()
    explainer = GradientExplainer(model)
    before = explainer.explain(X, target=0).values
    model.last.kernel.assign(2 * model.last.kernel)
    np.testing.assert_allclose(explainer.explain(X, target=0).values, 2 * before, rtol=1e-5)


@pytest.mark.parametrize("kind", ["subclassed", "functional with its own call", "sequential with its own call"])
@pytest.mark.parametrize(
    "make",
    [
        lambda model: IG2Explainer(model),
        lambda model: ModelView(model, layer=-1),
        lambda model: ModelView(model, input_layer="dense"),
        lambda model: ModelView(model).representation(tf.constant(X)),
    ],
)
def test_whoever_looks_inside_is_told_the_way_out(kind, make):
    with pytest.raises(LayerError, match="from_callables"):
        make(MODELS[kind]())


@pytest.mark.parametrize("make", [DeepSHAPExplainer, inner_layers])
def test_what_needs_a_graph_says_so(make):
    with pytest.raises(ValueError, match="graph"):
        make(net())


def test_grad_cam_says_that_it_needs_a_graph():
    class Maps(keras.Model):
        def __init__(self):
            super().__init__()
            self.maps, self.last = layers.Conv2D(2, 3), layers.Dense(2)

        def call(self, x):
            return self.last(layers.Flatten()(self.maps(x)))

    model = Maps()
    model(tf.zeros([1, 5, 5, 1]))
    with pytest.raises(ValueError, match="graph"):
        GradCAMExplainer(model)


def test_a_softmax_at_its_end_is_not_taken_for_logits():
    with pytest.raises(OutputActivationError, match=r'softmax.*output="probabilities"'):
        ModelView(net("softmax"))
    model = net("softmax")
    explanation = GradientExplainer(model, output="probabilities").explain(X, target=2)
    np.testing.assert_allclose(explanation.output, model(X)[:, 2], rtol=1e-5)


class Several(keras.Model):
    def __init__(self):
        super().__init__()
        self.dense = layers.Dense(2)

    def call(self, inputs):
        return {"sum": self.dense(inputs["a"] + inputs["b"]), "a": self.dense(inputs["a"])}


def test_several_inputs_and_outputs():
    model = Several()
    inputs = {"a": X, "b": 2 * X}
    model(inputs)
    explanation = GradientExplainer(model, output_name="sum").explain(inputs, target=0)
    np.testing.assert_allclose(explanation.values["b"], np.tile(model.dense.kernel[:, 0], [3, 1]), rtol=1e-6)
    with pytest.raises(ValueError, match=r"output_name.*sum"):
        GradientExplainer(model)
    with pytest.raises(ValueError, match=r"'nope'.*sum"):
        GradientExplainer(model, output_name="nope")


def test_it_must_be_built():
    with pytest.raises(ValueError, match="not built: call it once"):
        ModelView(Net())


def test_a_model_of_keras_2_is_refused_in_a_sentence():
    old = type("Model", (), {"__module__": "tf_keras.src.engine.training"})()
    with pytest.raises(TypeError, match=r"Keras 2.*tf_keras.*from_callables"):
        GradientExplainer(old)

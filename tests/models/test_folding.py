"""BatchNorm folded into the linear layer before it gives the same outputs and gradients."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from tf_ig2 import DeepSHAPExplainer, IntegratedGradientsExplainer, ModelView
from tf_ig2.models.folding import folded
from tf_ig2.models.network import Network

IMAGE, SIGNAL, VOLUME, VECTOR = (8, 8, 3), (9, 3), (5, 5, 5, 2), (6,)


def disturbed(model, seed=0):
    """The model with statistics and parameters that are not those of a new BatchNorm."""
    rng = np.random.default_rng(seed)
    for layer in model._flatten_layers():
        if isinstance(layer, layers.BatchNormalization):
            layer.set_weights([rng.uniform(0.5, 2.0, weight.shape) for weight in layer.get_weights()])
        elif getattr(layer, "bias", None) is not None:
            layer.bias.assign(rng.normal(size=layer.bias.shape))
    return model


def net(shape, *stack):
    keras.utils.set_random_seed(0)
    return disturbed(keras.Sequential([keras.Input(shape), *stack, layers.Flatten(), layers.Dense(3)]))


def norms(network):
    return [node.name for node in network.nodes if isinstance(node.operation, layers.BatchNormalization)]


def check(model):
    """All BatchNorms are folded, and outputs and gradients stay what they are."""
    network = Network.of(model)
    other = folded(network)
    assert norms(other) == []
    x = tf.constant(np.random.default_rng(1).normal(size=[2, *model.input_shape[1:]]), model.inputs[0].dtype)

    def output_and_gradient(network):
        with tf.GradientTape() as tape:
            tape.watch(x)
            output = network.run(network.fed(x), network.outputs)[network.outputs[0]]
        return output, tape.gradient(output, x)

    for ours, theirs in zip(output_and_gradient(other), output_and_gradient(network), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-5 * np.abs(theirs).max())
    np.testing.assert_allclose(output_and_gradient(other)[0], model(x), rtol=1e-5, atol=1e-5)


LINEAR = {
    "conv": (IMAGE, lambda: layers.Conv2D(4, 3)),
    "conv without bias": (IMAGE, lambda: layers.Conv2D(4, 3, use_bias=False)),
    "strides, groups, dilation": (IMAGE, lambda: layers.Conv2D(6, 3, groups=3, dilation_rate=2, padding="same")),
    "conv 1d, causal": (SIGNAL, lambda: layers.Conv1D(4, 3, padding="causal")),
    "conv 3d": (VOLUME, lambda: layers.Conv3D(4, 2)),
    "transposed": (IMAGE, lambda: layers.Conv2DTranspose(5, 3, strides=2)),
    "transposed 1d": (SIGNAL, lambda: layers.Conv1DTranspose(5, 3, use_bias=False)),
    "depthwise": (IMAGE, lambda: layers.DepthwiseConv2D(3, use_bias=False)),
    "depthwise, multiplied": (IMAGE, lambda: layers.DepthwiseConv2D(3, depth_multiplier=2)),
    "separable": (IMAGE, lambda: layers.SeparableConv2D(4, 3)),
    "dense": (VECTOR, lambda: layers.Dense(5)),
    "dense over positions": (SIGNAL, lambda: layers.Dense(5, use_bias=False)),
}


@pytest.mark.parametrize("case", LINEAR)
def test_every_linear_layer(case):
    shape, make = LINEAR[case]
    check(net(shape, make(), layers.BatchNormalization(), layers.ReLU()))


@pytest.mark.parametrize("options", [{"scale": False}, {"center": False}, {"scale": False, "center": False}])
def test_norms_without_gamma_or_beta(options):
    check(net(IMAGE, layers.Conv2D(4, 3), layers.BatchNormalization(epsilon=0.1, **options), layers.ReLU()))


def test_double_precision_stays_double():
    model = net(VECTOR, layers.Dense(5, dtype="float64"), layers.BatchNormalization(dtype="float64"))
    check(model)


def test_nested_models_and_models_called_twice():
    inner = net((6, 6, 3), layers.Conv2D(3, 3, padding="same"), layers.BatchNormalization())
    inner = keras.Model(inner.inputs, inner.layers[1].output)
    inputs = keras.Input((6, 6, 3))
    check(keras.Model(inputs, layers.Flatten()(inner(layers.ReLU()(inner(inputs))))))


def test_a_shared_convolution_has_two_norms():
    conv, inputs = layers.Conv2D(3, 3, padding="same"), keras.Input(IMAGE)
    first, second = layers.BatchNormalization(), layers.BatchNormalization()
    check(disturbed(keras.Model(inputs, second(conv(layers.ReLU()(first(conv(inputs))))))))


def whose_output_is_used_twice():
    inputs = keras.Input(IMAGE)
    conv = layers.Conv2D(4, 3)(inputs)
    return disturbed(keras.Model(inputs, layers.Add()([layers.BatchNormalization()(conv), conv])))


LEFT_ALONE = {
    "an activation between": lambda: net(IMAGE, layers.Conv2D(4, 3, activation="relu"), layers.BatchNormalization()),
    "a convolution with another consumer": whose_output_is_used_twice,
    "another axis": lambda: net(IMAGE, layers.Conv2D(4, 3, padding="same"), layers.BatchNormalization(axis=1)),
    "nothing before it": lambda: net(IMAGE, layers.BatchNormalization()),
    "mixed precision": lambda: net(
        IMAGE, layers.Conv2D(4, 3, dtype="mixed_bfloat16"), layers.BatchNormalization(), layers.Activation("linear")
    ),
}


@pytest.mark.parametrize("case", LEFT_ALONE)
def test_what_cannot_be_folded_is_left_alone(case):
    model = LEFT_ALONE[case]()
    assert len(norms(folded(Network.of(model)))) == 1


def test_what_somebody_looks_at_is_left_alone():
    network = Network.of(net(IMAGE, layers.Conv2D(4, 3, name="conv"), layers.BatchNormalization(name="norm")))
    assert norms(folded(network, keep=network.nodes[0].outputs)) == ["norm"]


def test_masks_go_through():
    tokens = keras.Input((4,), dtype="int32")
    embedded = layers.Embedding(9, 3, mask_zero=True)(tokens)
    normed = layers.BatchNormalization()(layers.Dense(4, use_bias=False)(embedded))
    model = disturbed(keras.Model(tokens, layers.Dense(2)(layers.LSTM(5)(normed))))
    network = Network.of(model)
    words = tf.constant([[1, 2, 0, 0], [3, 4, 5, 6]])
    outputs = folded(network).run(network.fed(words), network.outputs)[network.outputs[0]]
    np.testing.assert_allclose(outputs, model(words), rtol=1e-5, atol=1e-6)


@pytest.fixture
def model():
    return net(
        IMAGE, layers.Conv2D(4, 3, name="conv"), layers.BatchNormalization(name="norm"), layers.ReLU(name="relu")
    )


def test_weights_that_change_are_seen(model, rng):
    view, x = ModelView(model), tf.constant(rng.normal(size=[2, *IMAGE]), tf.float32)
    before = view.outputs(x)
    np.testing.assert_allclose(before, model(x), rtol=1e-5, atol=1e-6)
    model.set_weights([weight * 1.5 + 0.1 for weight in model.get_weights()])
    assert not np.allclose(view.outputs(x), before)
    np.testing.assert_allclose(view.outputs(x), model(x), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("options", [{"layer": "conv"}, {"layer": "norm"}, {"input_layer": "conv"}])
def test_views_enter_and_look_where_they_are_asked_to(model, rng, options):
    x = tf.constant(rng.normal(size=[2, *IMAGE]), tf.float32)
    view = ModelView(model, pool=None, **options)
    points, inside = view.enter(x)
    representation, output = view.forward(points, inside)
    np.testing.assert_allclose(output, model(x), rtol=1e-5, atol=1e-6)
    if "layer" in options:
        expected = keras.Model(model.inputs, model.get_layer(options["layer"]).output)(x)
        np.testing.assert_allclose(representation, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", ["conv", "norm"])
def test_operations_are_still_called_as_asked(model, rng, name):
    seen = []

    def call(operation, *args, **kwargs):
        seen.append(operation.name)
        return operation(*args, **kwargs)

    x = tf.constant(rng.normal(size=[2, *IMAGE]), tf.float32)
    output = ModelView(model).forward(x, calls={id(model.get_layer(name)): call}, representation=False)[1]
    assert seen == [name]
    np.testing.assert_allclose(output, model(x), rtol=1e-5, atol=1e-6)


def test_explanations_of_a_folded_network_add_up(model, rng):
    x = rng.normal(size=[2, *IMAGE])
    ig = IntegratedGradientsExplainer(model, steps=300).explain(x, 0.0)
    np.testing.assert_allclose(ig.completeness_gap, 0, atol=1e-2)
    shap = DeepSHAPExplainer(model).explain(x[:1], x[1:])
    np.testing.assert_allclose(shap.completeness_gap, 0, atol=1e-4)

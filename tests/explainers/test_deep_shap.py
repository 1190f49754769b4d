"""DeepSHAP adds up on every kind of layer that has a rule, and says so when one has none."""

import inspect
import re

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers, ops

from tf_ig2 import ModelView, NonFiniteGradientError
from tf_ig2.explainers.deep_shap import DeepSHAPExplainer
from tf_ig2.models import keras_graph

from ..networks import broken_net, conv_net, grey_net, mobilenet, needs_data, photographs


def image_net(*middle):
    return keras.Sequential([keras.Input((8, 8, 3)), *middle, layers.Flatten(), layers.Dense(3, "softmax")])


def squeeze_and_excite():
    inputs = keras.Input((8, 8, 3))
    maps = layers.Conv2D(4, 3, activation="silu")(inputs)
    gate = layers.Conv2D(4, 1, activation="sigmoid")(layers.GlobalAveragePooling2D(keepdims=True)(maps))
    return keras.Model(inputs, layers.Dense(3)(layers.Flatten()(layers.Multiply()([maps, gate]))))


def three_factors():
    inputs = keras.Input((5,))
    factors = [layers.Dense(4)(inputs) for _ in range(3)]
    return keras.Model(inputs, layers.Dense(2)(layers.Multiply()(factors)))


def nested_and_shared():
    inner = image_net(layers.Conv2D(4, 3, activation="relu"), layers.MaxPooling2D())
    inner = keras.Model(inner.inputs, inner.layers[-2].output)
    inputs = keras.Input((8, 8, 3))
    twice = layers.Concatenate()([inner(inputs), inner(layers.Rescaling(0.5)(inputs))])
    return keras.Model(inputs, layers.Dense(3)(twice))


def operations():
    inputs = keras.Input((5,))
    hidden = layers.Dense(4)(inputs)
    hidden = ops.relu(hidden) * 2 + ops.tanh(hidden)
    return keras.Model(inputs, layers.Dense(3)(ops.multiply(hidden, hidden) / 3.0))


NETWORKS = {
    "leaky": lambda: image_net(layers.Conv2D(4, 3), layers.LeakyReLU()),
    "prelu": lambda: image_net(layers.Conv2D(4, 3), layers.PReLU()),
    "relu6": lambda: image_net(layers.DepthwiseConv2D(3), layers.ReLU(6.0)),
    "gelu": lambda: image_net(layers.DepthwiseConv2D(3, activation="gelu"), layers.AveragePooling2D(2)),
    "batch norm": lambda: image_net(layers.Conv2D(4, 3), layers.BatchNormalization(), layers.Activation("tanh")),
    "separable": lambda: image_net(layers.SeparableConv2D(4, 3, activation="elu"), layers.GlobalMaxPooling2D()),
    "transpose": lambda: image_net(layers.Conv2DTranspose(2, 3, activation="softplus"), layers.MaxPooling2D(3, 1)),
    "same padding": lambda: image_net(layers.MaxPooling2D(3, 2, padding="same"), layers.Dense(3, "relu")),
    "squeeze and excite": squeeze_and_excite,
    "three factors": three_factors,
    "nested and shared": nested_and_shared,
    "operations": operations,
}


def draw(model, count, seed):
    return np.random.default_rng(seed).normal(size=(count, *model.input_shape[1:])).astype("float32")


def assert_complete(explanation, rtol=1e-4):
    scale = np.abs(explanation.outputs).max()
    np.testing.assert_allclose(explanation.completeness_gap, 0, atol=rtol * scale)


@pytest.mark.parametrize("kind", NETWORKS)
def test_attributions_add_up(kind):
    keras.utils.set_random_seed(3)
    model = NETWORKS[kind]()
    explanation = DeepSHAPExplainer(model).explain(draw(model, 3, 0), draw(model, 2, 1))
    assert_complete(explanation)
    assert np.abs(explanation.values).max() > 0


def test_outputs_are_the_models(relu_net):
    x, references = np.random.default_rng(0).normal(size=(2, 4, 6)).astype("float32")
    explanation = DeepSHAPExplainer(relu_net, output="raw", unknown="gradient").explain(x, references, target=1)
    np.testing.assert_allclose(explanation.output, relu_net(x)[:, 1], rtol=1e-5)
    np.testing.assert_allclose(
        explanation.counterfactual_output, np.tile(relu_net(references)[:, 1], [4, 1]), rtol=1e-5
    )


def test_a_linear_model_is_explained_by_its_weights():
    model = keras.Sequential([keras.Input((5,)), layers.Dense(3)])
    x, references = draw(model, 4, 0), draw(model, 6, 1)
    weights = model.get_weights()[0][:, 2]
    values = DeepSHAPExplainer(model).explain(x, references, target=2).values
    np.testing.assert_allclose(values, weights * (x - references.mean(axis=0)), rtol=1e-4, atol=1e-6)


def test_the_rescale_rule_by_hand():
    """y = relu(x₁ + x₂ − 1) from (0, 0) to (2, 1): Δy/Δz = 2/3."""
    model = keras.Sequential([keras.Input((2,)), layers.Dense(1, "relu"), layers.Dense(1, use_bias=False)])
    model.set_weights([np.ones((2, 1)), -np.ones(1), np.ones((1, 1))])
    values = DeepSHAPExplainer(model).explain([2.0, 1.0], [0.0, 0.0]).values
    np.testing.assert_allclose(values, [4 / 3, 2 / 3], rtol=1e-6)


def test_the_maximum_rule_by_hand():
    """max(x) from (0, 1, 0) to (3, 0, 0): +2 by the new maximum; and back: −2 by the lost one."""
    model = keras.Sequential([keras.Input((3, 1)), layers.GlobalMaxPooling1D(), layers.Dense(1, use_bias=False)])
    model.set_weights([np.ones((1, 1))])
    explainer = DeepSHAPExplainer(model)
    low, high = np.array([[0.0], [1], [0]]), np.array([[3.0], [0], [0]])
    np.testing.assert_allclose(explainer.explain(high, low).values[:, 0], [2, 0, 0])
    np.testing.assert_allclose(explainer.explain(low, high).values[:, 0], [-2, 0, 0])


def test_text_is_explained_at_its_embedding():
    keras.utils.set_random_seed(0)
    inputs = keras.Input((12,), dtype="int32")
    embedded = layers.Embedding(30, 8, name="embedding")(inputs)
    pooled = [layers.GlobalMaxPooling1D()(layers.Conv1D(6, width, activation="relu")(embedded)) for width in (3, 4, 5)]
    model = keras.Model(inputs, layers.Dense(6, "softmax")(layers.Dropout(0.5)(layers.Concatenate()(pooled))))
    rng = np.random.default_rng(0)
    explainer = DeepSHAPExplainer(model, input_layer="embedding")
    x, shared = rng.integers(0, 30, (4, 12)), rng.integers(0, 30, (3, 12))
    explanation = explainer.explain(x, shared)
    assert explanation.values.shape == (4, 12, 8)
    assert explanation.relative_completeness_gap.max() < 0.01
    own = explainer.explain(x, np.tile(shared, (4, 1, 1)))
    np.testing.assert_allclose(own.values, explanation.values, atol=1e-6)


def test_the_wafer_network_is_complete():
    keras.utils.set_random_seed(0)
    blocks = [
        layer for width in (16, 32, 64) for layer in (layers.Conv2D(width, 3, activation="relu"), layers.MaxPool2D())
    ]
    model = keras.Sequential(
        [keras.Input((56, 56, 3)), *blocks, layers.Flatten(), layers.Dense(1250, "relu"), layers.Dense(9, "softmax")]
    )
    x = np.eye(3, dtype="float32")[np.random.default_rng(0).integers(0, 3, (5, 56, 56))]
    explanation = DeepSHAPExplainer(model).explain(x[:3], x[3:])
    assert explanation.relative_completeness_gap.max() < 0.01


@needs_data
def test_mobilenet_is_complete():
    images = photographs(4)
    explanation = DeepSHAPExplainer(mobilenet()).explain(images[:2], images[2:], batch_size=4)
    assert explanation.relative_completeness_gap.max() < 0.01


@pytest.fixture(scope="module")
def recurrent():
    keras.utils.set_random_seed(0)
    return keras.Sequential([keras.Input((6, 4)), layers.LSTM(5), layers.LayerNormalization(), layers.Dense(3)])


def test_layers_without_a_rule_are_named(recurrent):
    with pytest.raises(ValueError, match=r"'lstm.*' \(LSTM\), 'layer_norm.*' \(LayerNormalization\).*integrate"):
        DeepSHAPExplainer(recurrent)


def test_integrating_layers_without_a_rule_adds_up(recurrent):
    x, references = draw(recurrent, 3, 0), draw(recurrent, 2, 1)
    assert_complete(DeepSHAPExplainer(recurrent, unknown="integrate").explain(x, references), rtol=1e-3)
    gradient = DeepSHAPExplainer(recurrent, unknown="gradient").explain(x, references)
    assert np.abs(gradient.completeness_gap).max() > 1e-3


def test_a_layer_of_ones_own_has_no_rule():
    class Squares(layers.Layer):
        def call(self, x):
            return x * x

    model = keras.Sequential([keras.Input((4,)), Squares(), layers.Dense(2)])
    with pytest.raises(ValueError, match="Squares"):
        DeepSHAPExplainer(model)
    assert_complete(DeepSHAPExplainer(model, unknown="integrate").explain(draw(model, 2, 0), draw(model, 2, 1)))


def test_layers_that_do_not_matter_need_no_rule():
    """A softmax beside the way to the explained output, and one in front of the attributed layer."""
    inputs = keras.Input((4,))
    front = layers.Softmax()(inputs)
    hidden = layers.Dense(5, "relu", name="hidden")(front)
    model = keras.Model(inputs, {"a": layers.Dense(2)(hidden), "b": layers.Softmax()(hidden)})
    explainer = DeepSHAPExplainer(model, input_layer="hidden", output_name="a")
    assert_complete(explainer.explain(draw_vectors(2, 0), draw_vectors(3, 1)))


def draw_vectors(count, seed):
    return np.random.default_rng(seed).normal(size=(count, 4))


def test_several_inputs():
    a, b = keras.Input((3,), name="a"), keras.Input((2,), name="b")
    model = keras.Model({"a": a, "b": b}, layers.Dense(2)(layers.Dense(6, "relu")(layers.Concatenate()([a, b]))))
    rng = np.random.default_rng(0)
    x = {"a": rng.normal(size=(4, 3)), "b": rng.normal(size=(4, 2))}
    references = {"a": rng.normal(size=(2, 3)), "b": rng.normal(size=(2, 2))}
    explanation = DeepSHAPExplainer(model).explain(x, references)
    assert explanation.values["b"].shape == (4, 2)
    assert_complete(explanation)


def test_batch_size_and_order_change_nothing():
    model = conv_net()
    x, references = draw(model, 4, 0), draw(model, 3, 1)
    explainer = DeepSHAPExplainer(model)
    whole = explainer.explain(x, references, target=[0, 1, 2, 0]).values
    np.testing.assert_allclose(explainer.explain(x, references, [0, 1, 2, 0], batch_size=5).values, whole, atol=1e-6)
    turned = explainer.explain(x[::-1], references[::-1], [0, 2, 1, 0]).values
    np.testing.assert_allclose(turned[::-1], whole, atol=1e-6)


def test_shared_references_are_like_references_of_ones_own():
    """Shared ones go through the model once a batch; the batches here begin in the middle of an explicand."""
    model = image_net(layers.Conv2D(4, 3, activation="relu"), layers.MaxPooling2D())
    x, references = draw(model, 4, 0), draw(model, 3, 1)
    explainer = DeepSHAPExplainer(model)
    own = explainer.explain(x, np.tile(references, (4, 1, 1, 1, 1)))
    for size in (2, 4, 100):
        shared = explainer.explain(x, references, batch_size=size)
        np.testing.assert_allclose(shared.values, own.values, atol=1e-6)
        np.testing.assert_allclose(shared.outputs, own.outputs, atol=1e-6)


def test_it_is_traced_once():
    model = conv_net()
    explainer = DeepSHAPExplainer(model)
    for count in (1, 2, 5):
        explainer.explain(draw(model, count, 0), draw(model, 2, 1), batch_size=3)
    (function,) = explainer._graphs._graphs.values()
    assert function.experimental_get_tracing_count() == 1


def test_the_model_is_left_as_it_was():
    model = conv_net()
    nodes = [len(layer._inbound_nodes) for layer in model.layers]
    DeepSHAPExplainer(model).explain(draw(model, 1, 0), draw(model, 1, 1))
    assert model.get_layer("maps").activation is keras.activations.relu
    assert [len(layer._inbound_nodes) for layer in model.layers] == nodes


def test_a_callable_target():
    model = conv_net()
    x, references = draw(model, 2, 0), draw(model, 2, 1)
    explainer = DeepSHAPExplainer(model)
    margin = explainer.explain(x, references, lambda outputs: outputs[:, 0] - outputs[:, 1]).values
    single = [explainer.explain(x, references, target).values for target in (0, 1)]
    np.testing.assert_allclose(margin, single[0] - single[1], atol=1e-5)


def test_references_from_a_dataset():
    model = conv_net()
    x, references = draw(model, 2, 0), draw(model, 4, 1)
    explainer = DeepSHAPExplainer(model)
    dataset = tf.data.Dataset.from_tensor_slices(references).batch(3)
    np.testing.assert_allclose(explainer.explain(x, dataset).values, explainer.explain(x, references).values, atol=1e-7)


def test_pairs_verbs(relu_net):
    x, references = np.random.default_rng(0).normal(size=(2, 4, 6)).astype("float32")
    explainer = DeepSHAPExplainer(relu_net)
    mask = explainer.GetMask(x[0], references=references, target=1)
    np.testing.assert_allclose(mask, explainer.explain(x[:1], references, 1).values[0], atol=1e-6)
    assert explainer.GetSmoothedMask(x[0], references=references, nsamples=3, seed=0).shape == (6,)
    with pytest.raises(NotImplementedError, match="callback"):
        explainer.GetMask(x[0], lambda *a, **k: {})


def test_a_baseline_equal_to_the_explicand_gives_zero():
    model = image_net(layers.Conv2D(4, 3, activation="relu"), layers.MaxPooling2D())
    x = draw(model, 2, 0)
    explanation = DeepSHAPExplainer(model).explain(x, x[:, None])
    np.testing.assert_array_equal(explanation.values, 0)
    np.testing.assert_array_equal(explanation.relative_completeness_gap, 0)


def test_constant_and_uint8_images():
    model = image_net(layers.Conv2D(4, 3, activation="relu"), layers.MaxPooling2D())
    grey = np.full((2, 8, 8, 3), 200, np.uint8)
    integers = DeepSHAPExplainer(model).explain(grey, np.full((1, 8, 8, 3), 255, np.uint8))
    floats = DeepSHAPExplainer(model).explain(grey.astype("float32"), np.full((1, 8, 8, 3), 255.0))
    np.testing.assert_array_equal(integers.values, floats.values)
    assert_complete(integers)


def test_a_single_pixel():
    model = conv_net((1, 1, 3))
    assert_complete(DeepSHAPExplainer(model).explain(draw(model, 2, 0), draw(model, 1, 1)))


def test_grey_images_without_a_channel_axis():
    model = grey_net()
    explanation = DeepSHAPExplainer(model).explain(draw(model, 2, 0), draw(model, 1, 1))
    assert explanation.values.shape == (2, 12, 12)
    assert_complete(explanation)


def test_nan_is_an_error():
    model = broken_net()
    x = np.ones((3, 12, 12, 3))
    x[1] = -1
    with pytest.raises(NonFiniteGradientError) as caught:
        DeepSHAPExplainer(model).explain(x, 2 * np.ones((2, 12, 12, 3)), target=0, batch_size=3)
    np.testing.assert_array_equal(caught.value.explicands, [1])
    assert caught.value.finished is None
    with pytest.raises(NonFiniteGradientError) as caught:
        DeepSHAPExplainer(model).explain(x, 2 * np.ones((2, 12, 12, 3)), target=0, batch_size=2)
    assert len(caught.value.finished) == 1
    assert_complete(caught.value.finished)


def test_an_infinite_gradient_between_finite_values_is_no_obstacle():
    """√x from 0 to 4: the gradient at 0 is infinite, the multiplier is 1/2."""
    inputs = keras.Input((1,))
    model = keras.Model(inputs, layers.Dense(1, use_bias=False)(ops.sqrt(inputs)))
    model.set_weights([np.ones((1, 1))])
    np.testing.assert_allclose(DeepSHAPExplainer(model).explain([0.0], [4.0]).values, [-2.0])


def test_bad_arguments():
    model = conv_net()
    with pytest.raises(ValueError, match="unknown"):
        DeepSHAPExplainer(model, unknown="ignore")
    with pytest.raises(ValueError, match="callables"):
        DeepSHAPExplainer(ModelView.from_callables(tf.tanh, tf.identity, tf.TensorSpec([None, 3])))
    explainer = DeepSHAPExplainer(model)
    with pytest.raises(ValueError, match="`x` has shape"):
        explainer.explain(np.zeros((2, 9, 9, 3)), np.zeros((1, 12, 12, 3)))
    with pytest.raises(ValueError, match="`references` contains NaN"):
        explainer.explain(np.zeros((2, 12, 12, 3)), np.full((1, 12, 12, 3), np.nan))
    with pytest.raises(ValueError, match="`target` 3"):
        explainer.explain(np.zeros((2, 12, 12, 3)), np.zeros((1, 12, 12, 3)), target=3)
    with pytest.raises(ValueError, match="`batch_size`"):
        explainer.explain(np.zeros((2, 12, 12, 3)), np.zeros((1, 12, 12, 3)), batch_size=0)


def weights_to_zero(model, tmp_path):
    convolution = model.layers[0]  # what comes after it would hide that it is an old one
    convolution.set_weights([np.zeros_like(weight) for weight in convolution.get_weights()])


def assign(model, tmp_path):
    for variable in model.trainable_variables:
        variable.assign(0.5 * variable)


def fit(model, tmp_path):
    model.compile("sgd", "mse")
    model.fit(draw(model, 4, 5), np.ones([4, 3]), verbose=0)


def load(model, tmp_path):
    other = keras.models.clone_model(model)
    other.save_weights(tmp_path / "other.weights.h5")
    model.load_weights(tmp_path / "other.weights.h5")


@pytest.mark.parametrize("change", [weights_to_zero, assign, fit, load])
def test_weights_that_change_are_seen(change, tmp_path):
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [keras.Input((6, 6, 1)), layers.Conv2D(2, 3, activation="relu"), layers.Flatten(), layers.Dense(3)]
    )
    x, references = draw(model, 2, 0), draw(model, 2, 1)
    explainer = DeepSHAPExplainer(model)
    explainer.explain(x, references, target=1)
    change(model, tmp_path)
    explanation = explainer.explain(x, references, target=1)
    np.testing.assert_allclose(explanation.output, model(x)[:, 1], rtol=1e-4, atol=1e-6)
    fresh = DeepSHAPExplainer(model).explain(x, references, target=1)
    np.testing.assert_allclose(explanation.values, fresh.values, atol=1e-7)
    assert_complete(explanation, rtol=1e-4)


def test_run_eagerly_the_batch_size_does_not_matter():
    model = image_net(layers.Conv2D(2, 3, activation="relu"), layers.MaxPooling2D())
    x, references = draw(model, 3, 0), draw(model, 4, 1)
    expected = DeepSHAPExplainer(model).explain(x, references).values
    tf.config.run_functions_eagerly(True)
    try:
        for batch_size in (1, 5, 12, 32):
            values = DeepSHAPExplainer(model).explain(x, references, batch_size=batch_size).values
            np.testing.assert_allclose(values, expected, atol=1e-5)
    finally:
        tf.config.run_functions_eagerly(False)


AUGMENTING = [
    kind
    for kind in keras_graph.IDENTITY_AT_INFERENCE
    if kind.__name__.startswith(("Random", "Aug", "Cut", "Mix", "Rand"))
]


@pytest.mark.parametrize("kind", AUGMENTING, ids=lambda kind: kind.__name__)
def test_augmentation_is_the_identity(kind):
    factor = 4 if kind is layers.RandomPosterization else 0.3
    arguments = {"factor": factor} if "factor" in inspect.signature(kind.__init__).parameters else {}
    layer = kind(height_factor=0.2, width_factor=0.2) if kind is layers.RandomTranslation else None
    layer = layer or (kind(0.2) if kind is layers.RandomZoom else kind(**arguments))
    images = np.random.default_rng(0).uniform(0, 255, [2, 8, 8, 3]).astype("float32")
    np.testing.assert_allclose(layer(images, training=False), images, rtol=1e-6)


def test_networks_that_augment_are_explained():
    model = image_net(layers.RandomFlip(), layers.RandomRotation(0.2), layers.Conv2D(2, 3, activation="relu"))
    x, references = draw(model, 2, 0), draw(model, 2, 1)
    explanation = DeepSHAPExplainer(model).explain(x, references)
    assert_complete(explanation)
    np.testing.assert_allclose(
        tf.nn.softmax(ModelView(model).outputs(tf.constant(x))), model.predict(x, verbose=0), rtol=1e-4
    )


def transformer():
    keras.utils.set_random_seed(0)
    inputs = keras.Input((6, 8))
    hidden = layers.LayerNormalization()(layers.Add()([inputs, layers.MultiHeadAttention(2, 4)(inputs, inputs)]))
    return keras.Model(inputs, layers.Dense(3)(layers.GlobalAveragePooling1D()(hidden)))


@pytest.mark.parametrize("scale", [1, 30])
def test_attention_and_normalisation_are_integrated_closely(scale):
    """From −x to x a normalisation passes near a vector without variance: 16 nodes miss by more than a half.

    Of large inputs attention switches from word to word within thousandths of the line.
    """
    model = transformer()
    x = scale * draw(model, 3, 1)
    explanation = DeepSHAPExplainer(model, unknown="integrate").explain(x, -x[:1])
    assert explanation.relative_completeness_gap.max() < 0.01


def test_what_cannot_be_resolved_is_reported():
    model = transformer()
    x = 300 * draw(model, 2, 1)
    with pytest.warns(UserWarning, match=r"miss .* by up to [\d.]+%.*relative_completeness_gap.*ExpectedIG") as caught:
        explanation = DeepSHAPExplainer(model, unknown="integrate").explain(x, -x[:1])
    said = float(re.search(r"by up to ([\d.]+)%", str(caught[0].message))[1]) / 100
    assert said == pytest.approx(explanation.relative_completeness_gap.max(), rel=0.05)

"""ModelView finds the representation and the logits of every kind of Keras model, and leaves the model as it was."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from tf_ig2 import (
    DeepSHAPExplainer,
    GradientExplainer,
    IG2Explainer,
    IntegratedGradientsExplainer,
    LayerError,
    ModelView,
    NotDifferentiableError,
    OutputActivationError,
)

FEATURES = 6


def classifier(*last, policy=None):
    return keras.Sequential([keras.Input((FEATURES,)), layers.Dense(5, "tanh", name="hidden", dtype=policy), *last])


SOFTMAX = {
    "fused": lambda: [layers.Dense(3, "softmax")],
    "activation layer": lambda: [layers.Dense(3), layers.Activation("softmax")],
    "softmax layer": lambda: [layers.Dense(3), layers.Softmax()],
    "reshaped": lambda: [layers.Dense(3, "softmax"), layers.Reshape((3,))],
    "cast": lambda: [layers.Dense(3, "softmax"), layers.Activation("linear", dtype="float32")],
    "convolution": lambda: [layers.Reshape((1, 5)), layers.Conv1D(3, 1, activation="softmax"), layers.Flatten()],
}


@pytest.fixture
def batch(x):
    return tf.constant(x, tf.float32)


@pytest.mark.parametrize("kind", SOFTMAX)
def test_logits_are_behind_the_softmax(batch, kind):
    model = classifier(*SOFTMAX[kind]())
    np.testing.assert_allclose(tf.nn.softmax(ModelView(model).outputs(batch)), model(batch), rtol=1e-5)


def test_logits_are_behind_a_keras_operation(batch):
    inputs = keras.Input((FEATURES,))
    model = keras.Model(inputs, keras.ops.softmax(layers.Dense(3)(inputs)))
    np.testing.assert_allclose(tf.nn.softmax(ModelView(model, layer=-1).outputs(batch)), model(batch), rtol=1e-5)


def test_logits_are_behind_a_sigmoid(batch):
    model = classifier(layers.Dense(1, "sigmoid"))
    np.testing.assert_allclose(tf.sigmoid(ModelView(model).outputs(batch)), model(batch), rtol=1e-5)


def test_the_model_is_left_as_it_was(batch):
    model = classifier(layers.Dense(3, "softmax"))
    weights, last, config = model.get_weights(), model.layers[-1], model.get_config()
    ModelView(model).outputs(batch)
    assert last.activation is keras.activations.softmax
    assert len(last._inbound_nodes) == 1
    assert model.get_config() == config
    for before, after in zip(weights, model.get_weights(), strict=True):
        np.testing.assert_array_equal(before, after)


def test_changed_weights_are_seen(batch):
    model = classifier(layers.Dense(3, "softmax"))
    view = ModelView(model)
    model.set_weights([2 * w + 0.1 for w in model.get_weights()])
    np.testing.assert_allclose(tf.nn.softmax(view.outputs(batch)), model(batch), rtol=1e-5)


def test_the_penultimate_layer_is_the_representation(batch):
    model = classifier(layers.Dropout(0.5), layers.Dense(3), layers.Softmax())
    np.testing.assert_allclose(ModelView(model).representation(batch), model.get_layer("hidden")(batch), rtol=1e-6)


@pytest.mark.parametrize("layer", ["hidden", 0])
def test_a_layer_by_name_or_index(batch, layer):
    model = classifier(layers.Dense(4, "relu"), layers.Dense(3))
    np.testing.assert_allclose(
        ModelView(model, layer=layer).representation(batch), model.get_layer("hidden")(batch), rtol=1e-6
    )


def test_a_layer_by_itself(batch):
    model = classifier(layers.Dense(4, "relu"), layers.Dense(3))
    assert ModelView(model, layer=model.layers[1]).representation_spec.shape == (None, 4)


def test_the_output_can_be_the_representation(batch):
    view = ModelView(classifier(layers.Dense(3, "softmax")), layer=-1)
    np.testing.assert_array_equal(view.representation(batch), view.outputs(batch))


def test_a_view_says_which_layer_was_asked_for():
    model = classifier(layers.Dense(4, "relu", name="second"), layers.Dense(3))
    assert ModelView(model).layer is None
    assert ModelView(model, layer=1).layer == 1
    assert ModelView(model, layer=model.layers[1]).layer == "second"
    assert ModelView.from_callables(tf.tanh, layers.Dense(2), tf.TensorSpec([None, FEATURES])).layer is None


@pytest.fixture
def nested():
    inner = classifier(layers.Dense(4, "relu", name="inner_relu"), layers.Dense(3, "softmax"))
    inner.name = "inner"
    inputs = keras.Input((FEATURES,))
    return keras.Model(inputs, inner(layers.Rescaling(0.5)(inputs)))


def test_nested_models(nested, batch):
    view = ModelView(nested)
    np.testing.assert_allclose(tf.nn.softmax(view.outputs(batch)), nested(batch), rtol=1e-5)
    assert view.representation_spec.shape == (None, 4)


@pytest.mark.parametrize("layer", ["hidden", "inner/hidden"])
def test_layers_in_nested_models(nested, batch, layer):
    expected = nested.get_layer("inner").get_layer("hidden")(0.5 * batch)
    np.testing.assert_allclose(ModelView(nested, layer=layer).representation(batch), expected, rtol=1e-5)


def test_a_keras_application_inside_a_model(rng):
    backbone = keras.applications.MobileNetV2((32, 32, 3), alpha=0.35, include_top=False, weights=None, pooling="avg")
    inputs = keras.Input((32, 32, 3))
    model = keras.Model(inputs, layers.Dense(3, "softmax")(backbone(layers.Rescaling(1 / 127.5, -1)(inputs))))
    x = tf.constant(rng.uniform(0, 255, [2, 32, 32, 3]), tf.float32)
    view = ModelView(model)
    np.testing.assert_allclose(tf.nn.softmax(view.outputs(x)), model(x), rtol=1e-4)
    assert view.representation_spec.shape == (None, 1280)
    assert ModelView(model, layer="block_3_expand_relu", pool=None).representation_spec.shape.rank == 4


def test_mixed_precision(batch):
    policy = keras.DTypePolicy("mixed_float16")
    model = keras.Sequential(
        [
            keras.Input((FEATURES,)),
            layers.Dense(5, "tanh", dtype=policy),
            layers.Dense(3, dtype=policy),
            layers.Activation("softmax", dtype="float32"),
        ]
    )
    view = ModelView(model)
    assert view.output_spec.dtype == view.representation_spec.dtype == tf.float32
    np.testing.assert_allclose(tf.nn.softmax(view.outputs(batch)), model(batch), atol=2e-3)


def test_half_precision_inputs_are_walked_in_float32(batch):
    model = keras.Sequential([keras.Input((FEATURES,), dtype="float16"), layers.Dense(3, dtype="float16")])
    view = ModelView(model)
    assert view.inputs_spec.dtype == tf.float32
    np.testing.assert_allclose(view.outputs(batch), model(batch), atol=2e-3)


def test_dropout_is_off(batch):
    model = classifier(layers.Dropout(0.9), layers.Dense(3))
    view = ModelView(model)
    np.testing.assert_array_equal(view.outputs(batch), view.outputs(batch))


@pytest.fixture
def branches():
    a, b = keras.Input((4,), name="a"), keras.Input((2,), name="b")
    hidden = layers.Concatenate()([layers.Dense(3, "tanh")(a), b])
    shared = layers.Dense(5, "tanh", name="shared")(hidden)
    outputs = {
        "kind": layers.Dense(3, "softmax", name="kind_head")(shared),
        "size": layers.Dense(1, name="size_head")(shared),
        "other": layers.Dense(2, name="other_head")(a),
    }
    return keras.Model({"a": a, "b": b}, outputs)


def test_several_inputs_and_outputs(branches):
    view = ModelView(branches, output_name="kind")
    inputs = {"a": tf.ones([2, 4]), "b": tf.ones([2, 2])}
    assert set(view.inputs_spec) == {"a", "b"}
    np.testing.assert_allclose(tf.nn.softmax(view.outputs(inputs)), branches(inputs)["kind"], rtol=1e-5)
    assert ModelView(branches, output_name="size_head").representation_spec.shape == (None, 5)


def test_a_list_of_inputs():
    a, b = keras.Input((4,)), keras.Input((2,))
    model = keras.Model([a, b], layers.Dense(3)(layers.Concatenate()([a, b])))
    view = ModelView(model)
    inputs = [tf.ones([2, 4]), tf.ones([2, 2])]
    np.testing.assert_allclose(view.outputs(inputs), model(inputs), rtol=1e-6)


@pytest.fixture
def text_model():
    tokens = keras.Input((7,), dtype="int32")
    embedded = layers.Embedding(20, 4, mask_zero=True, name="embedding")(tokens)
    return keras.Model(tokens, layers.Dense(3, "softmax")(layers.LSTM(5)(embedded)))


def test_attribution_at_an_embedding_keeps_the_mask(text_model):
    tokens = tf.constant([[1, 2, 3, 0, 0, 0, 0], [4, 5, 6, 7, 8, 9, 10]])
    view = ModelView(text_model, input_layer="embedding")
    points = view.points(tokens)
    assert points.shape == (2, 7, 4)
    np.testing.assert_allclose(tf.nn.softmax(view.outputs(points, tokens)), text_model(tokens), rtol=1e-5)


def test_callables_for_subclassed_models(batch):
    dense = layers.Dense(3)
    view = ModelView.from_callables(tf.tanh, dense, tf.TensorSpec([None, FEATURES]))
    np.testing.assert_allclose(view.outputs(batch), dense(tf.tanh(batch)), rtol=1e-6)


class Subclassed(keras.Model):
    def call(self, inputs):
        return inputs


class Own(layers.Layer):
    def call(self, inputs):
        return inputs


ERRORS = {
    "not a model": (TypeError, "keras.Model", lambda: ModelView("model.keras")),
    "subclassed": (ValueError, "from_callables", lambda: ModelView(Subclassed())),
    "not built": (ValueError, "not built", lambda: ModelView(keras.Sequential([layers.Dense(3)]))),
    "unknown output": (ValueError, "output", lambda: ModelView(classifier(), output="logit")),
    "unknown layer": (LayerError, "'nope'.*hidden", lambda: ModelView(classifier(layers.Dense(2)), layer="nope")),
    "index out of range": (LayerError, "9.*out of range", lambda: ModelView(classifier(layers.Dense(2)), layer=9)),
    "not a layer": (TypeError, "`layer`", lambda: ModelView(classifier(layers.Dense(2)), layer=1.5)),
    "layer of another model": (
        LayerError,
        "not part",
        lambda: ModelView(classifier(layers.Dense(2)), layer=layers.Dense(2)),
    ),
    "tanh": (OutputActivationError, "'tanh'.*raw", lambda: ModelView(classifier(layers.Dense(2, "tanh")))),
    "relu layer": (OutputActivationError, "relu", lambda: ModelView(classifier(layers.ReLU()))),
    "lambda": (OutputActivationError, "Lambda", lambda: ModelView(classifier(layers.Lambda(lambda x: x)))),
    "own layer": (OutputActivationError, "Own", lambda: ModelView(classifier(Own()))),
    "no probabilities": (
        ValueError,
        "Probabilities",
        lambda: ModelView(classifier(layers.Dense(2)), output="probabilities"),
    ),
}


@pytest.mark.parametrize("case", ERRORS)
def test_errors_name_what_is_wrong(case):
    kind, message, make = ERRORS[case]
    with pytest.raises(kind, match=message):
        make()


def test_a_raw_output_is_taken_as_it_is(batch):
    model = classifier(layers.Dense(2, "tanh"))
    np.testing.assert_allclose(ModelView(model, output="raw").outputs(batch), model(batch), rtol=1e-5, atol=1e-6)


def test_one_of_several_outputs_must_be_named(branches):
    with pytest.raises(ValueError, match=r"output_name.*kind"):
        ModelView(branches)
    with pytest.raises(ValueError, match=r"'nope'.*kind"):
        ModelView(branches, output_name="nope")


def test_a_layer_beside_the_way_to_the_output(branches):
    with pytest.raises(LayerError, match="does not depend on the representation"):
        ModelView(branches, output_name="kind", layer="other_head")


def test_integer_input_needs_an_input_layer(text_model):
    with pytest.raises(NotDifferentiableError, match="input_layer"):
        ModelView(text_model)


def test_float_tokens_are_not_differentiable_either():
    tokens = keras.Input((7,))
    model = keras.Model(tokens, layers.Dense(2)(layers.Flatten()(layers.Embedding(20, 4)(tokens))))
    with pytest.raises(NotDifferentiableError, match="input_layer"):
        ModelView(model)


def test_a_representation_before_the_attributed_layer(text_model):
    with pytest.raises(LayerError, match="attributed input"):
        ModelView(text_model, layer="embedding", input_layer=text_model.layers[-1].name)


def test_an_ambiguous_name():
    inputs = keras.Input((4,))
    parts = [keras.Sequential([keras.Input((4,)), layers.Dense(4, name="same")], name=name) for name in ("one", "two")]
    model = keras.Model(inputs, parts[1](parts[0](inputs)))
    with pytest.raises(LayerError, match="outer/inner"):
        ModelView(model, layer="same")
    assert ModelView(model, layer="one/same").representation_spec.shape == (None, 4)


def test_a_shared_layer_is_no_representation():
    inputs, dense = keras.Input((4,)), layers.Dense(4, name="shared")
    model = keras.Model(inputs, layers.Dense(2)(dense(dense(inputs))))
    with pytest.raises(LayerError, match="2 outputs"):
        ModelView(model, layer="shared")


def shared_last(dense):
    inputs = keras.Input((4,))
    return keras.Model(inputs, dense(layers.Activation("tanh")(dense(inputs))))


WITHOUT_REPRESENTATION = {
    "no weights": (
        lambda: {"model": keras.Sequential([keras.Input((4,)), layers.Activation("tanh")]), "output": "raw"},
        "has weights",
    ),
    "last layer shared": (lambda: {"model": shared_last(layers.Dense(4, name="both"))}, "'both' gives 2 outputs"),
    "the last layer is the entry": (
        lambda: {
            "model": keras.Sequential([keras.Input((4,)), layers.Dense(3, "tanh"), layers.Dense(2, name="last")]),
            "input_layer": "last",
        },
        "does not depend on the attributed input",
    ),
}


@pytest.mark.parametrize("case", WITHOUT_REPRESENTATION)
def test_who_needs_no_representation_looks_for_none(case):
    options = WITHOUT_REPRESENTATION[case][0]()
    x = np.random.default_rng(0).normal(size=[2, 4])
    for kind in (IntegratedGradientsExplainer, GradientExplainer, DeepSHAPExplainer):
        arguments = [np.zeros([1, 4])] if kind is DeepSHAPExplainer else []
        assert np.isfinite(kind(**options).explain(x, *arguments).values).all()
    assert ModelView(**options).forward(*ModelView(**options).enter(tf.ones([1, 4])), representation=False)[0] is None


@pytest.mark.parametrize("case", WITHOUT_REPRESENTATION)
def test_ig2_says_when_it_is_made_that_there_is_no_representation(case):
    make, message = WITHOUT_REPRESENTATION[case]
    with pytest.raises(LayerError, match=message):
        IG2Explainer(**make())


def test_an_activation_is_left_out_at_the_output_alone(batch):
    gate = layers.Dense(FEATURES, "sigmoid")
    inputs = keras.Input((FEATURES,))
    model = keras.Model(inputs, gate(gate(inputs)))
    np.testing.assert_allclose(tf.sigmoid(ModelView(model).outputs(batch)), model(batch), rtol=1e-5)


def test_the_embedding_is_known_where_it_alone_is_attributed():
    inner = keras.Sequential([keras.Input((3,), dtype="int32"), layers.Embedding(7, 2, name="words")], name="inner")
    flat = layers.Flatten(name="flat")
    model = keras.Sequential([keras.Input((3,), dtype="int32"), inner, flat, layers.Dense(2)])
    assert ModelView(model, input_layer="inner/words").embedding is inner.get_layer("words")
    assert ModelView(model, input_layer="flat").embedding is None
    assert ModelView(model, input_layer=["inner/words"]).embedding is None
    assert ModelView(classifier(layers.Dense(3))).embedding is None

"""An inner layer is entered: what lies below it runs once, and what goes around it is handed on."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from tf_ig2 import IG2Explainer, IntegratedGradientsExplainer, LayerError, ModelView


def residual(shape=(8, 8, 3)):
    """A network in which two connections go around the layer `block`."""
    keras.utils.set_random_seed(0)
    inputs = keras.Input(shape)
    stem = layers.Conv2D(4, 3, padding="same", activation="relu", name="stem")(inputs)
    block = layers.Conv2D(4, 3, padding="same", activation="tanh", name="block")(stem)
    added = layers.Add(name="added")([block, stem])
    pooled = layers.GlobalAveragePooling2D(name="pooled")(added)
    both = layers.Concatenate()([pooled, layers.GlobalMaxPooling2D()(inputs)])
    return keras.Model(inputs, layers.Dense(3)(both))


@pytest.fixture
def images(rng):
    return tf.constant(rng.uniform(size=[3, 8, 8, 3]), tf.float32)


@pytest.mark.parametrize("layer", ["stem", "block", "added", "pooled", ["block", "stem"]])
def test_from_any_layer_the_output_is_the_models(images, layer):
    model = residual()
    view = ModelView(model, input_layer=layer)
    points, inside = view.enter(images)
    np.testing.assert_allclose(view.forward(points, inside, representation=False)[1], model(images), rtol=1e-5)
    np.testing.assert_allclose(view.outputs(points, images), model(images), rtol=1e-5)


def test_only_what_goes_around_is_handed_on():
    around = [tuple(spec.shape) for spec in ModelView(residual(), input_layer="block").inside_spec]
    assert sorted(around) == [(None, 3), (None, 8, 8, 4)] or sorted(map(len, around)) == [2, 4]
    assert (
        ModelView(keras.Sequential([keras.Input((2,)), layers.Dense(3), layers.Dense(2)]), input_layer=0).enter(
            tf.ones([1, 2])
        )[1]
        == ()
    )


def test_what_lies_below_is_not_run_again(images):
    view = ModelView(residual(), input_layer="block")
    points, inside = view.enter(images)

    @tf.function
    def forward(points, inside):
        return view.forward(points, inside, representation=False)[1]

    graph = forward.get_concrete_function(points, inside).graph
    assert not [operation for operation in graph.get_operations() if "Conv2D" in operation.type]


def test_the_order_of_the_entries_is_the_callers(images):
    model = residual()
    a, b = (ModelView(model, input_layer=name).points(images) for name in ("stem", "pooled"))
    forth, back = (ModelView(model, input_layer=names) for names in (["stem", "pooled"], ["pooled", "stem"]))
    np.testing.assert_array_equal(back.points(images)[0], b)
    np.testing.assert_array_equal(back.points(images)[1], a)
    np.testing.assert_allclose(back.outputs([2 * b, 3 * a], images), forth.outputs([3 * a, 2 * b], images), rtol=1e-6)


def test_one_of_several_inputs_can_be_entered_at():
    words, size = keras.Input((5,), dtype="int32", name="words"), keras.Input((2,), name="size")
    embedded = layers.GlobalAveragePooling1D()(layers.Embedding(9, 4)(words))
    model = keras.Model({"words": words, "size": size}, layers.Dense(2)(layers.Concatenate()([embedded, size])))
    inputs = {"words": tf.ones([3, 5], tf.int32), "size": tf.ones([3, 2])}
    view = ModelView(model, input_layer="size")
    points, inside = view.enter(inputs)
    np.testing.assert_array_equal(points, inputs["size"])
    np.testing.assert_allclose(view.forward(points, inside)[1], model(inputs), rtol=1e-6)


def test_a_layer_of_a_nested_model_is_entered(images):
    inner, outer = residual(), keras.Input((8, 8, 3))
    inner.name = "inner"
    model = keras.Model(outer, layers.Dense(2)(layers.Dense(4, "tanh")(inner(layers.Rescaling(0.5)(outer)))))
    for name in ("inner/block", "inner/added", "inner"):
        view = ModelView(model, input_layer=name)
        np.testing.assert_allclose(view.outputs(view.points(images), images), model(images), rtol=1e-5)


def test_masks_go_on_above_the_cut():
    tokens = keras.Input((4,), dtype="int32")
    embedded = layers.Embedding(9, 3, mask_zero=True, name="embedding")(tokens)
    twice = layers.Add()([embedded, layers.TimeDistributed(layers.Dense(3), name="dense")(embedded)])
    model = keras.Model(tokens, layers.Dense(2)(layers.LSTM(5)(twice)))
    words = tf.constant([[1, 2, 0, 0], [3, 4, 5, 6]])
    for layer in ("embedding", "dense"):
        view = ModelView(model, input_layer=layer)
        np.testing.assert_allclose(view.outputs(view.points(words), words), model(words), rtol=1e-5)


def in_windows(x):
    """Twice as many rows as explicands."""
    return keras.ops.reshape(x, (-1, 2, 3))


def test_a_layer_with_other_rows_than_explicands_is_refused():
    inputs = keras.Input((4, 3))
    windows = keras.ops.reshape(layers.Dense(3, name="windows")(in_windows(inputs)), (-1, 12))
    with pytest.raises(LayerError, match="'windows' does not give one row"):
        ModelView(keras.Model(inputs, layers.Dense(2)(windows)), input_layer="windows")


def test_what_has_other_rows_is_computed_again(rng):
    inputs, x = keras.Input((4, 3)), tf.constant(rng.normal(size=[3, 4, 3]), tf.float32)
    block = layers.Dense(3, "tanh", name="block")(inputs)
    windows = layers.Concatenate()([in_windows(inputs), in_windows(block)])
    model = keras.Model(inputs, layers.Dense(2)(keras.ops.reshape(windows, (-1, 24))))
    view = ModelView(model, input_layer="block")
    points, inside = view.enter(x)
    assert [tuple(spec.shape) for spec in view.inside_spec] == [(None, 4, 3)]
    np.testing.assert_allclose(view.forward(points, inside)[1], model(x), rtol=1e-6)


def test_a_layer_beside_the_way_is_refused():
    inputs = keras.Input((3,))
    model = keras.Model(inputs, [layers.Dense(2, name="a")(inputs), layers.Dense(2, name="b")(inputs)])
    with pytest.raises(LayerError, match="does not depend on the `input_layer` 'b'"):
        ModelView(model, output_name="a", input_layer="b")


def test_a_shared_layer_is_no_entry():
    inputs, dense = keras.Input((4,)), layers.Dense(4, name="shared")
    with pytest.raises(LayerError, match="'shared' gives 2 outputs"):
        ModelView(keras.Model(inputs, layers.Dense(2)(dense(dense(inputs)))), input_layer="shared")


@pytest.mark.parametrize("layer", ["stem", "block", "added"])
def test_attributions_inside_add_up(images, layer):
    model = residual()
    explanation = IntegratedGradientsExplainer(model, steps=200, input_layer=layer).explain(images.numpy(), 0.0)
    np.testing.assert_allclose(explanation.completeness_gap, 0, atol=2e-3)


def test_ig2_inside_a_residual_network(images):
    explainer = IG2Explainer(residual(), input_layer="block", rule="segment", nodes=8)
    explanation = explainer.explain(images[:2].numpy(), images[1:].numpy())
    np.testing.assert_allclose(explanation.completeness_gap, 0, atol=1e-2)

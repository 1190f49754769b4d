"""A request is checked once, and resolved to points and targets."""

import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.paths.smooth import draw, view
from tf_ig2 import ModelView
from tf_ig2.explainers.request import Request, door, entered, predicted, take
from tf_ig2.models.traced_target import TracedTarget


@pytest.fixture(scope="module")
def model():
    return view()


def test_the_predicted_class_is_the_target_where_none_is_given(model):
    x, _ = draw()
    request = Request.of(model, x, None, 2)
    outputs = model.outputs(tf.constant(x)).numpy()
    np.testing.assert_array_equal(request.indices, outputs.argmax(axis=-1))
    assert request.indices.dtype == np.int32
    np.testing.assert_array_equal(predicted(model, x), request.indices)


@pytest.mark.parametrize(("target", "indices"), [(2, [2, 2, 2]), ([0, 2, 1], [0, 2, 1]), (np.int64(1), [1, 1, 1])])
def test_indices_are_one_for_each_explicand(model, target, indices):
    request = Request.of(model, draw()[0], target, 32)
    np.testing.assert_array_equal(request.indices, indices)
    np.testing.assert_array_equal(request.index(slice(1, 3)), indices[1:])


def test_a_callable_picks_the_output_and_there_are_no_indices(model):
    def target(outputs):
        return outputs[:, 0]

    request = Request.of(model, draw()[0], target, 32)
    assert request.indices is None
    assert request.index(slice(0, 2)) == ()
    assert request.target is request.model.target == TracedTarget(target, model.output_spec)


def test_one_explicand_is_a_batch_of_one(model):
    request = Request.of(model, draw()[0][0], 0, 32)
    assert request.single
    assert len(request) == 1
    assert request.explicand.shape == (1, 6)
    assert not Request.of(model, draw()[0], 0, 32).single


def test_without_an_input_layer_the_inputs_are_the_explicands(model):
    request = Request.of(model, draw()[0], 0, 32)
    assert request.explicand is request.inputs
    assert request.inside == ()


@pytest.mark.parametrize("batch_size", [1, 2, 32])
def test_at_an_input_layer_points_and_what_goes_around_them_are_entered_in_batches(batch_size):
    keras.utils.set_random_seed(0)
    inputs = keras.Input([4])
    inner = keras.layers.Dense(3, "tanh", name="inner")(inputs)
    model = keras.Model(inputs, keras.layers.Dense(2)(keras.layers.Concatenate()([inner, inputs])))
    inside = ModelView(model, input_layer="inner")
    x = np.random.default_rng(0).normal(size=[3, 4]).astype(np.float32)
    request = Request.of(inside, x, None, batch_size)
    assert request.inputs.shape == (3, 4)
    np.testing.assert_allclose(request.explicand, model.layers[1](x), rtol=1e-6)
    np.testing.assert_array_equal(request.indices, model(x).numpy().argmax(axis=-1))
    around = [len(part) for part in tf.nest.flatten(request.inside)]
    assert around == [3] * len(around)
    points, _ = entered(inside, x, batch_size)
    np.testing.assert_array_equal(points, request.explicand)


def test_integers_become_the_models_numbers(model):
    inputs, single = door(model, np.arange(12).reshape(2, 6))
    assert inputs.dtype == np.float64
    assert not single


def test_rows_of_a_structure():
    found = take({"a": np.arange(4), "b": np.eye(4)}, slice(1, 3))
    np.testing.assert_array_equal(found["a"], [1, 2])
    np.testing.assert_array_equal(found["b"], np.eye(4)[1:3])


BAD = {
    "shape": (ValueError, "`x`", {"x": np.zeros([2, 5])}),
    "not finite": (ValueError, "`x` contains NaN", {"x": np.full([2, 6], np.nan)}),
    "empty": (ValueError, "`x`", {"x": np.zeros([0, 6])}),
    "target out of range": (ValueError, "`target`", {"target": 3}),
    "number of targets": (ValueError, "`target`", {"target": [0, 1, 2, 0]}),
    "batch size": (ValueError, "`batch_size` must be positive", {"batch_size": 0}),
    "batch size of another kind": (TypeError, "`batch_size` must be an integer", {"batch_size": 2.5}),
}


@pytest.mark.parametrize("case", BAD)
def test_what_is_wrong_is_said_at_the_door(model, case):
    kind, message, wrong = BAD[case]
    arguments = {"x": draw()[0], "target": None, "batch_size": 32, **wrong}
    with pytest.raises(kind, match=message):
        Request.of(model, *arguments.values())


def test_it_is_frozen(model):
    with pytest.raises(dataclasses.FrozenInstanceError):
        Request.of(model, draw()[0], 0, 32).single = True

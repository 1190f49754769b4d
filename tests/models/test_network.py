"""A model's graph as a row of nodes runs as the model does, and any part of it."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from tf_ig2.models.network import Network


@pytest.fixture
def nested():
    inner = keras.Sequential([keras.Input((4,)), layers.Dense(4, "tanh", name="first"), layers.Dense(4, name="second")])
    inner.name = "inner"
    inputs = keras.Input((4,))
    return keras.Model(inputs, layers.Add(name="sum")([inner(inner(inputs)), inputs]))


@pytest.fixture
def batch(rng):
    return tf.constant(rng.normal(size=[3, 4]), tf.float32)


def test_nested_models_are_unfolded_once_for_every_call(nested):
    nodes = [node for node in Network.of(nested).nodes if node.operation is not None]
    assert [node.name for node in nodes] == ["inner/first", "inner/second", "inner"] * 2 + ["sum"]


def test_the_whole_network_is_the_model(nested, batch):
    network = Network.of(nested)
    values = network.run(network.fed(batch), network.outputs)
    np.testing.assert_allclose(values[network.outputs[0]], nested(batch), rtol=1e-6)


def test_a_run_computes_what_is_wanted_and_nothing_else(nested, batch):
    network = Network.of(nested)
    first = network.nodes[1]
    values = network.run(network.fed(batch), first.outputs)
    assert set(values) == {*network.inputs, *first.inputs, *first.outputs}


def test_a_run_goes_on_from_what_is_known(nested, batch):
    network = Network.of(nested)
    second_call = network.nodes[-2]
    values = network.run({second_call.outputs[0]: tf.zeros([3, 4]), **network.fed(batch)}, network.outputs)
    np.testing.assert_array_equal(values[network.outputs[0]], batch)
    assert not any(key in values for key in network.nodes[1].outputs)


def test_an_operation_is_called_in_another_way_wherever_it_stands(nested, batch):
    network, first = Network.of(nested), nested.get_layer("inner").get_layer("first")
    seen = []
    network.run(network.fed(batch), network.outputs, {id(first): lambda operation, x: seen.append(x) or x})
    assert len(seen) == 2


def test_one_node_is_called_in_another_way(nested, batch):
    network = Network.of(nested)
    seen = []
    network.run(network.fed(batch), network.outputs, at={network.nodes[1]: lambda operation, x: seen.append(x) or x})
    assert len(seen) == 1


def test_dropout_stays_off():
    inputs = keras.Input((50,))
    network = Network.of(keras.Model(inputs, layers.Dropout(0.5)(inputs, training=True)))
    x = tf.ones([1, 50])
    np.testing.assert_array_equal(network.run(network.fed(x), network.outputs)[network.outputs[0]], x)


def test_a_network_of_several_inputs_in_a_dict(rng):
    a, b = keras.Input((2,), name="a"), keras.Input((2,), name="b")
    model = keras.Model({"b": b, "a": a}, layers.Subtract()([a, b]))
    x = {"a": tf.ones([1, 2]), "b": tf.fill([1, 2], 3.0)}
    network = Network.of(model)
    np.testing.assert_array_equal(network.run(network.fed(x), network.outputs)[network.outputs[0]], [[-2, -2]])

"""A spatial representation is compared pooled over positions unless one asks for positions."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from tf_ig2 import IG2Explainer, ModelView
from tf_ig2.models.pooling import pooled

X = np.arange(24, dtype=np.float32).reshape(1, 2, 3, 4)


def maps_net():
    keras.utils.set_random_seed(0)
    return keras.Sequential(
        [
            keras.Input((6, 6, 3)),
            layers.Conv2D(4, 3, activation="relu", name="maps"),
            layers.Flatten(),
            layers.Dense(5, "tanh", name="vector"),
            layers.Dense(2),
        ]
    )


def test_feature_maps_are_averaged():
    np.testing.assert_allclose(pooled(tf.constant(X), "auto"), X.mean(axis=(1, 2)))


@pytest.mark.parametrize("shape", [(2, 5), (2, 3, 5), (2, 2, 2, 2, 5)])
def test_everything_else_stays_under_auto(shape):
    assert pooled(tf.ones(shape), "auto").shape == shape


@pytest.mark.parametrize(("pool", "expected"), [("mean", [1.5, 2.5]), ("max", [3, 4])])
def test_sequences_are_pooled_when_asked_for(pool, expected):
    np.testing.assert_allclose(pooled(tf.constant([[[0.0, 1.0], [3.0, 4.0]]]), pool), [expected])


@pytest.mark.parametrize(("pool", "expected"), [("mean", [-1.0, -2.0]), ("max", [-1.0, -2.0])])
def test_masked_positions_do_not_count(pool, expected):
    x = tf.constant([[[-1.0, -2.0], [3.0, 4.0]]])
    np.testing.assert_allclose(pooled(x, pool, mask=tf.constant([[True, False]])), [expected])


def test_channels_first_is_honoured():
    np.testing.assert_allclose(pooled(tf.constant(X), "auto", channel_axis=1), X.mean(axis=(2, 3)))


def test_a_view_knows_its_channels_axis():
    inputs = keras.Input((3, 6, 5))
    maps = layers.ReLU(name="maps")(layers.AveragePooling2D(1, data_format="channels_first")(inputs))
    view = ModelView(keras.Model(inputs, layers.Dense(2)(layers.Flatten()(maps))), layer="maps")
    assert view.representation_spec.shape == (None, 3)


@pytest.mark.parametrize(("pool", "shape"), [("auto", (4,)), ("mean", (4,)), ("max", (4,)), (None, (4, 4, 4))])
def test_a_view_pools_its_representation(pool, shape):
    view = ModelView(maps_net(), layer="maps", pool=pool)
    x = tf.random.stateless_uniform([2, 6, 6, 3], [1, 2])
    assert view.representation_spec.shape == (None, *shape)
    maps = view.model.get_layer("maps")(x).numpy()
    expected = {"max": maps.max(axis=(1, 2)), None: maps}.get(pool, maps.mean(axis=(1, 2)))
    np.testing.assert_allclose(view.representation(x), expected, rtol=1e-5)
    np.testing.assert_allclose(view.forward(x)[0], expected, rtol=1e-5)


def test_unknown_ways_to_pool_are_refused():
    with pytest.raises(ValueError, match="Unknown pool: 'median'"):
        ModelView(maps_net(), pool="median")


def test_callables_are_pooled_when_asked_for():
    def view(pool):
        return ModelView.from_callables(
            tf.tanh, lambda h: tf.reduce_sum(h, [1, 2]), tf.TensorSpec([None, 4, 4, 3]), pool=pool
        )

    assert view(None).representation_spec.shape == (None, 4, 4, 3)
    assert view("auto").representation_spec.shape == (None, 3)


def test_an_explanation_says_how_it_pooled(rng):
    images = rng.uniform(size=[3, 6, 6, 3])
    explanation = IG2Explainer(maps_net(), layer="maps", pool="max").explain(images[:1], images[1:])
    assert explanation.settings["pool"] == "max"


def test_pooling_belongs_to_the_view():
    with pytest.raises(ValueError, match=r"`pool` belong to the ModelView"):
        IG2Explainer(ModelView(maps_net()), pool=None)

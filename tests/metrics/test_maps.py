"""From attributions to one number per feature."""

import keras
import numpy as np
import pytest

from tf_ig2 import GradientExplainer
from tf_ig2.metrics.maps import feature_maps


def test_channels_are_summed_absolute_or_signed():
    values = np.array([[[1.0, -3.0], [2.0, 2.0]]])
    np.testing.assert_array_equal(feature_maps(values, (2,)), [[4, 4]])
    np.testing.assert_array_equal(feature_maps(values, (2,), "signed"), [[-2, 4]])


def test_maps_stay_what_they_are():
    values = np.array([[-1.0, 2.0]])
    np.testing.assert_array_equal(feature_maps(values, (2,)), values)


def test_an_attribution_of_one_explicand_is_a_batch_of_one():
    model = keras.Sequential([keras.Input([3]), keras.layers.Dense(2)])
    assert feature_maps(GradientExplainer(model).explain(np.ones(3)), (3,)).shape == (1, 3)


def test_an_inner_layer_is_brought_to_the_features():
    model = keras.Sequential(
        [
            keras.Input([4, 4, 3]),
            keras.layers.Conv2D(2, 2, strides=2, name="maps"),
            keras.layers.Flatten(),
            keras.layers.Dense(2),
        ]
    )
    explanation = GradientExplainer(model, input_layer="maps").explain(np.ones([5, 4, 4, 3]))
    expected = explanation.at_input().values
    np.testing.assert_allclose(feature_maps(explanation, (4, 4), "signed"), expected)
    np.testing.assert_allclose(feature_maps(explanation, (4, 4)), np.abs(expected))


def test_words_at_an_embedding_are_their_own_positions():
    model = keras.Sequential(
        [
            keras.Input([3], dtype="int32"),
            keras.layers.Embedding(5, 4, name="embedding"),
            keras.layers.GlobalAveragePooling1D(),
            keras.layers.Dense(2),
        ]
    )
    explanation = GradientExplainer(model, input_layer="embedding").explain(np.array([[1, 2, 3]]))
    np.testing.assert_allclose(feature_maps(explanation, (3,)), np.abs(explanation.values).sum(axis=-1))


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_maps_that_are_not_finite_are_refused(bad):
    with pytest.raises(
        ValueError, match=r"`attributions` contains NaN or infinite values, the first at index \(0, 1\)"
    ):
        feature_maps(np.array([[0.0, bad]]), (2,))


def test_other_shapes_are_refused():
    with pytest.raises(ValueError, match=r"shape \(1, 3\); wanted is \[N, 2\]"):
        feature_maps(np.ones([1, 3]), (2,))


def test_unknown_channels_are_refused():
    with pytest.raises(ValueError, match="Unknown `channels`: 'max'"):
        feature_maps(np.ones([1, 2]), (2,), "max")


def test_several_inputs_are_refused():
    with pytest.raises(TypeError, match="several inputs"):
        feature_maps({"a": np.ones([1, 2])}, (2,))


def test_words_are_no_numbers():
    with pytest.raises(TypeError, match="must hold numbers"):
        feature_maps(np.array([["a", "b"]]), (2,))

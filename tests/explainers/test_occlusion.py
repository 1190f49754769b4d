"""Occlusion is PAIR's, for batches, compiled once; and a clear error for what it cannot hide."""

import keras
import numpy as np
import pytest
import saliency.core as saliency
import tensorflow as tf
from keras import layers

from tf_ig2 import NonFiniteGradientError, OcclusionExplainer
from tf_ig2.pair.saliency_adapter import saliency_adapter

from ..networks import broken_net, conv_net, grey_net

X = np.random.default_rng(0).random((3, 12, 12, 3)).astype("float32")


@pytest.fixture(scope="module")
def model():
    return conv_net()


@pytest.mark.parametrize(("size", "value"), [(1, 0), (5, 0.5), (12, -1)])
def test_values_are_pairs(model, size, value):
    values = OcclusionExplainer(model, size=size, value=value).explain(X[:2], target=[1, 2]).values
    for n, target in enumerate([1, 2]):
        theirs = saliency.Occlusion().GetMask(X[n], saliency_adapter(model, target), size=size, value=value)
        np.testing.assert_allclose(values[n], theirs, rtol=1e-3, atol=1e-4)


def test_a_linear_model_by_hand():
    """Of f = Σ w x each window loses Σ w (x − value) inside it."""
    rng = np.random.default_rng(0)
    model = keras.Sequential([keras.Input((4, 5)), layers.Flatten(), layers.Dense(1, use_bias=False)])
    weights = rng.normal(size=(4, 5)).astype("float32")
    model.layers[-1].set_weights([weights.reshape(-1, 1)])
    x = rng.normal(size=(4, 5)).astype("float32")
    lost = weights * (x - 2)
    windows = np.array([[lost[i : i + 3, j : j + 3].sum() for j in range(3)] for i in range(2)])
    expected = np.zeros((4, 5))
    for i in range(2):
        for j in range(3):
            expected[i : i + 3, j : j + 3] += windows[i, j]
    np.testing.assert_allclose(OcclusionExplainer(model, size=3, value=2).explain(x).values, expected, rtol=1e-4)


def test_a_batch_is_its_images_one_by_one_and_traced_once(model):
    explainer = OcclusionExplainer(model, size=7)
    whole = explainer.explain(X, verbose=True)
    assert whole.values.shape == X.shape
    np.testing.assert_array_equal(whole.values[..., 0], whole.values[..., 2])
    assert whole.completeness_gap is None
    np.testing.assert_allclose(whole.output, np.max(explainer.view.outputs(tf.constant(X)), axis=1), rtol=1e-5)
    for n, batch_size in enumerate([1, 5, 1000]):
        one = explainer.explain(X[n], batch_size=batch_size)
        np.testing.assert_allclose(one.values, whole.values[n], rtol=1e-4, atol=1e-5)
        assert one.target == whole.target[n]
    explainer.GetMask(X[0], size=3, value=1)
    (function,) = explainer._graphs._graphs.values()
    assert function.experimental_get_tracing_count() == 1


def test_pairs_arguments_are_for_one_call(model):
    explainer = OcclusionExplainer(model, size=7)
    mask = explainer.GetMask(X[0], size=4, value=0.5, target=1)
    np.testing.assert_array_equal(mask, OcclusionExplainer(model, size=4, value=0.5).GetMask(X[0], target=1))
    assert (explainer.size, explainer.value) == (7, 0)
    explanation = explainer.explain(X[0])
    assert explanation.settings["size"] == 7
    smooth = explainer.GetSmoothedMask(X[0], size=8, stdev_spread=0.0, nsamples=2, magnitude=False)
    np.testing.assert_allclose(smooth, explainer.GetMask(X[0], size=8), rtol=1e-4, atol=1e-5)


def test_strides_skip_places_but_not_the_edge(model):
    calls = []

    def call(x_value_batch, call_model_args=None, expected_keys=None):
        assert expected_keys == ["OUTPUT_LAYER_VALUES"]
        assert call_model_args == "airplane"
        calls.append(len(x_value_batch))
        return {"OUTPUT_LAYER_VALUES": x_value_batch.sum(axis=(1, 2))}

    mask = OcclusionExplainer(size=3, stride=4).GetMask(np.ones((8, 9)), call, "airplane")
    assert calls == [1] * (1 + 3 * 3)  # rows 0, 4, 5; columns 0, 4, 6
    assert mask[-1, -1] > 0
    assert mask[3, 0] == 0
    calls.clear()
    again = OcclusionExplainer(size=3, stride=4).GetMask(np.ones((8, 9)), call, "airplane", batch_size=4)
    assert calls == [1, 4, 4, 1]
    np.testing.assert_array_equal(again, mask)


def test_targets_and_outputs(model):
    explainer = OcclusionExplainer(model, size=6)
    difference = explainer.explain(X[:1], target=lambda z: z[:, 0] - z[:, 1]).values
    parts = [explainer.explain(X[:1], target=target).values for target in (0, 1)]
    np.testing.assert_allclose(difference, parts[0] - parts[1], rtol=1e-3, atol=1e-4)
    probability = OcclusionExplainer(model, size=6, output="probabilities").explain(X[:1])
    np.testing.assert_allclose(probability.output, model.predict(X[:1], verbose=0).max(axis=1), rtol=1e-5)


def test_unusual_images(model):
    explainer = OcclusionExplainer(model, size=6)
    bright = np.full((12, 12, 3), 255, np.uint8)
    np.testing.assert_array_equal(explainer.explain(bright).values, explainer.explain(bright.astype("float32")).values)
    assert (explainer.explain(np.zeros((12, 12, 3))).values == 0).all()
    assert OcclusionExplainer(grey_net(), size=6).explain(np.ones((2, 12, 12))).values.shape == (2, 12, 12)
    integers = OcclusionExplainer(size=2).GetMask(
        np.array([[1, 2], [3, 2**30 + 1]]), lambda x, **_: {"OUTPUT_LAYER_VALUES": x.sum(axis=(1, 2))}
    )
    np.testing.assert_array_equal(integers, np.full((2, 2), 2.0**30 + 7))


def test_nan_is_an_error():
    x = np.stack([np.ones((12, 12, 3)), -np.ones((12, 12, 3))])
    with pytest.raises(NonFiniteGradientError) as caught:
        OcclusionExplainer(broken_net(), size=11, value=1).explain(x, target=0)
    np.testing.assert_array_equal(caught.value.explicands, [1])
    assert len(caught.value.finished) == 1


def test_bad_arguments(model):
    with pytest.raises(ValueError, match=r"`size` 13 is larger than the images, 12 × 12"):
        OcclusionExplainer(model, size=13).explain(X)
    with pytest.raises(ValueError, match="`stride` must be positive"):
        OcclusionExplainer(model, stride=0)
    with pytest.raises(ValueError, match="explains images"):
        OcclusionExplainer(keras.Sequential([keras.Input((4,)), layers.Dense(3)]))
    with pytest.raises(ValueError, match="one explicand has shape"):
        OcclusionExplainer(size=1).GetMask([1.0, 2.0], lambda *_, **__: {})
    with pytest.raises(ValueError, match="has no model"):
        OcclusionExplainer().explain(X)
    with pytest.raises(TypeError, match="must hold numbers"):
        OcclusionExplainer().GetMask("image", lambda *_, **__: {})

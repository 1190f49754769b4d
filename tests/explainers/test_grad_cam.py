"""Grad-CAM is what its equations say, and what PAIR's class makes of the same feature maps."""

import keras
import numpy as np
import pytest
import saliency.core as saliency
from keras import layers

from tf_ig2 import LayerError, NonFiniteGradientError
from tf_ig2.explainers.grad_cam import GradCAMExplainer
from tf_ig2.pair.saliency_adapter import saliency_adapter

from ..networks import broken_net, conv_net, grey_net, mobilenet, needs_data, photographs


def images(count, shape=(12, 12, 3), seed=0):
    return np.random.default_rng(seed).normal(size=(count, *shape)).astype("float32")


def test_a_network_by_hand():
    """After global average pooling and a linear layer, αₖ are the weights of the class over h·w."""
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [keras.Input((6, 6, 2)), layers.Conv2D(5, 3, name="maps"), layers.GlobalAveragePooling2D(), layers.Dense(3)]
    )
    x = images(2, (6, 6, 2))
    maps = keras.Model(model.inputs[0], model.get_layer("maps").output)(x).numpy()
    heat = np.maximum(maps @ model.layers[-1].get_weights()[0][:, 1] / 16, 0)
    values = GradCAMExplainer(model, resize=False).explain(x, target=1).values
    np.testing.assert_allclose(values, heat, rtol=1e-5, atol=1e-7)


def test_values_are_pairs():
    hidden = [layers.Conv2D(4, 3, activation="relu"), layers.MaxPooling2D(), layers.Flatten()]
    model = keras.Sequential([keras.Input((12, 12, 3)), *hidden, layers.Dense(3)])
    x = images(2)
    ours = GradCAMExplainer(model, resize=False).explain(x, target=[1, 2]).values
    for n, target in enumerate([1, 2]):
        call = saliency_adapter(model, target)
        theirs = saliency.GradCam().GetMask(x[n], call, should_resize=False, three_dims=False)
        np.testing.assert_allclose(ours[n], theirs, rtol=1e-4, atol=1e-6)


@needs_data
def test_values_are_pairs_on_mobilenet():
    model, x = mobilenet(), photographs(1)[0]
    call = saliency_adapter(model, 10)
    theirs = saliency.GradCam().GetMask(x, call, should_resize=False, three_dims=False)
    ours = GradCAMExplainer(model, resize=False).explain(x, target=10).values
    assert np.abs(ours - theirs).max() <= 1e-4 * np.abs(theirs).max()


def test_the_map_has_the_inputs_size():
    model = keras.Sequential([keras.Input((12, 10, 3)), layers.Conv2D(4, 3, 2), layers.Flatten(), layers.Dense(3)])
    explainer = GradCAMExplainer(model)
    explanation = explainer.explain(images(3, (12, 10, 3)), batch_size=2, verbose=True)
    assert explanation.values.shape == (3, 12, 10)
    assert (explanation.values >= 0).all()
    assert explanation.completeness_gap is None
    assert explainer._graphs.get((None, True), None).experimental_get_tracing_count() == 1


@pytest.mark.parametrize("arguments", [{}, {"should_resize": False}, {"three_dims": False}])
def test_masks_are_pairs(arguments):
    hidden = [layers.Conv2D(4, 3, 2, activation="relu"), layers.Flatten()]
    model = keras.Sequential([keras.Input((13, 12, 3)), *hidden, layers.Dense(3)])
    x, call = images(1, (13, 12, 3))[0], saliency_adapter(model, 1)
    theirs = saliency.GradCam().GetMask(x, call, **arguments)
    ours = GradCAMExplainer(model).GetMask(x, target=1, **arguments)
    assert ours.shape == theirs.shape
    np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(GradCAMExplainer().GetMask(x, call, **arguments), theirs, rtol=1e-5, atol=1e-7)


def test_the_explainers_own_size_is_the_masks_default():
    model = conv_net()
    explainer = GradCAMExplainer(model, resize=False)
    x = images(1)[0]
    np.testing.assert_array_equal(explainer.GetMask(x), explainer.GetMask(x, should_resize=False))
    small = explainer.GetMask(x, three_dims=False)
    np.testing.assert_array_equal(small, explainer.explain(x).values)
    target = int(np.argmax([explainer.explain(x, target=target).values.max() for target in range(3)]))
    assert explainer.GetMask(x, target=target, should_resize=True).max() == pytest.approx(1, abs=1e-6)


def test_smoothed_masks_are_means_of_squared_masks():
    model = conv_net()
    x, explainer = images(1)[0], GradCAMExplainer(model)
    smooth = explainer.GetSmoothedMask(x, stdev_spread=0.0, nsamples=2, three_dims=False)
    np.testing.assert_allclose(smooth, explainer.GetMask(x, three_dims=False) ** 2, rtol=1e-4, atol=1e-6)
    called = GradCAMExplainer().GetSmoothedMask(x, saliency_adapter(model), stdev_spread=0.0, nsamples=2)
    np.testing.assert_allclose(called[..., 0], smooth, rtol=1e-4, atol=1e-6)


def test_callbacks_that_answer_something_else():
    def answer(values, gradients):
        return lambda *_, **__: {"CONVOLUTION_LAYER_VALUES": values, "CONVOLUTION_OUTPUT_GRADIENTS": gradients}

    explainer, x = GradCAMExplainer(), np.ones((6, 6, 3))
    with pytest.raises(ValueError, match="asked for CONVOLUTION_LAYER_VALUES, CONVOLUTION_OUTPUT_GRADIENTS and"):
        explainer.GetMask(x, lambda *_, **__: {"CONVOLUTION_LAYER_VALUES": np.ones((1, 2, 2, 3))})
    with pytest.raises(ValueError, match=r"has shape \(1, 2, 2, 3\) and .*GRADIENTS \(1, 2, 2, 4\); they must be"):
        explainer.GetMask(x, answer(np.ones((1, 2, 2, 3)), np.ones((1, 2, 2, 4))))
    with pytest.raises(NonFiniteGradientError):
        explainer.GetMask(x, answer(np.ones((1, 2, 2, 3)), np.full((1, 2, 2, 3), np.nan)))
    with pytest.raises(TypeError, match="takes should_resize and three_dims, not"):
        explainer.GetMask(x, answer(x, x), batch_size=3)
    with pytest.raises(ValueError, match="has no model"):
        explainer.explain(x)
    assert explainer.settings["layer"] is None


def test_layers_by_name_also_in_nested_models():
    inner = keras.Sequential([keras.Input((12, 12, 3)), layers.Conv2D(4, 3, name="inside"), layers.ReLU(name="last")])
    inputs = keras.Input((12, 12, 3))
    model = keras.Model(inputs, layers.Dense(3)(layers.Flatten()(inner(inputs))))
    assert GradCAMExplainer(model).explain(images(1)).settings["layer"] == "last"
    assert GradCAMExplainer(model, "inside", resize=False).explain(images(1)).values.shape == (1, 10, 10)


def test_half_precision():
    keras.config.set_dtype_policy("mixed_float16")
    try:
        model = conv_net()
    finally:
        keras.config.set_dtype_policy("float32")
    values = GradCAMExplainer(model).explain(images(1)).values
    assert values.dtype == np.float32
    assert np.isfinite(values).all()


def test_unusual_images():
    model = conv_net()
    explainer = GradCAMExplainer(model)
    assert np.isfinite(explainer.explain(np.zeros((12, 12, 3), np.uint8)).values).all()
    bright = np.full((12, 12, 3), 255, np.uint8)
    np.testing.assert_array_equal(explainer.explain(bright).values, explainer.explain(bright.astype("float32")).values)
    assert GradCAMExplainer(conv_net((1, 1, 3))).explain(images(1, (1, 1, 3))).values.shape == (1, 1, 1)
    assert GradCAMExplainer(grey_net()).explain(images(2, (12, 12))).values.shape == (2, 12, 12)


def test_nan_is_an_error():
    x = np.stack([np.ones((12, 12, 3)), -np.ones((12, 12, 3))])
    with pytest.raises(NonFiniteGradientError) as caught:
        GradCAMExplainer(broken_net()).explain(x, target=0, batch_size=1)
    np.testing.assert_array_equal(caught.value.explicands, [1])
    assert len(caught.value.finished) == 1


def test_bad_arguments():
    with pytest.raises(LayerError, match="not feature maps"):
        GradCAMExplainer(conv_net(), -1)
    with pytest.raises(LayerError, match="no layer with output"):
        GradCAMExplainer(keras.Sequential([keras.Input((4, 4, 1)), layers.Flatten(), layers.Dense(3)]))
    with pytest.raises(ValueError, match="explains images"):
        GradCAMExplainer(keras.Sequential([keras.Input((4,)), layers.Dense(3)]))
    with pytest.raises(ValueError, match="`x` has shape"):
        GradCAMExplainer(conv_net()).explain(np.zeros((3, 3)))

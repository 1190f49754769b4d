"""IG, Guided IG and Blur IG give what PAIR's `saliency` gives, through a Keras model and through its own callback."""

import keras
import numpy as np
import pytest
from keras import layers
from saliency import core as saliency

from tf_ig2.explainers.blur_ig import BlurIGExplainer
from tf_ig2.explainers.gradient import GradientExplainer
from tf_ig2.explainers.guided_ig import GuidedIGExplainer
from tf_ig2.explainers.integrated_gradients import IntegratedGradientsExplainer

from .pair import callback, relative_error, repair_quantile

TOLERANCE, TARGET, SHAPE = 1e-4, 2, (12, 10, 3)


def convolutional(dtype):
    keras.utils.set_random_seed(0)
    return [
        keras.Input(SHAPE, dtype=dtype),
        layers.Conv2D(6, 3, activation="relu", dtype=dtype),
        layers.MaxPool2D(dtype=dtype),
        layers.Flatten(dtype=dtype),
        layers.Dense(16, "relu", dtype=dtype),
        layers.Dense(4, dtype=dtype),
    ]


def depthwise(dtype):
    keras.utils.set_random_seed(1)
    return [
        keras.Input(SHAPE, dtype=dtype),
        layers.DepthwiseConv2D(3, activation="relu6", dtype=dtype),
        layers.Conv2D(5, 1, activation="gelu", dtype=dtype),
        layers.GlobalAveragePooling2D(dtype=dtype),
        layers.Dense(4, dtype=dtype),
    ]


METHODS = {
    "IG": (
        saliency.IntegratedGradients,
        lambda model: IntegratedGradientsExplainer(model, rule="pair"),
        {"default": {"x_steps": 13}, "batched": {"x_steps": 10, "batch_size": 4}},
    ),
    "Guided IG": (
        saliency.GuidedIG,
        GuidedIGExplainer,
        {
            "default": {"x_steps": 20},
            "wide": {"x_steps": 15, "fraction": 0.1, "max_dist": 0.3},
            "free": {"x_steps": 6, "fraction": 0.5, "max_dist": 1.0},
            "straight": {"x_steps": 6, "max_dist": 0.0},
        },
    ),
    "Blur IG": (
        saliency.BlurIG,
        BlurIGExplainer,
        {
            "default": {"steps": 10},
            "narrow": {"steps": 12, "max_sigma": 4, "grad_step": 0.1},
            "sqrt": {"steps": 8, "max_sigma": 3, "sqrt": True},
        },
    ),
}
CASES = [(method, case) for method, (_, _, cases) in METHODS.items() for case in cases]


@pytest.fixture(scope="module", params=[(convolutional, "float32"), (convolutional, "float64"), (depthwise, "float32")])
def network(request):
    build, dtype = request.param
    model = keras.Sequential(build(dtype))
    explainers = {method: make(model) for method, (_, make, _) in METHODS.items()}
    return callback(model, TARGET, dtype), explainers, np.random.default_rng(1).random(SHAPE).astype(dtype)


@pytest.mark.parametrize(("method", "case"), CASES)
def test_masks_are_pairs(network, monkeypatch, method, case):
    repair_quantile(monkeypatch)
    call, explainers, x = network
    theirs, _, cases = METHODS[method]
    expected = theirs().GetMask(x, call, **cases[case])
    mask = explainers[method].GetMask(x, target=TARGET, **cases[case])
    assert mask.dtype == x.dtype
    assert relative_error(mask, expected) < TOLERANCE


@pytest.mark.parametrize("method", METHODS)
def test_pairs_callbacks_work(network, monkeypatch, method):
    repair_quantile(monkeypatch)
    call, _, x = network
    theirs, make, cases = METHODS[method]
    options = next(iter(cases.values()))
    assert relative_error(make(None).GetMask(x, call, **options), theirs().GetMask(x, call, **options)) < TOLERANCE


@pytest.mark.parametrize("method", ["IG", "Guided IG"])
def test_baselines_are_pairs(network, monkeypatch, method):
    repair_quantile(monkeypatch)
    call, explainers, x = network
    baseline = np.random.default_rng(2).random(SHAPE).astype(x.dtype)
    expected = METHODS[method][0]().GetMask(x, call, x_baseline=baseline, x_steps=9)
    mask = explainers[method].GetMask(x, target=TARGET, x_baseline=baseline, x_steps=9)
    assert relative_error(mask, expected) < TOLERANCE


def test_gradient_is_pairs(network):
    call, _, x = network
    expected = saliency.GradientSaliency().GetMask(x, call)
    assert np.array_equal(GradientExplainer().GetMask(x, call), expected)


@pytest.fixture(scope="module")
def mobilenet(data_dir):
    """MobileNetV2 in float64 (in float32 PAIR differs from itself by 1e-3 when the image changes by one ulp)."""
    single = keras.models.load_model(data_dir / "models" / "mobilenet_v2_imagenet.keras", compile=False)

    def double(layer):
        return type(layer).from_config({**layer.get_config(), "dtype": "float64"})

    inputs = keras.Input(single.input.shape[1:], dtype="float64")
    model = keras.models.clone_model(single, input_tensors=inputs, clone_function=double)
    model.set_weights(single.get_weights())
    target = 236
    logits = keras.Model(model.input, model.get_layer("predictions_logits").output)
    image = keras.utils.load_img(data_dir / "imagenet" / "images" / "doberman.png", target_size=(224, 224))
    return model, target, callback(logits, target, "float64"), np.asarray(image, np.float64)


@pytest.mark.parametrize("method", METHODS)
def test_on_mobilenet_and_a_photograph(mobilenet, monkeypatch, method):
    repair_quantile(monkeypatch)
    model, target, call, x = mobilenet
    theirs, make, _ = METHODS[method]
    options = {"steps" if method == "Blur IG" else "x_steps": 4}
    expected = theirs().GetMask(x, call, **options)
    assert relative_error(make(model).GetMask(x, target=target, batch_size=2, **options), expected) < TOLERANCE

"""Odd inputs to path methods give defined results, or errors that say what is wanted."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tf_ig2 import ModelView, NonFiniteGradientError
from tf_ig2.explainers.blur_ig import BlurIGExplainer
from tf_ig2.explainers.expected_ig import ExpectedIGExplainer
from tf_ig2.explainers.gradient import GradientExplainer
from tf_ig2.explainers.guided_ig import GuidedIGExplainer
from tf_ig2.explainers.integrated_gradients import IntegratedGradientsExplainer

EXPLAINERS = {
    "IG": (lambda model: IntegratedGradientsExplainer(model, steps=4), {}),
    "Expected IG": (lambda model: ExpectedIGExplainer(model, steps=2), {"references": 0.0}),
    "Guided IG": (lambda model: GuidedIGExplainer(model, steps=4), {}),
    "Blur IG": (lambda model: BlurIGExplainer(model, steps=4, max_sigma=2), {}),
    "Gradient": (GradientExplainer, {}),
}
WITH_BASELINE = ["IG", "Expected IG", "Guided IG"]


def image_model(*shape):
    keras.utils.set_random_seed(6)
    return ModelView(
        keras.Sequential(
            [keras.Input(shape), keras.layers.Flatten(), keras.layers.Dense(5, "tanh"), keras.layers.Dense(3)]
        )
    )


@pytest.fixture(scope="module")
def explainers():
    model = image_model(4, 4, 1)
    return {name: (make(model), options) for name, (make, options) in EXPLAINERS.items()}


@pytest.fixture(params=EXPLAINERS)
def explainer(request, explainers):
    return explainers[request.param]


def test_uint8_images_are_read_as_the_numbers_they_are(explainer):
    explainer, options = explainer
    x = np.random.default_rng(0).integers(0, 256, [2, 4, 4, 1]).astype(np.uint8)
    assert np.array_equal(explainer.explain(x, **options).values, explainer.explain(x.astype(float), **options).values)


@pytest.mark.parametrize("level", [0.0, 3.0])
def test_constant_images_are_explained(explainer, level):
    explainer, options = explainer
    explanation = explainer.explain(np.full([1, 4, 4, 1], level), **options)
    assert np.isfinite(explanation.values).all()
    if level == 0 and type(explainer) is not GradientExplainer:
        assert not explanation.values.any()
        assert not explanation.completeness_gap.any()


def test_reflection_gives_constant_images_nothing():
    explanation = BlurIGExplainer(image_model(4, 4, 1), steps=4, padding="reflect").explain(np.full([1, 4, 4, 1], 3.0))
    assert np.allclose(explanation.values, 0, atol=1e-6)


@pytest.mark.parametrize("name", WITH_BASELINE)
def test_an_explicand_that_is_its_baseline_has_no_attributions(explainers, name):
    x = np.random.default_rng(0).random([2, 4, 4, 1])
    explanation = explainers[name][0].explain(x, x[:, None])
    assert not explanation.values.any()
    assert not explanation.completeness_gap.any()


@pytest.mark.parametrize("name", EXPLAINERS)
def test_a_single_pixel_is_an_image(name):
    make, options = EXPLAINERS[name]
    explanation = make(image_model(1, 1, 1)).explain(np.full([1, 1, 1], 2.0), **options)
    assert explanation.values.shape == (1, 1, 1)
    assert np.isfinite(explanation.values).all()


@pytest.mark.parametrize("name", EXPLAINERS)
def test_grey_images_need_no_channel_axis_if_the_model_takes_none(name):
    make, options = EXPLAINERS[name]
    x = np.random.default_rng(0).random([4, 4])
    without = make(image_model(4, 4)).explain(x, **options).values
    assert np.allclose(without, make(image_model(4, 4, 1)).explain(x[..., None], **options).values[..., 0], atol=1e-6)


def test_grey_images_without_the_channel_axis_that_the_model_takes_are_refused(explainer):
    explainer, options = explainer
    with pytest.raises(ValueError, match="add the channel axis"):
        explainer.explain(np.zeros([4, 4]), **options)


@pytest.mark.parametrize("name", EXPLAINERS)
def test_gradients_that_are_not_numbers_are_reported(name):
    make, options = EXPLAINERS[name]
    spec = tf.TensorSpec([None, 3, 3, 1])
    # √ has no gradient at 0, where it gives 0 · ∞.
    model = ModelView.from_callables(lambda x: x, lambda x: tf.reduce_sum(tf.sqrt(x * 0.0) * x, [1, 2])[:, :1], spec)
    with pytest.raises(NonFiniteGradientError, match="explicand"):
        make(model).explain(np.ones([2, 3, 3, 1]), **options)


def test_callbacks_with_nan_gradients_are_reported():
    def call(x, call_model_args=None, expected_keys=None):
        return {"INPUT_OUTPUT_GRADIENTS": np.full_like(x, np.nan)}

    for make, options in EXPLAINERS.values():
        options = {"baselines": 0.0} if options else {}
        with pytest.raises(NonFiniteGradientError):
            make(None).GetMask(np.ones([3, 3, 1]), call, **options)


def test_blur_ig_wants_images():
    with pytest.raises(ValueError, match=r"`x` must be images.*\[7\]"):
        BlurIGExplainer(image_model(7)).explain(np.zeros([2, 7]))


CONSTRUCT = {
    "rule of IG": (ValueError, "Unknown rule: 'simpson'", lambda: IntegratedGradientsExplainer(rule="simpson")),
    "steps of IG": (ValueError, "`steps` must be positive", lambda: IntegratedGradientsExplainer(steps=0)),
    "steps in words": (TypeError, "`steps` must be an integer", lambda: IntegratedGradientsExplainer(steps="many")),
    "range": (ValueError, "`value_range` must be", lambda: IntegratedGradientsExplainer(value_range=(1, 0))),
    "fraction": (ValueError, r"`fraction` must lie in \(0, 1\]", lambda: GuidedIGExplainer(fraction=0)),
    "max_dist": (ValueError, r"`max_dist` must lie in \[0, 1\]", lambda: GuidedIGExplainer(max_dist=1.5)),
    "rule of Guided IG": (ValueError, "Unknown rule: 'midpoint'", lambda: GuidedIGExplainer(rule="midpoint")),
    "nodes": (ValueError, "`nodes` must be positive", lambda: GuidedIGExplainer(rule="segment", nodes=0)),
    "sigma": (ValueError, "`max_sigma` must be positive", lambda: BlurIGExplainer(max_sigma=-1)),
    "grad_step": (ValueError, "`grad_step` must be positive", lambda: BlurIGExplainer(grad_step=0)),
    "padding": (ValueError, "Unknown padding: 'wrap'", lambda: BlurIGExplainer(padding="wrap")),
    "rule of Blur IG": (ValueError, "Unknown rule: 'pair'", lambda: BlurIGExplainer(rule="pair")),
    "seed": (ValueError, "non-negative", lambda: ExpectedIGExplainer(seed=-1)),
}


@pytest.mark.parametrize("case", CONSTRUCT)
def test_arguments_are_checked_when_explainers_are_made(case):
    kind, message, make = CONSTRUCT[case]
    with pytest.raises(kind, match=message):
        make()


def test_expected_ig_wants_references(explainers):
    with pytest.raises(TypeError, match="Pass `references`"):
        explainers["Expected IG"][0].explain(np.zeros([1, 4, 4, 1]))


def test_unknown_options_are_refused(explainers):
    x = np.zeros([4, 4, 1])
    with pytest.raises(TypeError, match="fraction"):
        explainers["IG"][0].GetMask(x, fraction=0.5)
    with pytest.raises(TypeError, match=r"BlurIGExplainer takes \[\].*baselines"):
        BlurIGExplainer().GetMask(x, lambda *_, **__: None, baselines=x)


def test_settings_given_to_getmask_hold_for_one_call(explainers):
    explainer, x = explainers["Guided IG"][0], np.random.default_rng(0).random([4, 4, 1])
    before = explainer.GetMask(x)
    assert not np.allclose(explainer.GetMask(x, x_steps=3, fraction=0.9, max_dist=0.9), before)
    assert np.array_equal(explainer.GetMask(x), before)

"""PAIR's own tests, which its wheel ships, with our classes in the place of theirs.

What is swapped beside the classes is the wording of their errors, `SHAPE_ERROR_MESSAGE`.
"""

import importlib
import unittest

import numpy as np
import PIL.Image
import pytest

import tf_ig2.explainers.xrai
from tf_ig2 import (
    BlurIGExplainer,
    GradCAMExplainer,
    GradientExplainer,
    GuidedIGExplainer,
    IntegratedGradientsExplainer,
    OcclusionExplainer,
    XRAIExplainer,
)
from tf_ig2.attribution import Attribution
from tf_ig2.explainers.base import Explainer
from tf_ig2.metrics import pic

SWAPPED = {
    "core.base": {"CoreSaliency": lambda: Explainer(None)},
    "core.blur_ig": {"BlurIG": BlurIGExplainer},
    "core.grad_cam": {"GradCam": GradCAMExplainer},
    "core.gradients": {"GradientSaliency": GradientExplainer},
    "core.guided_ig": {"GuidedIG": GuidedIGExplainer},
    "core.integrated_gradients": {"IntegratedGradients": IntegratedGradientsExplainer},
    "core.occlusion": {"Occlusion": OcclusionExplainer},
    "core.xrai": {"XRAI": XRAIExplainer},
    "metrics.pic": {
        name: getattr(pic, name)
        for name in (
            "AggregateMetricResult",
            "ComputePicMetricError",
            "PicMetricResult",
            "aggregate_individual_pic_results",
            "compute_pic_metric",
            "create_blurred_image",
            "estimate_image_entropy",
            "generate_random_mask",
        )
    },
}
"""Module of PAIR's → names in it → ours."""

WORDING = {
    "INPUT_OUTPUT_GRADIENTS": "INPUT_OUTPUT_GRADIENTS has shape {1}; it must be that of x_value_batch, {0}",
    "OUTPUT_LAYER_VALUES": r"OUTPUT_LAYER_VALUES has shape \({1},\); .* each row of x_value_batch, \[{0}\]",
    "CONVOLUTION_LAYER_VALUES": r"CONVOLUTION_LAYER_VALUES has shape \({1}, .* each row of x_value_batch, \[{0}, h",
    "CONVOLUTION_OUTPUT_GRADIENTS": (
        r"CONVOLUTION_OUTPUT_GRADIENTS has shape \({1}, .* each row of x_value_batch, \[{0}, h"
    ),
}
"""Our messages as PAIR's tests look for them: formatted with the expected and the actual shape."""

LEFT_OUT = {
    "testBaseAttributionMismatchedShape": "tests the wording of a message",
    "testBatchSize": "tests how often the mocked IntegratedGradients inside PAIR's XRAI is called, and with what",
    "testBaselines": "tests how often the mocked IntegratedGradients inside PAIR's XRAI is called, and with what",
}
"""Tests that are not run → why."""


class MockedIntegratedGradients(IntegratedGradientsExplainer):
    """PAIR's tests of XRAI mock the attributions, one array for each of two baselines: a base that returns them."""

    attributions = ()

    def _explain_callback(self, x_value, call_model_function, call_model_args, baselines, batch_size=1):
        one = isinstance(baselines, np.ndarray)  # that of the smallest or of the largest value
        values = self.attributions[int(baselines.max() > x_value.min())] if one else np.mean(self.attributions, axis=0)
        unknown = np.full([1, 1, 2], np.nan)
        return Attribution(values[None], np.asarray(x_value)[None], unknown, unknown)[0]


def cases():
    for module in SWAPPED:
        tests = importlib.import_module(f"saliency.{module}_test")
        loaded = unittest.defaultTestLoader.loadTestsFromModule(tests)
        for case in (case for suite in loaded for case in suite):
            yield pytest.param(module, case, id=f"{module}-{case._testMethodName}")


CASES = list(cases())


@pytest.mark.parametrize(("module", "case"), CASES)
def test_pairs_own(module, case, monkeypatch):
    if case._testMethodName in LEFT_OUT:
        pytest.skip(LEFT_OUT[case._testMethodName])
    theirs = importlib.import_module(f"saliency.{module}")
    tests = importlib.import_module(f"saliency.{module}_test")
    for name, ours in SWAPPED[module].items():
        for place in (theirs, tests):
            if hasattr(place, name):
                monkeypatch.setattr(place, name, ours)
    if hasattr(tests, "SHAPE_ERROR_MESSAGE"):
        monkeypatch.setattr(tests, "SHAPE_ERROR_MESSAGE", WORDING)
    if module == "core.xrai":
        monkeypatch.setattr(tests, "IMAGE_SIZE", 128)
        make = case.setUp

        def set_up():
            make()
            monkeypatch.setattr(tf_ig2.explainers.xrai, "IntegratedGradientsExplainer", MockedIntegratedGradients)
            monkeypatch.setattr(MockedIntegratedGradients, "attributions", (case.ig_bl_1_attr, case.ig_bl_2_attr))

        monkeypatch.setattr(case, "setUp", set_up)
    if module == "metrics.pic":  # the photograph is in PAIR's repository, not in its wheel
        monkeypatch.setattr(PIL.Image, "open", lambda path: PIL.Image.fromarray(photograph()))
    result = unittest.TestResult()
    case.run(result)
    assert result.testsRun == 1
    assert not result.errors + result.failures, "\n".join(text for _, text in result.errors + result.failures)


def test_nothing_is_left_out_without_being_named():
    names = [parameters.values[1]._testMethodName for parameters in CASES]
    assert set(LEFT_OUT) <= set(names)
    assert len(names) - len(LEFT_OUT) >= 40


def photograph():
    """48 × 32 pixels with something to see: waves, and noise so that every pixel counts."""
    y, x = np.mgrid[:32, :48]
    waves = np.stack([np.sin(x / 5), np.sin(y / 7), np.sin((x + y) / 9)], axis=-1)
    noise = np.random.default_rng(0).normal(0, 0.1, waves.shape)
    return np.clip(127 + 100 * (waves + noise), 0, 255).astype(np.uint8)

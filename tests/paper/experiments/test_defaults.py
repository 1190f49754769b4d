"""Methods with nothing named, at the pixels and inside, on a small network in the place of each ImageNet network."""

from dataclasses import replace

import keras
import numpy as np
import pytest
from keras import layers

from tests.paper.experiments.small import small_task
from tf_ig2.metrics import ground_truth
from tf_ig2.models.model_view import ModelView
from tf_ig2.paper.experiments import calibration, defaults
from tf_ig2.paper.experiments.methods import IG2
from tf_ig2.paper.experiments.options import Options


@pytest.fixture
def asked(monkeypatch):
    """What the loader of photographs was asked for; it gives a small task with masks."""
    calls = []

    def load(samples, half, references, seed, network, pool):
        calls.append((half, network, pool))
        masks = np.zeros([2, 12, 12], bool)
        masks[:, 3:8, 3:8] = True
        return replace(small_task(), masks=masks, curve_steps=2, background=0.0)

    monkeypatch.setattr(defaults.imagenet, "load", load)
    return calls


def test_the_page_of_defaults_has_every_method_at_both_places(asked, monkeypatch, tmp_path):
    monkeypatch.setitem(defaults.INSIDE, "SqueezeNet", "maps")
    files = defaults.run(Options(tmp_path, tasks=("SqueezeNet",), verbose=False))
    page = files[0].read_text()
    assert asked == [("study", "SqueezeNet", "auto")]
    assert page.index("SqueezeNet, pixels") < page.index("SqueezeNet, maps")
    for method in (IG2, "DeepSHAP", "Expected IG", "Gradient", "squared SmoothGrad", "IG from zero, IDGI"):
        assert f"| {method} |" in page


def test_variants_of_calibrated_steps_are_compared_with_the_defaults(asked, monkeypatch, tmp_path):
    few = {name: calibration.VARIANTS[name] for name in (calibration.DEFAULTS, "1 step", "sparse norm")}
    monkeypatch.setattr(calibration, "VARIANTS", few)
    monkeypatch.setattr(calibration, "INSIDE_VARIANTS", {calibration.DEFAULTS: {}, "noise 0.03": {"noise": 0.03}})
    monkeypatch.setitem(calibration.INSIDE, "MobileNetV1", "maps")
    options = Options(tmp_path, tasks=("MobileNetV1",), verbose=False, metrics=(ground_truth.GT_AUC,))
    page = calibration.run(options)[0].read_text()
    assert asked == [("study", "MobileNetV1", "auto")]
    arms = [line.split("|")[1].strip() for line in page.splitlines() if line.startswith("| ")]
    assert [arm for arm in arms if arm] == [*few, calibration.DEFAULTS, "noise 0.03"]


def test_positions_are_a_variant_only_where_there_are_some():
    assert calibration.POSITIONS not in calibration.methods(small_task())
    spatial = keras.Sequential([keras.Input((12, 12, 3)), layers.Conv2D(4, 3), layers.Conv2D(3, 1)])
    spatial.add(layers.GlobalAveragePooling2D())
    assert calibration.POSITIONS in calibration.methods(replace(small_task(), view=ModelView(spatial)))

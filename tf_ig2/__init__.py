"""tf_ig2: IG² and the attribution methods it is compared with, as compiled gradient walks over Keras models."""

import importlib
import importlib.util
from typing import TYPE_CHECKING, Any

from tf_ig2 import _renamed
from tf_ig2._version import __version__

if TYPE_CHECKING:
    from tf_ig2.attribution import Attribution
    from tf_ig2.contrasts import strategies
    from tf_ig2.contrasts.references import Representations
    from tf_ig2.errors import LayerError, NonFiniteGradientError, NotDifferentiableError, OutputActivationError
    from tf_ig2.explainers.agi import AGIExplainer
    from tf_ig2.explainers.big import BIGExplainer
    from tf_ig2.explainers.blur_ig import BlurIGExplainer
    from tf_ig2.explainers.deep_shap import DeepSHAPExplainer
    from tf_ig2.explainers.discretized_ig import DiscretizedIGExplainer
    from tf_ig2.explainers.expected_ig import ExpectedIGExplainer
    from tf_ig2.explainers.grad_cam import GradCAMExplainer
    from tf_ig2.explainers.gradient import GradientExplainer
    from tf_ig2.explainers.guided_ig import GuidedIGExplainer
    from tf_ig2.explainers.idg import IDGExplainer
    from tf_ig2.explainers.ig2 import IG2Explainer
    from tf_ig2.explainers.integrated_gradients import IntegratedGradientsExplainer
    from tf_ig2.explainers.kernel_shap import KernelSHAPExplainer
    from tf_ig2.explainers.mfaba import MFABAExplainer
    from tf_ig2.explainers.occlusion import OcclusionExplainer
    from tf_ig2.explainers.sequential_ig import SequentialIGExplainer
    from tf_ig2.explainers.walk_explainer import WalkExplainer
    from tf_ig2.explainers.xrai import XRAIExplainer
    from tf_ig2.models.layer_table import InnerLayer, InnerLayers, inner_layers
    from tf_ig2.models.model_view import ModelView
    from tf_ig2.pair.saliency_adapter import saliency_adapter
    from tf_ig2.paths.distances import Distance
    from tf_ig2.paths.keep import Keep
    from tf_ig2.paths.normalizers import L2, SparseL1
    from tf_ig2.paths.plan import Walk
    from tf_ig2.segments.regions import RegionAttribution

__all__ = [
    "L2",
    "AGIExplainer",
    "Attribution",
    "BIGExplainer",
    "BlurIGExplainer",
    "DeepSHAPExplainer",
    "DiscretizedIGExplainer",
    "Distance",
    "ExpectedIGExplainer",
    "GradCAMExplainer",
    "GradientExplainer",
    "GuidedIGExplainer",
    "IDGExplainer",
    "IG2Explainer",
    "InnerLayer",
    "InnerLayers",
    "IntegratedGradientsExplainer",
    "Keep",
    "KernelSHAPExplainer",
    "LayerError",
    "MFABAExplainer",
    "ModelView",
    "NonFiniteGradientError",
    "NotDifferentiableError",
    "OcclusionExplainer",
    "OutputActivationError",
    "RegionAttribution",
    "Representations",
    "SequentialIGExplainer",
    "SparseL1",
    "Walk",
    "WalkExplainer",
    "XRAIExplainer",
    "__version__",
    "inner_layers",
    "saliency_adapter",
    "strategies",
]

_HOMES = {
    "AGIExplainer": "tf_ig2.explainers.agi",
    "Attribution": "tf_ig2.attribution",
    "BIGExplainer": "tf_ig2.explainers.big",
    "BlurIGExplainer": "tf_ig2.explainers.blur_ig",
    "DeepSHAPExplainer": "tf_ig2.explainers.deep_shap",
    "DiscretizedIGExplainer": "tf_ig2.explainers.discretized_ig",
    "Distance": "tf_ig2.paths.distances",
    "ExpectedIGExplainer": "tf_ig2.explainers.expected_ig",
    "GradCAMExplainer": "tf_ig2.explainers.grad_cam",
    "GradientExplainer": "tf_ig2.explainers.gradient",
    "GuidedIGExplainer": "tf_ig2.explainers.guided_ig",
    "IDGExplainer": "tf_ig2.explainers.idg",
    "IG2Explainer": "tf_ig2.explainers.ig2",
    "InnerLayer": "tf_ig2.models.layer_table",
    "InnerLayers": "tf_ig2.models.layer_table",
    "IntegratedGradientsExplainer": "tf_ig2.explainers.integrated_gradients",
    "Keep": "tf_ig2.paths.keep",
    "KernelSHAPExplainer": "tf_ig2.explainers.kernel_shap",
    "L2": "tf_ig2.paths.normalizers",
    "LayerError": "tf_ig2.errors",
    "MFABAExplainer": "tf_ig2.explainers.mfaba",
    "ModelView": "tf_ig2.models.model_view",
    "NonFiniteGradientError": "tf_ig2.errors",
    "NotDifferentiableError": "tf_ig2.errors",
    "OcclusionExplainer": "tf_ig2.explainers.occlusion",
    "OutputActivationError": "tf_ig2.errors",
    "RegionAttribution": "tf_ig2.segments.regions",
    "Representations": "tf_ig2.contrasts.references",
    "SequentialIGExplainer": "tf_ig2.explainers.sequential_ig",
    "SparseL1": "tf_ig2.paths.normalizers",
    "Walk": "tf_ig2.paths.plan",
    "WalkExplainer": "tf_ig2.explainers.walk_explainer",
    "XRAIExplainer": "tf_ig2.explainers.xrai",
    "inner_layers": "tf_ig2.models.layer_table",
    "saliency_adapter": "tf_ig2.pair.saliency_adapter",
    "strategies": "tf_ig2.contrasts.strategies",
}
"""Public name → where it is; TensorFlow is loaded when the first of them is used."""

_ROOMS = ("compat", "contrasts", "datasets", "metrics", "paths", "plots", "serving")
"""Attributes without another import, loaded when they are used."""

_renamed.install()


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        home = importlib.import_module(_HOMES[name])
        value = getattr(home, name, home)  # a module is public itself
        globals()[name] = value
        return value
    if name in _ROOMS or (not name.startswith("_") and importlib.util.find_spec(f"tf_ig2.{name}") is not None):
        return importlib.import_module(f"tf_ig2.{name}")
    raise AttributeError(f"module 'tf_ig2' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*__all__, *_ROOMS])

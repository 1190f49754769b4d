"""tf_ig2: IG² and the attribution methods it is compared with, as compiled gradient walks over Keras models."""

import importlib
from typing import Any

from tf_ig2 import _renamed
from tf_ig2._version import __version__
from tf_ig2.attribution import Attribution
from tf_ig2.contrasts import strategies
from tf_ig2.contrasts.references import Representations
from tf_ig2.errors import LayerError, NonFiniteGradientError, NotDifferentiableError, OutputActivationError
from tf_ig2.explainers.agi import AGIExplainer
from tf_ig2.explainers.big import BIGExplainer
from tf_ig2.explainers.blur_ig import BlurIGExplainer
from tf_ig2.explainers.deep_shap import DeepSHAPExplainer
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

_ROOMS = ("compat", "contrasts", "datasets", "metrics", "paths", "plots", "serving")
"""Attributes without another import, loaded when they are used."""

_renamed.install()


def __getattr__(name: str) -> Any:
    if name in _ROOMS:
        return importlib.import_module(f"tf_ig2.{name}")
    raise AttributeError(f"module 'tf_ig2' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*__all__, *_ROOMS])

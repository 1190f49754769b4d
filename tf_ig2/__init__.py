"""tf_ig2: IG² and the attribution methods it is compared with, as compiled gradient walks over Keras models."""

from tf_ig2._version import __version__
from tf_ig2.attribution import Attribution
from tf_ig2.contrasts import strategies
from tf_ig2.contrasts.references import Representations
from tf_ig2.distances import Distance
from tf_ig2.errors import LayerError, NonFiniteGradientError, NotDifferentiableError, OutputActivationError
from tf_ig2.explainers.blur_ig import BlurIGExplainer
from tf_ig2.explainers.deep_shap import DeepSHAPExplainer
from tf_ig2.explainers.expected_ig import ExpectedIGExplainer
from tf_ig2.explainers.grad_cam import GradCAMExplainer
from tf_ig2.explainers.gradient import GradientExplainer
from tf_ig2.explainers.guided_ig import GuidedIGExplainer
from tf_ig2.explainers.ig2 import IG2Explainer
from tf_ig2.explainers.integrated_gradients import IntegratedGradientsExplainer
from tf_ig2.explainers.kernel_shap import KernelSHAPExplainer
from tf_ig2.explainers.xrai import XRAIExplainer
from tf_ig2.model_view import ModelView
from tf_ig2.normalizers import L2, SparseL1
from tf_ig2.paths.integrate import Keep
from tf_ig2.regions import RegionAttribution
from tf_ig2.saliency_adapter import saliency_adapter

__all__ = [
    "L2",
    "Attribution",
    "BlurIGExplainer",
    "DeepSHAPExplainer",
    "Distance",
    "ExpectedIGExplainer",
    "GradCAMExplainer",
    "GradientExplainer",
    "GuidedIGExplainer",
    "IG2Explainer",
    "IntegratedGradientsExplainer",
    "Keep",
    "KernelSHAPExplainer",
    "LayerError",
    "ModelView",
    "NonFiniteGradientError",
    "NotDifferentiableError",
    "OutputActivationError",
    "RegionAttribution",
    "Representations",
    "SparseL1",
    "XRAIExplainer",
    "__version__",
    "saliency_adapter",
    "strategies",
]

"""tf_ig2: IG² and the attribution methods it is compared with, as compiled gradient walks over Keras models."""

from tf_ig2._version import __version__
from tf_ig2.attribution import Attribution
from tf_ig2.contrasts.references import Representations
from tf_ig2.distances import Distance
from tf_ig2.errors import LayerError, NonFiniteGradientError, NotDifferentiableError, OutputActivationError
from tf_ig2.explainers.ig2 import IG2Explainer
from tf_ig2.model_view import ModelView
from tf_ig2.normalizers import L2, SparseL1
from tf_ig2.paths.integrate import Keep

__all__ = [
    "L2",
    "Attribution",
    "Distance",
    "IG2Explainer",
    "Keep",
    "LayerError",
    "ModelView",
    "NonFiniteGradientError",
    "NotDifferentiableError",
    "OutputActivationError",
    "Representations",
    "SparseL1",
    "__version__",
]

"""Pictures of explanations."""

from tf_ig2.plots.explanation_figure import explanation
from tf_ig2.plots.maps import VisualizeImageDiverging, VisualizeImageGrayscale
from tf_ig2.plots.panels import heat_map, image

__all__ = ["VisualizeImageDiverging", "VisualizeImageGrayscale", "explanation", "heat_map", "image"]

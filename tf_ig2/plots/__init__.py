"""Pictures of explanations: of images, words, tables, wafers and signals; red for, blue against, white for none."""

from tf_ig2.plots.animation import Animation, animation
from tf_ig2.plots.explanation_figure import explanation
from tf_ig2.plots.images import diverging, film_strip, grey, methods, overlay, regions
from tf_ig2.plots.maps import VisualizeImageDiverging, VisualizeImageGrayscale
from tf_ig2.plots.panels import heat_map, image
from tf_ig2.plots.report import report
from tf_ig2.plots.signals import signal
from tf_ig2.plots.tables import bars, summary, waterfall
from tf_ig2.plots.wafers import wafer
from tf_ig2.plots.words import Words, words

__all__ = [
    "Animation",
    "VisualizeImageDiverging",
    "VisualizeImageGrayscale",
    "Words",
    "animation",
    "bars",
    "diverging",
    "explanation",
    "film_strip",
    "grey",
    "heat_map",
    "image",
    "methods",
    "overlay",
    "regions",
    "report",
    "signal",
    "summary",
    "wafer",
    "waterfall",
    "words",
]

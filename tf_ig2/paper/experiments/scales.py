"""The same maps at other scales: smoothed, and as a ranking of regions."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from tf_ig2.explainers.xrai import XRAIExplainer
from tf_ig2.paper.experiments.map_store import Maps
from tf_ig2.paper.experiments.task import Task
from tf_ig2.segments import segmentation

SIGMAS = (4.0, 8.0, 16.0)
"""Widths that smoothing is tried with, in pixels."""


def smoothed(maps: Maps, sigma: float) -> Maps:
    """Convolved with a Gaussian of that many pixels.

    Example:
      >>> smooth = smoothed(lambda part: np.eye(3)[None], 8.0)
      >>> bool(np.ptp(smooth(None)) < 0.2)
      True
    """
    return lambda part: np.stack([ndimage.gaussian_filter(one, sigma) for one in np.asarray(maps(part), np.float64)])


class Regions:
    """XRAI's ranking of regions by other maps; the segments of an explicand are found once for all of them."""

    def __init__(self) -> None:
        self._explainer = XRAIExplainer()
        self._known: dict[bytes, list[np.ndarray]] = {}

    def __call__(self, maps: Maps) -> Maps:
        """The ranking by maps of pixels `[N, H, W]`."""

        def ranked(part: Task) -> np.ndarray:
            segments = [self._segments(image) for image in part.inputs]
            return self._explainer.explain(part.inputs, base_attribution=maps(part), segments=segments).values

        return ranked

    def forget(self) -> None:
        """Drops the segments: these explicands are done."""
        self._known.clear()

    def _segments(self, image: np.ndarray) -> list[np.ndarray]:
        key, own = image.tobytes(), self._explainer
        if key not in self._known:
            labels = segmentation.felzenszwalb(image, own.scales, own.sigma, own.min_size)
            rows = segmentation.masks(labels, own.dilation).toarray().astype(bool)
            self._known[key] = list(rows.reshape(-1, *image.shape[:2]))
        return self._known[key]

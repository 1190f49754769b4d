"""Attributions as pictures, array to array, under PAIR's names.

Reference: PAIR's `saliency.core.visualization`, https://github.com/PAIR-code/saliency.
"""

from __future__ import annotations

import numpy as np


def VisualizeImageGrayscale(image_3d: np.ndarray, percentile: float = 99) -> np.ndarray:
    """How strongly each pixel contributes, whatever the sign: PAIR's picture of that name.

    Args:
      image_3d: float array `[H, W, C]`, or `[H, W]`.
      percentile: values above this percentile are drawn as 1.

    Returns:
      Float array `[H, W]` in [0, 1]: absolute values summed over channels, from the smallest to the percentile; a
      constant map is 0 everywhere.

    Raises:
      ValueError: another shape, NaN or infinite values.

    Example:
      >>> VisualizeImageGrayscale(np.array([[1.0, -3.0]]), percentile=100)
      array([[0., 1.]])
    """
    image = np.abs(_finite(image_3d))
    image = image.sum(axis=2) if image.ndim == 3 else image
    low, high = image.min(), np.percentile(image, percentile)
    return np.clip((image - low) / (high - low), 0, 1) if high > low else np.zeros_like(image)


def VisualizeImageDiverging(image_3d: np.ndarray, percentile: float = 99) -> np.ndarray:
    """How strongly each pixel contributes, for or against: PAIR's picture of that name, as documented.

    Args:
      image_3d: float array `[H, W, C]`, or `[H, W]`.
      percentile: values beyond this percentile of the absolute values are drawn as ±1.

    Returns:
      Float array `[H, W]` in [−1, 1]: values summed over channels; zero stays zero.

    Raises:
      ValueError: another shape, NaN or infinite values.

    Example:
      >>> VisualizeImageDiverging(np.array([[1.0, 0.0, -2.0]]), percentile=100)
      array([[ 0.5,  0. , -1. ]])
    """
    image = _finite(image_3d)
    image = image.sum(axis=2) if image.ndim == 3 else image
    span = np.percentile(np.abs(image), percentile) or np.abs(image).max()
    return np.clip(image / span, -1, 1) if span > 0 else np.zeros_like(image)


def _finite(values: np.ndarray) -> np.ndarray:
    array = np.asarray(values, np.float64)
    if array.ndim not in (2, 3) or not np.isfinite(array).all():
        raise ValueError(f"A picture needs finite values of shape [H, W] or [H, W, C], not shape {array.shape}.")
    return array

"""Attributions as pictures, array to array, under PAIR's names.

Reference: PAIR's `saliency.core.visualization`, https://github.com/PAIR-code/saliency.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np


def VisualizeImageGrayscale(image_3d: Any, percentile: float = 99) -> Any:
    """How strongly each pixel contributes, whatever the sign: PAIR's picture of that name, for every mask.

    Args:
      image_3d: array `[H, W, C]` or `[H, W]`; of what is no image `[D]` or `[..., C]`; a dict, list or tuple of them as
        models with several inputs have it.
      percentile: values above this percentile are drawn as 1; where it is no more than the smallest, as of maps with
        few values, only the largest is.

    Returns:
      Float array `[H, W]` (`[D]`, `[...]`) in [0, 1]: absolute values summed over channels, from the smallest to the
      percentile; a constant map is 0 everywhere. The structure of the mask.

    Raises:
      ValueError: another shape, NaN or infinite values; `percentile` outside of 0 … 100.

    Example:
      >>> VisualizeImageGrayscale(np.array([[1.0, -3.0]]), percentile=100)
      array([[0., 1.]])
    """

    def grey(mask: np.ndarray) -> np.ndarray:
        strength = _over_channels(np.abs(mask))
        low, high = strength.min(), np.percentile(strength, percentile)
        high = high if high > low else strength.max()
        return np.clip((strength - low) / (high - low), 0, 1) if high > low else np.zeros_like(strength)

    return _each(grey, image_3d)


def VisualizeImageDiverging(image_3d: Any, percentile: float = 99) -> Any:
    """How strongly each pixel contributes, for or against: PAIR's picture of that name, as documented, for every mask.

    Args:
      image_3d: see `VisualizeImageGrayscale`.
      percentile: values beyond this percentile of the absolute values are drawn as ±1; where it is 0, as of maps with
        few values, only the largest is.

    Returns:
      Float array `[H, W]` (`[D]`, `[...]`) in [−1, 1]: values summed over channels; zero stays zero. The structure of
      the mask.

    Raises:
      ValueError: another shape, NaN or infinite values; `percentile` outside of 0 … 100.

    Example:
      >>> VisualizeImageDiverging(np.array([[1.0, 0.0, -2.0]]), percentile=100)
      array([[ 0.5,  0. , -1. ]])
    """

    def diverging(mask: np.ndarray) -> np.ndarray:
        total = _over_channels(mask)
        span = np.percentile(np.abs(total), percentile) or np.abs(total).max()
        return np.clip(total / span, -1, 1) if span > 0 else np.zeros_like(total)

    return _each(diverging, image_3d)


def _each(draw: Callable[[np.ndarray], np.ndarray], masks: Any) -> Any:
    """Draws every array of a structure, once it is known to be one of finite values, brought to 1 at most."""
    if isinstance(masks, Mapping):
        return {name: _each(draw, mask) for name, mask in masks.items()}
    if isinstance(masks, (list, tuple)) and all(isinstance(mask, np.ndarray) for mask in masks):
        return type(masks)(_each(draw, mask) for mask in masks)
    mask = np.asarray(masks, np.float64)
    if not mask.ndim or not mask.size or not np.isfinite(mask).all():
        raise ValueError(f"A picture needs finite values of shape [H, W] or [H, W, C], not shape {mask.shape}.")
    largest = np.abs(mask).max()
    return draw(mask / largest if largest > 0 else mask)  # whose sums and squares are finite


def _over_channels(mask: np.ndarray) -> np.ndarray:
    return mask.sum(axis=-1) if mask.ndim > 2 else mask

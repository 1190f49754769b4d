"""Attributions against annotated pixels: AUC, SUM and the pointing game (section 6.2)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy import ndimage
from sklearn.metrics import roc_auc_score

from tf_ig2.attribution import Attribution
from tf_ig2.metrics.maps import feature_maps
from tf_ig2.metrics.metric import Explicands, Metric


def ground_truth_auc(attributions: Any, masks: Any, channels: str = "absolute") -> np.ndarray:
    """Area under the ROC curve of the attributions as scores for "this feature is annotated".

    1 when every annotated feature is above every other, 0.5 for a random or constant map, 0 for the reverse.

    Args:
      attributions: an `Attribution`, or an array `[N, ...]` or `[N, ..., C]`; see `maps.feature_maps`.
      masks: bool or 0/1 array `[N, ...]`, the annotated features; `[1, ...]` when all explicands share
        one, `[...]` for the `Attribution` of one explicand.
      channels: see `maps.feature_maps`.

    Returns:
      float64 array `[N]`.

    Raises:
      TypeError: the masks or attributions are not numbers.
      ValueError: masks of another size, an empty or full mask, NaN in the attributions.

    References: ground truth-AUC of section 6.2; Fawcett, An Introduction to ROC Analysis, 2006.

    Example:
      >>> ground_truth_auc(np.array([[0.9, 0.1, 0.3]]), np.array([[True, False, False]]))
      array([1.])
    """
    maps, masks = checked_pairs(attributions, masks, channels)
    return np.array([roc_auc_score(mask.ravel(), m.ravel()) for m, mask in zip(maps, masks, strict=True)])


def ground_truth_sum(attributions: Any, masks: Any, channels: str = "absolute") -> np.ndarray:
    """The fraction of the positive attributions that lies on annotated features.

    With m⁺ = max(m, 0), it is Σ m⁺ · mask / Σ m⁺, and 0 for a map without a positive value.
    A uniform map scores the fraction of features that are annotated.

    Args:
      attributions, masks, channels: as for `ground_truth_auc`.

    Returns:
      float64 array `[N]` in 0 … 1.

    Raises:
      TypeError: as for `ground_truth_auc`.
      ValueError: as for `ground_truth_auc`.

    Reference: ground truth-SUM of section 6.2.

    Example:
      >>> ground_truth_sum(np.array([[3.0, 1.0, -2.0]]), np.array([[1, 0, 0]]))
      array([0.75])
    """
    maps, masks = checked_pairs(attributions, masks, channels)
    positive = np.maximum(maps, 0).reshape(len(maps), -1)
    largest = positive.max(axis=1, keepdims=True)
    positive /= np.where(largest == 0, 1, largest)  # subnormal maps would lose their sum otherwise
    sums = positive.sum(axis=1)
    return (positive * masks.reshape(len(maps), -1)).sum(axis=1) / np.where(sums == 0, 1, sums)


def pointing_game(attributions: Any, masks: Any, channels: str = "absolute", tolerance: float = 0.0) -> np.ndarray:
    """Whether the largest attribution points at an annotated feature.

    Where several features share the largest value, it is the fraction of them that hit: the expectation of a choice
    among them.

    Args:
      attributions, masks, channels: as for `ground_truth_auc`.
      tolerance: how far beside the annotation still counts, in features (pixels), Euclidean; Zhang et al. take 15.

    Returns:
      float64 array `[N]`, 1 for a hit and 0 for a miss.

    Raises:
      TypeError: as for `ground_truth_auc`.
      ValueError: as for `ground_truth_auc`, or a negative tolerance.

    Reference: Zhang et al., Top-Down Neural Attention by Excitation Backprop, IJCV 2018.

    Example:
      >>> pointing_game(np.array([[0.9, 0.1, 0.3]]), np.array([[0, 1, 0]]), tolerance=1)
      array([1.])
    """
    if not tolerance >= 0:
        raise ValueError(f"`tolerance` must not be negative, not {tolerance!r}.")
    maps, masks = checked_pairs(attributions, masks, channels)
    near = np.stack([ndimage.distance_transform_edt(~mask) <= tolerance for mask in masks])
    return np.array([hit[m == m.max()].mean() for m, hit in zip(maps, near, strict=True)])


def masks_from_boxes(
    boxes: Sequence[Any], height: int, width: int, sizes: Sequence[tuple[int, int]] | None = None
) -> np.ndarray:
    """Turns bounding boxes into masks for the metrics above.

    Args:
      boxes: for each of N explicands an array `[B, 4]` of (x0, y0, x1, y1) in pixels, x1 and y1 exclusive.
      height, width: of the maps, in pixels.
      sizes: (height, width) of each image that its boxes were drawn on; None: the size of the maps. A pixel of the map
        belongs to a box when its centre does.

    Returns:
      bool array `[N, height, width]`, True inside any box.

    Raises:
      ValueError: a box that is not four numbers, is empty, or holds no pixel's centre; no size for every explicand.

    Example:
      >>> masks_from_boxes([[(0, 0, 50, 100)]], 2, 2, sizes=[(100, 100)])
      array([[[ True, False],
              [ True, False]]])
    """
    if sizes is None:
        sizes = [(height, width)] * len(boxes)
    if len(sizes) != len(boxes):
        raise ValueError(f"`sizes` has {len(sizes)} entries for the boxes of {len(boxes)} explicands.")
    masks = np.zeros([len(boxes), height, width], bool)
    for number, (rows, (image_height, image_width)) in enumerate(zip(boxes, sizes, strict=True)):
        corners = np.asarray(rows, np.float64)
        if corners.ndim != 2 or corners.shape[1] != 4 or not len(corners):
            raise ValueError(f"The boxes of explicand {number} have shape {corners.shape}, not [B, 4] with B ≥ 1.")
        y, x = (np.arange(height) + 0.5) * image_height / height, (np.arange(width) + 0.5) * image_width / width
        for x0, y0, x1, y1 in corners:
            inside = ((y >= y0) & (y < y1))[:, None] & ((x >= x0) & (x < x1))
            if not inside.any():
                raise ValueError(f"The box ({x0}, {y0}, {x1}, {y1}) of explicand {number} holds no pixel of its map.")
            masks[number] |= inside
    return masks


GT_AUC: Metric[Explicands] = Metric(
    "auc", "GT-AUC", True, lambda maps, explicands: ground_truth_auc(maps, explicands.masks), needs=("masks",)
)
GT_SUM: Metric[Explicands] = Metric(
    "sum", "GT-SUM", True, lambda maps, explicands: ground_truth_sum(maps, explicands.masks), needs=("masks",)
)


def checked_pairs(attributions: Any, masks: Any, channels: str) -> tuple[np.ndarray, np.ndarray]:
    """Maps of attributions with their masks, for metrics of both.

    Args:
      attributions, masks, channels: as for `ground_truth_auc`.

    Returns:
      float64 maps `[N, *features]` and bool masks of the same shape.

    Raises:
      TypeError, ValueError: as `ground_truth_auc`.
    """
    given = np.asarray(masks)
    if given.dtype.kind not in "biuf":
        raise TypeError(f"`masks` must be boolean, or 0 and 1, not {given.dtype}.")
    if not np.isin(given, (0, 1)).all():
        raise ValueError("`masks` must be boolean, or 0 and 1: it holds other values. Threshold it first.")
    if isinstance(attributions, Attribution) and attributions.output.ndim == 0:
        given = given[None]
    shape = np.shape(attributions.values if isinstance(attributions, Attribution) else attributions)
    try:
        maps = feature_maps(attributions, given.shape[1:], channels)
    except ValueError as error:
        if "shape" not in str(error):
            raise
        raise ValueError(
            f"`masks` has shape {given.shape} and `attributions` {shape}: every map needs a mask of its own size. "
            "Resize the masks (nearest neighbour) to the model's input."
        ) from error
    if len(given) not in (1, len(maps)):
        raise ValueError(f"There are {len(given)} masks for {len(maps)} attributions.")
    covered = given.astype(bool).reshape(len(given), -1).mean(axis=1)
    for number, part in enumerate(covered):
        if part in (0, 1):
            raise ValueError(
                f"Mask {number} is {'full' if part else 'empty'}: there is nothing to tell apart. Leave this one out."
            )
    return maps, np.broadcast_to(given.astype(bool), maps.shape)

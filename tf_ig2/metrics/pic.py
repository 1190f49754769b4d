"""Performance information curves, SIC and AIC: the prediction against the information that a picture carries.

The same numbers as PAIR's `saliency.metrics.pic`, batched, and with the three colours interpolated together. Everything
is here under PAIR's names, too: `compute_pic_metric` and what goes with it, at the end.

Reference: Kapishnikov et al., XRAI: Better Attributions Through Regions, ICCV 2019.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from PIL import Image
from scipy import interpolate
from threadpoolctl import threadpool_limits

from tf_ig2 import validation

THRESHOLDS = (0.005, 0.01, 0.02, 0.03, 0.04, 0.05, 0.07, 0.10, 0.13, 0.21, 0.34, 0.5, 0.75)
"""PAIR's choice of fractions of pixels that are revealed."""


_SURFACES: dict[str, Any] = {
    "linear": interpolate.LinearNDInterpolator,
    "nearest": interpolate.NearestNDInterpolator,
}


class PICError(ValueError):
    """The curve is not defined for this image; leave it out, for every method alike."""


@dataclass(frozen=True)
class PIC:
    """One curve.

    Attributes:
      curve_x: float array `[P + 1]`, the information revealed, 0 … 1: compressed size between the blurred image and
        the original.
      curve_y: float array `[P + 1]`, the performance, 0 … 1: the prediction between that of the blurred image and of
        the original.
      auc: float, the area under it.
      thresholds: float array `[T + 2]`, the fractions of pixels revealed.
      predictions: float array `[T + 2]`, the model's at these.
      blurred_images: uint8 array `[T + 2, H, W, C]` or `[T + 2, H, W]`, what it saw.
    """

    curve_x: np.ndarray
    curve_y: np.ndarray
    auc: float
    thresholds: np.ndarray
    predictions: np.ndarray
    blurred_images: np.ndarray


def random_mask(height: int, width: int, fraction: float = 0.01, seed: int = 0) -> np.ndarray:
    """The pixels that the completely blurred image keeps: bool `[height, width]`, `fraction` of them True.

    Take another one for each image, and the same one for all methods.
    """
    fraction = validation.fraction("fraction", fraction, zero=True)
    mask = np.zeros(height * width, bool)
    mask[np.random.default_rng(seed).choice(mask.size, int(mask.size * fraction), replace=False)] = True
    return mask.reshape(height, width)


def performance_information_curve(
    image: np.ndarray,
    saliency_map: np.ndarray,
    mask: np.ndarray,
    predict: Callable[[np.ndarray], Any],
    thresholds: Sequence[float] = THRESHOLDS,
    min_pred_value: float = 0.8,
    keep_monotonous: bool = True,
    num_data_points: int = 1000,
    batch_size: int = 32,
) -> PIC:
    """The curve of one image and one map. With the softmax it is the SIC, with "right or wrong" the AIC.

    Args:
      image: uint8 `[H, W, C]` or `[H, W]`.
      saliency_map: `[H, W]`; larger is more important.
      mask: bool `[H, W]`, see `random_mask`.
      predict: maps uint8 images `[B, H, W, C]` to numbers `[B]`: the softmax of the class (SIC), or 1.0 where the
        class is the predicted one and 0.0 elsewhere (AIC).
      thresholds: ascending fractions of pixels that are revealed, the most important first.
      min_pred_value: the least prediction of the original for which the curve is defined.
      keep_monotonous: whether the curve never falls, as in the XRAI paper.
      num_data_points: P.
      batch_size: images per call of `predict`.

    Returns:
      The curve.

    Raises:
      TypeError: the image is not uint8.
      ValueError: shapes that do not fit, thresholds not ascending in 0 … 1, NaN in the map or the predictions.
      PICError: the original's prediction is below `min_pred_value` or not above that of the blurred image, or its
        entropy is not above that of the blurred image.

    Example:
      >>> image = np.random.default_rng(0).integers(0, 255, [16, 16, 3], np.uint8)
      >>> def predict(images): return 1.0 - np.abs(images.astype(float) - image).mean(axis=(1, 2, 3)) / 255
      >>> curve = performance_information_curve(image, np.ones([16, 16]), random_mask(16, 16), predict)
      >>> curve.curve_y[[0, -1]]
      array([0., 1.])
    """
    batch_size = validation.batch_size(batch_size)
    num_data_points = validation.positive("num_data_points", num_data_points, integer=True)
    image, saliency_map, mask, thresholds = _checked(image, saliency_map, mask, thresholds)
    with threadpool_limits(1, "blas"):  # one tiny linear system per triangle: threads would wait for each other
        shown = [_blurred(image, mask)]
        shown += [_blurred(image, mask | (saliency_map >= np.quantile(saliency_map, 1 - t))) for t in thresholds]
    images = np.stack([*shown, image])
    ends = _predictions(predict, images[[-1, 0]], batch_size)
    if ends[0] < min_pred_value:
        raise PICError(f"The prediction for the original, {ends[0]:.3g}, is below `min_pred_value`, {min_pred_value}.")
    if ends[1] >= ends[0]:
        raise PICError(f"The blurred image is predicted at {ends[1]:.3g}, not lower than the original, {ends[0]:.3g}.")
    sizes = np.array([entropy(part) for part in images], np.float64)
    if sizes[0] >= sizes[-1]:
        raise PICError(f"The blurred image compresses to {sizes[0]:.0f} bytes, the original to {sizes[-1]:.0f}.")
    predictions = np.concatenate([ends[1:], _predictions(predict, images[1:-1], batch_size), ends[:1]])
    information = np.clip((sizes - sizes[0]) / (sizes[-1] - sizes[0]), 0, 1)
    performance = np.clip((predictions - ends[1]) / (ends[0] - ends[1]), 0, 1)
    inner = np.maximum.accumulate(performance[1:-1]) if keep_monotonous else performance[1:-1]
    known = interpolate.interp1d([*information[1:-1], 0.0, 1.0], [*inner, 0.0, 1.0])
    curve_x = np.append(np.linspace(0, 1, num_data_points, endpoint=False), 1.0)
    curve_y = np.append(known(curve_x[:-1]), 1.0)
    return PIC(
        curve_x, curve_y, float(np.trapezoid(curve_y, curve_x)), np.array([0, *thresholds, 1.0]), predictions, images
    )


def aggregate(curves: Sequence[Any], method: str = "median") -> tuple[np.ndarray, np.ndarray, float]:
    """The curve of a method over many images.

    Args:
      curves: at least one, all with the same `num_data_points`.
      method: "median" or "mean".

    Returns:
      (curve_x `[P + 1]`, curve_y `[P + 1]`, area).

    Raises:
      ValueError: no curve, curves of different length, or an unknown method.
    """
    if method not in ("median", "mean"):
        raise ValueError(f'Unknown `method`: {method!r}. Choose "median" or "mean".')
    if not curves or len({len(curve.curve_x) for curve in curves}) != 1:
        raise ValueError("`curves` must hold at least one curve, all with the same number of points.")
    summary = np.median if method == "median" else np.mean
    curve_x, curve_y = curves[0].curve_x, summary([curve.curve_y for curve in curves], axis=0)
    return curve_x, curve_y, float(np.trapezoid(curve_y, curve_x))


def entropy(image: np.ndarray) -> int:
    """The information in a uint8 image: its size in bytes as lossless WebP."""
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, format="webp", lossless=True, quality=100)
    return buffer.tell()


def _blurred(image: Any, known: Any, method: str = "linear") -> np.ndarray:
    """The image with all pixels but the known ones, and the corners, interpolated between these."""
    known = known.copy()
    known[[0, 0, -1, -1], [0, -1, 0, -1]] = True
    if np.all(known):
        return image
    colours = image.reshape(*known.shape, -1).astype(np.float32 if image.dtype == np.uint8 else np.float64)
    surface = _SURFACES[method](np.argwhere(known), colours[known])
    found = surface(np.argwhere(~known))
    colours[~known] = np.where(np.isnan(found), colours.mean(axis=(0, 1)), found)
    if image.dtype.kind in "iu":
        colours = np.round(colours)
    return colours.astype(image.dtype).reshape(image.shape)


def _predictions(predict: Callable[[np.ndarray], Any], images: np.ndarray, batch_size: int) -> np.ndarray:
    parts = []
    for first in range(0, len(images), batch_size):
        batch = images[first : first + batch_size]
        values = np.asarray(predict(batch), np.float64)
        if values.shape != (len(batch),) or not np.isfinite(values).all():
            raise ValueError(f"`predict` must give one finite number for each of {len(batch)} images, not {values!r}.")
        parts.append(values)
    return np.concatenate(parts)


def _checked(image: Any, saliency_map: Any, mask: Any, thresholds: Any) -> tuple[Any, Any, Any, Any]:
    image, saliency_map, mask = np.asarray(image), np.asarray(saliency_map, np.float64), np.asarray(mask)
    if image.dtype != np.uint8:
        raise TypeError(f"`image` must be uint8, because its compressed size is measured, not {image.dtype}.")
    if image.ndim not in (2, 3) or min(image.shape[:2]) < 2:
        raise ValueError(f"`image` has shape {image.shape}, not [H, W, C] or [H, W] of at least 2 × 2.")
    if saliency_map.shape != image.shape[:2] or mask.shape != image.shape[:2] or mask.dtype != bool:
        raise ValueError(
            f"`saliency_map` has shape {saliency_map.shape} and `mask` {mask.shape} ({mask.dtype}); for this image "
            f"both are {image.shape[:2]}, the mask boolean."
        )
    if not np.isfinite(saliency_map).all():
        raise ValueError("`saliency_map` contains NaN or infinite values.")
    fractions = np.asarray(thresholds, np.float64)
    if (
        fractions.ndim != 1
        or not len(fractions)
        or fractions[0] <= 0
        or fractions[-1] > 1
        or (np.diff(fractions) <= 0).any()
    ):
        raise ValueError(f"`thresholds` must ascend within 0 … 1, not {thresholds!r}.")
    return image, saliency_map, mask, fractions


ComputePicMetricError = PICError
estimate_image_entropy = entropy


class PicMetricResult(NamedTuple):
    """One curve as PAIR's `compute_pic_metric` returns it; see `PIC`."""

    curve_x: Any
    curve_y: Any
    blurred_images: Any
    predictions: Any
    thresholds: Any
    auc: float


class AggregateMetricResult(NamedTuple):
    """The curve of a method as PAIR's `aggregate_individual_pic_results` returns it; see `aggregate`."""

    curve_x: Any
    curve_y: Any
    auc: float


def generate_random_mask(image_height: int, image_width: int, fraction: float = 0.01) -> np.ndarray:
    """`random_mask` as PAIR has it: another one at each call, from NumPy's global state."""
    seed = int(np.random.randint(2**31))  # noqa: NPY002
    return random_mask(image_height, image_width, fraction, seed)


def create_blurred_image(full_img: np.ndarray, pixel_mask: np.ndarray, method: str = "linear") -> np.ndarray:
    """An image with all pixels interpolated but those of a mask, and the corners.

    Args:
      full_img: `[H, W, C]` or `[H, W]`.
      pixel_mask: `[H, W]`, True or not zero where pixels are known.
      method: "linear" or "nearest".

    Returns:
      Array like `full_img`.

    Raises:
      ValueError: shapes that do not fit, or an unknown method.
    """
    image, mask = np.asarray(full_img), np.asarray(pixel_mask).astype(bool)
    if method not in _SURFACES:
        raise ValueError(f"Unknown `method`: {method!r}. Choose one of {list(_SURFACES)}.")
    if image.ndim not in (2, 3) or mask.shape != image.shape[:2] or min(mask.shape) < 2:
        raise ValueError(f"`pixel_mask` has shape {mask.shape}, the image {image.shape}: [H, W], at least 2 × 2.")
    return _blurred(image, mask, method)


def compute_pic_metric(
    img: np.ndarray,
    saliency_map: np.ndarray,
    random_mask: np.ndarray,
    pred_func: Callable[[np.ndarray], Any],
    saliency_thresholds: Sequence[float],
    min_pred_value: float = 0.8,
    keep_monotonous: bool = True,
    num_data_points: int = 1000,
) -> PicMetricResult:
    """`performance_information_curve` as PAIR has it: `pred_func` is asked for one image at a time.

    Args:
      img, saliency_map, random_mask, saliency_thresholds, min_pred_value, keep_monotonous, num_data_points: see
        `performance_information_curve`; `random_mask` is its `mask`.
      pred_func: its `predict`, for uint8 images `[1, H, W, C]` or `[1, H, W]`.

    Returns:
      The curve.

    Raises:
      TypeError, ValueError, PICError: as `performance_information_curve`.
    """
    found = performance_information_curve(
        img,
        saliency_map,
        np.asarray(random_mask).astype(bool),
        pred_func,
        saliency_thresholds,
        min_pred_value,
        keep_monotonous,
        num_data_points,
        batch_size=1,
    )
    return PicMetricResult(
        found.curve_x,
        found.curve_y,
        list(found.blurred_images),
        found.predictions.tolist(),
        found.thresholds.tolist(),
        found.auc,
    )


def aggregate_individual_pic_results(
    compute_pic_metrics_results: Sequence[PicMetricResult], method: str = "median"
) -> AggregateMetricResult:
    """`aggregate` as PAIR has it.

    Raises:
      ValueError: no curve, curves at different points, or an unknown method.
    """
    curves = list(compute_pic_metrics_results)
    if any(not np.array_equal(curve.curve_x, curves[0].curve_x) for curve in curves):
        raise ValueError("`compute_pic_metrics_results` holds curves at different points of the x-axis.")
    return AggregateMetricResult(*aggregate(curves, method))

"""Segmentations of images: the superpixels that XRAI and KernelSHAP attribute to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import scipy.ndimage
import scipy.sparse

SCALES = (50.0, 100.0, 150.0, 250.0, 500.0, 1200.0)
"""The scales of Felzenszwalb's segmentation that XRAI joins, from PAIR's implementation."""

_SIZE = (224, 224)


def felzenszwalb(
    image: np.ndarray, scales: Sequence[float] = SCALES, sigma: float = 0.8, min_size: int = 150
) -> list[np.ndarray]:
    """Segments an image at several scales.

    The image is brought to the range [-1, 1] and to 224 × 224 pixels before, so that the same parameters suit all
    images, as PAIR's XRAI does.

    Args:
      image: array `[H, W]` or `[H, W, C]`, finite, of any range.
      scales: larger ones give larger segments.
      sigma: width in pixels of the Gaussian that smooths the image before.
      min_size: smallest segment, in pixels of 224 × 224.

    Returns:
      For every scale the segments' numbers, int array `[H, W]`, from 0.

    Example:
      >>> [labels.shape for labels in felzenszwalb(np.random.rand(20, 30, 3), scales=(50, 100))]
      [(20, 30), (20, 30)]

    Reference: Felzenszwalb & Huttenlocher, Efficient Graph-Based Image Segmentation, IJCV 2004.
    """
    import skimage.segmentation
    import skimage.transform

    pixels = np.atleast_3d(np.asarray(image, np.float64))
    low, high = pixels.min(), pixels.max()
    pixels = (pixels - low) / (high - low) * 2 - 1 if high > low else np.zeros_like(pixels)
    pixels = skimage.transform.resize(pixels, _SIZE, order=3, mode="constant", preserve_range=True, anti_aliasing=True)
    segmentations = []
    for scale in scales:
        labels = skimage.segmentation.felzenszwalb(pixels, scale=scale, sigma=sigma, min_size=min_size)
        labels = skimage.transform.resize(
            labels, image.shape[:2], order=0, mode="constant", preserve_range=True, anti_aliasing=False
        )
        segmentations.append(labels.astype(np.int64))
    return segmentations


def slic(image: np.ndarray, segments: int = 50) -> np.ndarray:
    """Superpixels of similar size and colour, by SLICO, which adapts its compactness to the image.

    Args:
      image: array `[H, W]` or `[H, W, C]`, finite, of any range.
      segments: about how many superpixels.

    Returns:
      The superpixels' numbers, int array `[H, W]`, from 0 without gaps.

    Reference: Achanta et al., SLIC Superpixels, TPAMI 2012.
    """
    import skimage.segmentation

    pixels = np.atleast_3d(np.asarray(image, np.float64))
    low, high = pixels.min(), pixels.max()
    pixels = (pixels - low) / (high - low) if high > low else np.zeros_like(pixels)
    labels = skimage.segmentation.slic(
        pixels, n_segments=segments, slic_zero=True, start_label=0, convert2lab=pixels.shape[-1] == 3
    )
    return np.unique(labels, return_inverse=True)[1].reshape(labels.shape)


def masks(segmentations: Sequence[np.ndarray], dilation: int = 0) -> scipy.sparse.csc_array:
    """The masks of all segments of several segmentations, as one matrix.

    Args:
      segmentations: int arrays `[H, W]` of segments' numbers, not negative.
      dilation: grow every segment by all pixels within this distance, in pixels.

    Returns:
      Sparse matrix `[S, H·W]` of ones; row by row the segments, segmentation by segmentation, by their numbers.
    """
    rows: list[np.ndarray] = []
    for labels in segmentations:
        width = labels.shape[1]
        for number, box in enumerate(scipy.ndimage.find_objects(labels + 1)):
            if box is None:
                continue
            top, left = (max(side.start - dilation, 0) for side in box)
            window = slice(top, box[0].stop + dilation), slice(left, box[1].stop + dilation)
            mask = labels[window] == number
            if dilation:
                mask = scipy.ndimage.distance_transform_edt(~mask) <= dilation
            y, x = np.nonzero(mask)
            rows.append((y + top) * width + (x + left))
    return _matrix(rows, segmentations[0].size if segmentations else 0)


def from_masks(given: Sequence[Any], shape: tuple[int, int]) -> scipy.sparse.csc_array:
    """The same matrix from ready-made boolean masks.

    Args:
      given: boolean arrays `[H, W]`, which may overlap.
      shape: (H, W).

    Raises:
      TypeError: a mask is not boolean.
      ValueError: there is none, or one has another shape.
    """
    arrays = [np.asarray(mask) for mask in given]
    if not arrays:
        raise ValueError("`segments` is empty: at least one mask is needed.")
    for mask in arrays:
        if mask.dtype != bool:
            raise TypeError(f"`segments` must be boolean masks [H, W], not {mask.dtype}.")
        if mask.shape != shape:
            raise ValueError(f"`segments` holds a mask of shape {mask.shape}; the image has {shape}.")
    return _matrix([np.flatnonzero(mask) for mask in arrays], shape[0] * shape[1])


def _matrix(rows: list[np.ndarray], pixels: int) -> scipy.sparse.csc_array:
    columns = np.concatenate(rows) if rows else np.zeros(0, np.int64)
    starts = np.concatenate([[0], np.cumsum([len(row) for row in rows])]).astype(np.int64)
    matrix = scipy.sparse.csr_array((np.ones(len(columns)), columns, starts), shape=(len(rows), pixels))
    return matrix.tocsc()

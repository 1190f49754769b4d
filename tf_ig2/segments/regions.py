"""Regions of images: attributions to them, and their order by gain density."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse

from tf_ig2.attribution import Attribution


@dataclass(frozen=True, repr=False)
class RegionAttribution(Attribution):
    """An Attribution to regions of images.

    Attributes:
      regions: int array `[N, H, W]`, the number of each pixel's region. XRAI numbers them by rank, from 1, the most
        important.
      base_values: structure of `[N, ...]`, the attributions to pixels that regions were made of, or None.
    """

    regions: Any = None
    base_values: Any = None


def rank_regions(
    attribution: np.ndarray, masks: scipy.sparse.csc_array, min_new_pixels: int, area: float, fast: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Covers an image with segments, the one with the largest gain density first.

    The count and the sum of the pixels that each segment would still add are kept, and corrected when a segment is
    taken; as a pixel is covered only once, the whole costs one pass over the masks.

    Args:
      attribution: float array `[P]`, one value a pixel.
      masks: sparse matrix `[S, P]` of ones.
      min_new_pixels: segments that add fewer pixels are left out.
      area: fraction of the pixels after which to stop.
      fast: rank by the density of whole segments instead.

    Returns:
      The mean attribution of each pixel's region, float64 `[P]`, and its rank, int32 `[P]`, from 1.
    """
    attribution = attribution.astype(np.float64)
    by_segment = masks.tocsr()
    counts = np.diff(by_segment.indptr).astype(np.float64)
    sums = by_segment @ attribution
    order = np.argsort(-_density(sums, counts), kind="stable") if fast else None
    free = np.ones(len(attribution), bool)
    available = np.ones(len(counts), bool)
    regions: list[tuple[np.ndarray, float]] = []
    covered = 0
    for turn in range(len(counts)):
        available &= counts >= min_new_pixels
        if order is not None:
            chosen = order[turn]
            if not available[chosen]:
                continue
        elif covered > area * len(attribution) or not available.any():
            break
        else:
            chosen = np.argmax(np.where(available, _density(sums, counts), -np.inf))
        pixels = by_segment.indices[by_segment.indptr[chosen] : by_segment.indptr[chosen + 1]]
        new = pixels[free[pixels]]
        regions.append((new, attribution[new].mean()))
        free[new], available[chosen] = False, False
        covered += len(new)
        added = masks[:, new]
        counts -= added.sum(axis=1)
        sums -= added @ attribution[new]
    regions.sort(key=lambda region: -region[1])
    if free.any():  # what no segment covers keeps its mean, so that the sum stays the same
        regions.append((np.flatnonzero(free), attribution[free].mean()))
    values, ranks = np.zeros(len(attribution)), np.zeros(len(attribution), np.int32)
    for rank, (pixels, gain) in enumerate(regions, start=1):
        values[pixels], ranks[pixels] = gain, rank
    return values, ranks


def _density(sums: np.ndarray, counts: np.ndarray) -> np.ndarray:
    return np.divide(sums, counts, out=np.full(len(sums), -np.inf), where=counts > 0)

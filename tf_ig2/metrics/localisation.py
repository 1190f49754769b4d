"""Attributions against pixels that are known to matter: precision, and how far they lie from them (XAI-TRIS)."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from scipy import optimize, sparse
from scipy.spatial.distance import cdist

from tf_ig2.metrics.ground_truth import checked_pairs
from tf_ig2.metrics.metric import Explicands, Metric


def mask_precision(attributions: Any, masks: Any, channels: str = "absolute") -> np.ndarray:
    """The fraction of the k features with the largest attributions that is annotated, for k annotated features.

    Where features that share a value straddle the k-th place, it is the expectation of a choice among them.

    Args:
      attributions: an `Attribution`, or an array `[N, ...]` or `[N, ..., C]`; see `maps.feature_maps`.
      masks: bool or 0/1 array `[N, ...]`, the annotated features; see `ground_truth.ground_truth_auc`.
      channels: see `maps.feature_maps`.

    Returns:
      float64 array `[N]` in 0 … 1.

    Raises:
      TypeError, ValueError: as `ground_truth.ground_truth_auc`.

    Reference: Clark, Wilming & Haufe, XAI-TRIS, Machine Learning 2024, section 3.4 (PREC).

    Example:
      >>> mask_precision(np.array([[0.9, 0.1, 0.3]]), np.array([[1, 1, 0]]))
      array([0.5])
    """
    maps, found = checked_pairs(attributions, masks, channels)
    scores = []
    for values, mask in zip(maps.reshape(len(maps), -1), found.reshape(len(maps), -1), strict=True):
        count = int(mask.sum())
        edge = np.partition(values, -count)[-count]
        above, level = values > edge, values == edge
        scores.append((mask[above].sum() + (count - above.sum()) * mask[level].mean()) / count)
    return np.array(scores)


def earth_movers_score(attributions: Any, masks: Any, channels: str = "absolute") -> np.ndarray:
    """1 minus the earth mover's distance from the |attributions| to the annotated features, each scaled to sum to 1.

    The ground distance is Euclidean between places, divided by the largest there is: 1 for attributions spread evenly
    over the annotated features and nowhere else. A map of zeros is taken as uniform. The transport is solved exactly,
    as a linear program, which is for small maps: some milliseconds at 8 × 8.

    Args:
      attributions, masks, channels: as for `mask_precision`.

    Returns:
      float64 array `[N]` in 0 … 1.

    Raises:
      TypeError, ValueError: as `mask_precision`.

    Reference: Clark, Wilming & Haufe, XAI-TRIS, Machine Learning 2024, section 3.4 (EMD).

    Example:
      >>> earth_movers_score(np.array([[[0.0, 1.0, 0.0]]]), np.array([[[1, 0, 0]]]))
      array([0.5])
    """
    maps, found = checked_pairs(attributions, masks, channels)
    places = np.argwhere(np.ones(maps.shape[1:], bool)).astype(np.float64)
    distances = cdist(places, places)
    largest = distances.max() or 1.0
    scores = []
    for values, mask in zip(np.abs(maps).reshape(len(maps), -1), found.reshape(len(maps), -1), strict=True):
        given = values / values.sum() if values.sum() > 0 else np.full(len(values), 1 / len(values))
        source = np.flatnonzero(given > 0)
        wanted = np.full(mask.sum(), 1 / mask.sum())
        scores.append(1 - _transport(given[source] / given[source].sum(), wanted, distances[source][:, mask]) / largest)
    return np.clip(scores, 0.0, 1.0)


def _transport(given: np.ndarray, wanted: np.ndarray, cost: np.ndarray) -> float:
    """The least cost of moving one distribution into another."""
    sums = np.concatenate([given, wanted])[:-1]
    result = optimize.linprog(cost.ravel(), A_eq=_equations(len(given), len(wanted)), b_eq=sums, method="highs")
    if not result.success:
        raise ValueError(f"The transport between attributions and annotations was not solved: {result.message}")
    return float(result.fun)


@lru_cache(maxsize=64)
def _equations(given: int, wanted: int) -> sparse.csr_array:
    """What leaves each place and what arrives at each, in terms of what moves."""
    leaves = sparse.kron(sparse.eye_array(given), np.ones([1, wanted]))
    arrives = sparse.kron(np.ones([1, given]), sparse.eye_array(wanted))
    # The last equation follows from the others, and rounding would make it contradict them.
    return sparse.csr_array(sparse.vstack([leaves, arrives], format="csr")[:-1])


PRECISION: Metric[Explicands] = Metric(
    "precision", "PREC", True, lambda maps, explicands: mask_precision(maps, explicands.masks), needs=("masks",)
)
EARTH_MOVER: Metric[Explicands] = Metric(
    "emd", "1 − EMD", True, lambda maps, explicands: earth_movers_score(maps, explicands.masks), needs=("masks",)
)

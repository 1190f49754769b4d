"""ROAR, remove and retrain: attributions against what a new model loses without the features."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.metrics import mean_absolute_error, roc_auc_score

from tf_ig2.metrics.maps import finite
from tf_ig2.metrics.metric import Metric
from tf_ig2.metrics.xai_bench.conditional import Distribution, checked, redrawn

CUTOFFS = (0.0, 0.1, 0.3, 0.5, 0.7, 0.9)
"""The fractions of features that ROAR removes."""


def roar(
    train: Callable[[np.ndarray, np.ndarray], Callable[[np.ndarray], Any]],
    x: Any,
    y: Any,
    attributions: Any,
    distribution: Distribution,
    *,
    score: str | Callable[[np.ndarray, np.ndarray], float] = "mean_absolute_error",
    cutoffs: Sequence[float] = CUTOFFS,
    train_fraction: float = 0.8,
    seed: int = 0,
) -> float:
    """Remove and retrain: how much a model loses that is trained without the features that were called important.

    For every cutoff c, the ⌊c · D⌋ features with the largest |φ| of each sample are replaced by a draw from their
    conditional distribution, a new model is trained on the first samples and scored on the rest.

    Args:
      train: maps float32 `x [N', D]` and `y [N']` to a function from `[B, D]` to predictions `[B]`; seed it.
      x: float array `[N, D]`.
      y: array `[N]`, the labels.
      attributions: an `Attribution`, or an array `[N, D]`.
      distribution: of the features.
      score: "mean_absolute_error" (the benchmark's: larger is better, the model lost more), "roc_auc" (smaller is
        better), or a function of labels and predictions.
      cutoffs: ascending.
      train_fraction: of the samples.
      seed: of the draws.

    Returns:
      The area under the scores over the cutoffs (trapezoids).

    Raises:
      ValueError: labels missing or not finite, or other arguments that do not fit.

    Reference: Hooker et al., A Benchmark for Interpretability Methods in Deep Neural Networks, NeurIPS 2019.
    """
    x, weights, _ = checked(lambda rows: rows, x, attributions, distribution, 1)
    labels = np.asarray(y)
    if labels.shape != (len(x),) or labels.dtype.kind not in "biuf":
        raise ValueError(f"`y` must hold one label for each of {len(x)} samples, not {labels.dtype} {labels.shape}.")
    finite("y", labels.astype(np.float64))
    scores = {"mean_absolute_error": mean_absolute_error, "roc_auc": roc_auc_score}
    if isinstance(score, str) and score not in scores:
        raise ValueError(f"Unknown `score`: {score!r}. Choose one of {tuple(scores)}, or pass a function.")
    measure = scores[score] if isinstance(score, str) else score
    split = int(train_fraction * len(x))
    if not 0 < split < len(x):
        raise ValueError(f"`train_fraction` {train_fraction!r} of {len(x)} samples leaves none to train or to test.")
    if not len(cutoffs) > 1 or (np.diff(cutoffs) <= 0).any() or min(cutoffs) < 0 or max(cutoffs) > 1:
        raise ValueError(f"`cutoffs` must ascend within 0 … 1, not {cutoffs!r}.")
    rng = np.random.default_rng(seed)
    place = (-np.abs(weights)).argsort(axis=1, kind="stable").argsort(axis=1, kind="stable")
    results = []
    for cutoff in cutoffs:
        kept = place >= math.floor(cutoff * x.shape[1] + 1e-9)
        reduced = redrawn(distribution, x, kept, rng).astype(np.float32)
        predictor = train(reduced[:split], labels[:split])
        results.append(measure(labels[split:], np.asarray(predictor(reduced[split:])).reshape(len(x) - split)))
    return float(np.trapezoid(results, cutoffs))


@dataclass(frozen=True)
class Retraining:
    """What ROAR trains anew; attributes as the arguments of `roar`."""

    train: Callable[[np.ndarray, np.ndarray], Callable[[np.ndarray], Any]]
    x: np.ndarray
    y: np.ndarray
    distribution: Distribution
    seed: int = 0


ROAR: Metric[Retraining] = Metric(
    "roar",
    "ROAR",
    True,
    lambda values, given: [roar(given.train, given.x, given.y, values, given.distribution, seed=given.seed)],
)
"""One number for all explicands together."""

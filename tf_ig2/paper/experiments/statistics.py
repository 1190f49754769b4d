"""Means with bootstrap confidence intervals, alone and pair by pair."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy import stats

RESAMPLES = 2000
CONFIDENCE = 0.95


class Estimate(NamedTuple):
    """A mean, and the interval that holds it with 95 % confidence.

    Attributes:
      mean: of the samples.
      low, high: ends of the percentile bootstrap interval; NaN with fewer than two samples.
      count: number of samples.
    """

    mean: float
    low: float
    high: float
    count: int  # type: ignore[assignment]  # not the method of tuples

    def excludes_zero(self) -> bool:
        """Whether zero lies outside the interval."""
        return self.low > 0 or self.high < 0


def mean(values: np.ndarray, seed: int = 0) -> Estimate:
    """The mean of samples `[N]` with its interval over explicands.

    Args:
      values: float array `[N]`, one per explicand.
      seed: of the resampling.

    Raises:
      ValueError: there are none, or some are NaN or infinite.

    Reference: Efron & Tibshirani, An Introduction to the Bootstrap, 1993, chapter 13.

    Example:
      >>> mean(np.array([1.0, 1.0, 1.0]))
      Estimate(mean=1.0, low=1.0, high=1.0, count=3)
    """
    values = np.asarray(values, np.float64)
    if values.ndim != 1 or not len(values):
        raise ValueError(f"`values` must be numbers [N], at least one; its shape is {values.shape}.")
    if not np.isfinite(values).all():
        raise ValueError(f"`values` must be finite; number {int(np.flatnonzero(~np.isfinite(values))[0])} is not.")
    average = float(values.mean())
    if len(values) == 1:
        return Estimate(average, float("nan"), float("nan"), 1)
    result = stats.bootstrap(
        (values,),
        np.mean,
        n_resamples=RESAMPLES,
        confidence_level=CONFIDENCE,
        method="percentile",
        random_state=np.random.default_rng(seed),
    )
    low, high = result.confidence_interval
    return Estimate(average, float(low), float(high), len(values))


def mean_difference(a: np.ndarray, b: np.ndarray, seed: int = 0) -> Estimate:
    """The mean of a − b over the same explicands: arrays `[N]`, paired, so that easy and hard explicands cancel.

    Raises:
      ValueError: they have different shapes, or see `mean`.
    """
    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    if a.shape != b.shape:
        raise ValueError(f"`a` and `b` must be over the same explicands; their shapes are {a.shape} and {b.shape}.")
    return mean(a - b, seed)


def p_values(differences: np.ndarray, seed: int = 0, resamples: int = 20_000) -> np.ndarray:
    """Two-sided bootstrap p-values of mean differences, all with the same resamples of explicands.

    Twice the fraction of resampled means on the other side of zero, or on it; never below 2 / (`resamples` + 1).

    Args:
      differences: float array `[N, M]`: N explicands, M comparisons.
      seed: of the resampling.
      resamples: how many.

    Returns:
      float64 `[M]` in 0 … 1.

    Raises:
      ValueError: another shape, none, or NaN.

    Reference: Efron & Tibshirani, An Introduction to the Bootstrap, 1993, chapter 16.

    Example:
      >>> bool(p_values(np.array([[1.0], [2.0], [1.5]]))[0] < 0.001)
      True
    """
    differences = np.asarray(differences, np.float64)
    if differences.ndim != 2 or not differences.size or not np.isfinite(differences).all():
        raise ValueError(f"`differences` must be finite numbers [N, M]; their shape is {differences.shape}.")
    count = len(differences)
    rng = np.random.default_rng(seed)
    below, above = np.zeros(differences.shape[1]), np.zeros(differences.shape[1])
    for first in range(0, resamples, 1000):
        drawn = rng.multinomial(count, np.full(count, 1 / count), size=min(1000, resamples - first))
        means = drawn @ differences
        below += (means <= 0).sum(axis=0)
        above += (means >= 0).sum(axis=0)
    return np.minimum(1.0, 2 * (np.minimum(below, above) + 1) / (resamples + 1))


def holm(p: np.ndarray) -> np.ndarray:
    """Holm's step-down correction: p-values that stay below a level together with that probability of any error.

    Args:
      p: float array `[M]`, of all comparisons that are made.

    Returns:
      float64 `[M]`, not smaller than `p`, at most 1.

    Reference: Holm, A Simple Sequentially Rejective Multiple Test Procedure, Scandinavian Journal of Statistics 1979.

    Example:
      >>> holm(np.array([0.01, 0.04, 0.03])).round(2)
      array([0.03, 0.06, 0.06])
    """
    p = np.asarray(p, np.float64)
    order = np.argsort(p, kind="stable")
    steps = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    corrected = np.empty_like(p)
    corrected[order] = np.minimum(steps, 1.0)
    return corrected

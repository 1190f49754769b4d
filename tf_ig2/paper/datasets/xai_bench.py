"""XAI-BENCH's synthetic data: Gaussian features, and a label from an additive piecewise function (Appendix B.2).

References: Liu et al., Synthetic Benchmarks for Scientific Research in Explainable Machine Learning, NeurIPS Datasets
and Benchmarks 2021. Eq. 22 and 23 of the IG² paper are followed where the benchmark's code differs from them: ψ₂ is −1
on [−0.5, 0), and ψ₃ rounds down.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats

FEATURES = 5


@dataclass(frozen=True)
class Synthetic:
    """Samples of the benchmark.

    Attributes:
      x: float32 array `[N, 5]`.
      y: float32 array `[N]`, the labels 0 and 1 of Eq. 23.
      psi: float64 array `[N, 5]`, the five terms of Eq. 22.
    """

    x: np.ndarray
    y: np.ndarray
    psi: np.ndarray

    def __len__(self) -> int:
        return len(self.x)


class Gaussian:
    """A multivariate normal distribution that can be conditioned on some of its features.

    Args:
      mean: `[D]`; None: zeros.
      covariance: `[D, D]`, positive definite; None: the identity, as in the paper.
      features: D, when neither is given.

    Raises:
      ValueError: the shapes do not fit, or the covariance is not symmetric and positive definite.

    Example:
      >>> rng = np.random.default_rng(0)
      >>> samples = Gaussian(features=2).conditional([7.0, 0.0], fixed=[True, False], count=3, rng=rng)
      >>> samples.shape, samples[:, 0]
      ((3, 2), array([7., 7., 7.]))
    """

    def __init__(self, mean: Any = None, covariance: Any = None, features: int = FEATURES):
        if mean is not None or covariance is not None:
            features = len(np.asarray(covariance if mean is None else mean))
        self.mean = np.zeros(features) if mean is None else np.asarray(mean, np.float64)
        self.covariance = np.eye(features) if covariance is None else np.asarray(covariance, np.float64)
        if self.mean.ndim != 1 or self.covariance.shape != (features, features):
            raise ValueError(
                f"`mean` has shape {self.mean.shape} and `covariance` {self.covariance.shape}, not [D] and [D, D]."
            )
        if not np.allclose(self.covariance, self.covariance.T) or np.linalg.eigvalsh(self.covariance).min() <= 0:
            raise ValueError("`covariance` must be symmetric and positive definite.")

    @property
    def features(self) -> int:
        """D."""
        return len(self.mean)

    def sample(self, count: int, rng: np.random.Generator) -> np.ndarray:
        """Draws float64 `[count, D]`."""
        return rng.multivariate_normal(self.mean, self.covariance, count, method="cholesky")

    def conditional(self, x: Any, fixed: Any, count: int, rng: np.random.Generator) -> np.ndarray:
        """Draws from p(rest | fixed features).

        Args:
          x: `[D]`, the values of the fixed features, or `[count, D]`, those of each draw; the others are not read.
          fixed: bool `[D]`.
          count: number of draws.
          rng: where they come from.

        Returns:
          float64 `[count, D]`, with the fixed features as in `x`.
        """
        fixed = np.asarray(fixed, bool)
        free = ~fixed
        drawn = np.array(np.broadcast_to(np.asarray(x, np.float64), (count, self.features)))
        if not free.any():
            return drawn
        across = self.covariance[np.ix_(free, fixed)]
        weights = np.linalg.solve(self.covariance[np.ix_(fixed, fixed)], across.T).T
        mean = self.mean[free] + (drawn[:, fixed] - self.mean[fixed]) @ weights.T
        root = np.linalg.cholesky(self.covariance[np.ix_(free, free)] - weights @ across.T)
        drawn[:, free] = mean + rng.standard_normal(mean.shape) @ root.T
        return drawn


def load(count: int = 1000, seed: int = 0, distribution: Gaussian | None = None) -> Synthetic:
    """Draws labelled samples.

    Args:
      count: N.
      seed: of the draws.
      distribution: of the features; None: standard normal and independent, as in the paper.

    Raises:
      ValueError: `count` is not positive, or the distribution does not have five features.

    Example:
      >>> data = load(100)
      >>> data.x.shape, sorted(set(data.y.tolist()))
      ((100, 5), [0.0, 1.0])
    """
    if count < 1:
        raise ValueError(f"`count` must be at least 1, not {count!r}.")
    distribution = distribution or Gaussian()
    if distribution.features != FEATURES:
        raise ValueError(f"`distribution` has {distribution.features} features; the function of Eq. 22 takes 5.")
    x = distribution.sample(count, np.random.default_rng(seed)).astype(np.float32)
    terms = psi(x)
    return Synthetic(x, label(terms, distribution), terms)


def psi(x: Any) -> np.ndarray:
    """The five terms of Eq. 22.

    Args:
      x: `[N, 5]`.

    Returns:
      float64 `[N, 5]`; their sum is Ψ(x).

    Raises:
      ValueError: another shape.

    Example:
      >>> psi([[-1.0, -0.2, 0.0, 3.0, 3.0]])
      array([[-1., -1.,  2.,  0.,  0.]])
    """
    x = np.asarray(x, np.float64)
    if x.ndim != 2 or x.shape[1] != FEATURES:
        raise ValueError(f"`x` has shape {x.shape}, not [N, {FEATURES}].")
    terms = np.zeros(x.shape)
    terms[:, 0] = np.where(x[:, 0] >= 0, 1, -1)
    terms[:, 1] = np.select([x[:, 1] < -0.5, x[:, 1] < 0, x[:, 1] < 0.5], [-2, -1, 1], 2)
    terms[:, 2] = np.floor(2 * np.cos(np.pi * x[:, 2]))
    return terms


def label(terms: np.ndarray, distribution: Gaussian | None = None) -> np.ndarray:
    """The labels of Eq. 23: whether Ψ lies above its mean under the distribution.

    The mean is the exact one, not that of the sample, so that a sample's label depends on nothing but itself.

    Args:
      terms: `[N, 5]`, from `psi`.
      distribution: of the features; None: standard normal.

    Returns:
      float32 `[N]`, 0 and 1.
    """
    return (terms.sum(axis=1) - mean_psi(distribution or Gaussian()).sum() > 0).astype(np.float32)


def mean_psi(distribution: Gaussian) -> np.ndarray:
    """The expectation of each term of Eq. 22, exactly: float64 `[5]`.

    For independent features, the Shapley values of Ψ at x are `psi(x) − mean_psi(distribution)`.
    """
    scale = np.sqrt(np.diag(distribution.covariance))
    first, second, third = (stats.norm(distribution.mean[i], scale[i]) for i in range(3))

    def steps(feature: Any, edges: np.ndarray, levels: np.ndarray) -> float:
        return float(np.diff(feature.cdf(np.concatenate([[-np.inf], edges, [np.inf]]))) @ levels)

    reach = int(np.ceil((abs(distribution.mean[2]) + 10 * scale[2]) / 2))
    edges = (
        2 * np.arange(-reach, reach + 1)[:, None] + np.array([-2 / 3, -1 / 2, -1 / 3, 1 / 3, 1 / 2, 2 / 3])
    ).ravel()
    levels = np.concatenate([[-2], np.tile([-1, 0, 1, 0, -1, -2], 2 * reach + 1)])
    means = [
        steps(first, np.array([0.0]), np.array([-1, 1])),
        steps(second, np.array([-0.5, 0.0, 0.5]), np.array([-2, -1, 1, 2])),
        steps(third, edges, levels),
    ]
    return np.array([*means, 0.0, 0.0])

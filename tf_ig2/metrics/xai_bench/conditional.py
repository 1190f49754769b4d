"""What XAI-BENCH's metrics share: a distribution that can be conditioned, and a model's expectations over it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from tf_ig2 import validation
from tf_ig2.metrics import predict
from tf_ig2.metrics.maps import feature_maps, finite

_ROWS = 8192


class Distribution(Protocol):
    """A distribution of `[D]` features that can be conditioned; `tf_ig2.paper.datasets.xai_bench.Gaussian` is one."""

    @property
    def features(self) -> int: ...

    @property
    def mean(self) -> np.ndarray: ...

    def conditional(self, x: Any, fixed: Any, count: int, rng: np.random.Generator) -> np.ndarray:
        """Draws `[count, D]` from p(rest | fixed features), the fixed ones as in `x`, `[D]` or `[count, D]`."""
        ...


@dataclass(frozen=True)
class Samples:
    """N explicands of a known distribution, as XAI-BENCH's metrics of single explicands meet them.

    Attributes:
      model: gives the explained output, the first.
      x: float array `[N, D]`.
      distribution: of the features.
      shapley: float array `[N, D]`, the true Shapley values.
      draws: for the expectations of faithfulness and monotonicity; infidelity has ten times as many.
      seed: of the draws.
    """

    model: predict.Predictor
    x: np.ndarray
    distribution: Distribution
    shapley: np.ndarray
    draws: int = 100
    seed: int = 0


def checked(
    model: Any, x: Any, attributions: Any, distribution: Distribution, draws: int
) -> tuple[np.ndarray, np.ndarray, predict.Predictor]:
    """The door of every metric: explicands and attributions, float64 `[N, D]` each, and the model in batches.

    Raises:
      TypeError, ValueError: arguments that do not fit, NaN.
    """
    array = np.asarray(x)
    if array.dtype.kind not in "iuf":
        raise TypeError(f"`x` must hold numbers, not {array.dtype}.")
    if array.ndim != 2 or array.shape[1] != distribution.features or not len(array):
        raise ValueError(f"`x` has shape {array.shape}, and the distribution is of [N, {distribution.features}].")
    validation.positive("draws", draws, integer=True)
    weights = feature_maps(attributions, array.shape[1:])
    if len(weights) != len(array):
        raise ValueError(f"There are {len(weights)} attributions for {len(array)} explicands.")
    return finite("x", array.astype(np.float64)), weights, predict.predictor(model, _ROWS)


def output(run: predict.Predictor, x: np.ndarray, target: int) -> np.ndarray:
    """The explained output `[N]` of points `[N, D]`.

    Raises:
      ValueError: `target` is out of range.
    """
    outputs = run(x.astype(np.float32))
    if outputs.ndim > 2 or (outputs.ndim == 2 and not 0 <= target < outputs.shape[1]):
        raise ValueError(f"`target` {target!r} does not pick from outputs of shape [N, {outputs.shape[1:]}].")
    return predict.select(outputs, np.full(len(x), target))


def expectations(
    run: predict.Predictor,
    x: np.ndarray,
    fixed: np.ndarray,
    distribution: Distribution,
    target: int,
    draws: int,
    rng: np.random.Generator,
) -> np.ndarray:
    """E[f(X) | X_S = x_S] for every explicand and each of its sets S: `[N, K]` for `fixed` of shape `[N, K, D]`."""
    result = np.empty(fixed.shape[:2])
    for number, (row, sets) in enumerate(zip(x, fixed, strict=True)):
        samples = [row[None] if keep.all() else distribution.conditional(row, keep, draws, rng) for keep in sets]
        ends = np.cumsum([len(part) for part in samples])[:-1]
        result[number] = [part.mean() for part in np.split(output(run, np.concatenate(samples), target), ends)]
    return result


def redrawn(distribution: Distribution, x: np.ndarray, fixed: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draws what is not fixed in each row, bool `[N, D]`, of `x`, `[N, D]`; rows with the same set at once."""
    result = np.empty(x.shape)
    sets, which = np.unique(fixed, axis=0, return_inverse=True)
    for number, keep in enumerate(sets):
        rows = which.reshape(-1) == number
        result[rows] = distribution.conditional(x[rows], keep, int(rows.sum()), rng)
    return result


def pearson(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Row by row; 0 where a row is constant up to rounding."""
    a, b = a - a.mean(axis=1, keepdims=True), b - b.mean(axis=1, keepdims=True)
    scale = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    return np.where(scale > 0, (a * b).sum(axis=1) / np.where(scale > 0, scale, 1), 0.0)

"""GT-Shapley: attributions against the true Shapley values of a known distribution."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tf_ig2.metrics import predict
from tf_ig2.metrics.maps import feature_maps, finite
from tf_ig2.metrics.metric import Metric
from tf_ig2.metrics.xai_bench.conditional import Distribution, Samples, checked, expectations, pearson


def shapley_values(
    model: predict.Model | predict.Predictor,
    x: Any,
    distribution: Distribution,
    *,
    target: int = 0,
    draws: int = 1000,
    seed: int = 0,
) -> np.ndarray:
    """Shapley values of the game v(S) = E[f(X) | X_S = x_S], all 2^D coalitions enumerated.

    The sum over coalitions is exact; only the expectations are sampled.

    Args:
      model, x, distribution, target, seed: as for `xai_bench.faithfulness`; at most 12 features.
      draws: for each expectation.

    Returns:
      float64 array `[N, D]`; each row sums to f(x) − v(∅).

    Raises:
      ValueError: more than 12 features.

    Reference: Shapley, A Value for n-Person Games, 1953; Lundberg & Lee, NeurIPS 2017, for the game.

    Example:
      >>> from tf_ig2.paper.datasets.xai_bench import Gaussian
      >>> shapley_values(lambda x: x @ [3.0, 2.0], [[1.0, 2.0]], Gaussian(features=2), draws=100_000).round(1)
      array([[3., 4.]])
    """
    x, _, run = checked(model, x, x, distribution, draws)
    features = x.shape[1]
    if features > 12:
        raise ValueError(f"{features} features have 2^{features} coalitions: at most 12 can be enumerated.")
    coalitions = (np.arange(2**features)[:, None] >> np.arange(features)) & 1 == 1
    fixed = np.repeat(coalitions[None], len(x), axis=0)
    worth = expectations(run, x, fixed, distribution, target, draws, np.random.default_rng(seed))
    sizes = coalitions.sum(axis=1)
    values = np.empty(x.shape)
    for feature in range(features):
        without = np.flatnonzero(~coalitions[:, feature])
        weights = [
            math.factorial(size) * math.factorial(features - size - 1) / math.factorial(features)
            for size in sizes[without].tolist()
        ]
        values[:, feature] = (worth[:, without + 2**feature] - worth[:, without]) @ np.array(weights)
    return values


def gt_shapley(attributions: Any, shapley: Any) -> np.ndarray:
    """Pearson's correlation over features of attributions and ground-truth Shapley values; 0 where one is constant.

    Args:
      attributions: an `Attribution`, or an array `[N, D]`.
      shapley: array `[N, D]`, from `shapley_values`.

    Returns:
      float64 array `[N]` in −1 … 1.

    Raises:
      TypeError, ValueError: shapes that do not fit, NaN.
    """
    truth = finite("shapley", np.asarray(shapley, np.float64))
    if truth.ndim != 2:
        raise ValueError(f"`shapley` has shape {truth.shape}, not [N, D].")
    weights = feature_maps(attributions, truth.shape[1:])
    if weights.shape != truth.shape:
        raise ValueError(f"`attributions` has shape {weights.shape} and `shapley` {truth.shape}.")
    return pearson(weights, truth)


GT_SHAPLEY: Metric[Samples] = Metric(
    "gt_shapley", "GT-Shapley", True, lambda values, given: gt_shapley(values, given.shapley)
)

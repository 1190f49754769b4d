"""Faithfulness, monotonicity and infidelity: attributions against what redrawn features do to the output."""

from __future__ import annotations

from typing import Any

import numpy as np

from tf_ig2 import validation
from tf_ig2.metrics import predict
from tf_ig2.metrics.metric import Metric
from tf_ig2.metrics.xai_bench.conditional import Distribution, Samples, checked, expectations, output, pearson, redrawn


def faithfulness(
    model: predict.Model | predict.Predictor,
    x: Any,
    attributions: Any,
    distribution: Distribution,
    *,
    target: int = 0,
    draws: int = 100,
    seed: int = 0,
) -> np.ndarray:
    """Correlation of |attribution| with what a feature does to the output.

    Pearson's correlation over features j of |φ_j| and |f(x) − E f(x with x_j drawn from p(x_j | the others))|. It is 0
    where either is constant.

    Args:
      model: the model; a `keras.Model`, a `ModelView`, a callable or a `Predictor`.
      x: float array `[N, D]`, the explicands.
      attributions: an `Attribution`, or an array `[N, D]`.
      distribution: of the features.
      target: index of the explained output.
      draws: for each expectation.
      seed: of the draws.

    Returns:
      float64 array `[N]` in −1 … 1.

    Raises:
      TypeError, ValueError: arguments that do not fit, NaN.

    Reference: Alvarez-Melis & Jaakkola, Towards Robust Interpretability with Self-Explaining Neural Networks, 2018.

    Example:
      >>> from tf_ig2.paper.datasets.xai_bench import Gaussian
      >>> linear = lambda x: x @ [3.0, 2.0]
      >>> faithfulness(linear, [[1.0, 1.0]], [[3.0, 2.0]], Gaussian(features=2))
      array([1.])
    """
    x, weights, run = checked(model, x, attributions, distribution, draws)
    count, features = x.shape
    fixed = np.repeat(~np.eye(features, dtype=bool)[None], count, axis=0)
    expected = expectations(run, x, fixed, distribution, target, draws, np.random.default_rng(seed))
    effects = np.abs(output(run, x, target)[:, None] - expected)
    return pearson(np.abs(weights), effects)


def monotonicity(
    model: predict.Model | predict.Predictor,
    x: Any,
    attributions: Any,
    distribution: Distribution,
    *,
    target: int = 0,
    draws: int = 100,
    seed: int = 0,
) -> np.ndarray:
    """How often a feature with a larger |attribution| also moves the output more.

    Features become known one by one, in ascending order of |φ|. With δ_i = |E[f | the first i] − E[f | the first
    i − 1]|, it is the fraction of i = 1 … D − 1 with δ_{i+1} ≥ δ_i. (The benchmark's code compares at the features'
    indices instead of their ranks.)

    Args, Raises: as for `faithfulness`.

    Returns:
      float64 array `[N]` in 0 … 1.

    Reference: Luss et al., Leveraging Latent Features for Local Explanations, KDD 2021.
    """
    x, weights, run = checked(model, x, attributions, distribution, draws)
    features = x.shape[1]
    if features < 2:
        raise ValueError("Monotonicity compares features, and there is only one.")
    rank = np.abs(weights).argsort(axis=1, kind="stable").argsort(axis=1, kind="stable")
    known = rank[:, None, :] < np.arange(features + 1)[None, :, None]  # [N, D + 1, D]
    expected = expectations(run, x, known, distribution, target, draws, np.random.default_rng(seed))
    steps = np.abs(np.diff(expected, axis=1))
    return (np.diff(steps, axis=1) >= 0).mean(axis=1)


def infidelity(
    model: predict.Model | predict.Predictor,
    x: Any,
    attributions: Any,
    distribution: Distribution,
    *,
    target: int = 0,
    perturbation: str = "noisy_baseline",
    noise: float = 0.2,
    draws: int = 1000,
    seed: int = 0,
) -> np.ndarray:
    """How badly attributions predict what a perturbation does: E[(β Iᵀφ − (f(x) − f(x − I)))²], smaller is better.

    β is the factor that makes it smallest, so the attributions' scale does not matter.

    Args:
      model, x, attributions, distribution, target, seed: as for `faithfulness`.
      perturbation: "noisy_baseline", the distribution's mean plus Gaussian noise takes the place of all features (as in
        the benchmark's code, less its clipping to 0 … 1, which suits pixels); or "conditional", a random half of the
        features is drawn from its distribution given the others.
      noise: standard deviation of the noise, in units of the features.
      draws: number of perturbations of each explicand.

    Returns:
      float64 array `[N]`, in squared units of the output.

    Raises:
      TypeError, ValueError: arguments that do not fit, NaN.

    Reference: Yeh et al., On the (In)fidelity and Sensitivity of Explanations, NeurIPS 2019.
    """
    x, weights, run = checked(model, x, attributions, distribution, draws)
    if perturbation not in ("noisy_baseline", "conditional"):
        raise ValueError(f'Unknown `perturbation`: {perturbation!r}. Choose "noisy_baseline" or "conditional".')
    validation.positive("noise", noise)
    rng = np.random.default_rng(seed)
    result = np.empty(len(x))
    for number, (row, phi) in enumerate(zip(x, weights, strict=True)):
        if perturbation == "noisy_baseline":
            changed = distribution.mean + noise * rng.standard_normal([draws, len(row)])
        else:
            fixed = rng.random([draws, len(row)]) < 0.5
            changed = redrawn(distribution, np.tile(row, (draws, 1)), fixed, rng)
        effect = output(run, row[None], target) - output(run, changed, target)
        predicted = (row - changed) @ phi
        power = predicted @ predicted
        beta = effect @ predicted / power if power > 0 else 0.0
        result[number] = np.mean((beta * predicted - effect) ** 2)
    return result


FAITHFULNESS: Metric[Samples] = Metric(
    "faithfulness",
    "faithfulness",
    True,
    lambda values, given: faithfulness(
        given.model, given.x, values, given.distribution, draws=given.draws, seed=given.seed
    ),
)
MONOTONICITY: Metric[Samples] = Metric(
    "monotonicity",
    "monotonicity",
    True,
    lambda values, given: monotonicity(
        given.model, given.x, values, given.distribution, draws=given.draws, seed=given.seed
    ),
)
INFIDELITY: Metric[Samples] = Metric(
    "infidelity",
    "infidelity",
    False,
    lambda values, given: infidelity(
        given.model, given.x, values, given.distribution, draws=10 * given.draws, seed=given.seed
    ),
)

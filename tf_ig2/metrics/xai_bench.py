"""XAI-BENCH's five metrics, for data whose conditional distributions are known (section 6.1).

They follow the definitions; where the benchmark's code differs from these, the docstring says so.

References: Liu et al., Synthetic Benchmarks for Scientific Research in Explainable Machine Learning, NeurIPS Datasets
and Benchmarks 2021, and the papers named at each metric.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np
from sklearn.metrics import mean_absolute_error, roc_auc_score

from tf_ig2 import validation
from tf_ig2.metrics import predict
from tf_ig2.metrics.maps import feature_maps, finite

CUTOFFS = (0.0, 0.1, 0.3, 0.5, 0.7, 0.9)
"""The fractions of features that ROAR removes."""

_ROWS = 8192


class Distribution(Protocol):
    """A distribution of `[D]` features that can be conditioned; `tf_ig2.datasets.xai_bench.Gaussian` is one."""

    @property
    def features(self) -> int: ...

    @property
    def mean(self) -> np.ndarray: ...

    def conditional(self, x: Any, fixed: Any, count: int, rng: np.random.Generator) -> np.ndarray:
        """Draws `[count, D]` from p(rest | fixed features), the fixed ones as in `x`, `[D]` or `[count, D]`."""
        ...


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
      >>> from tf_ig2.datasets.xai_bench import Gaussian
      >>> linear = lambda x: x @ [3.0, 2.0]
      >>> faithfulness(linear, [[1.0, 1.0]], [[3.0, 2.0]], Gaussian(features=2))
      array([1.])
    """
    x, weights, run = _checked(model, x, attributions, distribution, draws)
    count, features = x.shape
    fixed = np.repeat(~np.eye(features, dtype=bool)[None], count, axis=0)
    expected = _expectations(run, x, fixed, distribution, target, draws, np.random.default_rng(seed))
    effects = np.abs(_output(run, x, target)[:, None] - expected)
    return _pearson(np.abs(weights), effects)


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
    x, weights, run = _checked(model, x, attributions, distribution, draws)
    features = x.shape[1]
    if features < 2:
        raise ValueError("Monotonicity compares features, and there is only one.")
    rank = np.abs(weights).argsort(axis=1, kind="stable").argsort(axis=1, kind="stable")
    known = rank[:, None, :] < np.arange(features + 1)[None, :, None]  # [N, D + 1, D]
    expected = _expectations(run, x, known, distribution, target, draws, np.random.default_rng(seed))
    steps = np.abs(np.diff(expected, axis=1))
    return (np.diff(steps, axis=1) >= 0).mean(axis=1)


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
    x, weights, _ = _checked(lambda rows: rows, x, attributions, distribution, 1)
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
        reduced = _redrawn(distribution, x, kept, rng).astype(np.float32)
        predictor = train(reduced[:split], labels[:split])
        results.append(measure(labels[split:], np.asarray(predictor(reduced[split:])).reshape(len(x) - split)))
    return float(np.trapezoid(results, cutoffs))


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
      model, x, distribution, target, seed: as for `faithfulness`; at most 12 features.
      draws: for each expectation.

    Returns:
      float64 array `[N, D]`; each row sums to f(x) − v(∅).

    Raises:
      ValueError: more than 12 features.

    Reference: Shapley, A Value for n-Person Games, 1953; Lundberg & Lee, NeurIPS 2017, for the game.

    Example:
      >>> from tf_ig2.datasets.xai_bench import Gaussian
      >>> shapley_values(lambda x: x @ [3.0, 2.0], [[1.0, 2.0]], Gaussian(features=2), draws=100_000).round(1)
      array([[3., 4.]])
    """
    x, _, run = _checked(model, x, x, distribution, draws)
    features = x.shape[1]
    if features > 12:
        raise ValueError(f"{features} features have 2^{features} coalitions: at most 12 can be enumerated.")
    coalitions = (np.arange(2**features)[:, None] >> np.arange(features)) & 1 == 1
    fixed = np.repeat(coalitions[None], len(x), axis=0)
    worth = _expectations(run, x, fixed, distribution, target, draws, np.random.default_rng(seed))
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
    return _pearson(weights, truth)


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
    x, weights, run = _checked(model, x, attributions, distribution, draws)
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
            changed = _redrawn(distribution, np.tile(row, (draws, 1)), fixed, rng)
        effect = _output(run, row[None], target) - _output(run, changed, target)
        predicted = (row - changed) @ phi
        power = predicted @ predicted
        beta = effect @ predicted / power if power > 0 else 0.0
        result[number] = np.mean((beta * predicted - effect) ** 2)
    return result


def _checked(
    model: Any, x: Any, attributions: Any, distribution: Distribution, draws: int
) -> tuple[np.ndarray, np.ndarray, predict.Predictor]:
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


def _output(run: predict.Predictor, x: np.ndarray, target: int) -> np.ndarray:
    outputs = run(x.astype(np.float32))
    if outputs.ndim > 2 or (outputs.ndim == 2 and not 0 <= target < outputs.shape[1]):
        raise ValueError(f"`target` {target!r} does not pick from outputs of shape [N, {outputs.shape[1:]}].")
    return predict.select(outputs, np.full(len(x), target))


def _expectations(
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
        result[number] = [part.mean() for part in np.split(_output(run, np.concatenate(samples), target), ends)]
    return result


def _redrawn(distribution: Distribution, x: np.ndarray, fixed: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draws what is not fixed in each row, bool `[N, D]`, of `x`, `[N, D]`; rows with the same set at once."""
    result = np.empty(x.shape)
    sets, which = np.unique(fixed, axis=0, return_inverse=True)
    for number, keep in enumerate(sets):
        rows = which.reshape(-1) == number
        result[rows] = distribution.conditional(x[rows], keep, int(rows.sum()), rng)
    return result


def _pearson(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Row by row; 0 where a row is constant up to rounding."""
    a, b = a - a.mean(axis=1, keepdims=True), b - b.mean(axis=1, keepdims=True)
    scale = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    return np.where(scale > 0, (a * b).sum(axis=1) / np.where(scale > 0, scale, 1), 0.0)

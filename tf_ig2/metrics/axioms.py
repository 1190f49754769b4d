"""What one expects of any attribution: that it adds up, that it is stable, that it does not depend on luck."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from scipy import stats

from tf_ig2 import validation
from tf_ig2.attribution import Attribution
from tf_ig2.metrics.maps import finite


def completeness_gap(attributions: Any, difference: Any = None, relative: bool = False) -> np.ndarray:
    """How far attributions are from adding up: Σφ − (f(x) − f(x′)).

    Args:
      attributions: an `Attribution`, which knows the difference, or an array `[N, ...]`.
      difference: `[N]`, f(x) − f(x′) averaged over references; only for an array.
      relative: return |gap| / |f(x) − f(x′)| instead.

    Returns:
      float64 array `[N]`; infinite where a relative gap has no difference to be relative to.

    Raises:
      TypeError: the difference is missing, or given twice.
      ValueError: shapes that do not fit, NaN; the attributions' method does not claim to add up.

    Reference: Definition 4; Sundararajan, Taly & Yan, Axiomatic Attribution for Deep Networks, ICML 2017.

    Example:
      >>> completeness_gap(np.array([[1.0, 2.0]]), difference=[2.5])
      array([0.5])
    """
    if isinstance(attributions, Attribution):
        if difference is not None:
            raise TypeError("An Attribution knows its `difference`: do not pass one.")
        gap = attributions.relative_completeness_gap if relative else attributions.completeness_gap
        if gap is None:
            raise ValueError(f"{attributions.settings.get('method', 'The method')} does not claim to add up.")
        return np.atleast_1d(gap)
    if difference is None:
        raise TypeError("`difference`, f(x) − f(x′), is needed for plain arrays.")
    values, difference = _values(attributions), finite("difference", np.asarray(difference, np.float64))
    if difference.shape != values.shape[:1]:
        raise ValueError(f"`difference` has shape {difference.shape} for {len(values)} attributions.")
    signed = values.reshape(len(values), -1).sum(axis=1) - difference
    if not relative:
        return signed
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(signed == 0, 0.0, np.abs(signed) / np.abs(difference))


@dataclass(frozen=True)
class Agreement:
    """How alike attributions are, each `[N]` in −1 … 1 (top: 0 … 1), 1 when they are the same.

    Attributes:
      cosine: float64 `[N]`, of the values.
      rank_correlation: float64 `[N]`, Spearman's, of the values; 0 where one is constant.
      top: float64 `[N]`, the share that the features with the largest |φ| have in common.
    """

    cosine: np.ndarray
    rank_correlation: np.ndarray
    top: np.ndarray


def agreement(runs: Sequence[Any], top: float = 0.1) -> Agreement:
    """How alike the attributions of the same explicands are over seeds, references or methods.

    Args:
      runs: two or more `Attribution`s or arrays `[N, ...]`, all of one shape.
      top: the fraction of features that is compared as the top.

    Returns:
      The means over all pairs of runs.

    Raises:
      TypeError: several inputs at once, or not numbers.
      ValueError: fewer than two runs, different shapes, NaN, or `top` not in 0 … 1.

    References: Ghorbani, Abid & Zou, Interpretation of Neural Networks is Fragile, AAAI 2019, for the two last.

    Example:
      >>> agreement([np.array([[1.0, 2.0]]), np.array([[2.0, 4.0]])]).cosine
      array([1.])
    """
    if not 0 < top <= 1:
        raise ValueError(f"`top` must lie in 0 … 1, not {top!r}.")
    values = [_values(run) for run in runs]
    if len(values) < 2 or len({part.shape for part in values}) != 1:
        raise ValueError(f"Two or more runs of one shape are needed, not {[part.shape for part in values]}.")
    rows = [part.reshape(len(part), -1) for part in values]
    pairs = [_agreement(a, b, max(1, round(top * a.shape[1]))) for a, b in combinations(rows, 2)]
    return Agreement(*np.mean(pairs, axis=0))


@dataclass(frozen=True)
class Sensitivity:
    """How much attributions change when the explicand hardly does.

    Attributes:
      largest: float64 `[N]`, the largest ‖φ(x + δ) − φ(x)‖ / ‖φ(x)‖ found (max-sensitivity, relative).
      agreement: the agreement of φ(x + δ) with φ(x), averaged over the draws of δ.
    """

    largest: np.ndarray
    agreement: Agreement


def sensitivity(
    explain: Callable[[np.ndarray], Any],
    x: Any,
    radius: float = 0.01,
    samples: int = 10,
    value_range: tuple[float, float] | None = None,
    top: float = 0.1,
    seed: int = 0,
) -> Sensitivity:
    """Explains noisy copies of the explicands, and compares.

    Args:
      explain: maps explicands `[N, ...]` to an `Attribution` or an array `[N, ...]`: an explainer's `explain` with its
        references and a fixed target bound.
      x: float array `[N, ...]`.
      radius: half-width of the uniform noise on every feature, as a fraction of the value range.
      samples: number of noisy copies.
      value_range: (low, high), to which noisy copies are clipped; None: of each explicand, without clipping.
      top: see `agreement`.
      seed: of the noise.

    Returns:
      The sensitivity. Where an attribution is zero, `largest` is 0 if it stays so and infinite otherwise.

    Raises:
      TypeError, ValueError: arguments that do not fit, NaN.

    Reference: Yeh et al., On the (In)fidelity and Sensitivity of Explanations, NeurIPS 2019.

    Example:
      >>> sensitivity(lambda x: 3 * np.ones_like(x), np.ones([2, 4])).largest
      array([0., 0.])
    """
    x = np.asarray(x)
    if x.dtype.kind != "f" or x.ndim < 2 or not x.size:
        raise ValueError(f"`x` must be a float batch [N, ...], not {x.dtype} {x.shape}.")
    finite("x", x)
    validation.positive("radius", radius)
    validation.positive("samples", samples, integer=True)
    axes = tuple(range(1, x.ndim))
    if value_range is None:
        width = x.max(axis=axes, keepdims=True) - x.min(axis=axes, keepdims=True)
        low, high = -np.inf, np.inf
    else:
        low, high = validation.value_range("value_range", value_range)
        width = np.full([1] * x.ndim, high - low)
    rng = np.random.default_rng(seed)
    calm = _values(explain(x))
    largest, parts = np.zeros(len(x)), []
    size = np.linalg.norm(calm.reshape(len(x), -1), axis=1)
    for _ in range(samples):
        noise = rng.uniform(-1, 1, x.shape) * radius * width
        moved = _values(explain(np.clip(x + noise, low, high).astype(x.dtype)))
        if moved.shape != calm.shape:
            raise ValueError(f"`explain` gave shape {moved.shape} after {calm.shape}.")
        change = np.linalg.norm((moved - calm).reshape(len(x), -1), axis=1)
        with np.errstate(divide="ignore", invalid="ignore"):
            largest = np.maximum(largest, np.where(change == 0, 0.0, change / size))
        found = agreement([calm, moved], top)
        parts.append([found.cosine, found.rank_correlation, found.top])
    return Sensitivity(largest, Agreement(*np.mean(parts, axis=0)))


def _values(attributions: Any) -> np.ndarray:
    single = isinstance(attributions, Attribution) and attributions.output.ndim == 0
    values = attributions.values if isinstance(attributions, Attribution) else attributions
    if isinstance(values, (dict, tuple)):
        raise TypeError("These attributions have several inputs: pass the values of one of them.")
    array = np.asarray(values)
    if array.dtype.kind not in "biuf":
        raise TypeError(f"Attributions must be numbers, not {array.dtype}.")
    array = array[None] if single else array
    if array.ndim < 2:
        raise ValueError(f"Attributions of shape {array.shape} are no batch [N, ...].")
    return finite("attributions", array.astype(np.float64))


def _agreement(a: np.ndarray, b: np.ndarray, top: int) -> list[np.ndarray]:
    scale = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    same = (a == b).all(axis=1)
    cosine = np.where(scale > 0, (a * b).sum(axis=1) / np.where(scale > 0, scale, 1), same)
    ranks_a, ranks_b = (stats.rankdata(part, axis=1) for part in (a, b))
    ranks_a, ranks_b = (part - part.mean(axis=1, keepdims=True) for part in (ranks_a, ranks_b))
    spread = np.linalg.norm(ranks_a, axis=1) * np.linalg.norm(ranks_b, axis=1)
    rank = np.where(spread > 0, (ranks_a * ranks_b).sum(axis=1) / np.where(spread > 0, spread, 1), same)
    best = [np.argsort(-np.abs(part), axis=1, kind="stable")[:, :top] for part in (a, b)]
    shared = [len(np.intersect1d(left, right)) / top for left, right in zip(*best, strict=True)]
    return [cosine, rank, np.array(shared)]

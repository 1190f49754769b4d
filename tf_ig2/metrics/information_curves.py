"""Softmax information curves: what features do to the prediction when they come, and when they go (section 6.2)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from tf_ig2 import validation
from tf_ig2.contrasts import baselines
from tf_ig2.metrics import predict
from tf_ig2.metrics.maps import feature_maps, finite
from tf_ig2.metrics.metric import Explicands, Metric

BACKGROUNDS = ("blurred", "black", "mean", "noise")


@dataclass(frozen=True)
class InformationCurve:
    """The probability of the target as features are added or deleted, the most important first.

    Attributes:
      fractions: float array `[K + 1]`, of the features, from 0 to 1.
      probabilities: float64 array `[N, K + 1]`.
      target: int array `[N]`.
    """

    fractions: np.ndarray
    probabilities: np.ndarray
    target: np.ndarray

    @property
    def auc(self) -> np.ndarray:
        """float64 `[N]`, the area under each curve (trapezoids), in 0 … 1."""
        widths = np.diff(self.fractions)
        return ((self.probabilities[:, 1:] + self.probabilities[:, :-1]) / 2) @ widths


def information_curve(
    model: predict.Model | predict.Predictor,
    x: Any,
    attributions: Any,
    *,
    direction: str = "add",
    target: Any = None,
    background: Any = "blurred",
    by: str = "pixel",
    steps: int = 32,
    channels: str = "absolute",
    value_range: tuple[float, float] | None = None,
    inputs: Any = None,
    activation: str | None = None,
    batch_size: int = 32,
    seed: int = 0,
) -> InformationCurve:
    """The softmax information curve of section 6.2; its `auc` is SIC AUC-ADD or SIC AUC-DEL.

    ADD puts the features of the explicand onto the background, the one with the largest attribution first: a good
    attribution has a large area. DEL replaces them by the background in the same order: a good one has a small area.

    Args:
      model: gives probabilities; a `keras.Model`, a `ModelView`, a callable or a `Predictor`.
      x: float array `[N, ...]`, the explicands; the last of three or more axes is channels, which come and go together.
        With an `input_layer`, the values at it.
      attributions: an `Attribution`, or an array `[N, ...]` with or without channels; see `maps.feature_maps`.
      direction: "add" or "delete".
      target: whose probability; an index, one for each explicand, or None for the class predicted at `x`.
      background: "blurred" (Gaussian of 20 pixels), "black" (the low end of the range), "mean" (of each explicand's
        features, channel by channel), "noise" (uniform over the range); a `Baseline` of `tf_ig2.contrasts.baselines`;
        a number; or an array `[...]` or `[N, ...]`.
      by: "pixel" moves ⌈fraction · features⌉ features, ties in a random order; "percentile" moves every feature whose
        attribution reaches that percentile, ties together.
      steps: K; the fractions are 0, 1/K … 1.
      channels: see `maps.feature_maps`.
      value_range: (low, high) of the input; None: of each explicand.
      inputs: `[N, ...]`, the model's own inputs, for a `ModelView` with an `input_layer`.
      activation: "softmax" or "sigmoid" for a model of logits.
      batch_size: samples per forward pass.
      seed: of ties and noise.

    Returns:
      The curves.

    Raises:
      TypeError: arguments that are not numbers, or an unknown kind of background.
      ValueError: shapes that do not fit, NaN, an unknown word, outputs that are not probabilities.

    References: section 6.2; Petsiuk, Das & Saenko, RISE, BMVC 2018 (insertion and deletion).

    Example:
      >>> model = lambda x: np.stack([x[:, 0], 1 - x[:, 0]], axis=1)
      >>> information_curve(model, np.ones([1, 4]), np.array([[9, 1, 2, 3]]), background=0.0, steps=4).probabilities
      array([[0., 1., 1., 1., 1.]])
    """
    if direction not in ("add", "delete"):
        raise ValueError(f'Unknown `direction`: {direction!r}. Choose "add" or "delete".')
    if by not in ("pixel", "percentile"):
        raise ValueError(f'Unknown `by`: {by!r}. Choose "pixel" or "percentile".')
    validation.positive("steps", steps, integer=True)
    x = _explicands(x)
    features = x.shape[1:-1] if x.ndim > 2 else x.shape[1:]
    maps = feature_maps(attributions, features, channels)
    if len(maps) != len(x):
        raise ValueError(f"There are {len(maps)} attributions for {len(x)} explicands.")
    run = predict.predictor(model, batch_size, activation)
    inputs = None if inputs is None else np.asarray(inputs)
    outputs = predict.checked_probabilities(run(x, inputs))
    index = predict.targets(target, outputs)
    behind = _background(background, x, value_range, seed)
    fractions = np.linspace(0.0, 1.0, steps + 1)
    moved = _moves(maps.reshape(len(x), -1), fractions, by, np.random.default_rng(seed))
    flat = [(n, k) for n in range(len(x)) for k in range(steps + 1)]
    values = np.empty([len(x), steps + 1])
    for first in range(0, len(flat), batch_size):
        n, k = np.array(flat[first : first + batch_size]).T
        chosen = (moved[n] <= k[:, None]).reshape(-1, *features, *[1] * (x.ndim - 1 - len(features)))
        own = chosen if direction == "add" else ~chosen
        points = np.where(own, x[n], behind[n])
        values[n, k] = predict.probabilities(run, points, None if inputs is None else inputs[n], index[n])
    return InformationCurve(fractions, values, index)


def _area(direction: str) -> Callable[[np.ndarray, Explicands], np.ndarray]:
    """The area under the curve; what is only padding moves last, whatever its attribution."""

    def score(maps: np.ndarray, explicands: Explicands) -> np.ndarray:
        if explicands.absent is not None:
            lowest = maps.min(axis=tuple(range(1, maps.ndim)), keepdims=True) - 1
            maps = np.where(explicands.absent, lowest, maps)
        return information_curve(
            predict.Predictor(explicands.view, batch_size=32, activation="softmax"),
            explicands.points,
            maps,
            direction=direction,
            target=explicands.target,
            background=explicands.background,
            steps=explicands.curve_steps,
            value_range=explicands.value_range,
            inputs=explicands.inputs if explicands.view.attributes_inside else None,
        ).auc

    return score


SIC_ADD: Metric[Explicands] = Metric("add", "SIC ADD", True, _area("add"))
SIC_DEL: Metric[Explicands] = Metric("del", "SIC DEL", False, _area("delete"))


def _explicands(x: Any) -> np.ndarray:
    array = np.asarray(x)
    if array.dtype.kind not in "iuf":
        raise TypeError(f"`x` must hold numbers, not {array.dtype}.")
    if array.ndim < 2 or not array.size:
        raise ValueError(f"`x` has shape {array.shape}: wanted is a batch [N, ...] of at least one explicand.")
    return finite("x", array if array.dtype == np.float64 else array.astype(np.float32))


def _moves(maps: np.ndarray, fractions: np.ndarray, by: str, rng: np.random.Generator) -> np.ndarray:
    """`[N, F]`: at which point of the curve (1 … K) each feature moves."""
    if by == "percentile":
        thresholds = np.quantile(maps, 1 - fractions[1:], axis=1)  # [K, N], descending
        return 1 + (maps[None] < thresholds[:, :, None]).sum(axis=0)
    order = np.lexsort((rng.random(maps.shape), -maps), axis=-1)
    counts = np.ceil(fractions[1:] * maps.shape[1] - 1e-9)
    place = np.empty_like(order)
    np.put_along_axis(place, order, np.broadcast_to(np.arange(maps.shape[1]), maps.shape), axis=1)
    return 1 + np.searchsorted(counts, place, side="right")


def _background(background: Any, x: np.ndarray, value_range: tuple[float, float] | None, seed: int) -> np.ndarray:
    if isinstance(background, str) and background == "mean":
        axes = tuple(range(1, x.ndim - 1)) if x.ndim > 2 else (1,)
        return np.broadcast_to(x.mean(axis=axes, keepdims=True), x.shape)
    if isinstance(background, str):
        named: dict[str, baselines.Baseline] = {
            "blurred": baselines.Blurred(),
            "black": baselines.Extremes((0.0,)),
            "noise": baselines.Uniform(1, seed),
        }
        if background not in named:
            raise ValueError(
                f"Unknown `background`: {background!r}. Choose one of {BACKGROUNDS}, or pass a number, an array or a "
                "Baseline."
            )
        background = named[background]
    if hasattr(background, "count") and callable(background):
        axes = tuple(range(1, x.ndim))
        if value_range is None:
            low, high = x.min(axis=axes, keepdims=True), x.max(axis=axes, keepdims=True)
        else:
            edges = validation.value_range("value_range", value_range)
            low, high = (np.full([len(x)] + [1] * len(axes), edge, x.dtype) for edge in edges)
        return background(x, low, high, 0, 0)
    array = np.asarray(background)
    if array.dtype.kind not in "iuf":
        raise TypeError(f"`background` must be a name, a number, an array or a Baseline, not {background!r}.")
    if array.shape not in ((), x.shape[1:], x.shape):
        raise ValueError(f"`background` has shape {array.shape}, and one explicand {x.shape[1:]}.")
    return np.broadcast_to(finite("background", array).astype(x.dtype), x.shape)

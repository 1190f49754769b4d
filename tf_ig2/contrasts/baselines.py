"""Baselines: the points without information that paths start from (Table 1 of the IG² paper, and its work [20]).

A baseline is a small object that makes the r-th baseline of a batch of explicands. What is random is drawn from its
seed and r alone: every explicand is contrasted with the same draws, whatever batch it comes in.

Reference: Sturmfels, Lundberg & Lee, Visualizing the Impact of Feature Attribution Baselines, Distill 2020.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import tensorflow as tf
from scipy import ndimage

from tf_ig2 import validation
from tf_ig2.contrasts.contrast import Contrast, Given, Prepared, count, gather
from tf_ig2.contrasts.references import from_dataset
from tf_ig2.paths.base import Evaluator, Points


class Baseline(Protocol):
    """Makes baselines.

    Attributes:
      count: R, the number of baselines of each explicand.
    """

    @property
    def count(self) -> int: ...

    def __call__(self, x: np.ndarray, low: np.ndarray, high: np.ndarray, number: int, part: int) -> np.ndarray:
        """Baseline `number` of each explicand.

        Args:
          x: `[B, ...]`, the explicands.
          low, high: `[B, 1, …]`, the ends of the value range of each.
          number: int, 0 … count - 1.
          part: int, which of several inputs this is.

        Returns:
          `[B, ...]`.
        """
        ...


@dataclass(frozen=True)
class Constant:
    """The same number everywhere; zero is the baseline of the IG paper.

    Attributes:
      value: the number, in the units of the input.
    """

    value: float = 0.0
    count = 1

    def __call__(self, x: np.ndarray, low: np.ndarray, high: np.ndarray, number: int, part: int) -> np.ndarray:
        return np.full_like(x, self.value)


@dataclass(frozen=True)
class Extremes:
    """Ends of the value range: black, white, or both, as XRAI uses.

    Attributes:
      levels: each 0.0 for black or 1.0 for white, or between.
    """

    levels: tuple[float, ...] = (0.0,)

    @property
    def count(self) -> int:
        return len(self.levels)

    def __call__(self, x: np.ndarray, low: np.ndarray, high: np.ndarray, number: int, part: int) -> np.ndarray:
        level = self.levels[number]
        return np.broadcast_to(low * (1 - level) + high * level, x.shape).astype(x.dtype)


@dataclass(frozen=True)
class MaximalDistance:
    """For every feature the end of the value range that is further from it."""

    count = 1

    def __call__(self, x: np.ndarray, low: np.ndarray, high: np.ndarray, number: int, part: int) -> np.ndarray:
        return np.where(x - low > high - x, low, high).astype(x.dtype)


@dataclass(frozen=True)
class Uniform:
    """Independent uniform noise over the value range.

    Attributes:
      count: number of draws.
      seed: int, not negative.
    """

    count: int = 8
    seed: int = 0

    def __post_init__(self) -> None:
        validation.positive("count", self.count, integer=True)

    def __call__(self, x: np.ndarray, low: np.ndarray, high: np.ndarray, number: int, part: int) -> np.ndarray:
        draw = np.random.default_rng([self.seed, number, part]).random(x.shape[1:])
        return (low + (high - low) * draw).astype(x.dtype)


@dataclass(frozen=True)
class GaussianNoise:
    """The explicand with Gaussian noise added, clipped to the value range.

    Attributes:
      stdev: standard deviation of the noise, as a fraction of the value range.
      count: number of draws.
      seed: int, not negative.
    """

    stdev: float = 0.5
    count: int = 8
    seed: int = 0

    def __post_init__(self) -> None:
        validation.positive("stdev", self.stdev)
        validation.positive("count", self.count, integer=True)

    def __call__(self, x: np.ndarray, low: np.ndarray, high: np.ndarray, number: int, part: int) -> np.ndarray:
        draw = np.random.default_rng([self.seed, number, part]).standard_normal(x.shape[1:])
        return np.clip(x + self.stdev * (high - low) * draw, low, high).astype(x.dtype)


@dataclass(frozen=True)
class Blurred:
    """The explicand, an image, blurred with a Gaussian; at its edges it is continued by its outermost pixels.

    Attributes:
      sigma: standard deviation of the Gaussian, in pixels.
    """

    sigma: float = 20.0
    count = 1

    def __post_init__(self) -> None:
        validation.positive("sigma", self.sigma)

    def __call__(self, x: np.ndarray, low: np.ndarray, high: np.ndarray, number: int, part: int) -> np.ndarray:
        validation.image("x", x.shape[1:])
        return ndimage.gaussian_filter(x, self.sigma, axes=(1, 2), mode="nearest")


@dataclass(frozen=True)
class _Given:
    """Arrays `[R, ...]`, or `[N, R, ...]` when every explicand has its own; not a Baseline, it needs no range."""

    arrays: Any
    own: bool


NAMED: dict[str, Baseline] = {
    "black": Extremes((0.0,)),
    "white": Extremes((1.0,)),
    "black_and_white": Extremes((0.0, 1.0)),
    "uniform": Uniform(),
    "gaussian": GaussianNoise(),
    "blurred": Blurred(),
    "maximal_distance": MaximalDistance(),
}


@dataclass(frozen=True)
class Baselines:
    """The baselines of N explicands, made when they are asked for.

    Attributes:
      count: R, for each explicand.
    """

    count: int
    _explicand: Any
    _source: Any
    _value_range: tuple[float, float] | None

    def rows(self, i: np.ndarray, r: np.ndarray) -> Any:
        """Structure of tensors `[B, ...]`: baseline `r[b]` of explicand `i[b]`, for int arrays `[B]`."""
        if isinstance(self._source, _Given):
            index = (i, r) if self._source.own else r
            return tf.nest.map_structure(lambda x: tf.constant(x[index]), self._source.arrays)
        parts = [self._made(x[i], r, part) for part, x in enumerate(tf.nest.flatten(self._explicand))]
        return tf.nest.pack_sequence_as(self._explicand, parts)

    def _made(self, x: np.ndarray, r: np.ndarray, part: int) -> tf.Tensor:
        features = tuple(range(1, x.ndim))
        if self._value_range is None:
            low, high = x.min(axis=features, keepdims=True), x.max(axis=features, keepdims=True)
        else:
            low, high = (np.full([len(x)] + [1] * len(features), edge, x.dtype) for edge in self._value_range)
        result = np.empty_like(x)
        for number in np.unique(r):
            rows = r == number
            result[rows] = self._source(x[rows], low[rows], high[rows], int(number), part)
        return tf.constant(result)


def resolve(baselines: Any, explicand: Any, spec: Any, value_range: tuple[float, float] | None) -> Baselines:
    """Understands what users pass as baselines.

    Args:
      baselines: a name out of `NAMED`; a number; a `Baseline`; a `tf.data.Dataset`; or arrays in the structure of
        `spec`: `[R, ...]` shared by all explicands (samples of the training data, say), `[N, R, ...]`, or one `[...]`.
      explicand: structure of arrays `[N, ...]`.
      spec: structure of `tf.TensorSpec([None, ...])`.
      value_range: (low, high) of the input; None: of each explicand, input by input.

    Returns:
      The baselines.

    Raises:
      ValueError: an unknown name, a number that is not finite, another shape.
      TypeError: none of these.

    Example:
      >>> x = np.ones([2, 3], np.float32)
      >>> found = resolve("uniform", x, tf.TensorSpec([None, 3]), (0.0, 1.0))
      >>> found.count, found.rows(np.array([0, 1]), np.array([0, 7])).shape
      (8, TensorShape([2, 3]))
    """
    count = len(tf.nest.flatten(explicand)[0])
    if isinstance(baselines, str):
        if baselines not in NAMED:
            raise ValueError(
                f"Unknown baselines: {baselines!r}. Choose one of {list(NAMED)}, or pass a number, an array or a "
                "Baseline."
            )
        baselines = NAMED[baselines]
    if isinstance(baselines, (int, float, np.integer, np.floating)) and not isinstance(baselines, bool):
        if not np.isfinite(baselines):
            raise ValueError(f"`baselines` must be finite, not {baselines!r}.")
        baselines = Constant(float(baselines))
    if callable(baselines) and hasattr(baselines, "count"):
        return Baselines(baselines.count, explicand, baselines, value_range)
    if isinstance(baselines, tf.data.Dataset):
        baselines = from_dataset(baselines, spec)
    arrays, own = validation.contrasts("baselines", baselines, spec, count)
    return Baselines(tf.nest.flatten(arrays)[0].shape[1 if own else 0], explicand, _Given(arrays, own), None)


@dataclass(frozen=True)
class FromBaselines(Contrast):
    """Baselines, which paths start from.

    Attributes:
      value_range: (low, high) of the input, from which named baselines are made; None: of each explicand.
      required: whether users must pass them; otherwise zero is the default.
    """

    value_range: tuple[float, float] | None = None
    required: bool = False  # type: ignore[misc]
    argument = "baselines"

    def give(self, view: Any, value: Any, explicand: Any, batch_size: int) -> Given:
        found = resolve(0.0 if value is None else value, explicand, view.points_spec, self.value_range)
        source = found._source
        if isinstance(source, _Given):
            return Given(found.count, source.own, Given.of(source.arrays, source.own).part)
        explicands = np.arange(len(tf.nest.flatten(explicand)[0]))

        def made(part: slice) -> Any:
            some = explicands[part]
            rows = found.rows(np.repeat(some, found.count), np.tile(np.arange(found.count), len(some)))
            return tf.nest.map_structure(lambda x: np.asarray(x).reshape(len(some), found.count, *x.shape[1:]), rows)

        return Given(found.count, True, made)

    def bake(self, view: Any, value: Any) -> Any:
        spec = view.points_spec

        def made(level: float) -> Any:
            explicand = tf.nest.map_structure(
                lambda part: np.full([1, *part.shape[1:]], level, part.dtype.as_numpy_dtype), spec
            )
            found = resolve(0.0 if value is None else value, explicand, spec, self.value_range)
            return tf.nest.map_structure(np.asarray, found.rows(np.zeros(found.count, int), np.arange(found.count)))

        # Explicands at both ends of the range: what depends on the explicand differs between them.
        low, high = self.value_range or (0.0, 1.0)
        baked, again = made(low), made(high)
        if not all(map(np.array_equal, tf.nest.flatten(baked), tf.nest.flatten(again))):
            raise ValueError(
                f"The baselines {value!r} depend on the explicand, and an exported explainer carries its baselines "
                "with it: pass a number or arrays, or give the explainer a `value_range` if the name needs only that."
            )
        return baked

    def received_spec(self, view: Any) -> Any:
        return view.points_spec

    def receive(self, view: Any, value: Points) -> Points:
        return value

    def prepare(
        self, model: Evaluator, explicand: Points, inside: Points, target: Any, given: Any, own: bool
    ) -> Prepared:
        return Prepared(count(given, own), lambda i, r: gather(given, own, i, r))

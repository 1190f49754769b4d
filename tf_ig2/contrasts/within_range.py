"""The contrast of walks that look for another class: the range that they stay in, and how far a step goes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import tensorflow as tf

from tf_ig2.contrasts import value_range
from tf_ig2.contrasts.contrast import Contrast, Given, Prepared
from tf_ig2.paths.base import Evaluator, Points, per_row


class Room(NamedTuple):
    """Where rows may go, structures like the explicand's of `[B]`.

    Attributes:
      low, high: the range that points are clipped to.
      step: the length of a step, in the units of the input.
    """

    low: Points
    high: Points
    step: Points

    def clip(self, points: Points) -> Points:
        """Points `[B, ...]` brought back into the range."""
        return tf.nest.map_structure(
            lambda x, low, high: tf.clip_by_value(x, per_row(low, x), per_row(high, x)), points, self.low, self.high
        )

    def go(self, points: Points, direction: Points) -> Points:
        """The next points: a step in the direction, clipped."""
        return self.clip(
            tf.nest.map_structure(lambda x, d, step: x + per_row(step, x) * d, points, direction, self.step)
        )


@dataclass(frozen=True)
class WithinRange(Contrast):
    """The value range, for paths that need no more.

    Attributes:
      value_range: (low, high) of the input; None: the range of each explicand, input by input.
      step_size: in the units of the input; None: `fraction` of each input's range.
      fraction: see `step_size`.
    """

    value_range: tuple[float, float] | None
    step_size: float | None
    fraction: float

    @property
    def bounds(self) -> tuple[float, float] | None:
        return self.value_range

    def give(self, view: Any, value: Any, explicand: Any, batch_size: int) -> Given:
        check(self.value_range, explicand)
        return super().give(view, value, explicand, batch_size)

    def prepare(
        self, model: Evaluator, explicand: Points, inside: Points, target: Any, given: Any, own: bool
    ) -> Prepared:
        room = self.room(explicand)
        return Prepared(tf.constant(1), lambda i, r: tf.nest.map_structure(lambda x: tf.gather(x, i), room))

    def room(self, explicand: Points) -> Room:
        """The range and the step of explicands `[N, ...]`."""
        low, high = value_range.of_samples(explicand)
        if self.value_range is not None:
            low, high = (
                tf.nest.map_structure(lambda x, e=edge: tf.fill(tf.shape(x), tf.constant(e, x.dtype)), low)
                for edge in self.value_range
            )

        def length(bottom: tf.Tensor, top: tf.Tensor) -> tf.Tensor:
            if self.step_size is None:
                return self.fraction * (top - bottom)
            return tf.fill(tf.shape(top), tf.constant(self.step_size, top.dtype))

        return Room(low, high, tf.nest.map_structure(length, low, high))


def check(bounds: tuple[float, float] | None, explicand: Any) -> None:
    """Checks that explicands, a structure of arrays, lie in the range that they are clipped to.

    Raises:
      ValueError: they do not.
    """
    for part in tf.nest.flatten(explicand) if bounds is not None else ():
        if part.min() < bounds[0] or part.max() > bounds[1]:  # type: ignore[index]
            raise ValueError(
                f"`value_range` {bounds} does not contain the explicand, whose values lie in "
                f"[{part.min():g}, {part.max():g}]."
            )

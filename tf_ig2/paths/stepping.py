"""How long a step of GradPath is: a number, or what the model's own answers say (a solver's step-size controller)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import tensorflow as tf

from tf_ig2.paths.base import Stop


class Descent(NamedTuple):
    """What a controller knows when it chooses a step, `[B]` each.

    Attributes:
      distance: the distance d to the reference's representation.
      slope: by how much d falls at first on a step of length one.
      output: the explained output.
      given: the step size that the user gave, or `()`.
      reference_output: the explained output at the reference, or `()` where it is not known.
    """

    distance: tf.Tensor
    slope: tf.Tensor
    output: tf.Tensor
    given: Any
    reference_output: Any


class Step(NamedTuple):
    """What a controller chooses: the length `[B]`, what it remembers, and why rows end (`()`: none does)."""

    length: tf.Tensor
    state: Any
    stop: Any = ()


class Stepping(Protocol):
    """A step-size controller.

    Attributes:
      stops: whether it ends rows.
    """

    @property
    def stops(self) -> bool: ...

    def init(self, distances: tf.Tensor) -> Any:
        """What it remembers before the first step; `distances` is any `[B]`, of the right size and dtype."""
        ...

    def step(self, descent: Descent, state: Any) -> Step: ...

    def taken(self, state: Any, predicted: tf.Tensor) -> Any:
        """What it remembers once the step, clipped, is known, along with the decrease `[B]` of d that it promises."""
        ...


@dataclass(frozen=True)
class Fixed:
    """Every step has the length that the user gave, and no row ends before the last."""

    stops = False

    def init(self, distances: tf.Tensor) -> tuple[()]:
        return ()

    def step(self, descent: Descent, state: Any) -> Step:
        return Step(descent.given, ())

    def taken(self, state: Any, predicted: tf.Tensor) -> tuple[()]:
        return ()


FIXED = Fixed()


class Trust(NamedTuple):
    """What a `Calibrated` controller remembers, `[B]` each; both distances are zero before the first step.

    Attributes:
      fraction: c, the part of the distance that the next step is to cover.
      distance: the distance before the last step.
      predicted: by how much it was to fall.
    """

    fraction: tf.Tensor
    distance: tf.Tensor
    predicted: tf.Tensor


@dataclass(frozen=True)
class Calibrated:
    """Polyak's step toward distance zero, corrected by what the last one achieved, as in trust-region methods.

    A step that follows the slope s covers the fraction c of the distance d if it is η = c·d / s long. That knows
    neither the scale of the input nor that of the representation: rescaling either leaves the path what it is. Where
    the distance fell by less than a quarter of what the slope promised for the step as it was clipped, c is halved; by
    more than three quarters, doubled. A step that makes the distance larger is kept: its row ends there.

    A row ends where its distance is zero, or no longer falls: the last step brought less than `tolerance` of it.

    Attributes:
      fraction: c of the first step, in (0, 1].
      tolerance: the smallest relative decrease of the distance in a step for which the row goes on; negative: go on
        whatever happens.
      to_reference: end a row, too, where the explained output has come down to what it is at the reference.

    Reference: Polyak, Introduction to Optimization, 1987, section 5.3.2; for the correction Nocedal & Wright, Numerical
    Optimization, 2006, Algorithm 4.1.
    """

    fraction: float = 0.3
    tolerance: float = 0.0
    to_reference: bool = True
    stops = True

    def init(self, distances: tf.Tensor) -> Trust:
        zero = tf.zeros_like(distances)
        return Trust(zero + self.fraction, zero, zero)

    def step(self, descent: Descent, state: Trust) -> Step:
        distance, moved = descent.distance, state.distance > 0
        decrease = state.distance - distance
        fraction = tf.where(moved & (decrease < 0.25 * state.predicted), state.fraction / 2, state.fraction)
        fraction = tf.where(moved & (decrease > 0.75 * state.predicted), tf.minimum(2 * fraction, 1.0), fraction)
        length = tf.math.divide_no_nan(fraction * distance, descent.slope)
        stalled = (descent.slope <= 0) | (moved & (decrease <= self.tolerance * state.distance))
        stop = tf.where(stalled, int(Stop.STALLED), int(Stop.RUNNING))
        arrived = distance <= 0
        if self.to_reference and not isinstance(descent.reference_output, tuple):
            arrived |= moved & (descent.output <= descent.reference_output)
        return Step(length, Trust(fraction, distance, state.predicted), tf.where(arrived, int(Stop.ARRIVED), stop))

    def taken(self, state: Trust, predicted: tf.Tensor) -> Trust:
        return state._replace(predicted=predicted)

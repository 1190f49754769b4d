"""What a path is, what it is given, and what a model tells it: the vocabulary of every walk."""

from __future__ import annotations

import enum
import math
from collections.abc import Callable
from typing import Any, ClassVar, NamedTuple, Protocol

import tensorflow as tf

Points = Any
"""A tensor `[B, ...]`, or a dict, list or tuple of them for models with several inputs."""


class Rows(NamedTuple):
    """What stays the same along a walk, one row per (explicand, reference) pair.

    Attributes:
      explicand: structure of `[B, ...]`, where attributions are wanted.
      inside: structure of `[B, ...]`, what goes around an inner layer where attributions are made, otherwise `()`.
      target: int32 `[B]`, index of the explained output, or `()` when a callable picks it.
      contrast: what the path contrasts the explicand with, any structure of `[B, ...]`.
      number: int32 `[B]`, of the reference, by which what is random differs from row to row.
    """

    explicand: Points
    inside: Points
    target: Any
    contrast: Any
    number: Any = ()


class Seen(NamedTuple):
    """What a model says about a batch of points; gradients that nobody asked for are `()`.

    Attributes:
      output: `[B]`, the explained output f.
      objective: `[B]`, the path's own objective at the point, zero if it has none.
      output_gradient: structure of `[B, ...]`, ∇f.
      objective_gradient: structure of `[B, ...]`, the gradient of the objective.
      outputs: `[B, ...]`, all that the model puts out; `()` where only f is known.
    """

    output: tf.Tensor
    objective: tf.Tensor
    output_gradient: Points = ()
    objective_gradient: Points = ()
    outputs: Any = ()


Curve = Callable[[tf.Tensor], "tuple[Points, Points]"]
"""`(positions [n] in [0, 1]) -> (points, derivatives)`, two structures of `[n, B, ...]`: a segment between its ends."""


class Evaluator(Protocol):
    """A model together with what is explained of it: one forward pass, and the gradients that are wanted."""

    def evaluate(
        self,
        point: Points,
        rows: Rows,
        path: Path | None,
        *,
        output_gradient: bool,
        objective_gradient: bool,
    ) -> Seen:
        """What the model says about points; `path` has the objective, None where nobody asks for one."""
        ...

    def select(self, outputs: tf.Tensor, index: Any) -> tf.Tensor:
        """The explained output `[B]` of the model's outputs `[B, ...]`, for int32 `[B]` targets, or `()`."""
        ...


class Stop(enum.IntEnum):
    """Why the walk of a row ended; a path may have reasons of its own from 16 on."""

    RUNNING = 0
    STEPS = 1
    """The limit of steps was reached."""
    ARRIVED = 2
    """The path is where it wanted to go."""
    STALLED = 3
    """The objective no longer falls."""
    NOT_FINITE = 4
    """A value or gradient was NaN or infinite."""


class Move(NamedTuple):
    """One step of a path.

    Attributes:
      point: the next point.
      displacement: what the gradient on the segment is multiplied by: next point minus point, unless the path knows
        its own derivative better.
      curve: the segment from the point to the next one where it is not straight, for rules with nodes inside it.
      state: what the path remembers for the next step, a structure of `[B, ...]`.
      stop: int32 `[B]`, `Stop.RUNNING` for rows that take this move; any other number ends the row at the point
        where it is, and its move is not taken. `()`: all rows go on.
    """

    point: Points
    displacement: Points
    curve: Curve | None = None
    state: Any = ()
    stop: Any = ()


def move(point: Points, to: Points, state: Any = (), stop: Any = ()) -> Move:
    """The straight move from one point to the next."""
    return Move(to, tf.nest.map_structure(tf.subtract, to, point), None, state, stop)


class Progress(NamedTuple):
    """The state of a path that must know how far it is.

    Attributes:
      step: int32 `[B]`, the number of the step, counted from 0.
      steps: int32 `[B]`, of how many.
    """

    step: tf.Tensor
    steps: tf.Tensor

    @classmethod
    def begin(cls, rows: Rows, steps: tf.Tensor) -> Progress:
        """Of rows that have not gone a step."""
        size = tf.shape(tf.nest.flatten(rows.explicand)[0])[:1]
        return cls(tf.zeros(size, tf.int32), tf.fill(size, steps))

    def next(self) -> Progress:
        """One step further."""
        return self._replace(step=self.step + 1)


class Path:
    """Where to walk. A new method is a new Path: it sees the model only through `Seen`.

    Subclasses write `step`, and of the rest what is their own; as it stands here a path starts at the explicand and
    looks at nothing of the model. Paths are compared by their values (frozen dataclasses): equal ones share a graph.

    Attributes:
      starts_at_explicand: whether the walk begins at the explicand and ends at the baseline, or the other way round;
        then the contrast of a row is its baseline.
      needs_output_gradient, needs_objective_gradient: what `step` reads of what was seen.
      needs_representation: whether the objective is one of the representation.
      stops: whether rows may end before the last step.
    """

    def functions(self, point: tf.TensorSpec, representation: tf.TensorSpec) -> list[tuple[Any, tuple[Any, ...]]]:
        """The user's own functions that it calls, each with specs of what it is called on: they may change.

        Args:
          point: spec of points as rows `[None, D]`.
          representation: spec of representations as rows.
        """
        return []

    starts_at_explicand: ClassVar[bool] = True
    needs_output_gradient: ClassVar[bool] = False
    needs_objective_gradient: ClassVar[bool] = False
    needs_representation: ClassVar[bool] = False

    @property
    def stops(self) -> bool:
        return False

    def objective(self, representation: Any, outputs: tf.Tensor, rows: Rows) -> tf.Tensor:
        """What the walk makes small, `[B]`; it is reported along the path.

        Args:
          representation: `[B, ...]`, or None for a path that does not need it.
          outputs: `[B, ...]`, all that the model puts out.
          rows: the batch.
        """
        parts = tf.nest.flatten(outputs)
        return tf.zeros(tf.shape(parts[0])[:1], parts[0].dtype)

    def start(self, rows: Rows) -> Points:
        """The first point."""
        return rows.explicand if self.starts_at_explicand else rows.contrast

    def init(self, rows: Rows, steps: tf.Tensor) -> Any:
        """What the path remembers at first, a structure of `[B, ...]`; `steps`, int32 scalar, is the limit."""
        return ()

    def bounds(self, rows: Rows) -> tuple[Points, Points]:
        """The range of values, input by input: two structures of `[B]`."""
        return value_range(rows.explicand)

    def distance_value(self, objectives: tf.Tensor) -> tf.Tensor:
        """What is reported along the path for the values of the objective."""
        return objectives

    def step(self, point: Points, seen: Seen, rows: Rows, state: Any) -> Move:
        """The move from a point, given what the model says there and what the path remembers."""
        raise NotImplementedError

    def at_the_limit(self, rows: Rows, state: Any) -> Any:
        """Why rows ended that took the last step, int32 `[B]` or one for all, given what the path remembers."""
        return int(Stop.STEPS)


def value_range(samples: Points) -> tuple[Points, Points]:
    """The smallest and the largest value of each sample, input by input: two structures of `[B]` for `[B, ...]`.

    Example:
      >>> low, high = value_range(tf.constant([[1.0, 2.0, 5.0]]))
      >>> low.numpy().tolist(), high.numpy().tolist()
      ([1.0], [5.0])
    """

    def reduced(reduce: Any) -> Points:
        return tf.nest.map_structure(lambda x: reduce(tf.reshape(x, [tf.shape(x)[0], -1]), axis=-1), samples)

    return reduced(tf.reduce_min), reduced(tf.reduce_max)


def per_row(values: tf.Tensor, like: tf.Tensor) -> tf.Tensor:
    """Reshapes `[B]` to `[B, 1, …, 1]` with as many axes as `like`, so that it broadcasts over features."""
    return tf.reshape(values, [-1] + [1] * (like.shape.rank - 1))


def flat_rows(points: Points) -> tf.Tensor:
    """All features of each row side by side: structure of `[B, ...]` to `[B, D]`."""
    parts = tf.nest.flatten(points)
    size = tf.shape(parts[0])[0] if parts[0].shape[0] is None else parts[0].shape[0]
    flat = [tf.reshape(part, [size, math.prod(part.shape[1:])]) for part in parts]
    return flat[0] if len(flat) == 1 else tf.concat(flat, axis=-1)


def unflat_rows(flat: tf.Tensor, like: Points) -> Points:
    """The reverse of `flat_rows`."""
    parts = tf.nest.flatten(like)
    flats = tf.split(flat, [math.prod(part.shape[1:]) for part in parts], axis=-1)
    shaped = [
        tf.ensure_shape(tf.reshape(part, tf.shape(whole)), whole.shape)
        for part, whole in zip(flats, parts, strict=True)
    ]
    return tf.nest.pack_sequence_as(like, shaped)

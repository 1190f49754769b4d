"""What a path is, what it is given, and what a model tells it: the vocabulary of every walk."""

from __future__ import annotations

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
      inputs: structure of `[B, ...]`, the model's own inputs when attributing at an inner layer, otherwise `()`.
      target: int32 `[B]`, index of the explained output, or `()` when a callable picks it.
      contrast: what the path contrasts the explicand with, any structure of `[B, ...]`.
    """

    explicand: Points
    inputs: Points
    target: Any
    contrast: Any


class Evaluation(NamedTuple):
    """What a model says about a batch of points; gradients that nobody asked for are `()`.

    Attributes:
      output: `[B]`, the explained output f.
      objective: `[B]`, the path's own objective at the point, zero if it has none.
      output_gradient: structure of `[B, ...]`, ∇f.
      objective_gradient: structure of `[B, ...]`, the gradient of the objective.
    """

    output: tf.Tensor
    objective: tf.Tensor
    output_gradient: Points = ()
    objective_gradient: Points = ()


Curve = Callable[[tf.Tensor], "tuple[Points, Points]"]
"""`(positions [n] in [0, 1]) -> (points, derivatives)`, two structures of `[n, B, ...]`: a segment between its ends."""

Objective = Callable[[tf.Tensor, Rows], tf.Tensor]
"""`(representation, rows) -> [B]`."""


class View(Protocol):
    """The model as a walk sees it: one forward pass, and the gradients that are wanted."""

    def evaluate(
        self,
        point: Points,
        rows: Rows,
        objective: Objective | None,
        *,
        output_gradient: bool,
        objective_gradient: bool,
    ) -> Evaluation: ...


class Move(NamedTuple):
    """One step of a path.

    Attributes:
      point: the next point.
      displacement: what the gradient on the segment is multiplied by: next point minus point, unless the path knows
        its own derivative better.
      curve: the segment from the point to the next one where it is not straight, for rules with nodes inside it.
    """

    point: Points
    displacement: Points
    curve: Curve | None = None


def move(point: Points, to: Points) -> Move:
    """The straight move from one point to the next."""
    return Move(to, tf.nest.map_structure(tf.subtract, to, point))


class Path:
    """Where to walk. A new method is a new Path: it sees the model only through `Evaluation`.

    Subclasses write `step`, and of the rest what is their own; as it stands here a path starts at the explicand and
    looks at nothing of the model.

    Attributes:
      starts_at_explicand: whether the walk begins at the explicand and ends at the baseline, or the other way round;
        then the contrast of a row is its baseline.
      needs_output_gradient, needs_objective_gradient: what `step` reads from the evaluation.
    """

    starts_at_explicand: ClassVar[bool] = True
    needs_output_gradient: ClassVar[bool] = False
    needs_objective_gradient: ClassVar[bool] = False

    @property
    def objective(self) -> Objective | None:
        """What is computed from the representation at each point, and reported along the path.

        None for paths that know nothing of representations.
        """
        return None

    def start(self, rows: Rows) -> Points:
        """The first point."""
        return rows.explicand if self.starts_at_explicand else rows.contrast

    def distance_value(self, objectives: tf.Tensor) -> tf.Tensor:
        """What is reported along the path for the values of the objective."""
        return objectives

    def step(self, point: Points, evaluation: Evaluation, rows: Rows, step: tf.Tensor, steps: tf.Tensor) -> Move:
        """The move from the point with number `step`, counted from 0, of `steps`; both int32 scalars."""
        raise NotImplementedError


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

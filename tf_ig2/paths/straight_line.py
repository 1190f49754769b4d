"""The straight line from a baseline to the explicand: the path of Integrated Gradients."""

from __future__ import annotations

from dataclasses import dataclass

import tensorflow as tf

from tf_ig2.paths.base import Evaluation, Move, Path, Points, Rows, move


@dataclass(frozen=True)
class StraightLine(Path):
    """The path γ(t) = x′ + t·(x − x′); the contrast of a row is its baseline x′.

    It needs nothing of the model, so one segment whose rule holds all nodes does: they are evaluated together.

    Reference: Sundararajan, Taly & Yan, Axiomatic Attribution for Deep Networks, ICML 2017, Section 3.
    """

    starts_at_explicand = False

    def step(self, point: Points, evaluation: Evaluation, rows: Rows, step: tf.Tensor, steps: tf.Tensor) -> Move:
        # Of what remains, so that the last step arrives exactly.
        part = 1 / (steps - step)

        def nearer(x: tf.Tensor, end: tf.Tensor) -> tf.Tensor:
            return tf.where(step + 1 == steps, end, x + tf.cast(part, x.dtype) * (end - x))

        return move(point, tf.nest.map_structure(nearer, point, rows.explicand))

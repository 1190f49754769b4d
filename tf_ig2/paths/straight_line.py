"""The straight line from a baseline to the explicand: the path of Integrated Gradients."""

from __future__ import annotations

from dataclasses import dataclass

import tensorflow as tf

from tf_ig2.paths.base import Move, Path, Points, Progress, Rows, Seen, move, per_row


@dataclass(frozen=True)
class StraightLine(Path):
    """The path γ(t) = x′ + t·(x − x′); the contrast of a row is its baseline x′.

    It needs nothing of the model, so one segment whose rule holds all nodes does: they are evaluated together.

    Reference: Sundararajan, Taly & Yan, Axiomatic Attribution for Deep Networks, ICML 2017, Section 3.
    """

    starts_at_explicand = False

    def init(self, rows: Rows, steps: tf.Tensor) -> Progress:
        return Progress.begin(rows, steps)

    def step(self, point: Points, seen: Seen, rows: Rows, state: Progress) -> Move:
        # Of what remains, so that the last step arrives exactly.
        part, last = 1 / (state.steps - state.step), state.step + 1 == state.steps

        def nearer(x: tf.Tensor, end: tf.Tensor) -> tf.Tensor:
            return tf.where(per_row(last, x), end, x + per_row(tf.cast(part, x.dtype), x) * (end - x))

        return move(point, tf.nest.map_structure(nearer, point, rows.explicand), state.next())

"""A path whose points are all known beforehand: the contrast of a row is the path."""

from __future__ import annotations

from dataclasses import dataclass

import tensorflow as tf

from tf_ig2.paths.base import Move, Path, Points, Progress, Rows, Seen, move


@dataclass(frozen=True)
class GivenPoints(Path):
    """From given point to given point, straight between them.

    The contrast of a row is a structure of `[B, m + 1, ...]`: the points from the baseline to the explicand. A walk of
    m segments takes them all; one of K takes every m/K-th, and the last.
    """

    starts_at_explicand = False

    def start(self, rows: Rows) -> Points:
        return tf.nest.map_structure(lambda points: points[:, 0], rows.contrast)

    def init(self, rows: Rows, steps: tf.Tensor) -> Progress:
        return Progress.begin(rows, steps)

    def step(self, point: Points, seen: Seen, rows: Rows, state: Progress) -> Move:
        def following(points: tf.Tensor) -> tf.Tensor:
            number = (state.step + 1) * (tf.shape(points)[1] - 1) // state.steps
            return tf.gather(points, number, axis=1, batch_dims=1)

        return move(point, tf.nest.map_structure(following, rows.contrast), state.next())

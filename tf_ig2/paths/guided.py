"""Guided IG's path: from a baseline to the explicand, moving the features with the smallest gradients first."""

from __future__ import annotations

from dataclasses import dataclass

import tensorflow as tf

from tf_ig2.paths.base import Move, Path, Points, Progress, Rows, Seen, flat_rows, move, unflat_rows
from tf_ig2.paths.selection import nth_smallest, sort_keys


@dataclass(frozen=True)
class Guided(Path):
    """The adaptive path of Guided IG; the contrast of a row is its baseline.

    Step k of K brings the ℓ1 distance to the explicand down to (1 − k/K) of the whole. It moves the `fraction` of all
    features that have the smallest absolute gradient; when they are as far as they may go and the distance is still
    too large, the next `fraction`, and so on; the last of these blocks moves only as far as needed. No feature may be
    further than `max_dist` from the straight line, as a fraction of its own way.

    PAIR's code goes through the blocks in a loop that moves the features each time. Since moved features are out of the
    selection, the blocks are consecutive in the order of the gradients: here only thresholds are found, row by row, and
    the features move once.

    Attributes:
      fraction: in (0, 1], the size of a block. Features that tie with the block's largest gradient belong to it.
      max_dist: in [0, 1]; 0 is the straight line, 1 leaves the path free in the box between baseline and explicand.

    Reference: Kapishnikov et al., Guided Integrated Gradients, CVPR 2021, Algorithm 1 and Section 4.3.
    """

    fraction: float
    max_dist: float
    starts_at_explicand = False
    needs_output_gradient = True

    def init(self, rows: Rows, steps: tf.Tensor) -> Progress:
        return Progress.begin(rows, steps)

    def step(self, point: Points, seen: Seen, rows: Rows, state: Progress) -> Move:
        x, end, baseline = flat_rows(point), flat_rows(rows.explicand), flat_rows(rows.contrast)
        line = end - baseline
        done = (tf.cast(state.step + 1, x.dtype) / tf.cast(state.steps, x.dtype))[:, None]
        low, high = tf.maximum(done - self.max_dist, 0.0), tf.minimum(done + self.max_dist, 1.0)
        furthest = baseline + line * high
        x = tf.where(tf.abs(x - baseline) < low * tf.abs(line), baseline + line * low, x)
        excess = _l1(end - x) - tf.cast(1 - done[:, 0], tf.float64) * _l1(line)
        magnitude = tf.abs(flat_rows(seen.output_gradient))
        keys = sort_keys(magnitude)
        keys = tf.where((x != furthest) & tf.math.is_finite(magnitude), keys, keys.dtype.max)
        all_of, some_of, part = self._thresholds(keys, tf.abs(furthest - x), excess)
        share = tf.where(keys <= all_of[:, None], tf.ones_like(x), tf.cast(part, x.dtype)[:, None])
        x = tf.where(keys <= some_of[:, None], x + share * (furthest - x), x)
        arrived = (state.step + 1 == state.steps)[:, None]
        return move(point, unflat_rows(tf.where(arrived, end, x), point), state.next())

    def _thresholds(
        self, keys: tf.Tensor, room: tf.Tensor, excess: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        """How far down the order of the gradients features move.

        Args:
          keys: `[B, n]`, in the order of the absolute gradients; the largest integer for features that cannot move.
          room: float `[B, n]`, how far each feature can move.
          excess: float64 `[B]`, how far they have to move altogether.

        Returns:
          Keys `[B]` up to which features move all the way; keys `[B]` up to which they move at all; float64 `[B]`,
          which part of the way those between them move.
        """
        last = keys.dtype.max
        width = tf.cast(tf.floor(tf.cast(tf.shape(keys)[1] - 1, tf.float64) * self.fraction), tf.int32)
        movable = _count(keys < last)
        none = tf.fill(tf.shape(movable), tf.constant(-1, keys.dtype))

        def unfinished(moving: tf.Tensor, *_: tf.Tensor) -> tf.Tensor:
            return tf.reduce_any(moving)

        def next_block(
            moving: tf.Tensor, taken: tf.Tensor, all_of: tf.Tensor, some_of: tf.Tensor, part: tf.Tensor, left: tf.Tensor
        ) -> tuple[tf.Tensor, ...]:
            rank = tf.minimum(taken + width, tf.maximum(movable - 1, 0))
            upto = tf.where(moving, nth_smallest(keys, rank), some_of)
            block = (keys > some_of[:, None]) & (keys <= upto[:, None])
            reach = _l1(tf.where(block, room, tf.zeros_like(room)))
            whole = moving & (reach < left)
            part = tf.where(moving, tf.minimum(tf.math.divide_no_nan(left, reach), 1.0), part)
            taken += tf.where(moving, _count(block), 0)
            all_of = tf.where(whole, upto, tf.where(moving, some_of, all_of))
            left = tf.where(whole, left - reach, left)
            return whole & (taken < movable), taken, all_of, upto, part, left

        start = ((excess > 0) & (movable > 0), tf.zeros_like(movable), none, none, tf.zeros_like(excess), excess)
        _, _, all_of, some_of, part, _ = tf.while_loop(unfinished, next_block, start, parallel_iterations=1)
        return all_of, some_of, part


def _l1(x: tf.Tensor) -> tf.Tensor:
    """Float64 `[B]`: the distance still to go is a small difference of large sums."""
    return tf.reduce_sum(tf.cast(tf.abs(x), tf.float64), axis=-1)


def _count(mask: tf.Tensor) -> tf.Tensor:
    return tf.math.count_nonzero(mask, axis=-1, dtype=tf.int32)

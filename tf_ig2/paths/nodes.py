"""Nodes inside segments: where they lie, and how many of them go through the model together."""

from __future__ import annotations

import tensorflow as tf

from tf_ig2.paths.base import Curve, Evaluator, Points, Rows, Seen, per_row
from tf_ig2.paths.rules import Rule
from tf_ig2.paths.sums import Look


def line(point: Points, displacement: Points) -> Curve:
    """The straight segment; positions may differ from row to row, `[n, B]`."""

    def between(positions: tf.Tensor) -> tuple[Points, Points]:
        def at(x: tf.Tensor, d: tf.Tensor) -> tf.Tensor:
            leading = tf.shape(positions) if positions.shape.rank == 2 else [tf.size(positions), 1]
            position = tf.reshape(positions, tf.concat([leading, tf.ones([tf.rank(x) - 1], tf.int32)], axis=0))
            return tf.ensure_shape(x + position * d, [None, *x.shape])

        points = tf.nest.map_structure(at, point, displacement)
        return points, tf.nest.map_structure(lambda d: d[None], displacement)

    return between


def shaken(curve: Curve, rule: Rule, bounds: tuple[Points, Points], numbers: tf.Tensor, steps: tf.Tensor) -> Curve:
    """A segment with Gaussian noise on its points, within the range of values.

    Args:
      curve: the segment.
      rule: its noise and seed.
      bounds: two structures of `[B]`, the range of values.
      numbers, steps: int32 `[B]`, of the reference and of the step: each pair, and each node, has a draw of its own,
        whatever batch it is in.
    """
    low, high = bounds

    def between(positions: tf.Tensor) -> tuple[Points, Points]:
        points, derivatives = curve(positions)
        count = tf.shape(tf.nest.flatten(points)[0])[0]

        def shake(part: int, x: tf.Tensor, low: tf.Tensor, high: tf.Tensor) -> tf.Tensor:
            def draw(key: tf.Tensor) -> tf.Tensor:
                seed = tf.constant([rule.seed or 0, part], tf.int32)
                for number in tf.unstack(key):
                    seed = tf.random.experimental.stateless_fold_in(seed, number, alg="philox")
                return tf.random.stateless_normal(tf.shape(x)[2:], seed, dtype=x.dtype, alg="philox")

            node = tf.repeat(tf.range(count), tf.size(numbers))
            keys = tf.stack([tf.tile(numbers, [count]), tf.tile(steps, [count]), node], axis=-1)
            draws = tf.map_fn(draw, keys, fn_output_signature=tf.TensorSpec(x.shape[2:], x.dtype))
            scale = per_row(tf.constant(rule.noise, x.dtype) * (high - low), x[0])
            noisy = x + scale * tf.reshape(draws, tf.shape(x))
            return tf.clip_by_value(noisy, per_row(low, x[0]), per_row(high, x[0]))

        parts = zip(*map(tf.nest.flatten, (points, low, high)), strict=True)
        return tf.nest.pack_sequence_as(
            points, [shake(number, *part) for number, part in enumerate(parts)]
        ), derivatives

    return between


def look_with(model: Evaluator, rows: Rows) -> Look:
    """What the model says at n points of each of B rows, with the output's gradient."""
    rows = rows._replace(explicand=(), contrast=())  # the output needs neither

    def look(points: Points, count: tf.Tensor) -> Seen:
        def tile(x: tf.Tensor) -> tf.Tensor:
            return tf.tile(x, tf.concat([[count], tf.ones([tf.rank(x) - 1], tf.int32)], axis=0))

        return model.evaluate(
            points, tf.nest.map_structure(tile, rows), None, output_gradient=True, objective_gradient=False
        )

    return look


def together(rows_per_pass: tf.Tensor, rows: Rows) -> tf.Tensor:
    """How many nodes of each row fit in one pass, at least one."""
    size = tf.shape(tf.nest.flatten(rows.explicand)[0])[0]
    return tf.maximum(1, rows_per_pass // tf.maximum(size, 1))

"""Nodes where they are needed: halves the pieces of a walk's segments until each row adds up as well as asked for.

On every piece of a path the sum has a known answer, the difference of f between its ends. So no second rule is needed
to estimate the error of the first: a piece whose sum misses its share of the tolerance is halved, unless the misses of
its row cancel anyway.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import tensorflow as tf

from tf_ig2.paths.base import Evaluator, Points, Rows, per_row
from tf_ig2.paths.nodes import line, look_with
from tf_ig2.paths.rules import Rule
from tf_ig2.paths.sums import Tableau, by_node, joined


class _Pieces(NamedTuple):
    """Pieces of segments, `[M]` each: whose, of which segment, from where to where on it, and f at both ends."""

    row: tf.Tensor
    segment: tf.Tensor
    start: tf.Tensor
    end: tf.Tensor
    output: tf.Tensor
    end_output: tf.Tensor


class _Sums(NamedTuple):
    """By row: values `[B, ...]`, and their misses `[B]`, of pieces that are good and of those that are not."""

    good: Points
    bad: Points
    good_miss: tf.Tensor
    bad_miss: tf.Tensor


class Refined(NamedTuple):
    """The sum over refined segments.

    Attributes:
      values: structure of `[B, ...]`, Σ ∇f ⊙ Δγ in the direction of the walk.
      gradients: int32 `[B]`, how many gradients each row took.
    """

    values: Points
    gradients: tf.Tensor


def refine(
    model: Evaluator,
    rule: Rule,
    rows: Rows,
    points: Points,
    outputs: tf.Tensor,
    steps_taken: tf.Tensor,
    tableau: Tableau,
    rows_per_pass: tf.Tensor,
) -> Refined:
    """Integrates along polylines, with as many nodes as `rule.tolerance` takes, or `rule.refinements` allow.

    Args:
      model: what is explained.
      rule: has the tolerance; its nodes hold the middle of the segment.
      rows: the batch of B rows.
      points: structure of `[K + 1, B, ...]`.
      outputs: `[K + 1, B]`, f at these points.
      steps_taken: int32 `[B]`, the number of segments of each row.
      tableau: the rule's nodes, `[n]`.
      rows_per_pass: int32 scalar, the most rows in a pass.

    Returns:
      The sum. A row's miss is at most tolerance · |f(end) − f(start)|, unless the limit came first.
    """
    zeros = tf.nest.map_structure(lambda x: tf.zeros_like(x[0]), points)
    size = tf.size(steps_taken)
    allowed = tf.constant(rule.tolerance, outputs.dtype) * tf.abs(outputs[-1] - outputs[0])
    share = tf.math.divide_no_nan(allowed, tf.cast(steps_taken, outputs.dtype))
    nodes = tf.size(tableau.weights)
    middle = tf.argmin(tf.abs(tableau.positions - 0.5), output_type=tf.int32)
    per_pass = tf.maximum(1, rows_per_pass // nodes)

    def measure(pieces: _Pieces, sums: _Sums) -> tuple[_Sums, tf.Tensor, tf.Tensor]:
        """Adds the sums of some pieces to their rows; f in the middle of each, and whether it is good."""
        at = tf.stack([pieces.segment, pieces.row], axis=-1)
        further = tf.stack([pieces.segment + 1, pieces.row], axis=-1)
        start = tf.nest.map_structure(lambda x: tf.gather_nd(x, at), points)
        whole = tf.nest.map_structure(lambda x, s: tf.gather_nd(x, further) - s, points, start)
        width = pieces.end - pieces.start
        positions = pieces.start + tableau.positions[:, None] * width
        here = rows._replace(explicand=(), contrast=())
        here = tf.nest.map_structure(lambda x: tf.gather(x, pieces.row), here)
        seen = look_with(model, here)(joined(line(start, whole)(positions)[0]), nodes)
        values = tf.nest.map_structure(
            lambda g, d: tf.tensordot(tableau.weights, g, axes=1) * d * per_row(width, d),
            by_node(seen.output_gradient, whole),
            whole,
        )
        total = tf.add_n([tf.reduce_sum(tf.reshape(v, [tf.shape(v)[0], -1]), axis=-1) for v in tf.nest.flatten(values)])
        miss = total - (pieces.end_output - pieces.output)
        good = tf.abs(miss) <= tf.gather(share, pieces.row) * width

        def add(sum_: tf.Tensor, part: tf.Tensor, those: tf.Tensor) -> tf.Tensor:
            return tf.tensor_scatter_nd_add(
                sum_, pieces.row[:, None], tf.where(per_row(those, part), part, tf.zeros_like(part))
            )

        found = _Sums(
            good=tf.nest.map_structure(lambda s, v: add(s, v, good), sums.good, values),
            bad=tf.nest.map_structure(lambda s, v: add(s, v, ~good), sums.bad, values),
            good_miss=add(sums.good_miss, miss, good),
            bad_miss=add(sums.bad_miss, miss, ~good),
        )
        return found, tf.reshape(seen.output, [nodes, -1])[middle], good

    def measure_all(pieces: _Pieces, sums: _Sums) -> tuple[_Sums, tf.Tensor, tf.Tensor]:
        count = tf.size(pieces.row)

        def some(first: tf.Tensor, sums: _Sums, middles: tf.Tensor, goods: tf.Tensor) -> Any:
            part = _Pieces(*(x[first : first + per_pass] for x in pieces))
            sums, outputs_, good = measure(part, sums)
            return first + per_pass, sums, tf.concat([middles, outputs_], axis=0), tf.concat([goods, good], axis=0)

        empty = (tf.constant(0), sums, tf.zeros([0], outputs.dtype), tf.zeros([0], tf.bool))
        shapes = (tf.TensorShape([]), tf.nest.map_structure(lambda x: x.shape, sums), *[tf.TensorShape([None])] * 2)
        return tf.while_loop(
            lambda first, *_: first < count, some, empty, shape_invariants=shapes, parallel_iterations=1
        )[1:]

    def halve(level: tf.Tensor, pieces: _Pieces, sums: _Sums, gradients: tf.Tensor) -> Any:
        """One round: rows that add up keep what they have; of the others, pieces that are not good are halved."""
        before = sums._replace(bad=zeros, bad_miss=tf.zeros_like(sums.bad_miss))
        found, middles, good = measure_all(pieces, before)
        ones = tf.ones_like(pieces.row)
        gradients += nodes * tf.math.unsorted_segment_sum(ones, pieces.row, size)
        fine = tf.abs(found.good_miss + found.bad_miss) <= allowed
        open_ = ~good & ~tf.gather(fine, pieces.row)
        left = _Pieces(*(tf.boolean_mask(x, open_) for x in pieces))
        output, middle_ = tf.boolean_mask(middles, open_), (left.start + left.end) / 2
        halves = (left._replace(end=middle_, end_output=output), left._replace(start=middle_, output=output))
        # A row that adds up keeps the sums of its bad pieces; others keep them only until their halves are measured.
        kept = found._replace(
            good=tf.nest.map_structure(lambda g, b: tf.where(per_row(fine, g), g + b, g), found.good, found.bad),
            bad=tf.nest.map_structure(lambda b: tf.where(per_row(fine, b), tf.zeros_like(b), b), found.bad),
            good_miss=tf.where(fine, found.good_miss + found.bad_miss, found.good_miss),
            bad_miss=tf.where(fine, tf.zeros_like(found.bad_miss), found.bad_miss),
        )
        return level + 1, _Pieces(*(tf.concat(pair, axis=0) for pair in zip(*halves, strict=True))), kept, gradients

    segments = tf.tile(tf.range(tf.shape(outputs)[0] - 1)[:, None], [1, size])
    own = tf.cast(tf.where(segments < steps_taken[None]), tf.int32)
    further = own + tf.constant([[1, 0]])
    zero = tf.zeros(tf.shape(own)[:1], outputs.dtype)
    pieces = _Pieces(own[:, 1], own[:, 0], zero, zero + 1, tf.gather_nd(outputs, own), tf.gather_nd(outputs, further))
    nothing = tf.zeros([size], outputs.dtype)
    state = (tf.constant(0), pieces, _Sums(zeros, zeros, nothing, nothing), tf.zeros([size], tf.int32))
    free = tf.TensorShape([None])
    _, _, sums, gradients = tf.while_loop(
        lambda level, pieces, *_: (level <= rule.refinements) & (tf.size(pieces.row) > 0),
        halve,
        state,
        shape_invariants=(
            tf.TensorShape([]),
            _Pieces(*[free] * 6),
            tf.nest.map_structure(lambda x: x.shape, state[2]),
            state[3].shape,
        ),
        parallel_iterations=1,
    )
    return Refined(tf.nest.map_structure(tf.add, sums.good, sums.bad), gradients)

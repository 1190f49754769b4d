"""The contrast of Integrated Decision Gradients: baselines, and where on the line from each the output changes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import tensorflow as tf

from tf_ig2.contrasts.baselines import FromBaselines
from tf_ig2.contrasts.contrast import Prepared
from tf_ig2.paths.base import Evaluator, Points, Rows


class Decision(NamedTuple):
    """What one row is contrasted with.

    Attributes:
      baseline: structure of `[B, ...]`.
      reached: `[B, M + 1]`, from 0 to 1: the share of all change of f that has happened at α = m/M.
    """

    baseline: Points
    reached: tf.Tensor

    def position(self, share: tf.Tensor) -> tf.Tensor:
        """α `[B]` where shares `[B]` of the change have happened."""
        coarse = self.reached.shape[1] - 1
        piece = tf.searchsorted(self.reached, share[:, None], side="left")[:, 0] - 1
        piece = tf.clip_by_value(piece, 0, coarse - 1)
        low, high = (tf.gather(self.reached, piece + more, batch_dims=1) for more in (0, 1))
        inside = tf.math.divide_no_nan(share - low, high - low)
        return (tf.cast(piece, share.dtype) + tf.clip_by_value(inside, 0, 1)) / coarse


@dataclass(frozen=True)
class Decisions(FromBaselines):
    """Baselines, and a first coarse pass over the line from each.

    Attributes:
      coarse: M, the number of its pieces: one forward pass more.
    """

    coarse: int = 16

    def prepare(
        self, model: Evaluator, explicand: Points, inside: Points, target: Any, given: Any, own: bool
    ) -> Prepared:
        baselines = super().prepare(model, explicand, inside, target, given, own)

        def rows(i: tf.Tensor, r: tf.Tensor) -> Decision:
            baseline = baselines.rows(i, r)
            here, around = tf.nest.map_structure(lambda x: tf.gather(x, i), (explicand, inside))
            at = Rows((), around, () if isinstance(target, tuple) else tf.gather(target, i), ())
            dtype = tf.nest.flatten(here)[0].dtype

            def output(position: tf.Tensor) -> tf.Tensor:
                points = tf.nest.map_structure(lambda x, b: b + tf.cast(position, x.dtype) * (x - b), here, baseline)
                return model.evaluate(points, at, None, output_gradient=False, objective_gradient=False).output

            positions = tf.cast(tf.range(self.coarse + 1), dtype) / self.coarse
            outputs = tf.transpose(tf.map_fn(output, positions, parallel_iterations=1))
            outputs = tf.ensure_shape(outputs, [None, self.coarse + 1])
            change = tf.abs(outputs[:, 1:] - outputs[:, :-1])
            total = tf.reduce_sum(change, axis=1, keepdims=True)
            share = tf.where(total > 0, tf.math.divide_no_nan(change, total), tf.ones_like(change) / self.coarse)
            return Decision(baseline, tf.pad(tf.cumsum(share, axis=1), [[0, 0], [1, 0]]))

        return Prepared(baselines.count, rows)

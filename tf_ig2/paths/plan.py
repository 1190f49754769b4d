"""A walk as a whole: path, sum and contrast, and the one loop over (explicand, reference) pairs.

Explainers, callbacks, SavedModels and batch jobs hold the same `Walk` and go the same way.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import tensorflow as tf

from tf_ig2 import validation
from tf_ig2.contrasts.contrast import Contrast
from tf_ig2.paths.base import Evaluator, Path, Points, Rows
from tf_ig2.paths.keep import Keep
from tf_ig2.paths.rules import Rule
from tf_ig2.paths.sums import Tableau
from tf_ig2.paths.walk import Walked, walk


class Explained(NamedTuple):
    """The walks of N explicands with R references each, explicand first.

    Attributes:
      values: structure of `[N, ...]`, attributions, the mean over references, or the sum if the walk is `summed`.
      outputs, distances: `[N, R, K + 1]`, the explained output and the path's distance along each path.
      counterfactuals: structure of `[N, R, ...]`, the ends that are not the explicand, or `()`.
      path: structure of `[N, R, K', ...]`, the points that were kept, or `()`.
      steps_taken, stop, gradients: int32 `[N, R]`, see `tf_ig2.paths.walk.Walked`.
    """

    values: Points
    outputs: tf.Tensor
    distances: tf.Tensor
    counterfactuals: Any
    path: Any
    steps_taken: tf.Tensor
    stop: tf.Tensor
    gradients: tf.Tensor


@dataclass(frozen=True)
class Walk:
    """Where to walk, what to add up, and what to contrast with; it holds no model, and nothing that changes.

    Attributes:
      path: where to walk.
      rule: what is added up on each segment.
      segments: K, the number of segments, or their limit for a path whose rows stop.
      contrast: what explicands are contrasted with.
      summed: whether values are the sum over references and not the mean: where each is one part of the explanation.

    Raises:
      TypeError, ValueError: `segments` is not a positive integer.

    Example:
      >>> from tf_ig2 import IG2Explainer
      >>> walk = IG2Explainer(steps=5).walk
      >>> walk.segments, walk.path.starts_at_explicand
      (5, True)
    """

    path: Path
    rule: Rule
    segments: int
    contrast: Contrast
    summed: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "segments", validation.positive("segments", self.segments, integer=True))

    def tableau(self, references: int, dtype: tf.DType) -> Tableau:
        """The rule's nodes: positions `[n]`, or `[n, R]` where each of R references has its own; weights `[n]`."""
        positions, weights = self.rule.tableau(references)
        return Tableau(tf.constant(positions, dtype), tf.constant(weights, dtype))

    def explain(
        self,
        model: Evaluator,
        explicand: Points,
        inside: Points,
        target: Any,
        given: Any,
        own: bool,
        *,
        steps: tf.Tensor,
        tableau: Tableau,
        batch_size: tf.Tensor,
        keep: Keep,
        static: bool = False,
        on_step: Callable[[tf.Tensor], None] | None = None,
    ) -> Explained:
        """Walks from every explicand toward each of its references, some rows at a time, and averages, or sums.

        Args:
          model: what is explained.
          explicand: structure of `[N, ...]`.
          inside: structure of `[N, ...]`, what goes around an `input_layer`, or `()`.
          target: int32 `[N]`, or `()`.
          given: of the contrast; structure of `[R, ...]`, or `[N, R, ...]` if every explicand has its `own`.
          own: see `given`.
          steps: int32 scalar, K.
          tableau: from `tableau`.
          batch_size: int32 scalar, rows (explicand, reference) in a pass.
          keep: what to keep.
          static: shapes stay as they are, as XLA wants it; all rows go in one pass.
          on_step: called with numbers of steps, for progress.

        Returns:
          The walks.
        """
        prepared = self.contrast.prepare(model, explicand, inside, target, given, own)
        count, references = tf.shape(tf.nest.flatten(explicand)[0])[0], prepared.count
        total = count * references

        def walk_rows(row: tf.Tensor) -> Explained:
            """The walks of rows with these numbers, each `[B, ...]`."""
            i, r = row // references, row % references
            own_nodes = tableau.positions.shape.rank == 2
            walked = walk(
                model,
                self.path,
                self.rule,
                Rows(_of(i, explicand), _of(i, inside), _of(i, target), prepared.rows(i, r), r),
                steps=steps,
                tableau=tableau._replace(positions=tf.gather(tableau.positions, r, axis=1)) if own_nodes else tableau,
                rows_per_pass=batch_size,
                keep=keep,
                static=static,
                on_step=on_step,
            )
            return self._explicand_first(walked, keep)

        def joined(found: Explained) -> Explained:
            """Rows `[N·R, ...]` as `[N, R, ...]`, and the mean, or the sum, of their values."""
            by_explicand = tf.nest.map_structure(
                lambda x: tf.ensure_shape(
                    tf.reshape(x, tf.concat([[count, references], tf.shape(x)[1:]], axis=0)), [None, None, *x.shape[1:]]
                ),
                found._replace(values=()),
            )
            return by_explicand._replace(values=found.values)

        def gathered(sums: Points, i: tf.Tensor, values: Points) -> Points:
            share = 1 if self.summed else references

            def add(sum_: tf.Tensor, part: tf.Tensor) -> tf.Tensor:
                return tf.tensor_scatter_nd_add(sum_, i[:, None], part / tf.cast(share, part.dtype))

            return tf.nest.map_structure(add, sums, values)

        zeros = tf.nest.map_structure(tf.zeros_like, explicand)
        if static:
            row = tf.range(total)
            found = walk_rows(row)
            return joined(found._replace(values=gathered(zeros, row // references, found.values)))

        def some(first: tf.Tensor, number: tf.Tensor, sums: Points, arrays: Any) -> Any:
            row = tf.range(first, tf.minimum(first + batch_size, total))
            found = walk_rows(row)
            parts = tf.nest.flatten(found._replace(values=()))
            arrays = [array.write(number, part) for array, part in zip(arrays, parts, strict=True)]
            return first + batch_size, number + 1, gathered(sums, row // references, found.values), arrays

        like = self._structure(explicand, keep)
        arrays = [
            tf.TensorArray(part.dtype, 0, dynamic_size=True, infer_shape=False, element_shape=part.shape)
            for part in tf.nest.flatten(like)
        ]
        _, _, sums, arrays = tf.while_loop(
            lambda first, *_: first < total,
            some,
            (tf.constant(0), tf.constant(0), zeros, arrays),
            parallel_iterations=1,
        )
        rows = tf.nest.pack_sequence_as(like, [array.concat() for array in arrays])
        rows = tf.nest.map_structure(lambda x, part: tf.ensure_shape(x, part.shape), rows, like)
        return joined(rows._replace(values=sums))

    def _structure(self, explicand: Points, keep: Keep) -> Explained:
        """The dtypes and shapes of rows of a pass, without their values."""
        dtype = tf.nest.flatten(explicand)[0].dtype
        curve, number = tf.TensorSpec([None, None], dtype), tf.TensorSpec([None], tf.int32)

        def points(*leading: None) -> Any:
            return tf.nest.map_structure(lambda x: tf.TensorSpec([*leading, *x.shape[1:]], x.dtype), explicand)

        return Explained(
            values=(),
            outputs=curve,
            distances=curve,
            counterfactuals=points(None) if keep.counterfactuals else (),
            path=points(None, None) if keep.path else (),
            steps_taken=number,
            stop=number,
            gradients=number,
        )

    def _explicand_first(self, walked: Walked, keep: Keep) -> Explained:
        """A pass as rows `[B, ...]`, from the explicand to the other end."""
        forward = self.path.starts_at_explicand

        def rows_first(along: tf.Tensor) -> tf.Tensor:
            along = along if forward else along[::-1]
            return tf.transpose(along, [1, 0, *range(2, along.shape.rank)])

        return Explained(
            values=walked.values,
            outputs=rows_first(walked.outputs),
            distances=self.path.distance_value(rows_first(walked.objectives)),
            counterfactuals=(walked.end if forward else walked.start) if keep.counterfactuals else (),
            path=tf.nest.map_structure(rows_first, walked.path) if keep.path else (),
            steps_taken=walked.steps_taken,
            stop=walked.stop,
            gradients=walked.gradients,
        )

    def replace(self, **changes: Any) -> Walk:
        """The same walk with other parts."""
        return dataclasses.replace(self, **changes)


def _of(i: tf.Tensor, structure: Any) -> Any:
    return tf.nest.map_structure(lambda x: tf.gather(x, i), structure)

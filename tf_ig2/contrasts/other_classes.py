"""The contrast of AGI: other classes than the explained one, which each walk makes the model say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from tf_ig2.contrasts.contrast import Given, Prepared
from tf_ig2.contrasts.within_range import Room, WithinRange
from tf_ig2.paths.base import Evaluator, Points, Rows


class FalseClass(NamedTuple):
    """What one row of AGI is contrasted with.

    Attributes:
      room: where it may go.
      index: int32 `[B]`, the class that it goes toward.
      explained: int32 `[B]`, the class that it comes from.
    """

    room: Room
    index: tf.Tensor
    explained: tf.Tensor


@dataclass(frozen=True)
class OtherClasses(WithinRange):
    """False classes, one a row. The explained class is the target, or with a callable target the predicted class.

    Attributes:
      classes: their indices, or how many, at most as many as there are other classes.
      seed: draw that many, the same for all explicands but for their own classes; None: the most probable ones.
    """

    classes: int | tuple[int, ...] = 5
    seed: int | None = None

    def give(self, view: Any, value: Any, explicand: Any, batch_size: int) -> Given:
        super().give(view, value, explicand, batch_size)
        return Given(self._count(view.output_spec.shape), False, lambda rows: ())

    def bake(self, view: Any, value: Any) -> Any:
        self._count(view.output_spec.shape)
        return ()

    def prepare(
        self, model: Evaluator, explicand: Points, inside: Points, target: Any, given: Any, own: bool
    ) -> Prepared:
        classes = model.view.output_spec.shape  # type: ignore[attr-defined]
        room = self.room(explicand)

        def rows(i: tf.Tensor, r: tf.Tensor) -> FalseClass:
            here, around, where = tf.nest.map_structure(lambda x: tf.gather(x, i), (explicand, inside, room))
            index = () if isinstance(target, tuple) else tf.gather(target, i)
            at = Rows(here, around, index, ())
            outputs = model.evaluate(here, at, None, output_gradient=False, objective_gradient=False).outputs
            explained = tf.argmax(outputs, axis=-1, output_type=tf.int32) if isinstance(index, tuple) else index
            return FalseClass(where, self._choose(outputs, explained, r), explained)

        return Prepared(tf.constant(self._count(classes)), rows)

    def _count(self, shape: tf.TensorShape) -> int:
        """R.

        Raises:
          ValueError: the model has no classes to choose from, or not those that were named.
        """
        if shape.rank != 2 or shape[1] < 2:
            raise ValueError(f"AGI walks toward other classes, and the model's output {shape} has no other class.")
        if isinstance(self.classes, int):
            return min(self.classes, shape[1] - 1)
        if max(self.classes) >= shape[1]:
            raise ValueError(
                f"`classes` has {max(self.classes)}, which is out of range: the model's outputs are 0 … {shape[1] - 1}."
            )
        return len(self.classes)

    def _choose(self, outputs: tf.Tensor, explained: tf.Tensor, r: tf.Tensor) -> tf.Tensor:
        """int32 `[B]`: false class number r of each row."""
        if not isinstance(self.classes, int):
            return tf.gather(tf.constant(self.classes, tf.int32), r)
        others, count = outputs.shape[1] - 1, self._count(outputs.shape)
        if self.seed is None:
            own = tf.one_hot(explained, others + 1, on_value=True, off_value=False)
            ranked = tf.argsort(tf.where(own, outputs.dtype.min, outputs), axis=-1, direction="DESCENDING", stable=True)
            return tf.gather(ranked, r, batch_dims=1)
        draws = np.random.default_rng(self.seed).choice(others, count, replace=False)
        drawn = tf.gather(tf.constant(draws, tf.int32), r)
        return drawn + tf.cast(drawn >= explained, tf.int32)  # of the classes without the explained one

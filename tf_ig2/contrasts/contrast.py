"""What an explicand is contrasted with, as a walk sees it: one protocol for references, baselines, or nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np
import tensorflow as tf

from tf_ig2.paths.base import Evaluator, Points


@dataclass(frozen=True)
class Given:
    """What users pass to contrast N explicands with, checked and ready.

    Attributes:
      count: R, references or baselines of each explicand.
      own: whether every explicand has its own.
      part: what the explicands of a slice need: a structure of arrays `[R, ...]` that all share, or `[n, R, ...]`.
    """

    count: int
    own: bool
    part: Callable[[slice], Any]

    @classmethod
    def of(cls, arrays: Any, own: bool) -> Given:
        """Arrays `[R, ...]`, or `[N, R, ...]` if every explicand has its own."""
        count = np.shape(tf.nest.flatten(arrays)[0])[1 if own else 0]
        return cls(count, own, lambda rows: tf.nest.map_structure(lambda x: x[rows], arrays) if own else arrays)

    def repeated(self, times: int) -> Given:
        """The same where every explicand is there so many times, one behind the other."""
        if times < 2 or not self.own:
            return self

        def part(rows: slice) -> Any:
            first = rows.start // times
            here = np.arange(rows.start, rows.stop) // times - first
            return tf.nest.map_structure(lambda x: x[here], self.part(slice(first, -(-rows.stop // times))))

        return Given(self.count, True, part)


class Prepared(NamedTuple):
    """The contrasts of N explicands inside a graph.

    Attributes:
      count: int32 scalar, R.
      rows: `(i, r) -> contrast`, what the path contrasts explicands and references of these numbers with, int32 `[B]`.
    """

    count: tf.Tensor
    rows: Callable[[tf.Tensor, tf.Tensor], Any]


class Contrast:
    """Makes what a path needs of what users pass. Subclasses are frozen; `prepare` and `receive` are TensorFlow.

    Attributes:
      argument: the name of the argument of `explain` that it comes from; None: the explicand says all.
      required: whether users must pass it.
    """

    argument: ClassVar[str | None] = None
    required: ClassVar[bool] = False

    @property
    def bounds(self) -> tuple[float, float] | None:
        """The range that explicands must lie in, if there is one."""
        return None

    def give(self, view: Any, value: Any, explicand: Any, batch_size: int) -> Given:
        """Checks what users pass.

        Args:
          view: the `ModelView`, or `CallbackView`.
          value: what users pass.
          explicand: structure of arrays `[N, ...]`.
          batch_size: samples in a forward pass.
        """
        return Given(1, False, lambda rows: ())

    def bake(self, view: Any, value: Any) -> Any:
        """What an exported explainer carries of it, for all explicands alike: structure of arrays `[R, ...]`."""
        return ()

    def received_spec(self, view: Any) -> Any:
        """Structure of `tf.TensorSpec([None, ...])` of what may come with a request; None: nothing may."""
        return None

    def receive(self, view: Any, value: Points) -> Any:
        """The same as `bake`, inside a graph, for tensors `[R, ...]` that come with a request."""
        raise NotImplementedError(f"{type(self).__name__} takes nothing with a request.")

    def prepare(
        self, model: Evaluator, explicand: Points, inside: Points, target: Any, given: Any, own: bool
    ) -> Prepared:
        """The contrast of each row.

        Args:
          model: what is explained.
          explicand: structure of `[N, ...]`.
          inside: structure of `[N, ...]`, what goes around an `input_layer`, or `()`.
          target: int32 `[N]`, or `()`.
          given: what `Given.part`, `bake` or `receive` returned, as tensors.
          own: whether it is `[N, R, ...]`.
        """
        raise NotImplementedError


def count(given: Any, own: bool) -> tf.Tensor:
    """R, int32 scalar, of a structure of `[R, ...]` or `[N, R, ...]`."""
    return tf.shape(tf.nest.flatten(given)[0])[1 if own else 0]


def gather(given: Any, own: bool, i: tf.Tensor, r: tf.Tensor) -> Any:
    """Structure of `[B, ...]`: that of explicand i and reference r."""

    def one(x: tf.Tensor) -> tf.Tensor:
        return tf.gather_nd(x, tf.stack([i, r], axis=-1)) if own else tf.gather(x, r)

    return tf.nest.map_structure(one, given)

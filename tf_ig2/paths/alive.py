"""Which rows of a batch still walk: only they are evaluated."""

from __future__ import annotations

from typing import Any, TypeVar

import tensorflow as tf

from tf_ig2.paths.base import per_row

Structure = TypeVar("Structure")


class Alive:
    """The rows of a batch that have not ended.

    Args:
      rows: bool `[B]`.
      stops: whether rows end before the others at all; if not, all are alive, whatever `rows` says.
      static: leave shapes as they are, as XLA wants it: all rows are taken, and only living ones are put back.

    Example:
      >>> alive = Alive(tf.constant([True, False, True]), stops=True)
      >>> some = alive.take(tf.constant([1, 2, 3]))
      >>> alive.put(tf.constant([1, 2, 3]), 10 * some).numpy().tolist()
      [10, 2, 30]
    """

    def __init__(self, rows: tf.Tensor, *, stops: bool, static: bool = False):
        self._rows, self._stops, self._static = rows, stops, static
        if stops and not static:
            self._index = tf.cast(tf.where(rows)[:, 0], tf.int32)
            self._all = tf.reduce_all(rows)

    @property
    def index(self) -> tf.Tensor:
        """int32, the numbers of the rows that `take` gives."""
        return self._index if self._stops and not self._static else tf.range(tf.size(self._rows))

    def take(self, structure: Structure) -> Structure:
        """The living rows `[A, ...]` of a structure of `[B, ...]`."""
        if not self._stops or self._static:
            return structure

        def some() -> Any:
            return tf.nest.map_structure(lambda x: tf.gather(x, self._index), structure)

        return tf.cond(self._all, lambda: structure, some) if tf.nest.flatten(structure) else structure

    def put(self, whole: Structure, some: Structure) -> Structure:
        """The whole `[B, ...]` with what has become of the living rows `[A, ...]`."""
        if not self._stops:
            return some
        if self._static:
            return where(self._rows, some, whole)

        def scattered() -> Any:
            return tf.nest.map_structure(
                lambda x, new: tf.tensor_scatter_nd_update(x, self._index[:, None], new), whole, some
            )

        found = tf.cond(self._all, lambda: some, scattered)
        return tf.nest.map_structure(lambda x, new: tf.ensure_shape(new, x.shape), whole, found)


def where(rows: tf.Tensor, yes: Structure, no: Structure) -> Structure:
    """Row by row one or the other of two structures of `[B, ...]`; `rows` is bool `[B]`."""
    return tf.nest.map_structure(lambda a, b: tf.where(per_row(rows, a), a, b), yes, no)

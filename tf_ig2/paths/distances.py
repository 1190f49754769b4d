"""How far two representations are from each other (Eq. 4 and section 7.3 of the paper).

A distance has two faces: the `objective` that is differentiated to walk, and the `value` that is reported. They differ
only for the Euclidean distance, whose square has the same gradient direction and, unlike the root, a gradient at zero.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import tensorflow as tf


@dataclass(frozen=True)
class Distance:
    """A distance between batches of representations.

    Attributes:
      name: what to call it.
      objective: `(a, b) -> [B]`, for float tensors `a`, `b` of shape `[B, D]`; differentiable in `a`.
      value: `[B] -> [B]`, turns the objective into the distance that is reported.
    """

    name: str
    objective: Callable[[tf.Tensor, tf.Tensor], tf.Tensor]
    value: Callable[[tf.Tensor], tf.Tensor] = tf.identity

    def __repr__(self) -> str:
        return f"Distance({self.name!r})"


def _squared_euclidean(a: tf.Tensor, b: tf.Tensor) -> tf.Tensor:
    return tf.reduce_sum(tf.math.squared_difference(a, b), axis=-1)


def _cosine(a: tf.Tensor, b: tf.Tensor) -> tf.Tensor:
    return 1.0 - tf.reduce_sum(tf.math.l2_normalize(a, axis=-1) * tf.math.l2_normalize(b, axis=-1), axis=-1)


def _l1(a: tf.Tensor, b: tf.Tensor) -> tf.Tensor:
    return tf.reduce_sum(tf.abs(a - b), axis=-1)


_DISTANCES = {
    "euclidean": Distance("euclidean", _squared_euclidean, tf.sqrt),
    "squared_euclidean": Distance("squared_euclidean", _squared_euclidean),
    "cosine": Distance("cosine", _cosine),
    "l1": Distance("l1", _l1),
}


def get(distance: str | Distance) -> Distance:
    """Returns the distance of that name.

    Args:
      distance: `"euclidean"`, `"squared_euclidean"` (for steps of a given length the same path: only the reported
        value differs), `"cosine"`, `"l1"`, or a `Distance` of your own.

    Raises:
      TypeError: neither a name nor a distance.
      ValueError: the name is unknown.

    Example:
      >>> float(get("l1").objective(tf.constant([[1.0, 2.0]]), tf.constant([[0.0, 0.0]]))[0])
      3.0
    """
    if isinstance(distance, Distance):
        return distance
    if not isinstance(distance, str):
        raise TypeError(f"`distance` must be a name or a tf_ig2.Distance, not {distance!r}.")
    if distance not in _DISTANCES:
        raise ValueError(f"Unknown distance: {distance!r}. Choose one of {sorted(_DISTANCES)} or pass a Distance.")
    return _DISTANCES[distance]

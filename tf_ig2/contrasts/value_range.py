"""The range of values of explicands and their references, from which `"auto"` settings are made.

It is TensorFlow, so that an explainer prepares its contrast in the same way in Python and inside an exported graph.
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from tf_ig2.paths.base import Points
from tf_ig2.paths.base import value_range as of_samples


def with_references(explicand: Points, low: Any = None, high: Any = None) -> tuple[Points, Points]:
    """The range of each explicand together with its references.

    Args:
      explicand: structure of `[N, ...]`.
      low, high: structures of `[R]`, or `[N, R]`, the ranges of the references; None if they are not known.

    Returns:
      Two structures of `[N]`, of the explicand's dtypes.
    """
    lowest, highest = of_samples(explicand)

    def reach(join: Any, reduce: Any, ours: tf.Tensor, theirs: Any) -> tf.Tensor:
        return join(ours, tf.cast(reduce(theirs, axis=-1), ours.dtype))

    if low is not None:
        lowest = tf.nest.map_structure(lambda x, r: reach(tf.minimum, tf.reduce_min, x, r), lowest, low)
    if high is not None:
        highest = tf.nest.map_structure(lambda x, r: reach(tf.maximum, tf.reduce_max, x, r), highest, high)
    return lowest, highest

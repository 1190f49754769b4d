"""The points of a walk, as many of them as are kept."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from tf_ig2.paths.base import Points
from tf_ig2.paths.keep import Keep


def begin(keep: Keep, steps: tf.Tensor, start: Points) -> Any:
    """Room for the points that `keep` asks for, structure of `[K', B, ...]` with the first in place; `()` for none."""
    if not keep.path:
        return ()
    kept = keep.kept(steps)

    def room(x: tf.Tensor) -> tf.Tensor:
        whole = tf.zeros(tf.concat([[kept], tf.shape(x)], axis=0), x.dtype)
        return _write(tf.ensure_shape(whole, [None, *x.shape]), 0, x)

    return tf.nest.map_structure(room, start)


def write(trail: Any, keep: Keep, step: tf.Tensor, point: Points) -> Any:
    """Puts the point after step number `step` where it belongs: overwritten until the one that is kept, or the last."""
    if not keep.path:
        return ()
    slot = (step + keep.every) // keep.every
    return tf.nest.map_structure(lambda kept, x: _write(kept, slot, x), trail, point)


def end(trail: Any, keep: Keep, taken: tf.Tensor, point: Points) -> Any:
    """The trail of a walk that made `taken` steps and ended at `point`: it stays there."""
    if not keep.path:
        return ()
    last = (taken + keep.every - 1) // keep.every

    def stays(kept: tf.Tensor, x: tf.Tensor) -> tf.Tensor:
        beyond = tf.range(tf.shape(kept)[0]) >= last
        return tf.where(tf.reshape(beyond, [-1] + [1] * x.shape.rank), x[None], kept)

    return tf.nest.map_structure(stays, trail, point)


def thin(trail: Any, keep: Keep, steps: tf.Tensor) -> Any:
    """What `keep` asks for of a trail of all points."""
    if not keep.path:
        return ()
    wanted = tf.minimum(tf.range(keep.kept(steps)) * keep.every, steps)
    return tf.nest.map_structure(lambda kept: tf.gather(kept, wanted), trail)


def _write(buffer: tf.Tensor, index: tf.Tensor | int, value: tf.Tensor) -> tf.Tensor:
    return tf.tensor_scatter_nd_update(buffer, [[index]], value[None])

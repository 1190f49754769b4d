"""What of a spatial representation is compared: its mean or maximum over positions, or every position by itself."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

from tf_ig2.models.network import Key, Network

POOLS = ("auto", "mean", "max", None)
"""`"auto"` takes the mean over the positions of feature maps `[B, h, w, C]` and leaves everything else as it is;
`"mean"` and `"max"` pool whatever has positions `[B, …, C]`; None compares position by position."""

_LAYOUT_CHANGES = (keras.layers.Permute, keras.layers.Reshape, keras.layers.Flatten)


def checked(pool: Any) -> Any:
    """The way to pool, if it is one.

    Raises:
      ValueError: it is not.
    """
    if pool not in POOLS:
        raise ValueError(f"Unknown pool: {pool!r}. Choose one of {POOLS}.")
    return pool


def axes(pool: str | None, rank: int, channel_axis: int) -> list[int]:
    """The axes of a representation that are pooled away; none where it stays as it is."""
    if pool is None or rank < 3 or (pool == "auto" and rank != 4):
        return []
    return [axis for axis in range(1, rank) if axis != channel_axis % rank]


def pooled(x: tf.Tensor, pool: str | None, channel_axis: int = -1, mask: tf.Tensor | None = None) -> tf.Tensor:
    """A representation, pooled over its positions.

    Args:
      x: float `[B, …, C]`, or `[B, C, …]`.
      pool: one of `POOLS`.
      channel_axis: the axis of C.
      mask: bool, over all of x's axes but the channels; positions where it is False do not count.

    Returns:
      `[B, C]`, or x itself.

    Example:
      >>> pooled(tf.ones([2, 4, 4, 3]), "auto").shape, pooled(tf.ones([2, 4, 3]), "auto").shape
      (TensorShape([2, 3]), TensorShape([2, 4, 3]))
    """
    positions = axes(pool, x.shape.rank, channel_axis)
    if not positions:
        return x
    if mask is None:
        return tf.reduce_max(x, positions) if pool == "max" else tf.reduce_mean(x, positions)
    mask = tf.expand_dims(mask, channel_axis)
    if pool == "max":
        return tf.reduce_max(tf.where(mask, x, x.dtype.min), positions)
    return tf.math.divide_no_nan(
        tf.reduce_sum(tf.where(mask, x, 0), positions), tf.reduce_sum(tf.cast(mask, x.dtype), positions)
    )


def channel_axis(network: Network, key: Key) -> int:
    """The channels' axis of a tensor: that of the nearest layer before it which knows, the last one if none does."""
    while key in network.producer:
        node = network.producer[key]
        operation = node.operation
        layout = getattr(operation, "data_format", None)
        if layout is not None:
            return 1 if layout == "channels_first" else -1
        if isinstance(operation, keras.layers.BatchNormalization):
            return int(operation.axis)
        if isinstance(operation, _LAYOUT_CHANGES) or type(operation).__name__ in ("Reshape", "Transpose"):
            return -1
        key = node.inputs[0]
    return -1

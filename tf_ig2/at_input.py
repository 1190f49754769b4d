"""Explanations of an inner layer as maps of the input: where one looks is there, though one explained deeper."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf

_METHODS = ("bicubic", "bilinear")


def at_input(
    values: Any, inputs: Any, lead: int, method: str = "bicubic", *, of: Any = None, data_format: str | None = None
) -> tuple[np.ndarray, np.ndarray] | None:
    """Brings attributions of a layer to the input; see `Attribution.at_input` for what that is.

    Args:
      values: structure of arrays `[N, h, w, C]`, the attributions.
      inputs: structure of arrays `[N, H, W, C]`, the model's inputs; None: the attributions are of them already.
      lead: how many axes come before the positions: 1, or 0 for one explicand.
      method, of, data_format: see `Attribution.at_input`.

    Returns:
      The maps `[N, H, W]`, and the input that they are of; None where there is nothing to bring.

    Raises:
      ValueError: as `Attribution.at_input` does.
    """
    if method not in _METHODS:
        raise ValueError(f"Unknown `method`: {method!r}. Choose one of {_METHODS}.")
    data_format = data_format or keras.config.image_data_format()
    if data_format not in ("channels_last", "channels_first"):
        raise ValueError(f'`data_format` must be "channels_last" or "channels_first", not {data_format!r}.')
    if inputs is None:
        return None
    chosen, channels_first = _one_of(inputs, of), data_format == "channels_first"
    maps = [_map(part, chosen.shape, lead, channels_first, method) for part in tf.nest.flatten(values)]
    return np.sum(maps, axis=0), chosen


def spread(size: int, to: int, method: str = "bicubic") -> np.ndarray:
    """How values at some positions are spread over others: interpolated, every value's shares adding up to one.

    Args:
      size: number of positions that have values.
      to: number of positions over the same length, centres in the middle of each, as in `tf.image.resize`.
      method: `"bicubic"` or `"bilinear"`.

    Returns:
      float64 `[to, size]`; every column sums to 1, where `tf.image.resize` has rows that do.

    Example:
      >>> spread(1, 4).ravel()
      array([0.25, 0.25, 0.25, 0.25])
    """
    if size == to:
        return np.eye(size)
    one_by_one = tf.eye(size)[..., None]
    weights = tf.image.resize(one_by_one, [to, size], method, antialias=to < size).numpy()[..., 0].astype(np.float64)
    return weights / weights.sum(axis=0)


def _map(values: np.ndarray, inputs: tuple[int, ...], lead: int, channels_first: bool, method: str) -> np.ndarray:
    """The values `[N, h, w, C]` of one layer as a map `[N, H, W]`; with any number of positions' axes."""
    rank = values.ndim - lead
    channels = rank > 1 and len(inputs) - lead == rank
    where = inputs[lead + 1 :] if channels and channels_first else inputs[lead : lead + rank - 1]
    if rank < 2 or len(inputs) - lead not in (rank - 1, rank):
        raise ValueError(
            f"Attributions of shape {list(values.shape[lead:])} for each explicand have no positions that are those of "
            f"the input {list(inputs[lead:])}: they cannot be brought there."
        )
    maps = values.sum(axis=lead if channels_first else -1, dtype=np.float64)
    for axis, to in enumerate(where, start=lead):
        maps = np.moveaxis(np.tensordot(spread(maps.shape[axis], to, method), maps, axes=(1, axis)), 0, axis)
    return maps.astype(values.dtype)


def _one_of(inputs: Any, of: Any) -> np.ndarray:
    """The one input that the maps are of."""
    if isinstance(inputs, np.ndarray):
        return inputs
    parts = inputs if isinstance(inputs, dict) else dict(enumerate(inputs))
    if of is None and len(parts) == 1:
        return next(iter(parts.values()))
    if of not in parts:
        raise ValueError(f"The model has several inputs: say with `of` which one to map to, one of {list(parts)}.")
    return parts[of]

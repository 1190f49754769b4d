"""The door of the pictures: what cannot be drawn is refused by name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np


def finite(values: Any, name: str = "values") -> np.ndarray:
    """Numbers as float64.

    Raises:
      TypeError: there are no numbers.
      ValueError: some are NaN or infinite, or there is none.
    """
    array = np.asarray(values)
    if array.dtype.kind not in "fiub":
        raise TypeError(f"`{name}` must be numbers, not {array.dtype}.")
    if array.size == 0:
        raise ValueError(f"`{name}` is empty, of shape {list(array.shape)}: there is nothing to draw.")
    array = array.astype(np.float64)
    if not np.isfinite(array).all():
        raise ValueError(f"`{name}` holds NaN or infinite numbers, which have no colour: explain again or mask them.")
    return array


def channels_first(shape: Sequence[int]) -> bool:
    """Whether `[C, H, W]` is the likelier reading of three axes."""
    return len(shape) == 3 and shape[0] in (1, 3, 4) and min(shape[1:]) > 4


def image_map(values: Any, name: str = "values") -> np.ndarray:
    """Attributions of one image as a map `[H, W]`: those of `[H, W, C]` are summed over channels with their signs.

    Raises:
      TypeError, ValueError: not one image's, channels first, or not finite.
    """
    array = finite(values, name)
    shape = list(array.shape)
    if array.ndim == 4:
        raise ValueError(f"`{name}` of shape {shape} is a batch: draw one of them, {name}[0].")
    if channels_first(array.shape):
        raise ValueError(f"`{name}` of shape {shape} has its channels first: pass np.moveaxis({name}, 0, -1).")
    if array.ndim not in (2, 3):
        raise ValueError(f"`{name}` must be one image's, [H, W, C] or [H, W], not of shape {shape}.")
    return array.sum(axis=-1) if array.ndim == 3 else array


def pixels(image: Any, value_range: tuple[float, float] | None = None, name: str = "image") -> np.ndarray:
    """An image `[H, W]` or `[H, W, 3]` in [0, 1].

    Args:
      image: `[H, W]`, `[H, W, 1]` or `[H, W, 3]`, of any range.
      value_range: what is black and what is white; None: the smallest and the largest value.
      name: for messages.

    Raises:
      TypeError, ValueError: it is not one image, is channels first, or not finite.
    """
    array = finite(image, name)
    image_map(array, name)
    if array.ndim == 3 and array.shape[-1] not in (1, 3):
        raise ValueError(f"`{name}` must have 1 (grey) or 3 (RGB) channels, not {array.shape[-1]}.")
    low, high = value_range or (array.min(), array.max())
    shown = np.clip((array - low) / ((high - low) or 1.0), 0, 1)
    return shown[..., 0] if shown.ndim == 3 and shown.shape[-1] == 1 else shown


def row(values: Any, names: Sequence[str] | None, what: str = "feature_names") -> tuple[np.ndarray, list[str]]:
    """One number and one name for each feature or word; those of `[T, C]` are summed over C with their signs.

    Args:
      values: `[F]`, or `[T, C]` at an embedding.
      names: F names; None: their numbers.
      what: the names' own name, for messages.

    Raises:
      TypeError, ValueError: another shape, not finite, or another number of names.
    """
    array = finite(values)
    if array.ndim not in (1, 2):
        raise ValueError(f"`values` must be one explicand's, [F] or [T, C], not of shape {list(array.shape)}.")
    array = array.sum(axis=-1) if array.ndim == 2 else array
    if isinstance(names, str):
        raise TypeError(f"`{what}` must be a list of names, not one string.")
    named = [str(number) for number in range(len(array))] if names is None else [str(name) for name in names]
    if len(named) != len(array):
        raise ValueError(f"`{what}` are {len(named)} and the values {len(array)}: pass one for each.")
    return array, named

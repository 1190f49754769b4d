"""From attributions to one number per feature: what every metric ranks."""

from __future__ import annotations

from typing import Any

import numpy as np

from tf_ig2.attribution import Attribution

CHANNELS = ("absolute", "signed")
"""How the channels of a pixel, or the dimensions of a word vector, become one number."""


def feature_maps(attributions: Any, features: tuple[int, ...], channels: str = "absolute") -> np.ndarray:
    """One number for each feature.

    Args:
      attributions: an `Attribution` of N explicands or of one, or an array: either `[N, *features]`, one number for
        each feature already, or `[N, *features, C]`. One of an inner layer with other positions is brought to the input
        by `Attribution.at_input`, which sums its channels with their signs: "absolute" is then |that sum|.
      features: their shape, `(H, W)` for pixels or `(L,)` for words.
      channels: what happens to the last axis of `[N, *features, C]`: "absolute" sums |φ|, "signed" sums φ. It changes
        which method looks best, so say which one was used.

    Returns:
      float64 array `[N, *features]`.

    Raises:
      TypeError: several inputs at once, or not numbers.
      ValueError: another shape, unknown `channels`, NaN or infinite values.

    Example:
      >>> feature_maps(np.array([[[1.0, -3.0]]]), (1,)), feature_maps(np.array([[[1.0, -3.0]]]), (1,), "signed")
      (array([[4.]]), array([[-2.]]))
    """
    if channels not in CHANNELS:
        raise ValueError(f"Unknown `channels`: {channels!r}. Choose one of {CHANNELS}.")
    if isinstance(attributions, Attribution) and _is_elsewhere(attributions, features):
        attributions = attributions.at_input()
        values = np.expand_dims(attributions.values, -1)
    else:
        values = attributions.values if isinstance(attributions, Attribution) else attributions
    if isinstance(values, (dict, tuple)):
        raise TypeError("`attributions` has several inputs: pass the values of one of them.")
    maps = np.asarray(values)
    if maps.dtype.kind not in "biuf":
        raise TypeError(f"`attributions` must hold numbers, not {maps.dtype}.")
    if isinstance(attributions, Attribution) and attributions.output.ndim == 0:
        maps = maps[None]
    maps = maps.astype(np.float64)
    if maps.shape[1:-1] == features and maps.ndim == len(features) + 2:
        finite("attributions", maps)
        return np.abs(maps).sum(axis=-1) if channels == "absolute" else maps.sum(axis=-1)
    if maps.shape[1:] != features or maps.ndim != len(features) + 1:
        wanted = ", ".join(map(str, features))
        raise ValueError(f"`attributions` has shape {maps.shape}; wanted is [N, {wanted}] or [N, {wanted}, channels].")
    return finite("attributions", maps)


def _is_elsewhere(attribution: Attribution, features: tuple[int, ...]) -> bool:
    """Whether these are attributions of an inner layer that has other positions than the features."""
    if attribution.inputs is None:
        return False
    shape = (
        np.shape(attribution.values)[attribution.output.ndim :] if isinstance(attribution.values, np.ndarray) else ()
    )
    return features not in (shape, shape[:-1])


def finite(name: str, array: np.ndarray) -> np.ndarray:
    """Checks that there is neither NaN nor infinity.

    Raises:
      ValueError: there is.
    """
    if not np.isfinite(array).all():
        where = tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0])
        raise ValueError(f"`{name}` contains NaN or infinite values, the first at index {where}.")
    return array

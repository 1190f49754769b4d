"""Explanations as other libraries have them: shap's Explanation, and channels first."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from tf_ig2 import extras


def one_array(values: Any) -> np.ndarray:
    """The values of a model with one input.

    Raises:
      TypeError: they are a structure of several.
    """
    if isinstance(values, np.ndarray):
        return values
    parts = list(values) if isinstance(values, dict) else list(range(len(values)))
    raise TypeError(
        f"This is an explanation of several inputs, and one array cannot hold them: take one, values[{parts[0]!r}], "
        f"of {parts}."
    )


def to_shap(values: np.ndarray, data: Any, base: Any, names: Sequence[str] | None, leading: int) -> Any:
    """A `shap.Explanation`.

    Args:
      values: `[..., F, …]`, attributions.
      data: what was explained, dropped where its shape is another.
      base: `[...]`, what the values are added to; or None.
      names: F names, or None.
      leading: the number of axes before F.

    Raises:
      MissingExtraError: `shap` is not installed.
      ValueError: there are not as many names as features.
    """
    count = values.shape[leading]
    if names is not None and (isinstance(names, str) or len(names) != count):
        raise ValueError(f"`feature_names` must be {count} names, one for each feature, not {names!r}.")
    extras.need("shap", "shap", "to_shap")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # matplotlib's, by shap's plots
        import shap
    return shap.Explanation(
        values,
        base_values=None if base is None else base if leading else float(base),
        data=data if np.shape(data) == values.shape else None,
        feature_names=None if names is None else [str(name) for name in names],
    )


def channels_first(values: Any, explicand_axes: int) -> np.ndarray:
    """Rows with channels before positions.

    Args:
      values: `[N, H, W, C]`, `[N, H, W]`, `[N, T, C]` or `[N, F]`.
      explicand_axes: how many axes the explicands have, N among them: a map of an image has one fewer.

    Raises:
      TypeError, ValueError: several inputs, or more axes.
    """
    array = one_array(values)
    if array.ndim == 2:
        return array
    if array.ndim not in (3, 4):
        raise ValueError(f"Channels are those of images, signals or vectors, not of rows {list(array.shape[1:])}.")
    maps = array.ndim == 3 and explicand_axes == 4
    return array[:, None] if maps else np.moveaxis(array, -1, 1)

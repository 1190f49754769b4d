"""Wafer maps: attributions of dies, on a wafer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.collections import PatchCollection
from matplotlib.patches import Rectangle

from tf_ig2.plots import checked, notebook
from tf_ig2.plots.colours import DIVERGING

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def wafer(values: Any, dies: Any, percentile: float = 99, ax: Axes | None = None, title: str = "") -> Figure:
    """Attributions of a wafer's dies: coloured squares, failed ones with a dot; off the wafer there is nothing.

    Args:
      values: float `[H, W]`, or `[H, W, C]` at one-hot dies, which are summed over C with their signs.
      dies: `[H, W]`: 0 off the wafer, 1 a good die, 2 a failed one; or one-hot `[H, W, 3]`.
      percentile: of the dies' absolute values, beyond which the scale ends.
      ax: where to draw; None: a new figure.
      title: above it.

    Returns:
      The figure.

    Raises:
      TypeError, ValueError: other shapes, numbers that are no dies, NaN or infinite values, a batch.
    """
    drawn = checked.image_map(values)
    kinds = checked.finite(dies, "dies")
    if kinds.ndim == 3 and kinds.shape[-1] == 3:
        kinds = kinds.argmax(axis=-1)
    if kinds.shape != drawn.shape or not np.isin(kinds, (0, 1, 2)).all():
        raise ValueError(
            f"`dies` must be 0, 1 or 2 of shape {list(drawn.shape)}, or one-hot [H, W, 3], not {list(kinds.shape)}."
        )
    on = kinds > 0
    magnitudes = np.abs(drawn[on]) if on.any() else np.zeros(1)
    span = float(np.percentile(magnitudes, percentile) or magnitudes.max() or 1.0)
    if ax is None:
        ax = notebook.new(3.8, 3.4).subplots()
    figure = ax.get_figure()
    height, width = drawn.shape
    squares = [Rectangle((column, row), 1, 1) for row, column in np.argwhere(on)]
    shown = PatchCollection(squares, cmap=DIVERGING, edgecolor="#bbbbbb", linewidth=0.4, clim=(-span, span))
    shown.set_array(drawn[on])
    ax.add_collection(shown)
    rows, columns = np.nonzero(kinds == 2)
    size = max(0.3, min(16.0, (110.0 / max(height, width)) ** 2 / 3))
    ax.scatter(columns + 0.5, rows + 0.5, s=size, color="black", linewidths=0)
    ax.set(xlim=(0, width), ylim=(height, 0), aspect="equal", title=title)
    ax.axis("off")
    figure.colorbar(shown, ax=ax, shrink=0.8, label="attribution (dot: failed die)")  # type: ignore[union-attr]
    return figure  # type: ignore[return-value]

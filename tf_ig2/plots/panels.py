"""One panel of a figure: an input, or attributions, as a picture where it is one and as bars where it is not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tf_ig2.plots.maps import VisualizeImageDiverging

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_DIVERGING = "RdBu_r"


def heat_map(axes: Axes, values: np.ndarray, title: str = "", percentile: float = 99) -> None:
    """Draws attributions: red for, blue against, white for none.

    Args:
      axes: where to draw.
      values: `[H, W, C]` or `[H, W]` as a picture; anything else as bars, one per feature.
      title: the title.
      percentile: see `VisualizeImageDiverging`.
    """
    axes.set_title(title)
    if _is_image(values):
        axes.imshow(VisualizeImageDiverging(values, percentile), cmap=_DIVERGING, vmin=-1, vmax=1)
        axes.axis("off")
        return
    flat = np.asarray(values).ravel() if np.ndim(values) < 2 else np.sum(values, axis=-1).ravel()
    axes.bar(np.arange(flat.size), flat, color=np.where(flat >= 0, "tab:red", "tab:blue"), width=1.0)
    axes.axhline(0, color="black", linewidth=0.5)


def image(axes: Axes, pixels: np.ndarray, title: str = "", value_range: tuple[float, float] | None = None) -> None:
    """Draws an input: `[H, W, 1]`, `[H, W, 3]` or `[H, W]` as a picture, anything else as bars.

    Args:
      axes: where to draw.
      pixels: the input.
      title: the title.
      value_range: what is black and what is white; None: the smallest and the largest value.
    """
    axes.set_title(title)
    if not _is_image(pixels):
        axes.bar(np.arange(np.size(pixels)), np.ravel(pixels), color="grey", width=1.0)
        return
    low, high = value_range or (float(np.min(pixels)), float(np.max(pixels)))
    shown = np.clip((np.asarray(pixels, float) - low) / ((high - low) or 1.0), 0, 1)
    axes.imshow(shown.squeeze(-1) if shown.ndim == 3 and shown.shape[-1] == 1 else shown, cmap="gray", vmin=0, vmax=1)
    axes.axis("off")


def _is_image(values: np.ndarray) -> bool:
    shape = np.shape(values)
    return (len(shape) == 3 and shape[-1] in (1, 3)) or (len(shape) == 2 and min(shape) > 1)

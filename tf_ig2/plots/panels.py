"""One panel of a figure: an input, or attributions, as a picture where it is one and as bars where it is not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tf_ig2.plots import checked
from tf_ig2.plots.colours import AGAINST, DIVERGING, FOR
from tf_ig2.plots.maps import VisualizeImageDiverging

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def heat_map(
    axes: Axes,
    values: np.ndarray,
    title: str = "",
    percentile: float = 99,
    *,
    over: np.ndarray | None = None,
    alpha: float = 0.6,
    names: Sequence[str] | None = None,
) -> None:
    """Draws attributions: red for, blue against, white for none.

    Args:
      axes: where to draw.
      values: `[H, W, C]` or `[H, W]` as a picture; anything else as bars, one per feature.
      title: the title.
      percentile: see `VisualizeImageDiverging`.
      over: an image that the map is laid over, drawn in grey.
      alpha: how opaque the strongest attribution is over the image.
      names: of the features, for bars.

    Raises:
      TypeError, ValueError: values are NaN or infinite, have their channels first, or names are not one for each.
    """
    array = checked.finite(values)
    axes.set_title(title)
    if is_image(array):
        shown = VisualizeImageDiverging(checked.image_map(array), percentile)
        opaque: Any = None
        if over is not None:
            image(axes, grey(over), title, (-0.6, 1.0))  # light, so that colours keep theirs
            opaque = alpha * np.sqrt(np.abs(shown))
        height, width = shown.shape
        extent = (-0.5, width - 0.5, height - 0.5, -0.5)
        if over is not None:
            extent = (-0.5, np.shape(over)[1] - 0.5, np.shape(over)[0] - 0.5, -0.5)
        axes.imshow(shown, cmap=DIVERGING, vmin=-1, vmax=1, alpha=opaque, extent=extent)
        axes.axis("off")
        return
    flat = array.ravel() if array.ndim < 2 else array.sum(axis=-1).ravel()
    _, labels = checked.row(flat, names)
    axes.bar(np.arange(flat.size), flat, color=np.where(flat >= 0, FOR, AGAINST), width=0.9 if flat.size < 50 else 1.0)
    axes.axhline(0, color="black", linewidth=0.5)
    if names is not None:
        axes.set_xticks(np.arange(flat.size), labels, rotation=45 if flat.size < 8 else 90, ha="right")


def image(axes: Axes, pixels: np.ndarray, title: str = "", value_range: tuple[float, float] | None = None) -> None:
    """Draws an input: `[H, W, 1]`, `[H, W, 3]` or `[H, W]` as a picture, anything else as bars.

    Args:
      axes: where to draw.
      pixels: the input.
      title: the title.
      value_range: what is black and what is white; None: the smallest and the largest value.

    Raises:
      TypeError, ValueError: the input is no numbers, NaN or infinite, or has its channels first.
    """
    array = checked.finite(pixels, "image")
    axes.set_title(title)
    if not is_image(array):
        axes.bar(np.arange(array.size), array.ravel(), color="grey", width=0.9 if array.size < 50 else 1.0)
        return
    axes.imshow(checked.pixels(array, value_range), cmap="gray", vmin=0, vmax=1)
    axes.axis("off")


def grey(pixels: Any) -> np.ndarray:
    """An image as `[H, W]`: the mean of its colours."""
    array = checked.pixels(pixels)
    return array.mean(axis=-1) if array.ndim == 3 else array


def is_image(values: Any) -> bool:
    """Whether an array is drawn as a picture; also where it then turns out to have its channels first."""
    shape = np.shape(values)
    if checked.channels_first(shape):
        return True
    return (len(shape) == 3 and shape[-1] in (1, 3)) or (len(shape) == 2 and min(shape) > 1)

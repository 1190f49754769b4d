"""Maps of images: absolute, signed, laid over the image, several methods on one scale, and in regions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from tf_ig2.plots import checked, notebook, panels
from tf_ig2.plots.animation import path_of_images
from tf_ig2.plots.colours import DIVERGING
from tf_ig2.plots.maps import VisualizeImageGrayscale

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def grey(values: Any, percentile: float = 99, title: str = "") -> Figure:
    """How strongly each pixel contributes, whatever its sign: white is strongest.

    Args:
      values: `[H, W, C]` or `[H, W]`, one image's attributions.
      percentile: see `VisualizeImageGrayscale`.
      title: above it.

    Returns:
      The figure.

    Raises:
      TypeError, ValueError: another shape, channels first, NaN or infinite values. So for all functions here.
    """
    checked.image_map(values)
    figure, axes = _one(title)
    axes.imshow(VisualizeImageGrayscale(np.asarray(values), percentile), cmap="gray", vmin=0, vmax=1)
    return figure


def diverging(values: Any, percentile: float = 99, title: str = "") -> Figure:
    """What speaks for (red) and against (blue); white is zero. Arguments as for `grey`."""
    checked.image_map(values)
    figure, axes = _one(title)
    panels.heat_map(axes, checked.image_map(values), title, percentile)
    return figure


def overlay(values: Any, image: Any, alpha: float = 0.6, percentile: float = 99, title: str = "") -> Figure:
    """A signed map over the image in grey: the image is seen where nothing is attributed.

    Args:
      values: `[H, W, C]` or `[H, W]`; a map of another size is stretched over the image.
      image: `[H, W]`, `[H, W, 1]` or `[H, W, 3]`, of any range.
      alpha: how opaque the strongest attribution is, from 0 to 1.
      percentile: see `VisualizeImageDiverging`.
      title: above it.
    """
    if not 0 <= alpha <= 1:
        raise ValueError(f"`alpha` must be from 0 to 1, not {alpha!r}.")
    checked.image_map(values)
    figure, axes = _one(title)
    panels.heat_map(axes, checked.image_map(values), title, percentile, over=checked.pixels(image), alpha=alpha)
    return figure


def methods(maps: Mapping[str, Any], image: Any = None, percentile: float = 99, own_scale: bool = False) -> Figure:
    """Several methods' signed maps of one image side by side, on one scale, which the colour bar gives.

    Args:
      maps: name → `[H, W, C]` or `[H, W]`.
      image: the image, drawn first if it is given.
      percentile: of all absolute values, beyond which the scale ends.
      own_scale: give every map a scale of its own: methods that do not add up have no common unit.
    """
    if not maps:
        raise ValueError("`maps` is empty: pass at least one method's attributions by its name.")
    drawn = {name: checked.image_map(values, name) for name, values in maps.items()}
    everything = np.concatenate([np.abs(values).ravel() for values in drawn.values()])
    count = len(drawn) + (image is not None)
    figure = notebook.new(2.3 * count + 0.7, 2.7)
    row = list(figure.subplots(1, count, squeeze=False)[0])
    if image is not None:
        panels.image(row[0], checked.pixels(image), "image", (0.0, 1.0))
    shown: Any = None
    for axes, (name, values) in zip(row[count - len(drawn) :], drawn.items(), strict=True):
        span = _span(np.abs(values) if own_scale else everything, percentile)
        shown = axes.imshow(values, cmap=DIVERGING, vmin=-span, vmax=span)
        axes.set_title(name)
        axes.axis("off")
    if not own_scale:
        figure.colorbar(shown, ax=row, shrink=0.8, label="attribution")
    return figure


def regions(values: Any, labels: Any, image: Any = None, share: float = 0.25, title: str = "") -> Figure:
    """The most important regions: what they cover of the image is shown, the rest is faded, edges are drawn.

    Args:
      values: `[H, W, C]` or `[H, W]`, attributions to pixels or regions.
      labels: int `[H, W]`, the region of each pixel, as in `RegionAttribution.regions`.
      image: the image; None: the map itself is drawn, with the edges.
      share: of the image's area, up to which regions are shown, the densest first.
      title: above it.
    """
    drawn, numbers = checked.image_map(values), np.asarray(labels)
    if numbers.dtype.kind not in "iu" or numbers.shape != drawn.shape:
        raise ValueError(f"`labels` must be integers {list(drawn.shape)}, not {numbers.dtype} {list(numbers.shape)}.")
    if not 0 < share <= 1:
        raise ValueError(f"`share` must be from 0 to 1, not {share!r}.")
    names, place = np.unique(numbers, return_inverse=True)
    place = place.reshape(numbers.shape)
    sizes = np.bincount(place.ravel())
    density = np.bincount(place.ravel(), drawn.ravel()) / sizes
    order = np.argsort(-density, kind="stable")
    taken = order[: max(1, int(np.searchsorted(np.cumsum(sizes[order]), share * numbers.size, side="right")))]
    inside = np.isin(place, taken)
    figure, axes = _one(title)
    if image is None:
        panels.heat_map(axes, density[place], title, 100)
    else:
        seen = checked.pixels(image)
        if seen.shape[:2] != drawn.shape:
            raise ValueError(f"`image` is {list(seen.shape[:2])} and the map {list(drawn.shape)}: they must agree.")
        seen = seen if seen.ndim == 3 else np.repeat(seen[..., None], 3, axis=-1)
        axes.imshow(np.where(inside[..., None], seen, 0.75 + 0.25 * seen))
    if 0 < inside.sum() < inside.size:
        axes.contour(inside, levels=[0.5], colors="black", linewidths=1.2)
    axes.set_title(title or f"{len(taken)} of {len(names)} regions")
    return figure


def film_strip(
    path: Any, outputs: Any = None, frames: int = 8, value_range: tuple[float, float] | None = None
) -> Figure:
    """Points of a path as a strip of pictures, from explicand to its end; below, the output at each.

    Args:
      path: `[K, H, W, C]` or `[K, H, W]`, one path: `explanation.path[0]` of one explicand with `keep=Keep(path=True)`.
      outputs: float `[K]`, the explained output at each point, or None.
      frames: at most so many, evenly over the path, both ends among them.
      value_range: what is black and what is white; None: the smallest and the largest value of the whole path.
    """
    points = path_of_images(path)
    if frames < 2:
        raise ValueError(f"`frames` must be at least 2, not {frames!r}.")
    along = None if outputs is None else checked.finite(outputs, "outputs").ravel()
    if along is not None and len(along) != len(points):
        raise ValueError(f"`outputs` are {len(along)} and the path has {len(points)} points: pass one for each.")
    chosen = np.unique(np.linspace(0, len(points) - 1, frames).round().astype(int))
    limits = value_range or (float(points.min()), float(points.max()))
    figure = notebook.new(1.5 * len(chosen), 1.9)
    for axes, number in zip(figure.subplots(1, len(chosen), squeeze=False)[0], chosen, strict=True):
        said = "explicand" if number == 0 else "end" if number == len(points) - 1 else f"step {number}"
        panels.image(axes, points[number], said if along is None else f"{said}\n{along[number]:.2f}", limits)
    return figure


def _one(title: str) -> tuple[Figure, Any]:
    figure = notebook.new(3.0, 3.2 if title else 3.0)
    axes = figure.subplots()
    axes.set_title(title)
    axes.axis("off")
    return figure, axes


def _span(magnitudes: np.ndarray, percentile: float) -> float:
    return float(np.percentile(magnitudes, percentile) or magnitudes.max() or 1.0)

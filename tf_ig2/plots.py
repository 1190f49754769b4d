"""Pictures of explanations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.figure import Figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from tf_ig2.attribution import Attribution

_DIVERGING = "RdBu_r"


def VisualizeImageGrayscale(image_3d: np.ndarray, percentile: float = 99) -> np.ndarray:
    """How strongly each pixel contributes, whatever the sign: PAIR's picture of that name.

    Args:
      image_3d: float array `[H, W, C]`, or `[H, W]`.
      percentile: values above this percentile are drawn as 1.

    Returns:
      Float array `[H, W]` in [0, 1]: absolute values summed over channels, from the smallest to the percentile; a
      constant map is 0 everywhere.
    """
    image = np.abs(_finite(image_3d))
    image = image.sum(axis=2) if image.ndim == 3 else image
    low, high = image.min(), np.percentile(image, percentile)
    return np.clip((image - low) / (high - low), 0, 1) if high > low else np.zeros_like(image)


def VisualizeImageDiverging(image_3d: np.ndarray, percentile: float = 99) -> np.ndarray:
    """How strongly each pixel contributes, for or against: PAIR's picture of that name, as documented.

    Args:
      image_3d: float array `[H, W, C]`, or `[H, W]`.
      percentile: values beyond this percentile of the absolute values are drawn as ±1.

    Returns:
      Float array `[H, W]` in [−1, 1]: values summed over channels; zero stays zero.
    """
    image = _finite(image_3d)
    image = image.sum(axis=2) if image.ndim == 3 else image
    span = np.percentile(np.abs(image), percentile) or np.abs(image).max()
    return np.clip(image / span, -1, 1) if span > 0 else np.zeros_like(image)


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


def explanation(
    attribution: Attribution,
    *,
    reference: np.ndarray | None = None,
    others: Mapping[str, np.ndarray] | None = None,
    class_names: Sequence[str] | None = None,
    percentile: float = 99,
) -> Figure:
    """One explanation in a row: explicand, reference, GradCF, GradCFE, attributions, curves along the path.

    Args:
      attribution: of one explicand with one input (index a batch first: `explanation[0]`).
      reference: one reference, drawn beside the explicand.
      others: attributions of other methods by name, drawn beside.
      class_names: names of the classes, for the title.
      percentile: see `VisualizeImageDiverging`.

    Returns:
      The figure; `figure.savefig("explanation.png")` writes it.

    Raises:
      ValueError: the attribution holds a batch, or several inputs.
    """
    if attribution.output.ndim:
        raise ValueError("Pictures show one explicand: plot explanation[0], not the whole batch.")
    if not isinstance(attribution.values, np.ndarray):
        raise ValueError("Pictures show one input, and this model has several: plot the parts of `values` yourself.")
    method = str(attribution.settings.get("method", "attributions")).removesuffix("Explainer").replace("IG2", "IG²")
    panels: list[tuple[str, Any, Any]] = [("explicand", image, attribution.explicand)]
    if reference is not None:
        panels.append(("reference", image, reference))
    if attribution.counterfactuals is not None:
        panels.append(("GradCF" if method == "IG²" else "baseline", image, attribution.counterfactuals[0]))
        panels.append(("GradCFE" if method == "IG²" else "x − baseline", heat_map, attribution.gradcfe))
    panels.append((method, heat_map, attribution.values))
    panels.extend((name, heat_map, values) for name, values in (others or {}).items())

    figure = Figure(figsize=(2.3 * len(panels) + 3.6, 2.8), layout="constrained")
    axes = figure.subplots(1, len(panels) + 1, width_ratios=[1.0] * len(panels) + [1.6])
    inputs = [np.asarray(values) for _, draw, values in panels if draw is image]
    limits = (float(min(part.min() for part in inputs)), float(max(part.max() for part in inputs)))
    for axis, (title, draw, values) in zip(axes, panels, strict=False):
        if draw is image:
            image(axis, values, title, limits)
        else:
            heat_map(axis, values, title, percentile)
    _curves(axes[-1], attribution)
    if attribution.target is not None:
        index = int(attribution.target)
        name = class_names[index] if class_names is not None else f"output {index}"
        figure.suptitle(f"{name}, explained output {float(attribution.output):.2f}")
    return figure


def _curves(axes: Axes, attribution: Attribution) -> None:
    """The explained output and the distance along the path: each reference thin, their mean thick."""
    along = np.linspace(0, 1, attribution.outputs.shape[-1])
    lines = [(axes, attribution.outputs, "tab:red", "explained output")]
    if np.any(attribution.distances):
        lines.append((axes.twinx(), attribution.distances, "tab:blue", "distance to the reference"))
    for axis, curves, colour, label in lines:
        axis.plot(along, curves.T, color=colour, alpha=0.25, linewidth=0.8)
        axis.plot(along, curves.mean(axis=0), color=colour)
        axis.set_ylabel(label, color=colour)
    axes.set_xlabel("path: explicand → end")


def _is_image(values: np.ndarray) -> bool:
    shape = np.shape(values)
    return (len(shape) == 3 and shape[-1] in (1, 3)) or (len(shape) == 2 and min(shape) > 1)


def _finite(values: np.ndarray) -> np.ndarray:
    array = np.asarray(values, np.float64)
    if array.ndim not in (2, 3) or not np.isfinite(array).all():
        raise ValueError(f"A picture needs finite values of shape [H, W] or [H, W, C], not shape {array.shape}.")
    return array

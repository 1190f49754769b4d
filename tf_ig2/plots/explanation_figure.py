"""One explanation in a row: what was explained, what it is contrasted with, the attributions, and the way there."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from matplotlib.figure import Figure

from tf_ig2.plots.panels import heat_map, image

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class Explained(Protocol):
    """What a figure asks of an explanation: these attributes of an `Attribution`, which draws itself by this module."""

    @property
    def values(self) -> Any: ...
    @property
    def explicand(self) -> Any: ...
    @property
    def outputs(self) -> np.ndarray: ...
    @property
    def distances(self) -> np.ndarray: ...
    @property
    def target(self) -> Any: ...
    @property
    def counterfactuals(self) -> Any: ...
    @property
    def settings(self) -> dict[str, Any]: ...
    @property
    def output(self) -> np.ndarray: ...
    @property
    def gradcfe(self) -> Any: ...

    def at_input(self) -> Any: ...


def explanation(
    attribution: Explained,
    *,
    reference: np.ndarray | None = None,
    others: Mapping[str, np.ndarray] | None = None,
    class_names: Sequence[str] | None = None,
    percentile: float = 99,
) -> Figure:
    """One explanation in a row: explicand, reference, GradCF, GradCFE, attributions, curves along the path.

    Args:
      attribution: of one explicand with one input (index a batch first: `explanation[0]`). One of an inner layer is
        drawn as a map of the input, see `Attribution.at_input`, without GradCF and GradCFE, if it has positions.
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
    with contextlib.suppress(ValueError):  # a layer without positions is drawn as it is
        attribution = attribution.at_input()
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


def _curves(axes: Axes, attribution: Explained) -> None:
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

"""One explanation in a row: what was explained, what it is contrasted with, the attributions, and the way there."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from matplotlib.ticker import MaxNLocator

from tf_ig2 import describe
from tf_ig2.plots import checked, notebook
from tf_ig2.plots.colours import AGAINST, FOR
from tf_ig2.plots.panels import heat_map, image, is_image
from tf_ig2.plots.words import draw_words

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


class Explained(describe.Explained, Protocol):
    """What a figure asks of an explanation: these attributes of an `Attribution`, which draws itself by this module."""

    @property
    def distances(self) -> np.ndarray: ...
    @property
    def counterfactuals(self) -> Any: ...
    @property
    def gradcfe(self) -> Any: ...
    @property
    def path(self) -> Any: ...
    @property
    def steps_taken(self) -> Any: ...
    @property
    def counterfactual_output(self) -> np.ndarray: ...
    @property
    def summed(self) -> bool: ...

    def at_input(self) -> Any: ...


def explanation(
    attribution: Explained,
    *,
    reference: np.ndarray | None = None,
    others: Mapping[str, np.ndarray] | None = None,
    class_names: Sequence[str] | None = None,
    percentile: float = 99,
    ax: Axes | None = None,
    title: str | None = None,
    overlay: bool | float = False,
    feature_names: Sequence[str] | None = None,
    tokens: Sequence[str] | None = None,
) -> Figure:
    """One explanation in a row: explicand, reference, GradCF, GradCFE, attributions, curves along the path.

    What a method has not is not drawn: no curves without a path, no end of it without one. A model with several inputs
    has a row for each, with explicand and attributions.

    Args:
      attribution: of one explicand (index a batch first: `explanation[0]`). One of an inner layer is drawn as a map of
        the input, see `Attribution.at_input`, without GradCF and GradCFE, if it has positions.
      reference: one reference, drawn beside the explicand.
      others: attributions of other methods by name, drawn beside.
      class_names: names of the classes, for the title.
      percentile: see `VisualizeImageDiverging`.
      ax: matplotlib axes to draw the attributions alone into; None: a new figure with all that there is.
      title: above all; None: what was explained, and the output.
      overlay: lay the attributions of an image over it; a number is how opaque they are, True is 0.6.
      feature_names: F names, of a vector's features.
      tokens: T words, of a text's positions: they are drawn coloured.

    Returns:
      The figure; `figure.savefig("explanation.png")` writes it.

    Raises:
      TypeError, ValueError: the attribution holds a batch; values are not finite; names are not one for each.
    """
    if attribution.output.ndim:
        raise ValueError("Pictures show one explicand: plot explanation[0], not the whole batch.")
    with contextlib.suppress(ValueError):  # a layer without positions is drawn as it is
        attribution = attribution.at_input()
    drawn = _Attributions(percentile, overlay, feature_names, tokens)
    heading = title if title is not None else _heading(attribution, class_names)
    if not isinstance(attribution.values, np.ndarray):
        if ax is not None:
            raise ValueError("One axes cannot hold several inputs: leave `ax` out, or plot the parts of `values`.")
        return _several(attribution, drawn, heading)
    if ax is not None:
        drawn(ax, attribution.values, heading, attribution.explicand)
        return ax.get_figure()  # type: ignore[return-value]
    panels: list[tuple[str, str, Any]] = []
    if tokens is None:
        panels.append(("explicand", "input", attribution.explicand))
        if reference is not None:
            panels.append(("reference", "input", reference))
        if attribution.counterfactuals is not None:
            name = end(attribution)
            panels.append((name, "input", attribution.counterfactuals[0]))
            panels.append(("GradCFE" if name == "GradCF" else f"x − {name}", "values", attribution.gradcfe))
    panels.append((method(attribution.settings), "values", attribution.values))
    panels.extend((name, "values", values) for name, values in (others or {}).items())

    curved = attribution.outputs.shape[-1] > 2 and bool(np.isfinite(attribution.outputs).all())
    widths = [2.5 if tokens is not None else 1.0] * len(panels) + [1.6] * curved
    named = feature_names is not None and not is_image(attribution.values)
    figure = notebook.new(max(2.3 * sum(widths), 3.2), 3.6 if named else 2.8)
    axes = figure.subplots(1, len(widths), width_ratios=widths, squeeze=False)[0]
    inputs = [checked.finite(values, "explicand") for _, kind, values in panels if kind == "input"]
    limits = (min(part.min() for part in inputs), max(part.max() for part in inputs)) if inputs else None
    for axis, (name, kind, values) in zip(axes, panels, strict=False):
        if kind == "input":
            image(axis, values, name, limits)
        else:
            drawn(axis, values, name, attribution.explicand)
    if curved:
        curves(axes[-1], attribution)
    figure.suptitle(heading)
    return figure


def method(settings: Mapping[str, Any]) -> str:
    """A method's name, as titles have it."""
    return str(settings.get("method", "attributions")).removesuffix("Explainer").replace("IG2", "IG²")


def _heading(attribution: Explained, class_names: Sequence[str] | None) -> str:
    if attribution.target is None:
        return f"explained output {float(attribution.output):.3g}"
    index = int(attribution.target)
    name = class_name(index, class_names) or f"output {index}"
    return f"{name}, explained output {float(attribution.output):.3g}"


def walked(attribution: Explained, reference: int) -> tuple[np.ndarray, np.ndarray | None]:
    """The points of a path, without those where it had stopped, and the output at each where it is known.

    Args:
      attribution: of one explicand, whose path was kept.
      reference: which path.
    """
    path, outputs = attribution.path[reference], attribution.outputs[reference]
    if len(path) != len(outputs):
        return path, None
    taken = attribution.steps_taken
    count = len(path) if taken is None else min(len(path), max(2, int(taken[reference]) + 1))
    return path[:count], outputs[:count]


def class_name(index: int, class_names: Sequence[str] | None) -> str | None:
    """A class's name; None where there are no names.

    Raises:
      ValueError: there are names, and none for it.
    """
    if class_names is None:
        return None
    if isinstance(class_names, str) or not 0 <= index < len(class_names):
        raise ValueError(f"`class_names` must be a list of all classes' names; it has none for class {index}.")
    return str(class_names[index])


def end(attribution: Explained) -> str:
    """What the paths' ends are called. A walk toward references alone has distances."""
    return str(attribution.settings.get("end", "GradCF" if np.any(attribution.distances) else "path's end"))


class _Attributions:
    """Draws attributions as the user wants them."""

    def __init__(
        self,
        percentile: float,
        overlay: bool | float,
        feature_names: Sequence[str] | None,
        tokens: Sequence[str] | None,
    ):
        self._percentile, self._names, self._tokens = percentile, feature_names, tokens
        self._alpha = 0.6 if overlay is True else float(overlay)
        if not 0 <= self._alpha <= 1:
            raise ValueError(f"`overlay` must be True, False or a number from 0 to 1, not {overlay!r}.")

    def __call__(self, axes: Axes, values: Any, title: str, explicand: Any) -> None:
        if self._tokens is not None:
            draw_words(axes, self._tokens, values, title)
            return
        over = explicand if self._alpha and is_image(values) and is_image(explicand) else None
        names = None if is_image(values) else self._names
        heat_map(axes, values, title, self._percentile, over=over, alpha=self._alpha, names=names)


def _several(attribution: Explained, drawn: Callable[..., None], heading: str) -> Figure:
    """A row for each input: explicand and attributions."""
    values, explicands = attribution.values, attribution.explicand
    keys = list(values) if isinstance(values, Mapping) else list(range(len(values)))
    figure = notebook.new(6.0, 2.4 * len(keys))
    axes = figure.subplots(len(keys), 2, squeeze=False)
    for (left, right), key in zip(axes, keys, strict=True):
        name = key if isinstance(key, str) else f"input {key}"
        image(left, explicands[key], name)
        drawn(right, values[key], f"{name}: {method(attribution.settings)}", explicands[key])
    figure.suptitle(heading)
    return figure


def curves(axes: Axes, attribution: Explained) -> None:
    """The explained output and the distance, step by step: each reference thin, their mean thick."""
    points = attribution.outputs.shape[-1]
    taken = attribution.steps_taken
    if taken is not None:  # a path that has stopped stays where it is
        points = min(points, max(2, int(np.max(taken)) + 1))
    lines = [(axes, attribution.outputs, FOR, "explained output")]
    if np.any(attribution.distances):
        lines.append((axes.twinx(), attribution.distances, AGAINST, "distance to the reference"))
    for axis, curves, colour, label in lines:
        shown = curves[:, :points]
        axis.plot(shown.T, color=colour, alpha=0.25, linewidth=0.8)
        axis.plot(shown.mean(axis=0), color=colour)
        axis.set_ylabel(label, color=colour)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_xlabel(f"steps: explicand → {end(attribution)}")

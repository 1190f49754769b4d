"""Attributions of named features: as bars, as a way from one output to the other, and over many rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tf_ig2.plots import checked, notebook
from tf_ig2.plots.colours import AGAINST, FOR, NEUTRAL

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def bars(
    values: Any,
    feature_names: Sequence[str] | None = None,
    features: Any = None,
    top: int = 10,
    ax: Axes | None = None,
    title: str = "",
) -> Figure:
    """The largest attributions with names and numbers; what the others add up to is the last bar.

    Args:
      values: float `[F]`, one explicand's.
      feature_names: F names; None: their numbers.
      features: `[F]`, the explicand, whose numbers stand behind the names; or None.
      top: how many features.
      ax: where to draw; None: a new figure.
      title: above it.

    Returns:
      The figure.

    Raises:
      TypeError, ValueError: a batch, NaN or infinite values, or names that are not one for each.
    """
    rows = _largest(values, feature_names, features, top)
    figure, axes = _axes(ax, [name for name, _ in rows], title)
    numbers = [number for _, number in rows]
    places = np.arange(len(rows))[::-1]
    axes.barh(places, numbers, color=[FOR if number >= 0 else AGAINST for number in numbers])
    for place, number in zip(places, numbers, strict=True):
        _say(axes, number, place, f"{number:+.3g}", number >= 0)
    axes.axvline(0, color="black", linewidth=0.8)
    _finish(axes, places, [name for name, _ in rows], "attribution")
    return figure


def waterfall(
    values: Any,
    start: float,
    end: float,
    feature_names: Sequence[str] | None = None,
    features: Any = None,
    top: int = 10,
    ax: Axes | None = None,
    title: str = "",
) -> Figure:
    """From f(GradCF) to f(x), one feature after the other; what is missing at the end is a bar of its own.

    Args:
      values: float `[F]`, one explicand's.
      start: f(x′), the mean output at the paths' ends: `explanation.counterfactual_output.mean()`.
      end: f(x): `explanation.output`.
      feature_names, features, top, ax, title: as for `bars`.

    Returns:
      The figure: the last bar ends at f(x), whether the attributions add up or not.

    Raises:
      TypeError, ValueError: as `bars`; `start` or `end` is not a finite number.
    """
    ends = [checked.finite(number, name) for number, name in ((start, "start"), (end, "end"))]
    if any(number.size != 1 for number in ends):
        raise ValueError("`start` and `end` must be one number each: the outputs of one explicand.")
    first, last = (float(number.reshape(())) for number in ends)
    rows = _largest(values, feature_names, features, top)[::-1]
    missed = last - first - sum(number for _, number in rows)
    scale = max(abs(last - first), *(abs(number) for _, number in rows))
    if abs(missed) > 1e-3 * scale:
        rows.append(("completeness gap", missed))
    figure, axes = _axes(ax, [name for name, _ in rows], title)
    reached = first
    for place, (name, number) in enumerate(rows):
        colour = NEUTRAL if name == "completeness gap" else FOR if number >= 0 else AGAINST
        axes.barh(place, number, left=reached, color=colour)
        if place + 1 < len(rows):
            axes.plot([reached + number] * 2, [place, place + 1], color=NEUTRAL, linewidth=0.8)
        _say(axes, max(reached, reached + number), place, f"{number:+.3g}", True)
        reached += number
    axes.axvline(first, color=NEUTRAL, linewidth=0.8, linestyle=":")
    axes.axvline(last, color="black", linewidth=0.8, linestyle=":")
    _finish(axes, np.arange(len(rows)), [name for name, _ in rows], f"f(x′) = {first:.3g}  →  f(x) = {last:.3g}")
    return figure


def summary(
    values: Any, features: Any, feature_names: Sequence[str] | None = None, top: int = 10, title: str = ""
) -> Figure:
    """Attributions over many explicands: a row of points for each feature, coloured by the feature's value.

    Args:
      values: float `[N, F]`.
      features: float `[N, F]`, the explicands.
      feature_names: F names; None: their numbers.
      top: how many features, those of the largest mean absolute attribution.
      title: above it.

    Returns:
      The figure.

    Raises:
      TypeError, ValueError: one explicand, other shapes, or numbers that are not finite.
    """
    attributions, data = checked.finite(values), checked.finite(features, "features")
    if attributions.ndim != 2 or data.shape != attributions.shape:
        raise ValueError(
            f"`values` and `features` must both be [N, F], not {list(attributions.shape)} and {list(data.shape)}."
        )
    strength, names = checked.row(np.abs(attributions).mean(axis=0), feature_names)
    order = np.argsort(-strength, kind="stable")[: _positive(top)]
    figure, axes = _axes(None, [names[feature] for feature in order], title)
    rng = np.random.default_rng(0)
    places = np.arange(len(order))[::-1]
    points: Any = None
    for place, feature in zip(places, order, strict=True):
        column = data[:, feature]
        span = column.max() - column.min()
        shade = (column - column.min()) / span if span > 0 else np.full(len(column), 0.5)
        spread = place + rng.uniform(-0.3, 0.3, len(column)) * min(1.0, len(column) / 20)
        points = axes.scatter(attributions[:, feature], spread, c=shade, cmap="viridis", vmin=0, vmax=1, s=10)
    axes.axvline(0, color="black", linewidth=0.8)
    bar = figure.colorbar(points, ax=axes, ticks=[0, 1], label="value of the feature")
    bar.ax.set_yticklabels(["low", "high"])
    _finish(axes, places, [names[feature] for feature in order], "attribution")
    return figure


def _largest(values: Any, feature_names: Sequence[str] | None, features: Any, top: int) -> list[tuple[str, float]]:
    if np.ndim(values) != 1:
        raise ValueError(f"`values` must be one explicand's, [F], not of shape {list(np.shape(values))}.")
    row, names = checked.row(values, feature_names)
    if features is not None:
        data = checked.finite(features, "features")
        if data.shape != row.shape:
            raise ValueError(f"`features` must be {list(row.shape)} as the values, not {list(data.shape)}.")
        names = [f"{name} = {number:.4g}" for name, number in zip(names, data, strict=True)]
    order = np.argsort(-np.abs(row), kind="stable")
    kept, rest = order[: _positive(top)], order[_positive(top) :]
    rows = [(names[feature], float(row[feature])) for feature in kept]
    return [*rows, (f"{len(rest)} others", float(row[rest].sum()))] if len(rest) else rows


def _positive(top: int) -> int:
    if top < 1:
        raise ValueError(f"`top` must be positive, not {top!r}.")
    return top


def _axes(ax: Axes | None, names: Sequence[str], title: str) -> tuple[Figure, Axes]:
    if ax is None:
        longest = max(map(len, names))
        figure = notebook.new(6.0 + 0.08 * min(max(longest - 20, 0), 60), 0.34 * len(names) + 1.1)
        ax = figure.subplots()
    ax.set_title(title)
    return ax.get_figure(), ax  # type: ignore[return-value]


def _say(axes: Axes, x: float, y: float, text: str, right: bool) -> None:
    axes.annotate(
        text, (x, y), (4 if right else -4, 0), textcoords="offset points", va="center", fontsize=8,
        ha="left" if right else "right",
    )  # fmt: skip


def _finish(axes: Axes, places: Any, names: Sequence[str], label: str) -> None:
    axes.set_yticks(places, [name.replace("$", r"\$") for name in names])
    axes.set_xlabel(label)
    axes.use_sticky_edges = False  # room for the numbers beside the bars
    axes.margins(x=0.18, y=0.02)
    axes.spines[["top", "right"]].set_visible(False)

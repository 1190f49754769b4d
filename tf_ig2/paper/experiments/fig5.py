"""Fig. 5: attributions of y = max(x₁, x₂ − 1), where a straight line never meets the second feature (section 4.1)."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import tensorflow as tf

from tf_ig2.explainers.gradient import GradientExplainer
from tf_ig2.explainers.ig2 import IG2Explainer
from tf_ig2.explainers.integrated_gradients import IntegratedGradientsExplainer
from tf_ig2.models.model_view import ModelView
from tf_ig2.paper.experiments import report
from tf_ig2.paper.experiments.options import Options
from tf_ig2.paths.keep import Keep

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TITLE = "Fig. 5: a toy function, y = max(x₁, x₂ − 1)"
EXPLICAND, REFERENCE = (3.0, 3.0), (0.0, 0.0)
STEPS, STEP_SIZE = 100, 0.05
"""The way is 5 long, 3 along x₁ and 2 along x₂, because each step follows the one feature that is the larger."""


@dataclass(frozen=True)
class Toy:
    """What the figure shows.

    Attributes:
      attributions: method → `[2]`.
      path: `[K + 1, 2]`, GradPath from the explicand to GradCF.
    """

    attributions: dict[str, np.ndarray]
    path: np.ndarray

    @property
    def gradcf(self) -> np.ndarray:
        """`[2]`, where GradPath ends."""
        return self.path[-1]


def toy() -> ModelView:
    """The function, `[B, 2]` to `[B, 1]`; its representation is its output."""
    return ModelView.from_callables(
        lambda x: tf.maximum(x[:, :1], x[:, 1:] - 1), tf.identity, tf.TensorSpec([None, 2], tf.float64)
    )


def explain() -> Toy:
    """Explains the function at (3, 3) against (0, 0).

    Example:
      >>> explain().gradcf.round(1) + 0.0
      array([0., 1.])
    """
    view, x, references = toy(), np.array([EXPLICAND]), np.array([REFERENCE])
    ig2 = {
        rule: IG2Explainer(view, steps=STEPS, step_size=STEP_SIZE, rule=rule, clip_min_max=None).explain(
            x, references, 0, keep=Keep(path=True)
        )
        for rule in ("explicand", "trapezoid")
    }
    attributions = {
        "Gradient": GradientExplainer(view).explain(x, target=0).values[0],
        "IG": IntegratedGradientsExplainer(view, steps=STEPS).explain(x, references, 0).values[0],
        **{f"IG², {rule} rule": explanation.values[0] for rule, explanation in ig2.items()},
    }
    return Toy(attributions, np.asarray(ig2["trapezoid"].path)[0, 0])


def run(options: Options) -> list[Path]:
    """Explains the function and draws it.

    Args:
      options: only `out` matters: nothing is drawn at random.

    Returns:
      The files of results.
    """
    found = explain()
    image = io.BytesIO()
    picture(found).savefig(image, dpi=110, format="png")
    rows = [(name, *(f"{number:.6g}" for number in values)) for name, values in found.attributions.items()]
    points = [tuple(f"{number:.6g}" for number in point) for point in found.path]
    contents = {
        "fig5.md": markdown(found).encode(),
        "fig5.csv": _csv(("method", "x1", "x2"), rows),
        "fig5_path.csv": _csv(("x1", "x2"), points),
        "fig5.png": image.getvalue(),
    }
    return [report.write_whole(options.out / name, content) for name, content in contents.items()]


def markdown(found: Toy) -> str:
    """The attributions as a Markdown page."""
    lines = [f"# {TITLE}", "", "| | x₁ | x₂ | sum |", "|---|---|---|---|"]
    for name, (first, second) in found.attributions.items():
        lines.append(f"| {name} | {first:.3f} | {second:.3f} | {first + second:.3f} |")
    first, second = found.gradcf
    return "\n".join(
        [
            *lines,
            "",
            f"* Explicand (3, 3), reference (0, 0). GradPath: {STEPS} steps of {STEP_SIZE:g}; it ends at GradCF "
            f"({first:.2f}, {second:.2f}); in the limit of small steps at (0, 1).",
            "* On the straight line x₁ is always the larger, so that Gradient and IG give x₂ nothing. GradPath first "
            "makes x₁ small, and then both in turn.",
            f"* y(3, 3) − y(GradCF) = {_value(EXPLICAND) - _value(found.gradcf):.3f}. The trapezoid rule's "
            "attributions add up to this. The explicand's rule takes each gradient where a step begins, and there the "
            "moving feature is always the larger: it gives x − GradCF = (3, 2), which is 2 too much.",
            "",
            "![GradPath and the attributions](fig5.png)",
            "",
        ]
    )


def picture(found: Toy) -> Figure:
    """The two paths over contours of the function, and the attributions as bars."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 4), layout="constrained")
    plane, bars = figure.subplots(1, 2)
    axis = np.linspace(-0.5, 3.5, 161)
    first, second = np.meshgrid(axis, axis)
    filled = plane.contourf(first, second, np.maximum(first, second - 1), levels=16, cmap="Greys", alpha=0.6)
    figure.colorbar(filled, ax=plane, label="y")
    line = np.array([REFERENCE, EXPLICAND])
    plane.plot(*line.T, color="tab:orange", linestyle="--", label="straight line (IG)")
    plane.plot(*found.path.T, color="tab:blue", label="GradPath (IG²)")
    for point, name, colour in (
        (EXPLICAND, "explicand (3, 3)", "black"),
        (REFERENCE, "reference (0, 0)", "tab:orange"),
        (found.gradcf, f"GradCF ({abs(found.gradcf[0]):.2f}, {found.gradcf[1]:.2f})", "tab:blue"),
    ):
        plane.plot(*point, "o", color=colour)
        left = point is EXPLICAND
        plane.annotate(
            name, point, (-6 if left else 8, 8), textcoords="offset points", ha="right" if left else "left", fontsize=9
        )
    plane.set(xlabel="x₁", ylabel="x₂", aspect="equal", title="y = max(x₁, x₂ − 1)")
    plane.legend(loc="lower right", fontsize=8)
    width = 0.8 / len(found.attributions)
    colours = ("0.6", "tab:orange", "tab:cyan", "tab:blue")
    for place, ((name, values), colour) in enumerate(zip(found.attributions.items(), colours, strict=True)):
        drawn = bars.bar(np.arange(2) + (place - 1.5) * width, values, width, label=name, color=colour)
        bars.bar_label(drawn, fmt="%.2f", fontsize=8)
    bars.set_xticks([0, 1], ["x₁", "x₂"])
    bars.set(ylabel="attribution", title="Attributions")
    bars.legend(fontsize=8)
    return figure


def _value(point: Sequence[float] | np.ndarray) -> float:
    return max(float(point[0]), float(point[1]) - 1)


def _csv(header: Sequence[str], rows: Sequence[Sequence[str]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([header, *rows])
    return text.getvalue().encode()

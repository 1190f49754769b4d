"""Fig. 1: what three methods collect on their way, for one photograph."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tf_ig2 import plots
from tf_ig2.attribution import Attribution
from tf_ig2.explainers.guided_ig import GuidedIGExplainer
from tf_ig2.models.model_view import ModelView
from tf_ig2.paper.experiments import figures
from tf_ig2.paper.experiments.along_path import STEPS, straight_line
from tf_ig2.paper.experiments.methods import IG2, ig2_explainer
from tf_ig2.paper.experiments.options import Options
from tf_ig2.paper.experiments.task import Task
from tf_ig2.paper.experiments.tasks import imagenet
from tf_ig2.paths.keep import Keep
from tf_ig2.paths.rules import gauss_legendre

PHOTOGRAPH = "doberman.png"
ALPHAS = (0.02, 0.5, 1.0)
"""Where the integral so far is shown."""

Nodes = Sequence[tuple[float, float]]
"""Where on a segment, 0 at its end nearer the baseline and 1 at the other, gradients are taken, and their weights."""


@dataclass(frozen=True)
class Collected:
    """What a method collects along its path, averaged over references.

    Attributes:
      logits: float array `[R, K + 1]`, the explained logit at α = 0, 1/K … 1.
      contributions: float array `[K, ...]`, ∇f ⊙ Δγ of each segment.
      direction: float array `[...]`, γ′(1), in which the path arrives at the explicand, per unit of α.
    """

    logits: np.ndarray
    contributions: np.ndarray
    direction: np.ndarray

    def until(self, alpha: float) -> np.ndarray:
        """The attributions `[...]` collected from the baseline to α: whole segments, and of the last one its part."""
        count = alpha * len(self.contributions)
        whole = int(count)
        total = self.contributions[:whole].sum(axis=0)
        return total if whole == len(self.contributions) else total + (count - whole) * self.contributions[whole]


def run(options: Options) -> list[Path]:
    """Explains one photograph by Vanilla IG (from black), Guided IG (from the references) and IG².

    Args:
      options: see `Options`.

    Returns:
      The files of results.
    """
    task = imagenet.load(references=options.references or 8, seed=options.seed)
    task = task.take(np.array([task.names.index(PHOTOGRAPH)]))
    found = collect(task)
    gradient = gradients(task.view, task.points, int(task.target[0]))[0]
    figure, rows = draw(task, found, gradient, options.seed)
    count = task.references.shape[1]
    text = (
        f"{PHOTOGRAPH}, explained by three paths from a baseline (α = 0) to the photograph (α = 1). From left to "
        "right: the explained logit along the path (of several references the mean, with its 95 % bootstrap interval "
        "over references); the integral from the baseline to α = 0.02, 0.5 and 1, |φ| summed over channels and scaled "
        "to its own 99th percentile, with Σφ; and the direction in which the path arrives at the photograph. "
        "The gradient there, on the left, is the same for all three; what it is multiplied by is not.",
        f"Vanilla IG starts from black, Guided IG from the {count} reference photographs, as in the paper; IG² goes "
        f"toward them. MobileNetV2 at 224 × 224 (the paper: Inception-v3), {STEPS} steps of Vanilla and Guided IG. "
        f"One photograph, {count} references of random other classes, seed {options.seed}.",
    )
    header = ("quantity", "method", "alpha", "mean", "low", "high", "paths")
    return figures.write(options.out, "fig1", "Fig. 1: attributions along the path", figure, header, rows, text)


def collect(task: Task) -> dict[str, Collected]:
    """What the three methods collect for a task of one explicand."""
    target, keep = int(task.target[0]), Keep(counterfactuals=False, path=True)
    guided = GuidedIGExplainer(task.view, steps=STEPS, **task.options.get("Guided IG", {}))
    by_guided = guided.explain(task.inputs, task.references, task.target, keep=keep)
    by_ig2 = ig2_explainer(task).explain(task.inputs, task.references, task.target, keep=keep)
    straight = straight_line(task.points, STEPS)
    return {
        "Vanilla IG": along(task.view, straight, target, [(0.5, 1.0)]),
        "Guided IG": along(task.view, by_guided.path[0, :, ::-1], target, [(0.0, 1.0)]),
        IG2: along(task.view, by_ig2.path[0, :, ::-1], target, ig2_nodes(by_ig2)),
    }


def ig2_nodes(explanation: Attribution) -> Nodes:
    """Where IG² took its gradients, from the explanation's settings."""
    rule: Any = explanation.settings["rule"]
    if rule == "segment":
        tableau = gauss_legendre(explanation.settings["nodes"])
        return [(1 - position, weight) for position, weight in zip(tableau.nodes, tableau.weights, strict=True)]
    return {"explicand": [(1.0, 1.0)], "counterfactual": [(0.0, 1.0)], "trapezoid": [(0.0, 0.5), (1.0, 0.5)]}[rule]


def along(view: ModelView, paths: np.ndarray, target: int, nodes: Nodes) -> Collected:
    """Sums up along paths, in a plain way.

    Args:
      view: the network.
      paths: `[R, K + 1, ...]`, from the baselines to the explicand.
      target: the explained class.
      nodes: where on each segment the gradient is taken.

    Returns:
      What is collected; `until(1.0)` is what the explainer that walked these paths by this rule gives.
    """
    steps = np.diff(paths, axis=1)
    total = np.zeros(steps.shape[1:])
    for start, step in zip(paths[:, :-1], steps, strict=True):
        for position, weight in nodes:
            total += weight * gradients(view, start + position * step, target) * step / len(paths)
    logits = [view.outputs(tf.constant(path[i : i + 16]))[:, target] for path in paths for i in range(0, len(path), 16)]
    flat = np.concatenate([part.numpy() for part in logits])
    return Collected(flat.reshape(paths.shape[:2]), total, steps[:, -1].mean(axis=0) * steps.shape[1])


def gradients(view: ModelView, points: np.ndarray, target: int, batch_size: int = 16) -> np.ndarray:
    """∇f of the explained logit at points `[B, ...]`: an array of their shape."""
    parts = []
    for first in range(0, len(points), batch_size):
        batch = tf.constant(points[first : first + batch_size], view.points_spec.dtype)
        with tf.GradientTape() as tape:
            tape.watch(batch)
            output = tf.reduce_sum(view.outputs(batch)[:, target])
        parts.append(tape.gradient(output, batch).numpy())
    return np.concatenate(parts)


def draw(
    task: Task, found: dict[str, Collected], gradient: np.ndarray, seed: int
) -> tuple[Figure, list[tuple[object, ...]]]:
    """The figure, and the numbers in it.

    Args:
      task: of one explicand.
      found: by method.
      gradient: `[...]`, at the explicand.
      seed: of the bootstrap.
    """
    figure = Figure(figsize=(13.5, 2.75 * len(found)), layout="constrained")
    axes = figure.subplots(len(found), 3 + len(ALPHAS), width_ratios=[1, 1.35, *[1] * len(ALPHAS), 1])
    plots.image(axes[0, 0], task.points[0], "explicand", task.value_range)
    _magnitudes(axes[1, 0], gradient, "gradient at the explicand")
    plots.image(axes[2, 0], task.references[0, 0], "a reference", task.value_range)
    rows: list[tuple[object, ...]] = []
    limits = [min(part.logits.min() for part in found.values()), max(part.logits.max() for part in found.values())]
    for row, (method, part) in zip(axes, found.items(), strict=True):
        alphas = np.linspace(0, 1, part.logits.shape[1])
        estimates = figures.band(row[1], alphas, part.logits, method, figures.COLOURS[method], seed)
        rows += [("logit", method, float(a), *estimate) for a, estimate in zip(alphas, estimates, strict=True)]
        figures.tidy(row[1], method, "α", "explained logit")
        row[1].title.set(color=figures.COLOURS[method], fontsize=13)
        row[1].set_ylim(limits[0] - 1, limits[1] + 1)
        for axis, alpha in zip(row[2:], ALPHAS, strict=False):
            so_far = part.until(alpha)
            _magnitudes(axis, so_far, f"to α = {alpha:g}:  Σφ = {so_far.sum():.1f}")
            rows.append(("sum of attributions", method, alpha, float(so_far.sum()), "", "", len(part.logits)))
        _magnitudes(row[-1], part.direction, "direction at α = 1")
    return figure, rows


def _magnitudes(axes: Axes, values: np.ndarray, title: str) -> None:
    axes.imshow(plots.VisualizeImageGrayscale(values), cmap="inferno")
    axes.set_title(title, fontsize=10)
    axes.axis("off")

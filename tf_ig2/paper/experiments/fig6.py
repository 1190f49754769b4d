"""Fig. 6: do explanations of a digit follow it when it moves, and what do references of several digits show?"""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure, SubFigure

from tf_ig2 import plots
from tf_ig2.attribution import Attribution
from tf_ig2.explainers.expected_ig import ExpectedIGExplainer
from tf_ig2.explainers.ig2 import IG2Explainer
from tf_ig2.explainers.integrated_gradients import IntegratedGradientsExplainer
from tf_ig2.metrics.predict import Predictor
from tf_ig2.paper.experiments import figures, statistics
from tf_ig2.paper.experiments.methods import IG2
from tf_ig2.paper.experiments.options import Options
from tf_ig2.paper.experiments.task import Task
from tf_ig2.paper.experiments.tasks import mnist

SHIFTS = (-6, -4, -2, 0, 2, 4, 6)
"""Columns that the digit 1 is moved by; the network was trained with up to six."""

CONTRASTS = (3, 6, 9)
"""The digits that a 5 is explained against."""

SAMPLES = 100
_SHOWN = (-6, -4, 0, 4, 6)
_STEPS = 64


def run(options: Options) -> list[Path]:
    """Explains moved digits 1 against digits 7, and digits 5 against 3, 6 and 9.

    Args:
      options: see `Options`; tasks are "shift" (Fig. 6a) and "references" (Fig. 6b).

    Returns:
      The files of results.
    """
    parts = {"shift": _shifts, "references": _references}
    return [file for name in options.chosen(parts) for file in parts[name](options)]


def shifted(images: np.ndarray, columns: int) -> np.ndarray:
    """Images `[N, H, W, C]` moved to the right by some columns (left if negative); what comes in is 0.

    Example:
      >>> shifted(np.arange(1.0, 4.0).reshape(1, 1, 3, 1), 1).ravel()
      array([0., 1., 2.])
    """
    moved = np.zeros_like(images)
    width = images.shape[2]
    moved[:, :, max(columns, 0) : width + min(columns, 0)] = images[:, :, max(-columns, 0) : width - max(columns, 0)]
    return moved


def followed(values: np.ndarray, at_home: np.ndarray, columns: int) -> np.ndarray:
    """How well maps follow the digit: Pearson's correlation of its map, moved, with the moved digit's map.

    Args:
      values: `[N, H, W, C]`, attributions of the moved digits.
      at_home: `[N, H, W, C]`, of the digits where they stood.
      columns: that they were moved by, see `shifted`; the columns that came in are left out.

    Returns:
      float array `[N]` in −1 … 1; 1: the map moves with the digit, 0: it does not know of it.
    """
    seen = shifted(np.ones_like(at_home[:1]), columns)[0] > 0
    pairs = zip(values[:, seen], shifted(at_home, columns)[:, seen], strict=True)
    return np.array([np.corrcoef(a, b)[0, 1] for a, b in pairs])


def off_the_digit(values: np.ndarray, images: np.ndarray) -> np.ndarray:
    """The share `[N]` of Σ|φ| on pixels where there is no ink."""
    size = np.abs(values)
    axes = tuple(range(1, size.ndim))
    return (size * (images == 0)).sum(axis=axes) / size.sum(axis=axes)


def explanations(task: Task) -> dict[str, Attribution]:
    """Vanilla IG from black, Expected IG from the references, and IG² toward them."""
    x, references, target = task.inputs, task.references, task.target
    vanilla = IntegratedGradientsExplainer(task.view, steps=_STEPS)
    expected = ExpectedIGExplainer(task.view, steps=_STEPS // references.shape[1] or 1)
    ig2 = IG2Explainer(task.view, **{"clip_min_max": task.value_range, **task.options.get(IG2, {})})
    return {
        "Vanilla IG": vanilla.explain(x, 0.0, target, batch_size=256),
        "Expected IG": expected.explain(x, references, target, batch_size=256),
        IG2: ig2.explain(x, references, target, batch_size=256),
    }


def _shifts(options: Options) -> list[Path]:
    task = mnist.load(options.samples or SAMPLES, 1, 7, options.references or 8, options.seed)
    moved = {c: replace(task, inputs=shifted(task.inputs, c), points=shifted(task.points, c)) for c in SHIFTS}
    found = {columns: explanations(part) for columns, part in moved.items()}
    sure = Predictor(task.view, batch_size=512)
    known = [sure(part.inputs).argmax(axis=1) == part.target for part in moved.values()]
    figure = Figure(figsize=(12.5, 6.4), layout="constrained")
    sides: Any = figure.subfigures(1, 2, width_ratios=[1.55, 1.0])
    left, right = sides
    _draw_shifts(left, task, found)
    upper, lower = right.subplots(2, 1, sharex=True)
    rows: list[tuple[object, ...]] = []
    for method in found[0]:
        values = {columns: found[columns][method].values for columns in SHIFTS}
        follows = [followed(values[c], values[0], c) for c in SHIFTS]
        beside = [off_the_digit(values[c], moved[c].inputs) for c in SHIFTS]
        for axis, name, samples in ((upper, "correlation", follows), (lower, "share beside the ink", beside)):
            x, curves = np.array(SHIFTS, float), np.stack(samples, axis=1)
            estimates = figures.band(axis, x, curves, method, figures.COLOURS[method], options.seed)
            rows += [(name, method, c, *estimate) for c, estimate in zip(SHIFTS, estimates, strict=True)]
    figures.tidy(upper, "does the map follow the digit?", "", "correlation with the map, shifted")
    figures.tidy(lower, "what lies beside the strokes?", "shift (columns)", "share of Σ|φ| where no ink is")
    upper.set_xticks(SHIFTS)
    upper.legend(fontsize=8, loc="lower center")
    figure.suptitle("Shifted digits 1, explained against digits 7", fontsize=13)
    paragraphs = [
        "Digits 1, moved to the left and to the right, are explained against digits 7. Above right, the correlation of "
        "the map of the moved digit with the map of the digit where it stood, moved as far: 1 where a map moves with "
        "its digit (at shift 0 by definition). Below right, the share of all |φ| on pixels without ink: a black "
        "baseline can give none, so Vanilla IG follows the digit whatever the network does, and cannot say what is "
        "missing. The network's convolutions go four pixels at a time together, so that a digit moved by four "
        "columns looks the same to them, and one moved by two does not.",
        "Maps: red speaks for the explained digit, blue against it; each is scaled to its own 99th percentile.",
        f"The network recognises {np.mean(known):.1%} of the moved digits. " + " ".join(task.notes),
        _foot(options),
    ]
    header = ("quantity", "method", "shift", "mean", "low", "high", "digits")
    return figures.write(options.out, "fig6a", "Fig. 6a: shifted digits", figure, header, rows, paragraphs)


def _draw_shifts(figure: SubFigure, task: Task, found: dict[int, dict[str, Attribution]]) -> None:
    methods = list(found[0])
    axes = figure.subplots(1 + len(methods), 1 + len(_SHOWN))
    plots.image(axes[0, 0], task.references[0, 0], "a reference", task.value_range)
    for axis in axes[1:, 0]:
        axis.axis("off")
    for axis, method in zip(axes[1:, 0], methods, strict=True):
        axis.text(1.0, 0.5, method, ha="right", va="center", fontsize=12, transform=axis.transAxes)
    for column, columns in zip(axes[:, 1:].T, _SHOWN, strict=True):
        plots.image(column[0], shifted(task.inputs[:1], columns)[0], f"shift {columns:+d}", task.value_range)
        for axis, method in zip(column[1:], methods, strict=True):
            plots.heat_map(axis, found[columns][method].values[0])


def _references(options: Options) -> list[Path]:
    count = options.references or 8
    parts = {c: mnist.load(options.samples or SAMPLES, 5, c, count, options.seed) for c in CONTRASTS}
    found = {contrast: explanations(task) for contrast, task in parts.items()}
    figure = Figure(figsize=(11, 5.8), layout="constrained")
    axes = figure.subplots(len(CONTRASTS), 6)
    rows: list[tuple[object, ...]] = []
    for row, (contrast, task) in zip(axes, parts.items(), strict=True):
        ends = found[contrast][IG2].counterfactuals
        classes = Predictor(task.view, batch_size=512)(ends.reshape(-1, *ends.shape[2:])).argmax(axis=1)
        valid = statistics.mean((classes.reshape(ends.shape[:2]) == contrast).mean(axis=1), options.seed)
        rows.append(("GradCF is the reference's digit", IG2, str(contrast), *valid))
        plots.image(row[0], task.inputs[0], "explicand", task.value_range)
        plots.image(row[1], task.references[0, 0], f"a reference: {contrast}", task.value_range)
        plots.image(row[2], ends[0, 0], f"its GradCF\n({valid.mean:.0%} become {contrast})", task.value_range)
        for axis, (method, explanation) in zip(row[3:], reversed(found[contrast].items()), strict=True):
            plots.heat_map(axis, explanation.values[0], method)
    for a, b in combinations(CONTRASTS, 2):
        for method in found[a]:
            alike = followed(found[a][method].values, found[b][method].values, 0)
            rows.append(("correlation of the maps", method, f"{a} and {b}", *statistics.mean(alike, options.seed)))
    figure.suptitle("A digit 5, explained against digits 3, 6 and 9", fontsize=13)
    paragraphs = [
        "A digit 5 explained against digits 3, 6 and 9: what has to be added and taken away differs from one to the "
        "next. Vanilla IG knows nothing of references, so its three maps are one. The CSV file has, for all digits, "
        "how alike the maps for two contrasts are, and which share of the GradCFs the network takes for the "
        "reference's digit (one column of the picture has it too).",
        "Maps: red speaks for the 5, blue against it; each is scaled to its own 99th percentile.",
        parts[CONTRASTS[0]].notes[0].replace(f"the digit {CONTRASTS[0]}", f"the digits {CONTRASTS} in turn"),
        _foot(options),
    ]
    header = ("quantity", "method", "contrast", "mean", "low", "high", "digits")
    return figures.write(options.out, "fig6b", "Fig. 6b: references of 3, 6 and 9", figure, header, rows, paragraphs)


def _foot(options: Options) -> str:
    return f"Seed {options.seed}. Bands and intervals: 95 % bootstrap over explicands; pictures show the first of them."

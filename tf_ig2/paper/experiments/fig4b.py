"""Fig. 4b: how fast does the prediction fall along three paths?"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tf_ig2._version import __version__
from tf_ig2.paper.experiments import figures
from tf_ig2.paper.experiments.along_path import STEPS, Walker, softmax_along, walkers
from tf_ig2.paper.experiments.arms import Arm
from tf_ig2.paper.experiments.arms import run as run_arms
from tf_ig2.paper.experiments.methods import IG2, ig2_explainer, ig2_settings
from tf_ig2.paper.experiments.options import Options
from tf_ig2.paper.experiments.records import Records
from tf_ig2.paper.experiments.task import Task
from tf_ig2.paper.experiments.tasks import imagenet, mnist, trec

LOADERS: dict[str, Callable[..., Task]] = {"imagenet": imagenet.load, "mnist": mnist.load, "trec": trec.load}
SAMPLES = {"imagenet": 20, "mnist": 100, "trec": 100}
"""The paper has 100 of each."""

_LABELS = {"Vanilla IG": "straight line from black", "Guided IG": "Guided IG from black", IG2: "GradPath"}
_BATCH = 2  # explicands whose paths, of all references, are in memory at once


def run(options: Options) -> list[Path]:
    """Walks three paths for every explicand and draws the mean Softmax of the explained class along them.

    Args:
      options: see `Options`; tasks are "imagenet", "mnist" and "trec".

    Returns:
      The files of results.
    """
    wanted = options.chosen(LOADERS)
    figure = Figure(figsize=(1.2 + 3.9 * len(wanted), 3.6), layout="constrained")
    rows: list[tuple[object, ...]] = []
    notes = []
    for axes, name in zip(figure.subplots(1, len(wanted), squeeze=False, sharey=True)[0], wanted, strict=True):
        more = {"references": options.references} if options.references else {}
        task = LOADERS[name](samples=options.samples or SAMPLES[name], seed=options.seed, **more)
        rows += draw(axes, task, curves(task, options), options.seed)
        notes.append(" ".join(task.notes))
    all_axes = figure.axes
    all_axes[0].set_ylabel("Softmax of the explained class", fontsize=9)
    all_axes[0].legend(fontsize=8, loc="upper left")
    text = (
        "The Softmax of the explained class along three paths, from the baseline (α = 0) to the explicand (α = 1); "
        "α counts steps, not lengths. A long flat part near α = 1 is the saturated area, where gradients say little. "
        "Means over explicands (of an explicand, over its references), with 95 % bootstrap intervals over explicands. "
        f"The straight line and Guided IG have {STEPS} steps."
    )
    title = "Fig. 4b: the prediction along three paths"
    header = ("task", "path", "alpha", "mean", "low", "high", "explicands")
    return figures.write(options.out, "fig4b", title, figure, header, rows, (text, *notes, f"Seed {options.seed}."))


def curves(task: Task, options: Options) -> dict[str, np.ndarray]:
    """The Softmax along each path, `[N, K + 1]` by method; what an earlier run has finished is not computed again.

    Args:
      task: the explicands.
      options: where to, the seed, and progress.
    """
    settings = {
        "task": task.name,
        "references": int(task.references.shape[1]),
        "seed": options.seed,
        "steps": STEPS,
        "ig2": ig2_settings(ig2_explainer(task)),
        "tf_ig2": __version__,
    }
    records = Records(options.out / "records", "fig4b", settings)
    run_arms([_arm(task, *walker) for walker in walkers(task).items()], records, options.verbose)
    own = set(task.names)
    found: dict[str, list[list[float]]] = {}
    for record in records:
        if record.explicand in own:
            found.setdefault(record.arm, []).append([record.scores[key] for key in sorted(record.scores)])
    return {method: np.array(rows) for method, rows in found.items()}


def draw(axes: Axes, task: Task, found: dict[str, np.ndarray], seed: int) -> list[tuple[object, ...]]:
    """Draws the mean of each method's curves and returns the numbers."""
    rows: list[tuple[object, ...]] = []
    for method, samples in found.items():
        alphas = np.linspace(0, 1, samples.shape[1])
        estimates = figures.band(axes, alphas, samples, _LABELS[method], figures.COLOURS[method], seed)
        rows += [(task.name, _LABELS[method], float(a), *e) for a, e in zip(alphas, estimates, strict=True)]
    figures.tidy(axes, f"{task.name}, {len(task)} explicands", "α: baseline → explicand", "")
    axes.set_ylim(-0.02, 1.02)
    return rows


def _arm(task: Task, method: str, walker: Walker) -> Arm:
    def score(rows: np.ndarray) -> list[dict[str, float]]:
        part = task.take(rows)
        curve = softmax_along(part, walker(part))
        return [{f"{k:04d}": float(value) for k, value in enumerate(row)} for row in curve]

    return Arm(method, task.names, score, _BATCH)

"""Table 4: three paths × three baselines on wafers, to see what GradCF and GradPath each are good for."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tf_ig2.explainers.guided_ig import GuidedIGExplainer
from tf_ig2.explainers.integrated_gradients import IntegratedGradientsExplainer
from tf_ig2.paper.experiments import comparison, report, tasks
from tf_ig2.paper.experiments.methods import AgainstReferences, Method, ig2_explainer, ig2_settings
from tf_ig2.paper.experiments.options import Options
from tf_ig2.paper.experiments.published import WITH_TRUTH, by_metric
from tf_ig2.paper.experiments.task import Task
from tf_ig2.paths.keep import Keep

TITLE = "Table 4: paths and baselines"
TASKS = ("planted", "wafers")
STEPS = 64
"""Gradients on each path from a baseline: enough that paths and baselines are compared, and not sums' errors."""

GRADPATH = "GradPath (IG²), GradCF"

_PAPER = by_metric(
    WITH_TRUTH,
    {
        "Straight line, black": (0.732, 0.342, 0.829, 0.061),
        "Straight line, train data": (0.810, 0.445, 0.777, 0.053),
        "Straight line, GradCF": (0.845, 0.510, 0.842, 0.041),
        "Guided IG's path, black": (0.758, 0.450, 0.789, 0.050),
        "Guided IG's path, train data": (0.804, 0.493, 0.775, 0.043),
        "Guided IG's path, GradCF": (0.781, 0.472, 0.819, 0.037),
        GRADPATH: (0.849, 0.551, 0.898, 0.036),
    },
)

_NOTHING = Keep(counterfactuals=False)


def run(options: Options) -> list[Path]:
    """Explains wafers by every path from every baseline.

    Args:
      options: see `Options`; tasks are "planted" and "wafers".

    Returns:
      The files of results.
    """
    files = []
    for name in options.chosen(TASKS):
        task = tasks.load(name, options)
        settings = ig2_settings(ig2_explainer(task))
        records = comparison.compare("table4", task, paths_and_baselines(task), options, gradients=STEPS, ig2=settings)
        notes = (
            *task.notes,
            "Black: no dies at all, 0 everywhere. Train data: the references. GradCF: the ends of IG²'s paths toward "
            "the same references.",
            f"Seed {options.seed}; {STEPS} gradients on each path from a baseline; GradPath has {settings['steps']} "
            "steps toward each reference.",
        )
        made = comparison.tables(
            f"Table 4, {task.name}", records, GRADPATH, _PAPER, notes, options.seed, options.metrics
        )
        files += report.write(made, options.out, f"table4_{name}", f"{TITLE}: {task.name}")
    return files


def paths_and_baselines(task: Task, batch_size: int = 32, steps: int = STEPS) -> dict[str, Method]:
    """Every path from every baseline, by "path, baseline"; GradPath makes its own baseline.

    Args:
      task: its `options` are given to the explainers; explained at the network's input.
      batch_size: rows per forward pass.
      steps: gradients on each straight line and each of Guided IG's paths.

    Returns:
      Seven methods, in the paper's order.
    """
    ig2 = ig2_explainer(task)
    explainers = {
        "Straight line": IntegratedGradientsExplainer(task.view, steps=steps, **task.options.get("Vanilla IG", {})),
        "Guided IG's path": GuidedIGExplainer(task.view, steps=steps, **task.options.get("Guided IG", {})),
    }

    def gradcf(part: Task) -> np.ndarray:
        keep = Keep(counterfactuals=True)
        return ig2.explain(part.inputs, part.references, part.target, batch_size=batch_size, keep=keep).counterfactuals

    baselines = {"black": lambda part: 0.0, "train data": lambda part: part.references, "GradCF": gradcf}

    def pair(path: str, baseline: str) -> Method:
        explain, made = explainers[path].explain, baselines[baseline]
        return lambda part: explain(part.inputs, made(part), part.target, batch_size=batch_size, keep=_NOTHING).values

    found = {f"{path}, {baseline}": pair(path, baseline) for path in explainers for baseline in baselines}
    found[GRADPATH] = AgainstReferences(ig2, batch_size)
    return found

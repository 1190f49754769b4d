"""Table A.2: three distances between representations, as gaps to the Euclidean one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from tf_ig2.explainers.ig2 import IG2Explainer
from tf_ig2.paper.experiments import comparison, report, tasks
from tf_ig2.paper.experiments.methods import IG2, AgainstReferences, Method, ig2_explainer, ig2_settings
from tf_ig2.paper.experiments.options import Options
from tf_ig2.paper.experiments.paired import differences
from tf_ig2.paper.experiments.published import CURVES, WITH_TRUTH, Paper, by_metric
from tf_ig2.paper.experiments.task import Task

TITLE = "Table A.2: distances between representations"
EUCLIDEAN = "Euclidean"
DISTANCES = {EUCLIDEAN: "euclidean", "Cosine": "cosine", "ℓ1 norm": "l1"}

_PAPER: Mapping[str, Paper] = {
    "imagenet": by_metric(
        WITH_TRUTH, {"Cosine": (-0.055, -0.021, 0.018, 0.047), "ℓ1 norm": (-0.065, -0.027, -0.028, 0.003)}
    ),
    "trec": by_metric(CURVES, {"Cosine": (0.009, 0.007), "ℓ1 norm": (-0.010, 0.012)}),
    "planted": by_metric(
        WITH_TRUTH, {"Cosine": (-0.024, -0.019, -0.010, -0.002), "ℓ1 norm": (-0.072, -0.037, -0.029, 0.016)}
    ),
}


def run(options: Options) -> list[Path]:
    """Explains every task by IG² with every distance.

    Args:
      options: see `Options`; tasks are "imagenet", "trec" and "planted".

    Returns:
      The files of results: of each task the scores, and their differences to those of the Euclidean distance.
    """
    files = []
    for name in options.chosen(_PAPER):
        task = tasks.load(name, options)
        settings = ig2_settings(ig2_explainer(task))
        records = comparison.compare("tablea2", task, distances(task), options, ig2=settings)
        gaps = [gap for arm in DISTANCES if arm != EUCLIDEAN for gap in differences(records, arm, EUCLIDEAN)]
        notes = (*task.notes, f"Seed {options.seed}; IG² with {settings['steps']} steps toward each reference.")
        made = [
            *comparison.tables(
                f"Table A.2, {task.name}", records, EUCLIDEAN, None, notes, options.seed, options.metrics
            ),
            *comparison.tables(
                f"Table A.2, {task.name}, gap to Euclidean",
                gaps,
                EUCLIDEAN,
                _PAPER[name],
                notes,
                options.seed,
                options.metrics,
            ),
        ]
        files += report.write(made, options.out, f"tablea2_{name}", f"{TITLE}: {task.name}")
    return files


def distances(task: Task, batch_size: int = 32) -> dict[str, Method]:
    """IG² with each of `DISTANCES`, and else the task's options.

    Args:
      task: its options of IG², but for the distance.
      batch_size: rows per forward pass.

    Returns:
      The methods, by the distance's name.
    """

    def method(distance: str) -> Method:
        options = {"clip_min_max": task.value_range, **task.options.get(IG2, {}), "distance": distance}
        return AgainstReferences(IG2Explainer(task.view, **options), batch_size)

    return {name: method(distance) for name, distance in DISTANCES.items()}

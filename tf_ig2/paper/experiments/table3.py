"""Table 3: every method on real data, against ground truth and by information curves."""

from __future__ import annotations

from pathlib import Path

from tf_ig2.paper.experiments import comparison, report, tasks
from tf_ig2.paper.experiments.methods import GRADIENTS, IG2, methods
from tf_ig2.paper.experiments.options import Options
from tf_ig2.paper.experiments.published import CURVES, WITH_TRUTH, Paper, by_metric

TITLE = "Table 3: attribution methods on real data"

_PAPER: dict[str, Paper] = {
    "imagenet": by_metric(
        WITH_TRUTH,
        {
            "Gradient": (0.482, 0.336, 0.467, 0.209),
            "Vanilla IG": (0.536, 0.327, 0.476, 0.205),
            "Guided IG": (0.599, 0.464, 0.545, 0.212),
            "Expected IG": (0.666, 0.431, 0.557, 0.116),
            "DeepSHAP": (0.694, 0.470, 0.543, 0.206),
            "KernelSHAP": (0.747, 0.498, 0.561, 0.274),
            IG2: (0.805, 0.516, 0.656, 0.115),
        },
    ),
    "trec": by_metric(
        CURVES,
        {
            "Gradient": (0.909, 0.189),
            "Vanilla IG": (0.937, 0.159),
            "Guided IG": (0.938, 0.156),
            "Expected IG": (0.940, 0.141),
            "DeepSHAP": (0.933, 0.170),
            "KernelSHAP": (0.933, 0.172),
            IG2: (0.942, 0.140),
        },
    ),
    "planted": by_metric(
        WITH_TRUTH,
        {
            "Gradient": (0.570, 0.226, 0.661, 0.216),
            "Vanilla IG": (0.732, 0.342, 0.829, 0.061),
            "Guided IG": (0.758, 0.450, 0.789, 0.050),
            "Expected IG": (0.850, 0.488, 0.883, 0.038),
            "DeepSHAP": (0.863, 0.528, 0.890, 0.029),
            "KernelSHAP": (0.683, 0.339, 0.707, 0.042),
            IG2: (0.849, 0.551, 0.898, 0.036),
        },
    ),
}
_PAPER["wafers"] = _PAPER["planted"]


def run(options: Options) -> list[Path]:
    """Explains every task with every method and writes one page for each.

    Args:
      options: see `Options`; tasks are "imagenet", "trec", "planted" and "wafers".

    Returns:
      The files of results.
    """
    files = []
    for name in options.chosen(tasks.LOADERS):
        task = tasks.load(name, options)
        records = comparison.compare("table3", task, methods(task), options, gradients=GRADIENTS)
        budget = (
            f"{GRADIENTS} gradients per explicand where a method lets one choose; IG² takes its steps toward each of "
            f"{task.references.shape[1]} references, with two gradients a step."
        )
        notes = (*task.notes, f"Seed {options.seed}; {budget}")
        title = f"Table 3, {task.name}"
        made = comparison.tables(title, records, IG2, _PAPER[name], notes, options.seed, options.metrics)
        if task.studied:
            untouched = [record for record in records if record.explicand not in task.studied]
            title = f"{title}, without the {len(task.studied)} explicands that IG²'s settings were chosen on"
            made += comparison.tables(title, untouched, IG2, _PAPER[name], notes, options.seed, options.metrics)
        files += report.write(made, options.out, f"table3_{name}", f"{TITLE}: {task.name}")
    return files

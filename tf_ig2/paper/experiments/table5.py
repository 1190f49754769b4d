"""Table 5: references of classes that the network confuses with the explained one, against random other classes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np

from tf_ig2.contrasts import strategies
from tf_ig2.metrics.predict import Predictor
from tf_ig2.paper.datasets import imagenet
from tf_ig2.paper.experiments import comparison, report, tasks
from tf_ig2.paper.experiments.interference import has_interference
from tf_ig2.paper.experiments.methods import Method, ig2_explainer, ig2_settings
from tf_ig2.paper.experiments.options import Options
from tf_ig2.paper.experiments.paired import differences
from tf_ig2.paper.experiments.published import WITH_TRUTH, Paper, by_metric
from tf_ig2.paper.experiments.records import Record
from tf_ig2.paper.experiments.task import Task
from tf_ig2.paths.keep import Keep

TITLE = "Table 5: relevant and irrelevant references"
REFERENCES = 3
"""One of each other class of the top 4 predictions; of as many random other classes, to compare like with like."""

STRATEGIES = RELEVANT, IRRELEVANT = "Relevant", "Irrelevant"
SUBSETS = ("with interference", "pure background", "whole")

_PAPER = by_metric(
    WITH_TRUTH,
    {
        "Relevant, with interference": (0.905, 0.345, 0.901, 0.084),
        "Relevant, pure background": (0.755, 0.633, 0.537, 0.119),
        "Relevant, whole": (0.798, 0.551, 0.641, 0.109),
        "Irrelevant, with interference": (0.864, 0.273, 0.876, 0.086),
        "Irrelevant, pure background": (0.781, 0.613, 0.568, 0.126),
        "Irrelevant, whole": (0.805, 0.516, 0.656, 0.115),
    },
)
_GAPS: Paper = {
    subset: {
        key: round(number - _PAPER[f"{IRRELEVANT}, {subset}"][key], 3)
        for key, number in _PAPER[f"{RELEVANT}, {subset}"].items()
    }
    for subset in SUBSETS
}


def run(options: Options) -> list[Path]:
    """Explains photographs by IG² with both kinds of references.

    Args:
      options: see `Options`; the task is "imagenet", references are 3 if not given.

    Returns:
      The files of results: the scores, and the differences between both kinds.
    """
    options.chosen(["imagenet"])
    options = replace(options, references=options.references or REFERENCES)
    task = tasks.load("imagenet", options)
    shared = task.references.shape[1]
    pool = imagenet.load()
    chosen, ranks = relevant_references(task, pool.x, shared, options.seed)
    both = replace(task, references=np.concatenate([pool.x[chosen], task.references], axis=1))
    settings = ig2_settings(ig2_explainer(task))
    records = comparison.compare("table5", both, two_strategies(both), options, ig2=settings)
    interfered = has_interference(task.names)
    notes = (
        *task.notes,
        f"Irrelevant: these references. Relevant: {shared} photographs of the classes that the network gives the "
        f"highest outputs, but for the explained one, among those that it predicts for any of the {len(pool)} "
        f"photographs; {100 * np.mean(ranks <= 4):.0f} % of them are in the top 4 predictions, as all are in the "
        f"paper, half of them in the top {np.median(ranks):.0f}.",
        f"With interference: {interfered.sum()} photographs that show a person, another animal or another thing beside "
        f"the object, told by eye before any was explained; pure background: the other {np.sum(~interfered)}.",
        f"Seed {options.seed}; IG² with {settings['steps']} steps toward each reference.",
    )
    rows = by_subset(records, set(np.array(task.names)[interfered]))
    gaps = [gap for name in SUBSETS for gap in differences(rows, f"{RELEVANT}, {name}", f"{IRRELEVANT}, {name}", name)]
    made = [
        *comparison.tables("Table 5, ImageNet", rows, None, _PAPER, notes, options.seed, options.metrics),
        *comparison.tables(
            "Table 5, ImageNet, relevant − irrelevant", gaps, None, _GAPS, notes, options.seed, options.metrics
        ),
    ]
    return report.write(made, options.out, "table5", TITLE)


def relevant_references(task: Task, pool: np.ndarray, count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """One reference of each of the classes likeliest after the explained one, out of those that the pool has.

    Args:
      task: N explicands.
      pool: array `[M, ...]` of inputs; a photograph's class is the one that the network predicts for it.
      count: R.
      seed: of the choice among photographs of a class.

    Returns:
      int array `[N, R]`, places in the pool; and `[N, R]`, the ranks of their classes in the explicand's prediction,
      from 1, the likeliest.

    Raises:
      ValueError: the pool has fewer than `count` other classes for an explicand.
    """
    run = Predictor(task.view, batch_size=16)
    labels, outputs = run(pool).argmax(axis=1), run(task.inputs)
    present = np.isin(np.arange(outputs.shape[1]), labels)
    available = np.where(present, outputs, np.finfo(outputs.dtype).min)
    chosen = strategies.relevant(labels, available, task.target, top=count + 1, seed=seed)
    order = np.argsort(np.argsort(-outputs, axis=1, kind="stable"), axis=1)
    return chosen, np.take_along_axis(order, labels[chosen], axis=1) + 1


def two_strategies(task: Task, batch_size: int = 32) -> dict[str, Method]:
    """IG² with the first half of a task's references, which are relevant, and with the second half, which are not."""
    ig2, keep = ig2_explainer(task), Keep(counterfactuals=False)
    half = task.references.shape[1] // 2

    def method(places: slice) -> Method:
        return lambda part: (
            ig2.explain(part.inputs, part.references[:, places], part.target, batch_size=batch_size, keep=keep).values
        )

    return {RELEVANT: method(slice(None, half)), IRRELEVANT: method(slice(half, None))}


def by_subset(records: Iterable[Record], interfered: set[str]) -> list[Record]:
    """The same records once for the subset that their explicand is in and once for the whole.

    Args:
      records: of both strategies.
      interfered: the explicands with interference.

    Returns:
      Records of the arms "strategy, subset", in the paper's order.
    """
    records = list(records)
    members = {
        SUBSETS[0]: lambda name: name in interfered,
        SUBSETS[1]: lambda name: name not in interfered,
        SUBSETS[2]: lambda name: True,
    }
    return [
        replace(record, arm=f"{strategy}, {subset}")
        for strategy in STRATEGIES
        for subset, belongs in members.items()
        for record in records
        if record.arm == strategy and belongs(record.explicand)
    ]

"""Comparing methods, or variants of one, on a task by metrics of their maps."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from tf_ig2._version import __version__
from tf_ig2.metrics.maps import CHANNELS
from tf_ig2.metrics.metric import Explicands, Metric
from tf_ig2.paper.experiments.arms import Arm, run
from tf_ig2.paper.experiments.methods import Method, arm_settings
from tf_ig2.paper.experiments.options import Options
from tf_ig2.paper.experiments.published import Paper
from tf_ig2.paper.experiments.records import Record, Records
from tf_ig2.paper.experiments.table import Column, Table
from tf_ig2.paper.experiments.task import METRICS, Task

_WAYS = {"absolute": "|φ| summed over channels", "signed": "φ summed over channels"}


def compare(name: str, task: Task, methods: Mapping[str, Method], options: Options, **settings: Any) -> list[Record]:
    """Scores methods on a task; what an earlier run has finished is not computed again.

    A record that lacks a metric, because it is new, is completed: the explicand is explained again, and scored by what
    is missing. Records of IG² with other settings than it has now are dropped, and computed again.

    Args:
      name: of the experiment, for the file of records.
      task: the explicands.
      methods: arm → method.
      options: where to, by which metrics, the seed, and progress.
      **settings: what else the scores depend on.

    Returns:
      The records of these methods, explicands and metrics, in their order, whatever else the file has.
    """
    known = {
        "task": task.name,
        "data": _fingerprint(task),
        "layer": task.view.layer,
        "references": int(task.references.shape[1]),
        "curve_steps": task.curve_steps,
        "options": {method: {key: repr(value) for key, value in own.items()} for method, own in task.options.items()},
        "seed": options.seed,
        "tf_ig2": __version__,
        **settings,
    }
    records = Records(options.out / "records", name, known, arm_settings(methods))
    keys = task.keys(options.metrics)

    def arm(name: str, method: Method) -> Arm:
        def score(rows: np.ndarray) -> list[dict[str, float]]:
            part = task.take(rows)
            shared = set(keys).intersection(*(records.known(name, explicand) for explicand in part.names))
            missing = [metric for metric in options.metrics if not shared.issuperset(task.keys([metric]))]
            return part.scores(method(part), missing)

        return Arm(name, task.names, score, metrics=keys)

    run([arm(name, method) for name, method in methods.items()], records, options.verbose)
    found = {(record.arm, record.explicand): record for record in records}
    return [
        Record(name, explicand, {key: found[name, explicand].scores[key] for key in keys})
        for name in methods
        for explicand in task.names
    ]


def tables(
    title: str,
    records: Iterable[Record],
    champion: str | None,
    paper: Paper | None = None,
    notes: Iterable[str] = (),
    seed: int = 0,
    metrics: Sequence[Metric[Explicands]] = METRICS,
) -> list[Table]:
    """One table for each way to make one number of a feature's channels.

    Args:
      title: of all.
      records: the scores.
      champion: the arm that others are compared with; None: no comparison.
      paper: the paper's numbers.
      notes: lines below.
      seed: of the bootstrap.
      metrics: the columns, of which those are shown that the records have.

    Returns:
      A table for each of `CHANNELS` that the records have.
    """
    records = list(records)
    present = {key for record in records for key in record.scores}
    found = []
    for channels in CHANNELS:
        shown = [metric for metric in metrics if f"{metric.key}/{channels}" in present]
        if not shown:
            continue
        columns = [Column.of(metric, channels) for metric in shown]
        numbers = {
            (arm, f"{metric.key}/{channels}"): row[metric.key]
            for arm, row in (paper or {}).items()
            for metric in shown
            if metric.key in row
        }
        found.append(Table(f"{title}, {_WAYS[channels]}", columns, records, champion, numbers, tuple(notes), seed))
    return found


def _fingerprint(task: Task) -> str:
    """Of the data and the network: with another draw of references, or after training, scores are not comparable."""
    digest = hashlib.sha256()
    weights = [] if task.view.model is None else task.view.model.get_weights()
    for part in (task.inputs, task.target, task.references, task.background, task.masks, *weights):
        if isinstance(part, np.ndarray):
            digest.update(part.tobytes())
    return digest.hexdigest()[:12]

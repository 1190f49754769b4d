"""Comparing methods, or variants of one, on a task by the metrics of Table 3."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from tf_ig2._version import __version__
from tf_ig2.experiments.arms import Arm, run
from tf_ig2.experiments.methods import Method
from tf_ig2.experiments.options import Options
from tf_ig2.experiments.records import Record, Records
from tf_ig2.experiments.table import Column, Table
from tf_ig2.experiments.task import Task
from tf_ig2.metrics.maps import CHANNELS

METRICS = ("auc", "sum", "add", "del")
_LABELS = {"auc": "GT-AUC", "sum": "GT-SUM", "add": "SIC ADD", "del": "SIC DEL"}
_WAYS = {"absolute": "|φ| summed over channels", "signed": "φ summed over channels"}

Paper = Mapping[str, tuple[float | None, ...]]
"""The paper's numbers: arm → AUC, SUM, ADD, DEL."""


def compare(name: str, task: Task, methods: Mapping[str, Method], options: Options, **settings: Any) -> list[Record]:
    """Scores methods on a task; what an earlier run has finished is not computed again.

    Args:
      name: of the experiment, for the file of records.
      task: the explicands.
      methods: arm → method.
      options: where to, the seed, and progress.
      **settings: what else the scores depend on.

    Returns:
      The records of these methods and explicands, in their order, whatever else the file has.
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
    records = Records(options.out / "records", name, known)

    def arm(name: str, method: Method) -> Arm:
        def score(rows: np.ndarray) -> list[dict[str, float]]:
            part = task.take(rows)
            return part.scores(method(part))

        return Arm(name, task.names, score)

    run([arm(name, method) for name, method in methods.items()], records, options.verbose)
    found = {(record.arm, record.explicand): record for record in records}
    return [found[name, explicand] for name in methods for explicand in task.names]


def tables(
    title: str,
    records: Iterable[Record],
    champion: str | None,
    paper: Paper | None = None,
    notes: Iterable[str] = (),
    seed: int = 0,
) -> list[Table]:
    """One table for each way to make one number of a feature's channels.

    Args:
      title: of both.
      records: the scores.
      champion: the arm that others are compared with; None: no comparison.
      paper: the paper's numbers.
      notes: lines below.
      seed: of the bootstrap.

    Returns:
      A table for each of `CHANNELS` that the records have.
    """
    records = list(records)
    present = {key for record in records for key in record.scores}
    found = []
    for channels in CHANNELS:
        keys = [f"{metric}/{channels}" for metric in METRICS if f"{metric}/{channels}" in present]
        if not keys:
            continue
        columns = [
            Column(key, _LABELS[key.partition("/")[0]], higher_is_better=not key.startswith("del")) for key in keys
        ]
        numbers = {
            (arm, f"{metric}/{channels}"): number
            for arm, row in (paper or {}).items()
            for metric, number in zip(METRICS, row, strict=True)
            if number is not None
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

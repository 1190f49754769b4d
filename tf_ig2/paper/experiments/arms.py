"""Running an experiment: every arm over every explicand that is not finished yet."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from tf_ig2.paper.experiments.records import Record, Records
from tf_ig2.progress_bar import tqdm

Scorer = Callable[[np.ndarray], Sequence[dict[str, float]]]


@dataclass(frozen=True)
class Arm:
    """One row of a table.

    Attributes:
      name: the method, or the variant of it; unique within the experiment.
      explicands: their names, in order.
      score: from rows (int array `[B]`, places in `explicands`) to one dict of metrics for each.
      batch: B, how many explicands are explained together; what a kill can cost.
      metrics: what a record must have to be finished. A record that has some of them is completed: `score` may give
        only what it lacks.
    """

    name: str
    explicands: Sequence[str]
    score: Scorer
    batch: int = 8
    metrics: Sequence[str] = ()


def run(arms: Sequence[Arm], records: Records, verbose: bool = True) -> None:
    """Scores what is not scored yet; each batch is on disk before the next begins.

    Args:
      arms: with unique names.
      records: what is finished; grows.
      verbose: show a progress bar of explicands.

    Raises:
      ValueError: two arms share a name, or two explicands of an arm; an arm gives another number of scores than it got
        rows, or one that is not finite.
    """
    if len({arm.name for arm in arms}) != len(arms):
        raise ValueError(f"Arms share a name: {[arm.name for arm in arms]}.")
    pending = {}
    for arm in arms:
        twice = [name for name, count in Counter(arm.explicands).items() if count > 1]
        if twice:
            raise ValueError(f"Explicands of {arm.name!r} share a name: {twice}.")
        finished = records.finished(arm.name, arm.metrics)
        pending[arm.name] = np.array([i for i, name in enumerate(arm.explicands) if name not in finished], np.int64)
    total = sum(len(arm.explicands) for arm in arms)
    done = total - sum(map(len, pending.values()))
    with tqdm(total=total, initial=done, unit="explicand", disable=None if verbose else True) as bar:
        for arm in arms:
            rows = pending[arm.name]
            for first in range(0, len(rows), arm.batch):
                batch = rows[first : first + arm.batch]
                bar.set_postfix_str(arm.name)
                scores = arm.score(batch)
                records.append(
                    Record(arm.name, name, {**records.known(arm.name, name), **score})
                    for name, score in zip([arm.explicands[row] for row in batch], scores, strict=True)
                )
                bar.update(len(batch))

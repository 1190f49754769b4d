"""References from near to far, counterfactual or not, and what the metrics say of explanations by each (Fig. 13)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure

from tf_ig2.paper.experiments import figures, statistics
from tf_ig2.paper.experiments.arms import Arm, run
from tf_ig2.paper.experiments.records import Record, Records
from tf_ig2.paper.experiments.table import Column
from tf_ig2.paper.experiments.task import METRICS

KINDS = ("counterfactual", "not counterfactual")
"""Whether references differ from the explicand in what is explained."""

_COLOURS = {"counterfactual": "tab:red", "not counterfactual": "tab:grey"}
_HEADINGS = {metric.key: Column.of(metric).heading for metric in METRICS}


@dataclass(frozen=True)
class Groups:
    """References of N explicands in G groups of R, the nearest group first.

    Attributes:
      rows: int array `[N, G, R]`, places in the pool.
      distance: float array `[N, G]`, the mean distance to the explicand.
    """

    rows: np.ndarray
    distance: np.ndarray


Score = Callable[[np.ndarray, np.ndarray], Sequence[Mapping[str, float]]]
"""From explicands, int array `[B]`, and their references, int array `[B, R]` of places in the pool, to metrics."""


def near_to_far(orders: Iterable[np.ndarray], distances: np.ndarray, groups: int, count: int) -> Groups:
    """Takes groups of neighbours, evenly spaced in rank from the nearest to the farthest.

    Args:
      orders: for each of N explicands, places in the pool, the nearest first; as many as may be references.
      distances: float array `[N, M]`, to all M of the pool.
      groups: G.
      count: R, references in a group; groups share none as long as there are enough.

    Returns:
      The groups.

    Raises:
      ValueError: fewer than `count` may be references.

    Example:
      >>> near_to_far([np.array([2, 0, 1])], np.array([[5.0, 9.0, 1.0]]), groups=2, count=1).rows
      array([[[2],
              [1]]])
    """
    rows = []
    for number, order in enumerate(orders):
        if len(order) < count:
            raise ValueError(f"{count} references are wanted; explicand {number} can have {len(order)}.")
        starts = np.linspace(0, len(order) - count, groups).round().astype(int)
        rows.append([order[start : start + count] for start in starts])
    chosen = np.array(rows, np.int64)
    near = np.take_along_axis(distances, chosen.reshape(len(chosen), -1), axis=1)
    return Groups(chosen, near.reshape(chosen.shape).mean(axis=2))


def score_groups(
    names: Sequence[str],
    groups: Mapping[str, Groups],
    score: Score,
    records: Records,
    batch: int = 8,
    verbose: bool = True,
) -> None:
    """Explains every explicand with every group of references; what is in the records is not computed again.

    Args:
      names: of the explicands.
      groups: by kind, see `KINDS`.
      score: explains and measures.
      records: grow.
      batch: explicands together.
      verbose: show a progress bar.
    """

    def arm(kind: str, found: Groups, group: int) -> Arm:
        def scores(rows: np.ndarray) -> list[dict[str, float]]:
            metrics = score(rows, found.rows[rows, group])
            distance = found.distance[rows, group]
            return [{**own, "distance": float(d)} for own, d in zip(metrics, distance, strict=True)]

        return Arm(f"{kind}, group {group + 1}", names, scores, batch)

    arms = [arm(kind, found, group) for kind, found in groups.items() for group in range(found.rows.shape[1])]
    run(arms, records, verbose)


def draw(
    records: Iterable[Record], title: str, x_label: str, seed: int = 0
) -> tuple[Figure, list[tuple[object, ...]], tuple[str, ...]]:
    """Metrics against the distance of references.

    Args:
      records: of `score_groups`.
      title: of the figure.
      x_label: what the distance is.
      seed: of the bootstrap.

    Returns:
      The figure, the numbers in it, and their columns.
    """
    by_arm: dict[str, list[Mapping[str, float]]] = {}
    for record in records:
        by_arm.setdefault(record.arm, []).append(record.scores)
    present = next(iter(by_arm.values()))[0]
    metrics = [name for name in _HEADINGS if name in present]
    figure = Figure(figsize=(0.6 + 3.6 * len(metrics), 3.7), layout="constrained")
    rows: list[tuple[object, ...]] = []
    for axes, metric in zip(figure.subplots(1, len(metrics), squeeze=False)[0], metrics, strict=True):
        for kind in KINDS:
            arms = [arm for arm in by_arm if arm.startswith(f"{kind}, ")]
            x = np.array([np.mean([scores["distance"] for scores in by_arm[arm]]) for arm in arms])
            samples = np.stack([[scores[metric] for scores in by_arm[arm]] for arm in arms], axis=1)
            estimates = figures.band(axes, x, samples, kind, _COLOURS[kind], seed)
            rows += [(metric, arm, float(d), *e) for arm, d, e in zip(arms, x, estimates, strict=True)]
            if len(arms) > 1:
                lead = statistics.mean_difference(samples[:, 0], samples[:, -1], seed)
                rows.append((metric, f"{kind}, nearest − farthest", "", *lead))
        figures.tidy(axes, _HEADINGS[metric], x_label, "")
    figure.axes[0].legend(fontsize=8)
    figure.suptitle(title, fontsize=11)
    return figure, rows, ("metric", "references", "distance", "mean", "low", "high", "explicands")

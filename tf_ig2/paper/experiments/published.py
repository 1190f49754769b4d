"""The paper's numbers by metric, so that a table may have metrics that the paper does not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tf_ig2.metrics import xai_bench
from tf_ig2.metrics.ground_truth import GT_AUC, GT_SUM
from tf_ig2.metrics.information_curves import SIC_ADD, SIC_DEL
from tf_ig2.metrics.metric import Explicands, Metric

Paper = Mapping[str, Mapping[str, float]]
"""Arm → key of a metric → the paper's number; what the paper does not have is not there."""

CURVES: tuple[Metric[Explicands], ...] = (SIC_ADD, SIC_DEL)
"""The paper's columns where there is no ground truth."""

WITH_TRUTH: tuple[Metric[Explicands], ...] = (GT_AUC, GT_SUM, *CURVES)
"""The paper's columns where there is one."""

XAI_BENCH: tuple[Metric[Any], ...] = (
    xai_bench.FAITHFULNESS,
    xai_bench.MONOTONICITY,
    xai_bench.ROAR,
    xai_bench.GT_SHAPLEY,
    xai_bench.INFIDELITY,
)
"""The paper's columns on synthetic data."""


def cells(paper: Paper) -> dict[tuple[str, str], float]:
    """(arm, key of a metric) → the paper's number, as a `Table` takes them.

    Example:
      >>> cells({"Gradient": {"add": 0.909}})
      {('Gradient', 'add'): 0.909}
    """
    return {(arm, key): number for arm, row in paper.items() for key, number in row.items()}


def by_metric(metrics: Sequence[Metric[Any]], rows: Mapping[str, Sequence[float]]) -> Paper:
    """The paper's numbers as they are printed.

    Args:
      metrics: the paper's columns.
      rows: arm → a number for each of them.

    Raises:
      ValueError: a row is longer or shorter.

    Example:
      >>> by_metric(CURVES, {"Gradient": (0.909, 0.189)})
      {'Gradient': {'add': 0.909, 'del': 0.189}}
    """
    return {arm: {metric.key: number for metric, number in zip(metrics, row, strict=True)} for arm, row in rows.items()}

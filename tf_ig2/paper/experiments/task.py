"""A task: explicands, the network that classified them, and what explanations of them are measured against."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from tf_ig2.metrics import ground_truth, information_curves
from tf_ig2.metrics.maps import CHANNELS, feature_maps
from tf_ig2.metrics.metric import Explicands, Metric
from tf_ig2.models.model_view import ModelView

METRICS: tuple[Metric[Explicands], ...] = (
    ground_truth.GT_AUC,
    ground_truth.GT_SUM,
    information_curves.SIC_ADD,
    information_curves.SIC_DEL,
)
"""What maps are measured by if nothing else is asked for: the metrics of Table 3, in its order."""


@dataclass(frozen=True)
class Task:
    """What every method of a comparison gets alike.

    Attributes:
      name: of the data set.
      view: the network; its explained output are the logits.
      inputs: array `[N, ...]`, the network's inputs.
      names: of the explicands, unique.
      target: int array `[N]`, the explained classes: the predicted ones.
      references: array `[N, R, ...]`, network inputs of other classes, the same for all methods that use any.
      value_range: (low, high) of the points.
      points: array `[N, ...]`, where attributions are made: the inputs, or the values at the `input_layer`.
      background: what features are replaced by in the information curves, as `information_curve` takes it.
      masks: bool array `[N, H, W]`, the ground truth; None where there is none.
      absent: bool array `[N, *features]` of features that are only padding and are ranked last; None: none are.
      curve_steps: points of an information curve.
      channels: the ways to make one number of a feature's channels, see `tf_ig2.metrics.maps.CHANNELS`.
      options: of methods, by the method's name, where the task needs others than the defaults.
      studied: names of the explicands that settings were chosen on.
      notes: sentences for the foot of a table.
    """

    name: str
    view: ModelView
    inputs: np.ndarray
    names: tuple[str, ...]
    target: np.ndarray
    references: np.ndarray
    value_range: tuple[float, float]
    points: np.ndarray
    background: Any = "blurred"
    masks: np.ndarray | None = None
    absent: np.ndarray | None = None
    curve_steps: int = 20
    channels: tuple[str, ...] = CHANNELS
    options: dict[str, dict[str, Any]] = field(default_factory=dict)
    studied: frozenset[str] = frozenset()
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.names)

    def take(self, rows: np.ndarray) -> Task:
        """Some of the explicands."""
        background = self.background
        if isinstance(background, np.ndarray) and background.shape == self.points.shape:
            background = background[rows]
        return replace(
            self,
            inputs=self.inputs[rows],
            names=tuple(self.names[row] for row in rows),
            target=self.target[rows],
            references=self.references[rows],
            points=self.points[rows],
            background=background,
            masks=None if self.masks is None else self.masks[rows],
            absent=None if self.absent is None else self.absent[rows],
        )

    def keys(self, metrics: Iterable[Metric[Explicands]] = METRICS) -> list[str]:
        """The names of all scores by these metrics: "auc/absolute", "auc/signed", "add/absolute" …

        A metric that needs what the task lacks, as a ground truth, is not among them.
        """
        return [f"{metric.key}/{way}" for metric in metrics if metric.applies(self) for way in self.channels]

    def scores(self, values: np.ndarray, metrics: Iterable[Metric[Explicands]] = METRICS) -> list[dict[str, float]]:
        """Scores attributions, all ways to make one number of the channels.

        Args:
          values: `[N, ...]` like the points, or `[N, *features]`, one number per feature.
          metrics: which; those that do not apply are left out.

        Returns:
          For each explicand its scores by the names of `keys`.

        Raises:
          ValueError: attributions of another shape, or a metric that gives no finite number for each.
        """
        features = self.points.shape[1:-1]
        defined = [metric for metric in metrics if metric.applies(self)]
        scores: list[dict[str, float]] = [{} for _ in self.names]
        one_number = np.shape(values)[1:] == features  # nothing to aggregate: all ways are the same
        for channels in self.channels[:1] if one_number else self.channels:
            maps = feature_maps(values, features, channels)
            ways = self.channels if one_number else [channels]
            for metric in defined:
                for score, number in zip(scores, metric(maps, self), strict=True):
                    score.update({f"{metric.key}/{way}": float(number) for way in ways})
        return scores

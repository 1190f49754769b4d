"""A task: explicands, the network that classified them, and what explanations of them are measured against."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from tf_ig2.metrics.ground_truth import ground_truth_auc, ground_truth_sum
from tf_ig2.metrics.information_curves import information_curve
from tf_ig2.metrics.maps import CHANNELS, feature_maps
from tf_ig2.metrics.predict import Predictor
from tf_ig2.model_view import ModelView


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

    def scores(self, values: np.ndarray) -> list[dict[str, float]]:
        """The metrics of Table 3 for attributions, both ways to make one number of the channels.

        Args:
          values: `[N, ...]` like the points, or `[N, *features]`, one number per feature.

        Returns:
          For each explicand "auc", "sum" (where there is a ground truth), "add" and "del", with "/absolute" or
          "/signed".
        """
        features = self.points.shape[1:-1]
        scores: list[dict[str, float]] = [{} for _ in self.names]
        one_number = np.shape(values)[1:] == features  # nothing to aggregate: all ways are the same
        for channels in self.channels[:1] if one_number else self.channels:
            maps = feature_maps(values, features, channels)
            found = {} if self.masks is None else self._ground_truth(maps)
            ways = self.channels if one_number else [channels]
            for name, column in {**found, **self._curves(maps)}.items():
                for score, number in zip(scores, column, strict=True):
                    score.update({f"{name}/{way}": float(number) for way in ways})
        return scores

    def _ground_truth(self, maps: np.ndarray) -> dict[str, np.ndarray]:
        return {"auc": ground_truth_auc(maps, self.masks), "sum": ground_truth_sum(maps, self.masks)}

    def _curves(self, maps: np.ndarray) -> dict[str, np.ndarray]:
        if self.absent is not None:
            lowest = maps.min(axis=tuple(range(1, maps.ndim)), keepdims=True) - 1
            maps = np.where(self.absent, lowest, maps)
        run = Predictor(self.view, batch_size=32, activation="softmax")
        return {
            name: information_curve(
                run,
                self.points,
                maps,
                direction=direction,
                target=self.target,
                background=self.background,
                steps=self.curve_steps,
                value_range=self.value_range,
                inputs=self.inputs if self.view.attributes_inside else None,
            ).auc
            for name, direction in (("add", "add"), ("del", "delete"))
        }

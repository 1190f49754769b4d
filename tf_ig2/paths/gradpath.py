"""GradPath: normalised gradient descent from the explicand toward a reference's representation (Algorithm 1)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import tensorflow as tf

from tf_ig2.distances import Distance
from tf_ig2.normalizers import Normalizer
from tf_ig2.paths.base import Evaluation, Move, Path, Points, Rows, flat_rows, move, per_row, unflat_rows


class GradPathContrast(NamedTuple):
    """What one row of GradPath is contrasted with.

    Attributes:
      representation: `[B, ...]`, the reference's representation.
      step_size: `[B]`, the length of a step in the units of the input.
      low, high: structure like the explicand's of `[B]`, the range each iterate is clipped to (±inf: not clipped).
    """

    representation: tf.Tensor
    step_size: tf.Tensor
    low: Points
    high: Points


@dataclass(frozen=True)
class GradPath(Path):
    """The path γ_{k+1} = clip(γ_k − η·g/W), with g the gradient of the distance of the representations at γ_k.

    It starts at the explicand and ends at GradCF. The paper's γ(j/k) counts the other way round (its footnote 3).

    Attributes:
      distance: the distance whose gradient is followed.
      normalizer: the normalisation W.

    Reference: Zhuo & Ge, IG², TPAMI 2024, Algorithm 1, Eq. 5; the clipping is the authors' code's.
    """

    distance: Distance
    normalizer: Normalizer
    needs_objective_gradient = True

    def objective(self, representation: tf.Tensor, rows: Rows) -> tf.Tensor:
        """The distance `[B]` to the reference's representation that the walk makes small."""
        size = tf.shape(representation)[0]
        return self.distance.objective(
            tf.reshape(representation, [size, -1]), tf.reshape(rows.contrast.representation, [size, -1])
        )

    def distance_value(self, objectives: tf.Tensor) -> tf.Tensor:
        return self.distance.value(objectives)

    def step(self, point: Points, evaluation: Evaluation, rows: Rows, step: tf.Tensor, steps: tf.Tensor) -> Move:
        contrast: GradPathContrast = rows.contrast
        descent = contrast.step_size[:, None] * self.normalizer(flat_rows(evaluation.objective_gradient))
        to = tf.nest.map_structure(
            lambda value, part, low, high: tf.clip_by_value(value - part, per_row(low, value), per_row(high, value)),
            point,
            unflat_rows(descent, point),
            contrast.low,
            contrast.high,
        )
        return move(point, to)

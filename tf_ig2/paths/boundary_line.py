"""The straight line of boundary-based IG, which says whether the point that it comes from is of another class."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from tf_ig2.contrasts.boundary import Boundary
from tf_ig2.paths.base import Move, Path, Points, Rows, Seen, Stop, move


@dataclass(frozen=True)
class FromBoundary(Path):
    """One segment from the point of another class to the explicand; the contrast of a row is its `Boundary`.

    Its rows end as "arrived", or as "steps" if no attack got to another class within its limit of steps.

    Reference: Wang, Fredrikson & Datta, Robust Models Are More Interpretable Because Attributions Look Normal, ICML
    2022, boundary-based Integrated Gradient.
    """

    starts_at_explicand = False

    def start(self, rows: Rows) -> Points:
        contrast: Boundary = rows.contrast
        return contrast.point

    def step(self, point: Points, seen: Seen, rows: Rows, state: Any) -> Move:
        return move(point, rows.explicand)

    def at_the_limit(self, rows: Rows, state: Any) -> tf.Tensor:
        contrast: Boundary = rows.contrast
        return tf.where(contrast.found, int(Stop.ARRIVED), int(Stop.STEPS))

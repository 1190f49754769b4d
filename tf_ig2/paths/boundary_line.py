"""The straight line of boundary-based IG, which says whether the point that it comes from is of another class."""

from __future__ import annotations

from dataclasses import dataclass

import tensorflow as tf

from tf_ig2.contrasts.boundary import Boundary
from tf_ig2.paths.base import Move, Path, Points, Progress, Rows, Seen, Stop, move


@dataclass(frozen=True)
class FromBoundary(Path):
    """One segment from the point of another class to the explicand; the contrast of a row is its `Boundary`.

    A second step is never taken: where it would begin, rows end as "arrived", or as "steps" if no attack got to
    another class within its limit of steps.

    Reference: Wang, Fredrikson & Datta, Robust Models Are More Interpretable Because Attributions Look Normal, ICML
    2022, boundary-based Integrated Gradient.
    """

    starts_at_explicand = False

    @property
    def stops(self) -> bool:
        return True

    def start(self, rows: Rows) -> Points:
        contrast: Boundary = rows.contrast
        return contrast.point

    def init(self, rows: Rows, steps: tf.Tensor) -> Progress:
        return Progress.begin(rows, steps)

    def step(self, point: Points, seen: Seen, rows: Rows, state: Progress) -> Move:
        contrast: Boundary = rows.contrast
        ended = tf.where(contrast.found, int(Stop.ARRIVED), int(Stop.STEPS))
        stop = tf.where(state.step == 0, int(Stop.RUNNING), ended)
        return move(point, rows.explicand, state.next(), stop)

"""The tangent at the explicand: what plain gradients integrate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from tf_ig2.paths.base import Move, Path, Points, Rows, Seen


@dataclass(frozen=True)
class Tangent(Path):
    """One straight move from the explicand x to x − d, with the gradient of x for all of it: ∇f(x) ⊙ d.

    The contrast of a row is d: all ones give the gradient, d = x gradient × input. The completeness gap is then the
    error of the first-order Taylor expansion, ∇f(x)·d − (f(x) − f(x − d)).

    Reference: Simonyan, Vedaldi & Zisserman, Deep Inside Convolutional Networks, ICLR Workshop 2014.
    """

    def step(self, point: Points, seen: Seen, rows: Rows, state: Any) -> Move:
        displacement = tf.nest.map_structure(tf.negative, rows.contrast)
        return Move(tf.nest.map_structure(tf.add, point, displacement), displacement)

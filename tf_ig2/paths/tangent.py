"""The tangent at the explicand: what plain gradients integrate."""

from __future__ import annotations

from dataclasses import dataclass

import tensorflow as tf

from tf_ig2.paths.base import Evaluation, Move, Path, Points, Rows


@dataclass(frozen=True)
class Tangent(Path):
    """One straight move from the explicand x to x − d, with the gradient of x for all of it: ∇f(x) ⊙ d.

    The contrast of a row is d: all ones give the gradient, d = x gradient × input. The completeness gap is then the
    error of the first-order Taylor expansion, ∇f(x)·d − (f(x) − f(x − d)).

    Reference: Simonyan, Vedaldi & Zisserman, Deep Inside Convolutional Networks, ICLR Workshop 2014.
    """

    def step(self, point: Points, evaluation: Evaluation, rows: Rows, step: tf.Tensor, steps: tf.Tensor) -> Move:
        displacement = tf.nest.map_structure(tf.negative, rows.contrast)
        return Move(tf.nest.map_structure(tf.add, point, displacement), displacement)

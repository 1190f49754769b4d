"""AGI's path: up the sign of a false class's probability until the model says that class."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from tf_ig2.contrasts.other_classes import FalseClass
from tf_ig2.paths.base import Move, Path, Points, Rows, Seen, Stop, move


@dataclass(frozen=True)
class TowardClass(Path):
    """The path γ_{j+1} = clip(γ_j + ε·sign(∇p_t(γ_j))) from the explicand; the contrast of a row is its `FalseClass`.

    The objective is −log p_t: its gradient has the sign of −∇p_t, also where p_t itself underflows to zero. A row has
    arrived where t is the largest output, and has nowhere to go if t is the explained class itself.

    Attributes:
      probabilities: whether the model's outputs are the probabilities; otherwise their softmax is.

    Reference: Pan, Li & Zhu, Explaining Deep Neural Network Models with Adversarial Gradient Integration, IJCAI 2021,
    Algorithm 1. (The authors' code adds each step to the explicand and not to the point it was made at; the paper's
    path is walked here.)
    """

    probabilities: bool = False
    needs_objective_gradient = True

    @property
    def stops(self) -> bool:
        return True

    def objective(self, representation: Any, outputs: tf.Tensor, rows: Rows) -> tf.Tensor:
        contrast: FalseClass = rows.contrast
        if self.probabilities:
            chosen = tf.gather(outputs, contrast.index, batch_dims=1)
            return -tf.math.log(tf.maximum(chosen, chosen.dtype.as_numpy_dtype(1e-30)))
        return -tf.gather(tf.nn.log_softmax(outputs, axis=-1), contrast.index, batch_dims=1)

    def step(self, point: Points, seen: Seen, rows: Rows, state: Any) -> Move:
        contrast: FalseClass = rows.contrast
        to = contrast.room.go(point, tf.nest.map_structure(lambda g: -tf.sign(g), seen.objective_gradient))
        said = tf.argmax(seen.outputs, axis=-1, output_type=tf.int32)
        there = (said == contrast.index) | (contrast.index == contrast.explained)
        return move(point, to, stop=tf.where(there, int(Stop.ARRIVED), int(Stop.RUNNING)))

"""MFABA's path: down the gradient of the explained output until the class changes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from tf_ig2.contrasts.within_range import Room
from tf_ig2.paths.base import Move, Path, Points, Rows, Seen, Stop, flat_rows, move, unflat_rows
from tf_ig2.paths.normalizers import L2


@dataclass(frozen=True)
class ToBoundary(Path):
    """The path γ_{j+1} = clip(γ_j − η·∇f(γ_j)/‖∇f(γ_j)‖) from the explicand; the contrast of a row is its `Room`.

    A row has arrived where the target's output is no longer the largest. Where there is no such thing, with a callable
    target, one output alone or a callback, rows go as far as the limit of steps.

    Attributes:
      sign: step along the gradient's sign instead.

    Reference: Zhu et al., MFABA, AAAI 2024, Algorithm 1.
    """

    sign: bool = False
    needs_output_gradient = True

    @property
    def stops(self) -> bool:
        return True

    def step(self, point: Points, seen: Seen, rows: Rows, state: Any) -> Move:
        room: Room = rows.contrast
        gradient = flat_rows(seen.output_gradient)
        downward = -(tf.sign(gradient) if self.sign else L2()(gradient))
        to = room.go(point, unflat_rows(downward, point))
        stop = tf.where(is_another(seen.outputs, rows.target, seen.output), int(Stop.ARRIVED), int(Stop.RUNNING))
        return move(point, to, stop=stop)


def is_another(outputs: Any, target: Any, like: tf.Tensor) -> tf.Tensor:
    """Bool `[B]`: whether another output than the target is the largest; False where that cannot be said.

    Args:
      outputs: `[B, C]`, or `()`.
      target: int32 `[B]`, or `()`.
      like: any `[B]`.
    """
    if isinstance(outputs, tuple) or isinstance(target, tuple) or outputs.shape.rank != 2 or outputs.shape[1] == 1:
        return tf.zeros(tf.shape(like), tf.bool)
    return tf.argmax(outputs, axis=-1, output_type=tf.int32) != target

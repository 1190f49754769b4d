"""Integrated Decision Gradients: the straight line, walked where the output decides, weighed by how fast it does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import tensorflow as tf

from tf_ig2.contrasts.decisions import Decision
from tf_ig2.paths.base import Move, Path, Points, Progress, Rows, Seen, per_row


class _Deciding(NamedTuple):
    """How far a row is, and f at the point before, `[B]`."""

    progress: Progress
    before: tf.Tensor


@dataclass(frozen=True)
class DecisionLine(Path):
    """Points γ(α_j) = x′ + α_j·(x − x′), j = 0 … K; the contrast of a row is its `Decision`.

    What the gradient at a point is multiplied by is (x − x′)·(f(γ_j) − f(γ_{j−1})), which is df/dα · δα times the way:
    with the gradient taken at the start of a segment, that is the paper's sum. The last of K + 1 segments has length
    zero: it departs from the explicand, where the last difference is known. α moves on over pieces without slope in one
    step. (The authors' code leaves α where it is there.)

    Reference: Walker, Jha, Chen & Ewetz, Integrated Decision Gradients, AAAI 2024, Eq. 4 and Algorithm 1.
    """

    starts_at_explicand = False

    def start(self, rows: Rows) -> Points:
        contrast: Decision = rows.contrast
        return contrast.baseline

    def init(self, rows: Rows, steps: tf.Tensor) -> _Deciding:
        contrast: Decision = rows.contrast
        return _Deciding(Progress.begin(rows, steps - 1), tf.zeros_like(contrast.reached[:, 0]))

    def step(self, point: Points, seen: Seen, rows: Rows, state: _Deciding) -> Move:
        contrast: Decision = rows.contrast
        step, steps = state.progress.step, state.progress.steps
        share = tf.cast(tf.minimum(step + 1, steps), seen.output.dtype) / tf.cast(steps, seen.output.dtype)
        position = contrast.position(share)
        way = tf.nest.map_structure(tf.subtract, rows.explicand, contrast.baseline)
        last = step + 1 >= steps  # arrives exactly

        def at(x: tf.Tensor, b: tf.Tensor, d: tf.Tensor) -> tf.Tensor:
            return tf.where(per_row(last, x), x, b + per_row(position, x) * d)

        to = tf.nest.map_structure(at, rows.explicand, contrast.baseline, way)
        decided = tf.where(step == 0, tf.zeros_like(seen.output), seen.output - state.before)
        displacement = tf.nest.map_structure(lambda d: per_row(decided, d) * d, way)
        return Move(to, displacement, None, _Deciding(state.progress.next(), seen.output))

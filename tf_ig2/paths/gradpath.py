"""GradPath: normalised gradient descent from the explicand toward a reference's representation (Algorithm 1)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import tensorflow as tf

from tf_ig2.paths.base import Move, Path, Points, Rows, Seen, flat_rows, move, per_row, unflat_rows
from tf_ig2.paths.distances import Distance
from tf_ig2.paths.normalizers import Normalizer
from tf_ig2.paths.stepping import FIXED, Descent, Stepping


class GradPathContrast(NamedTuple):
    """What one row of GradPath is contrasted with.

    Attributes:
      representation: `[B, ...]`, the reference's representation.
      step_size: `[B]`, the length of a step in the units of the input, or `()` where the controller chooses it.
      low, high: structure like the explicand's of `[B]`, the range each iterate is clipped to (±inf: not clipped).
      output: `[B]`, the explained output at the reference, or `()` where it is not known.
    """

    representation: tf.Tensor
    step_size: Any
    low: Points
    high: Points
    output: Any = ()


@dataclass(frozen=True)
class GradPath(Path):
    """The path γ_{k+1} = clip(γ_k − η·g/W), with g the gradient of the distance of the representations at γ_k.

    It starts at the explicand and ends at GradCF. The paper's γ(j/k) counts the other way round (its footnote 3).

    Attributes:
      distance: the distance whose gradient is followed.
      normalizer: the normalisation W.
      stepping: chooses the length η, and ends rows.

    Reference: Zhuo & Ge, IG², TPAMI 2024, Algorithm 1, Eq. 5; the clipping is the authors' code's.
    """

    distance: Distance
    normalizer: Normalizer
    stepping: Stepping = FIXED
    needs_objective_gradient = True
    needs_representation = True

    @property
    def stops(self) -> bool:
        return self.stepping.stops

    def functions(self, point: tf.TensorSpec, representation: tf.TensorSpec) -> list[tuple[Any, tuple[Any, ...]]]:
        def slope(a: tf.Tensor, b: tf.Tensor) -> Any:
            with tf.GradientTape(watch_accessed_variables=False) as tape:
                tape.watch(a)
                distance = self.distance.objective(a, b)
            return distance, tape.gradient(distance, a, unconnected_gradients=tf.UnconnectedGradients.ZERO)

        def unit(gradient: tf.Tensor) -> Any:
            return self.normalizer(gradient), self.normalizer.unit_length(gradient.shape[-1])

        found: list[tuple[Any, tuple[Any, ...]]] = [(unit, (point,))] if _is_own(type(self.normalizer)) else []
        if _is_own(self.distance.objective):
            found.append((slope, (representation, representation)))
        if _is_own(self.distance.value):
            found.append((self._distance, (tf.TensorSpec([None], representation.dtype),)))
        return found

    def objective(self, representation: Any, outputs: tf.Tensor, rows: Rows) -> tf.Tensor:
        """The distance `[B]` to the reference's representation that the walk makes small."""
        size = tf.shape(representation)[0]
        return self.distance.objective(
            tf.reshape(representation, [size, -1]), tf.reshape(rows.contrast.representation, [size, -1])
        )

    def distance_value(self, objectives: tf.Tensor) -> tf.Tensor:
        return self.distance.value(objectives)

    def bounds(self, rows: Rows) -> tuple[Points, Points]:
        contrast: GradPathContrast = rows.contrast
        own = super().bounds(rows)
        clipped = (contrast.low, contrast.high)
        return tf.nest.map_structure(lambda x, edge: tf.where(tf.math.is_finite(edge), edge, x), own, clipped)

    def init(self, rows: Rows, steps: tf.Tensor) -> Any:
        explicand = tf.nest.flatten(rows.explicand)[0]
        return self.stepping.init(tf.zeros(tf.shape(explicand)[:1], explicand.dtype))

    def step(self, point: Points, seen: Seen, rows: Rows, state: Any) -> Move:
        contrast: GradPathContrast = rows.contrast
        gradient = flat_rows(seen.objective_gradient)
        direction = self.normalizer(gradient)
        distance, outer = self._distance(seen.objective)
        slope = outer * _inner(gradient, direction) if self.stepping.stops else outer
        descent = Descent(distance, slope, seen.output, contrast.step_size, contrast.output)
        length, state, stop = self.stepping.step(descent, state)
        to = tf.nest.map_structure(
            lambda value, part, low, high: tf.clip_by_value(value - part, per_row(low, value), per_row(high, value)),
            point,
            unflat_rows(length[:, None] * direction, point),
            contrast.low,
            contrast.high,
        )
        moved = move(point, to, stop=stop)
        promised = -outer * _inner(gradient, flat_rows(moved.displacement)) if self.stepping.stops else outer
        return moved._replace(state=self.stepping.taken(state, promised))

    def _distance(self, objective: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """The distance `[B]` of an objective, and how fast the one grows with the other."""
        with tf.GradientTape() as tape:
            tape.watch(objective)
            distance = self.distance.value(objective)
        return distance, tape.gradient(distance, objective)


def _is_own(part: Any) -> bool:
    """Whether it is of the user's own, so that anything may change in it."""
    return not str(getattr(part, "__module__", "")).startswith(("tf_ig2.", "tensorflow."))


def _inner(a: tf.Tensor, b: tf.Tensor) -> tf.Tensor:
    return tf.reduce_sum(a * b, axis=-1)

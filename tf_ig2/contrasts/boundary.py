"""The contrast of boundary-based IG: the nearest point of another class that several attacks find."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import tensorflow as tf

from tf_ig2.contrasts.contrast import Prepared
from tf_ig2.contrasts.within_range import WithinRange
from tf_ig2.paths.alive import where
from tf_ig2.paths.base import Evaluator, Points, Rows, flat_rows
from tf_ig2.paths.keep import Keep
from tf_ig2.paths.mfaba import ToBoundary, is_another
from tf_ig2.paths.rules import START
from tf_ig2.paths.sums import Tableau
from tf_ig2.paths.walk import walk


class Boundary(NamedTuple):
    """What one row is contrasted with.

    Attributes:
      point: structure of `[B, ...]`, the nearest point of another class; where no attack found one, the farthest point
        that any of them reached.
      found: bool `[B]`, whether one did.
    """

    point: Points
    found: tf.Tensor


@dataclass(frozen=True)
class Attack:
    """Steps of one length down the gradient of the explained output, until the class changes.

    Attributes:
      norm: `"l2"`, along the gradient; `"sign"`, along its sign.
      fraction: of the value range: the Euclidean length of a step, or what each feature moves by.
      steps: the limit of steps.
    """

    norm: str
    fraction: float
    steps: int


@dataclass(frozen=True)
class ByAttacks(WithinRange):
    """The end of one of several attacks; `fraction` and `step_size` are not used, each attack has its own.

    Attributes:
      attacks: which are made on every explicand.
    """

    attacks: tuple[Attack, ...] = ()

    def prepare(
        self, model: Evaluator, explicand: Points, inside: Points, target: Any, given: Any, own: bool
    ) -> Prepared:
        def rows(i: tf.Tensor, r: tf.Tensor) -> Boundary:
            here, around = tf.nest.map_structure(lambda x: tf.gather(x, i), (explicand, inside))
            at = Rows(here, around, () if isinstance(target, tuple) else tf.gather(target, i), ())
            ends = [self._end(model, attack, at, r) for attack in self.attacks]
            best, distance = ends[0], _distance(ends[0].point, here)
            for other in ends[1:]:
                further = _distance(other.point, here)
                nearer = tf.where(best.found, further < distance, further > distance)
                better = tf.where(other.found == best.found, nearer, other.found)
                best, distance = where(better, (other, further), (best, distance))
            return best

        return Prepared(tf.constant(1), rows)

    def _end(self, model: Evaluator, attack: Attack, rows: Rows, r: tf.Tensor) -> Boundary:
        room = WithinRange(self.value_range, None, attack.fraction).room(rows.explicand)
        none = tf.zeros([0], tf.nest.flatten(rows.explicand)[0].dtype)
        walked = walk(
            model,
            ToBoundary(sign=attack.norm == "sign"),
            START,
            rows._replace(contrast=room, number=r),
            steps=tf.constant(attack.steps),
            tableau=Tableau(none, none),
            rows_per_pass=tf.constant(1),
            keep=Keep(),
            static=True,  # an attack is short, and XLA can compile it so
        )
        # The walk does not ask at the limit of steps whether the class has changed with the last of them.
        seen = model.evaluate(walked.end, rows, None, output_gradient=False, objective_gradient=False)
        return Boundary(walked.end, is_another(seen.outputs, rows.target, seen.output))


def _distance(a: Points, b: Points) -> tf.Tensor:
    """Euclidean, `[B]`."""
    away = tf.nest.map_structure(tf.subtract, a, b)
    return tf.reduce_sum(tf.square(flat_rows(away)), axis=-1)

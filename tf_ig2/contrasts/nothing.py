"""Contrasts of methods that contrast an explicand with nothing but itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from tf_ig2 import validation
from tf_ig2.contrasts.contrast import Contrast, Given, Prepared
from tf_ig2.paths.base import Evaluator, Points


@dataclass(frozen=True)
class Nothing(Contrast):
    """The path needs no contrast."""

    def prepare(
        self, model: Evaluator, explicand: Points, inside: Points, target: Any, given: Any, own: bool
    ) -> Prepared:
        return Prepared(tf.constant(1), lambda i, r: ())


@dataclass(frozen=True)
class NothingButImages(Nothing):
    """Nothing either, but explicands have to be images."""

    def give(self, view: Any, value: Any, explicand: Any, batch_size: int) -> Given:
        for part in tf.nest.flatten(explicand):
            validation.image("x", part.shape[1:])
        return super().give(view, value, explicand, batch_size)


@dataclass(frozen=True)
class Direction(Contrast):
    """The direction d of a tangent.

    Attributes:
      times_input: d is the explicand; otherwise all ones.
    """

    times_input: bool = False

    def prepare(
        self, model: Evaluator, explicand: Points, inside: Points, target: Any, given: Any, own: bool
    ) -> Prepared:
        def rows(i: tf.Tensor, r: tf.Tensor) -> Points:
            here = tf.nest.map_structure(lambda x: tf.gather(x, i), explicand)
            return here if self.times_input else tf.nest.map_structure(tf.ones_like, here)

        return Prepared(tf.constant(1), rows)

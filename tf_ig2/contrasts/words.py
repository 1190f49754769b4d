"""The contrast of Sequential IG: the explicand itself, with one word taken away."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from tf_ig2.contrasts.contrast import Contrast, Given, Prepared
from tf_ig2.paths.base import Evaluator, Points


@dataclass(frozen=True)
class WordByWord(Contrast):
    """For each of W words the explicand `[W, E]` with that word's vector replaced.

    Attributes:
      token: what the model's embedding gives for this token stands in the place of a word; None: zeros.
    """

    token: int | None = None

    def give(self, view: Any, value: Any, explicand: Any, batch_size: int) -> Given:
        _check(explicand)
        return Given(explicand.shape[1], False, lambda rows: self._vectors(view, explicand.shape[1:]))

    def bake(self, view: Any, value: Any) -> Any:
        _check(view.points_spec)
        return self._vectors(view, view.points_spec.shape[1:])

    def prepare(
        self, model: Evaluator, explicand: Points, inside: Points, target: Any, given: Any, own: bool
    ) -> Prepared:
        def rows(i: tf.Tensor, r: tf.Tensor) -> tf.Tensor:
            here = tf.gather(explicand, i)
            away = tf.one_hot(r, tf.shape(here)[1], on_value=True, off_value=False)[..., None]
            return tf.ensure_shape(tf.where(away, given[None], here), here.shape)

        return Prepared(tf.shape(explicand)[1], rows)

    def _vectors(self, view: Any, shape: Any) -> np.ndarray:
        """`[W, E]`: what stands in the place of each word."""
        spec = view.points_spec
        if self.token is None:
            return np.zeros(shape, spec.dtype.as_numpy_dtype)
        taken = view.inputs_spec
        if not view.attributes_inside or not isinstance(taken, tf.TensorSpec) or taken.shape.rank != 2:
            raise ValueError(
                f"`token` is looked up in the embedding of a model that takes tokens [N, W], and this one takes {taken}"
                " and is explained where they are: name the embedding with `input_layer`, or leave `token` out."
            )
        if self.token > taken.dtype.max:
            raise ValueError(f"`token`: {self.token} is no token of this model: it takes {taken.dtype.name}.")
        try:
            vectors = view.enter(tf.fill([1, shape[0]], tf.cast(self.token, taken.dtype)))[0][0]
        except ValueError as error:
            raise ValueError(f"`token`: {error}") from error
        if vectors.shape != tuple(shape):
            raise ValueError(f"The model has {vectors.shape[0]} vectors at its `input_layer` for {shape[0]} tokens.")
        return vectors.numpy()


def _check(points: Any) -> None:
    """Raises ValueError for what is not words `[N, W, E]`."""
    shape = getattr(points, "shape", None)
    if shape is None or len(shape) != 3:
        raise ValueError(
            f"Sequential IG explains words, each a vector: [N, W, E], and here explicands are {shape or type(points)}. "
            "Name the layer that makes vectors of words with `input_layer`, the embedding for example."
        )

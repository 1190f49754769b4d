"""How a gradient becomes a step of GradPath: the coefficient W of Algorithm 1 (Eq. 20 and 21, appendix A.2).

A normalizer maps the gradients of all inputs, flattened to `[B, D]`, to steps of length one: length in the ℓ2 norm for
`L2`, in the ℓ1 norm for `SparseL1`. A zero gradient becomes a zero step.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import tensorflow as tf

from tf_ig2 import validation


class Normalizer(Protocol):
    """Turns gradients into steps of unit length."""

    def __call__(self, gradient: tf.Tensor) -> tf.Tensor:
        """Maps gradients `[B, D]` to unit steps `[B, D]` of the same dtype."""
        ...

    def unit_length(self, features: int) -> float:
        """The ℓ2 length of a unit step over D features; `step_size="auto"` is made so that steps are equally long."""
        ...


@dataclass(frozen=True)
class L2:
    """g / ‖g‖₂ (Eq. 20): every feature moves in proportion to its gradient."""

    def __call__(self, gradient: tf.Tensor) -> tf.Tensor:
        # Scaled by its largest entry first: the square of a tiny float32 gradient would underflow to a zero norm.
        scaled = tf.math.divide_no_nan(gradient, tf.reduce_max(tf.abs(gradient), axis=-1, keepdims=True))
        return tf.math.divide_no_nan(scaled, tf.norm(scaled, axis=-1, keepdims=True))

    def unit_length(self, features: int) -> float:
        return 1.0


@dataclass(frozen=True)
class SparseL1:
    """sign(g) / |S| on the set S of the largest gradients, zero elsewhere (Eq. 21).

    Eq. 21 as printed, W(i) = |S|·g(i), would divide the sign away; what is meant, and done here and in the sparse
    adversarial attack that it cites, is the sign of the gradient. Features that tie with the smallest of S are in S,
    so that equal features are treated equally.

    Attributes:
      percentile: in [0, 100): S holds the features whose absolute gradient lies above this percentile.

    Raises:
      ValueError: the percentile lies outside [0, 100).
    """

    percentile: float = 95.0

    def __post_init__(self) -> None:
        percentile = float(validation.number("percentile", self.percentile))
        if not 0.0 <= percentile < 100.0:
            raise ValueError(f"`percentile` must lie in [0, 100), not {self.percentile!r}.")
        object.__setattr__(self, "percentile", percentile)

    def _selected(self, features: int) -> int:
        return max(1, math.ceil(round((1.0 - self.percentile / 100.0) * features, 6)))

    def __call__(self, gradient: tf.Tensor) -> tf.Tensor:
        size = tf.abs(gradient)
        smallest = tf.math.top_k(size, k=self._selected(gradient.shape[-1])).values[..., -1:]
        chosen = tf.where(size >= smallest, tf.sign(gradient), tf.zeros_like(gradient))
        return tf.math.divide_no_nan(chosen, tf.norm(chosen, ord=1, axis=-1, keepdims=True))

    def unit_length(self, features: int) -> float:
        return 1.0 / math.sqrt(self._selected(features))


def get(norm: str | Normalizer) -> Normalizer:
    """Returns the normalizer of that name.

    Args:
      norm: `"l2"`, `"l1"` (that is `SparseL1(percentile=95)`), or a `Normalizer`.

    Raises:
      TypeError: neither a name nor a normalizer.
      ValueError: the name is unknown.

    Example:
      >>> get("l2")(tf.constant([[3.0, 4.0]])).numpy().round(1).tolist()
      [[0.6000000238418579, 0.800000011920929]]
    """
    if not isinstance(norm, str):
        if not callable(norm):
            raise TypeError(f'`norm` must be "l2", "l1" or a Normalizer such as SparseL1(98), not {norm!r}.')
        return norm
    if norm not in ("l2", "l1"):
        raise ValueError(f'Unknown norm: {norm!r}. Choose "l2", "l1" or pass a Normalizer such as SparseL1(98).')
    return L2() if norm == "l2" else SparseL1()

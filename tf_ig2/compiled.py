"""Compiled functions that TensorFlow counts one by one."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf


def compiled(function: Callable[..., Any], signature: Sequence[Any], **options: Any) -> Any:
    """A `tf.function` with a fixed signature, traced as it stands.

    TensorFlow warns of retracing where functions of the same line of code are traced five times in a row, and every
    explainer has functions of the same lines, each traced once. A partial has no code, so each is counted by itself.

    Args:
      function: what is compiled.
      signature: the specs of its arguments.
      **options: of `tf.function`.

    Example:
      >>> doubled = [compiled(lambda x: 2 * x, [tf.TensorSpec([None])]) for _ in range(8)]
      >>> sum(float(double(tf.ones([1]))[0]) for double in doubled)
      16.0
    """
    return tf.function(functools.partial(function), input_signature=signature, autograph=False, **options)

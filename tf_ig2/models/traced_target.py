"""A target callable as it is now: traced when it is given, checked, and known by what it computes.

Graphs are kept from call to call, and a Python function may answer otherwise the next time; so they are kept by what it
computes, see `tf_ig2.fingerprint.Computed`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from tf_ig2 import fingerprint

Target = Callable[[tf.Tensor], tf.Tensor]
"""Maps the model's output `[B, ...]` to the explained output `[B]`."""

_PROBES = (11, 13)
"""Batch sizes to try a target with, the first that is not the size of another axis."""


class TracedTarget:
    """What a target callable computes now; equal to another that computes the same from the same variables.

    Args:
      target: maps the model's output `[B, ...]` to the explained output `[B]`.
      spec: `tf.TensorSpec([None, ...])` of the model's output.
      gradient: whether it must have a gradient.

    Raises:
      ValueError: it does not return one number per row, or has no gradient.

    Example:
      >>> spec, k = tf.TensorSpec([None, 3]), [0]
      >>> before = TracedTarget(lambda outputs: outputs[:, k[0]], spec)
      >>> same = TracedTarget(lambda z: z[:, 0], spec)
      >>> k[0] = 1
      >>> before == same, before == TracedTarget(lambda outputs: outputs[:, k[0]], spec)
      (True, False)
    """

    def __init__(self, target: Target, spec: tf.TensorSpec, gradient: bool = True):
        def forward(outputs: tf.Tensor) -> tf.Tensor:
            return tf.convert_to_tensor(target(outputs))

        self._forward: Any = tf.function(forward, input_signature=[spec], autograph=False).get_concrete_function()
        self._check_shape(spec)
        self._has_gradient = True

        def both(outputs: tf.Tensor) -> Any:
            """With its gradient, which two targets of the same value may have each their own of."""
            with tf.GradientTape(watch_accessed_variables=False) as tape:
                tape.watch(outputs)
                explained = self._forward(outputs)
            slope = tape.gradient(explained, outputs) if explained.dtype.is_floating else None
            self._has_gradient = slope is not None
            return explained, () if slope is None else tf.convert_to_tensor(slope)

        self._computed = fingerprint.Computed(both, spec)
        if gradient:
            self.check_gradient()

    def __call__(self, outputs: tf.Tensor) -> tf.Tensor:
        """The explained output `[B]`."""
        return self._forward(outputs)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, TracedTarget) and self._computed == other._computed

    def __hash__(self) -> int:
        return hash(self._computed)

    def check_gradient(self) -> None:
        """Checks that it has a gradient.

        Raises:
          ValueError: it has none.
        """
        if not self._has_gradient:
            raise ValueError(
                "The `target` callable has no gradient: what it returns does not depend on the model's output through "
                "differentiable operations (argmax, round and comparisons are not). Return a score itself, for example "
                "`outputs[:, 3]` or `tf.reduce_max(outputs, axis=-1)`."
            )

    def _check_shape(self, spec: tf.TensorSpec) -> None:
        """Tries it on a number of rows that is not the size of anything else."""
        features = [3 if size is None else size for size in spec.shape[1:]]
        rows = next(size for size in (*_PROBES, 17) if size not in features[:2])
        try:
            found = self._forward(tf.zeros([rows, *features], spec.dtype)).shape
        except tf.errors.OpError:  # zeros may be what it cannot take
            found = self._forward.structured_outputs.shape
        if found.rank != 1 or found[0] not in (rows, None):
            raise ValueError(
                f"The `target` callable must map the output {spec.shape} to one number per row, shape [B]; "
                f"it returned shape {found} for {rows} rows."
            )

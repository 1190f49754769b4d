"""Gathers the walks of some explicands at a time into one Attribution."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from tf_ig2.attribution import Attribution
from tf_ig2.paths.keep import Keep
from tf_ig2.paths.plan import Explained


class Collector:
    """Room for the explanations of N explicands with R references.

    Args:
      explicand: structure of arrays `[N, ...]`.
      inputs: structure of arrays `[N, ...]`, the model's inputs where the explicand is not itself the input; or None.
      references: R.
      steps: K.
      keep: what to keep.
      summed: whether values are the sum over references.
    """

    def __init__(self, explicand: Any, inputs: Any, references: int, steps: int, keep: Keep, summed: bool = False):
        first = tf.nest.flatten(explicand)[0]
        shape = (len(first), references)
        self._explicand, self._inputs, self._summed = explicand, inputs, summed

        def zeros(*leading: int) -> Any:
            return tf.nest.map_structure(lambda x: np.zeros([*leading, *x.shape[1:]], x.dtype), explicand)

        self._found = Explained(
            values=zeros(shape[0]),
            outputs=np.zeros([*shape, steps + 1], first.dtype),
            distances=np.zeros([*shape, steps + 1], first.dtype),
            counterfactuals=zeros(*shape) if keep.counterfactuals else (),
            path=zeros(*shape, keep.kept(steps)) if keep.path else (),
            steps_taken=np.zeros(shape, np.int32),
            stop=np.zeros(shape, np.int32),
            gradients=np.zeros(shape, np.int32),
        )

    def add(self, rows: np.ndarray, explained: Explained) -> None:
        """Adds the walks of the explicands with these numbers."""
        for whole, part in zip(tf.nest.flatten(self._found), tf.nest.flatten(explained), strict=True):
            whole[rows] = part.numpy()

    def attribution(self, target: np.ndarray | None, settings: dict[str, Any]) -> Attribution:
        """The explanation of all explicands."""
        found = self._found
        return Attribution(
            values=found.values,
            explicand=self._explicand,
            inputs=self._inputs,
            outputs=found.outputs,
            distances=found.distances,
            target=target,
            counterfactuals=found.counterfactuals if tf.nest.flatten(found.counterfactuals) else None,
            path=found.path if tf.nest.flatten(found.path) else None,
            steps_taken=found.steps_taken,
            stop=found.stop,
            gradients=found.gradients,
            settings=settings,
            summed=self._summed,
        )

"""Gathers the results of micro-batches into one Attribution."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from tf_ig2.attribution import Attribution
from tf_ig2.paths.integrate import Keep, Walked


class Collector:
    """Rows (explicand, reference) come in any number at a time, in order; values are averaged over references.

    Args:
      explicand: structure of arrays `[N, ...]`.
      references: R.
      steps: K.
      keep: what to keep.
      reverse: whether paths come baseline first; they are stored explicand first.
    """

    def __init__(self, explicand: Any, references: int, steps: int, keep: Keep, reverse: bool):
        first = tf.nest.flatten(explicand)[0]
        shape = (len(first), references)
        self._explicand, self._references, self._reverse, self._keep = explicand, references, reverse, keep

        def zeros(*leading: int) -> Any:
            return tf.nest.map_structure(lambda x: np.zeros([*leading, *x.shape[1:]], x.dtype), explicand)

        self._values = zeros(shape[0])
        self._outputs = np.zeros([*shape, steps + 1], first.dtype)
        self._distances = np.zeros([*shape, steps + 1], first.dtype)
        self._counterfactuals = zeros(*shape) if keep.counterfactuals else None
        self._path = zeros(*shape, keep.kept(steps)) if keep.path else None

    def add(self, row: int, walked: Walked, distances: tf.Tensor) -> None:
        """Adds the walk of consecutive rows, the first of which has number `row`."""
        outputs, distances = walked.outputs.numpy().T, distances.numpy().T
        rows = np.arange(row, row + len(outputs))
        i, r = rows // self._references, rows % self._references
        along = slice(None, None, -1) if self._reverse else slice(None)
        self._outputs[i, r], self._distances[i, r] = outputs[:, along], distances[:, along]
        for total, part in zip(tf.nest.flatten(self._values), tf.nest.flatten(walked.values), strict=True):
            np.add.at(total, i, part.numpy() / self._references)
        # The end that is not the explicand.
        ends = walked.start if self._reverse else walked.end
        if self._counterfactuals is not None:
            for kept, part in zip(tf.nest.flatten(self._counterfactuals), tf.nest.flatten(ends), strict=True):
                kept[i, r] = part.numpy()
        if self._path is not None:
            for kept, part in zip(tf.nest.flatten(self._path), tf.nest.flatten(walked.path), strict=True):
                kept[i, r] = np.swapaxes(part.numpy()[along], 0, 1)

    def attribution(self, target: np.ndarray | None, settings: dict[str, Any]) -> Attribution:
        """The explanation of all rows."""
        return Attribution(
            values=self._values,
            explicand=self._explicand,
            outputs=self._outputs,
            distances=self._distances,
            target=target,
            counterfactuals=self._counterfactuals,
            path=self._path,
            settings=settings,
        )

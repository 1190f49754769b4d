"""A model of any framework behind PAIR's callback contract, as a walk sees it.

The contract is that of PAIR's `saliency`: `call_model_function(x_value_batch, call_model_args, expected_keys) -> dict`.
IG² adds the keys of its authors' code: `REP_LAYER_VALUES`, the representations of a batch, and
`REP_DISTANCE_GRADIENTS`, the gradient of the *negated* distance between the representations of `x_value_batch` and of
the references, which the callback finds in `call_model_args["layer_baseline"]`, row by row.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from tf_ig2.paths.base import Evaluation, Objective, Points, Rows

INPUT_OUTPUT_GRADIENTS = "INPUT_OUTPUT_GRADIENTS"
OUTPUT_LAYER_VALUES = "OUTPUT_LAYER_VALUES"
REP_LAYER_VALUES = "REP_LAYER_VALUES"
REP_DISTANCE_GRADIENTS = "REP_DISTANCE_GRADIENTS"

CallModelFunction = Callable[..., dict[str, Any]]


class CallbackView:
    """Gradients from a callback; walks with it run eagerly.

    The contract carries no value of the explained output and no distance per row, so both are zero along the path.

    Args:
      call_model_function: the callback.
      call_model_args: passed to it at every call; a copy is made, the caller's dict is not changed.
      explicand: array `[...]`, gives shape and dtype (float64 stays, everything else becomes float32).
    """

    def __init__(self, call_model_function: CallModelFunction, call_model_args: dict | None, explicand: np.ndarray):
        if not callable(call_model_function):
            raise TypeError(f"`call_model_function` must be callable, not {type(call_model_function).__name__}.")
        self._call = call_model_function
        self._args = dict(call_model_args or {})
        self._representations: Any = None
        dtype = tf.float64 if explicand.dtype == np.float64 else tf.float32
        self.inputs_spec = self.points_spec = tf.TensorSpec([None, *explicand.shape], dtype)

    def represent(self, references: np.ndarray) -> None:
        """Has the callback represent the references `[R, ...]`, and keeps the result as it came."""
        values = self._ask(references, REP_LAYER_VALUES)
        if len(values) != len(references):
            raise ValueError(f"{REP_LAYER_VALUES} has {len(values)} rows for {len(references)} references.")
        self._representations = values.detach() if hasattr(values, "detach") else values

    def evaluate(
        self,
        point: Points,
        rows: Rows,
        objective: Objective | None,
        *,
        output_gradient: bool,
        objective_gradient: bool,
    ) -> Evaluation:
        """The gradients that are wanted; `rows.contrast.representation` holds the references' indices."""
        x = point.numpy()
        zero = tf.zeros([len(x)], point.dtype)
        output: Points = self._gradient(INPUT_OUTPUT_GRADIENTS, x) if output_gradient else ()
        descent: Points = ()
        if objective_gradient:
            self._args["layer_baseline"] = self._representations[rows.contrast.representation.numpy()]
            descent = -self._gradient(REP_DISTANCE_GRADIENTS, x)
        return Evaluation(zero, zero, output, descent)

    def _gradient(self, key: str, x: np.ndarray) -> tf.Tensor:
        gradient = np.asarray(self._ask(x, key))
        if gradient.shape != x.shape:
            raise ValueError(f"{key} has shape {gradient.shape}; it must be that of x_value_batch, {x.shape}.")
        return tf.constant(gradient, self.inputs_spec.dtype)

    def _ask(self, x: np.ndarray, key: str) -> Any:
        answer = self._call(x, call_model_args=self._args, expected_keys=[key])
        if key not in answer:
            raise ValueError(f"`call_model_function` was asked for {key} and returned {sorted(answer)}.")
        return answer[key]

"""A model of any framework behind PAIR's callback contract, as a walk sees it.

The contract is that of PAIR's `saliency`: `call_model_function(x_value_batch, call_model_args, expected_keys) -> dict`.
Sums that need the explained output itself (IDGI, or a tolerance of the completeness gap) ask for PAIR's key
`OUTPUT_LAYER_VALUES`, the explained output of each row, `[B]`.
IG² adds the keys of its authors' code: `REP_LAYER_VALUES`, the representations of a batch, and
`REP_DISTANCE_GRADIENTS`, the gradient of the *negated* distance between the representations of `x_value_batch` and of
the references, which the callback finds in `call_model_args["layer_baseline"]`, row by row.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from tf_ig2.paths.base import Path, Points, Rows, Seen

INPUT_OUTPUT_GRADIENTS = "INPUT_OUTPUT_GRADIENTS"
OUTPUT_LAYER_VALUES = "OUTPUT_LAYER_VALUES"
REP_LAYER_VALUES = "REP_LAYER_VALUES"
REP_DISTANCE_GRADIENTS = "REP_DISTANCE_GRADIENTS"

CallModelFunction = Callable[..., dict[str, Any]]


class CallbackView:
    """Gradients from a callback; walks with it run eagerly.

    The contract carries no distance per row, and nobody has to answer with the explained output: along the path both
    are zero unless the output is asked for.

    Args:
      call_model_function: the callback.
      call_model_args: passed to it at every call; a copy is made, the caller's dict is not changed.
      explicand: array `[...]`, gives shape and dtype (float64 stays, everything else becomes float32).
      outputs: whether the explained output is asked for.
    """

    def __init__(
        self,
        call_model_function: CallModelFunction,
        call_model_args: dict | None,
        explicand: np.ndarray,
        outputs: bool = False,
    ):
        if not callable(call_model_function):
            raise TypeError(f"`call_model_function` must be callable, not {type(call_model_function).__name__}.")
        self._call = call_model_function
        self._args = dict(call_model_args or {})
        self._representations: Any = None
        self._outputs = outputs
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
        path: Path | None,
        *,
        output_gradient: bool,
        objective_gradient: bool,
    ) -> Seen:
        """The gradients that are wanted; `rows.contrast.representation` holds the references' indices."""
        x = point.numpy()
        zero = tf.zeros([len(x)], point.dtype)
        value = self._output(x) if self._outputs else zero
        output: Points = self._gradient(INPUT_OUTPUT_GRADIENTS, x) if output_gradient else ()
        descent: Points = ()
        if objective_gradient:
            self._args["layer_baseline"] = self._representations[rows.contrast.representation.numpy()]
            descent = -self._gradient(REP_DISTANCE_GRADIENTS, x)
        return Seen(value, zero, output, descent)

    def select(self, outputs: tf.Tensor, index: Any) -> tf.Tensor:
        """A callback's output is the explained one."""
        return outputs

    def _output(self, x: np.ndarray) -> tf.Tensor:
        output = np.asarray(self._ask(x, OUTPUT_LAYER_VALUES))
        if output.shape not in ((len(x),), (len(x), 1)):
            raise ValueError(
                f"{OUTPUT_LAYER_VALUES} has shape {output.shape}; it must be the explained output of each row of "
                f"x_value_batch, [{len(x)}]. Rules other than IDGI, without a tolerance, do not need it."
            )
        return tf.constant(output.reshape(len(x)), self.inputs_spec.dtype)

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

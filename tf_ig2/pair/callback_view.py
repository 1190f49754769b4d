"""A model of any framework behind PAIR's callback contract, as a walk sees it.

The contract is that of PAIR's `saliency`: `call_model_function(x_value_batch, call_model_args, expected_keys) -> dict`.
Sums that need the explained output itself (IDGI, or a tolerance of the completeness gap) ask for PAIR's key
`OUTPUT_LAYER_VALUES`, the explained output of each row, `[B]`, and so does occlusion; Grad-CAM asks for
`CONVOLUTION_LAYER_VALUES` and `CONVOLUTION_OUTPUT_GRADIENTS`, `[B, h, w, K]` both, in one call.
IG² adds the keys of its authors' code: `REP_LAYER_VALUES`, the representations of a batch, and
`REP_DISTANCE_GRADIENTS`, the gradient of the *negated* distance between the representations of `x_value_batch` and of
the references, which the callback finds in `call_model_args["layer_baseline"]`, row by row.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from tf_ig2.paths.base import Path, Points, Rows, Seen

INPUT_OUTPUT_GRADIENTS = "INPUT_OUTPUT_GRADIENTS"
OUTPUT_LAYER_VALUES = "OUTPUT_LAYER_VALUES"
REP_LAYER_VALUES = "REP_LAYER_VALUES"
REP_DISTANCE_GRADIENTS = "REP_DISTANCE_GRADIENTS"
CONVOLUTION_LAYER_VALUES = "CONVOLUTION_LAYER_VALUES"
CONVOLUTION_OUTPUT_GRADIENTS = "CONVOLUTION_OUTPUT_GRADIENTS"

CallModelFunction = Callable[..., dict[str, Any]]


def of_explicand(function: CallModelFunction, x: Any, call_model_args: Any) -> CallModelFunction:
    """The callback for the points around one explicand.

    A callback that leaves the explained output to the prediction, such as `saliency_adapter(model)`, offers a method
    `of_explicand(x, call_model_args)` that settles it; others are what they are.

    Args:
      function: the callback.
      x: array `[...]`, the explicand.
      call_model_args: what is passed to it.
    """
    settles = hasattr(type(function), "of_explicand")  # of its type: a mock has every attribute
    return function.of_explicand(x, call_model_args) if settles else function  # type: ignore[attr-defined]


def as_explicand(x: Any) -> np.ndarray:
    """One explicand as callbacks get it: of float64 or float32, whichever holds the values of its own type.

    Raises:
      TypeError: it holds no numbers.
    """
    array = np.asarray(x)
    if array.dtype.kind not in "biuf" and array.dtype.name != "bfloat16":
        raise TypeError(f"`x_value` must hold numbers, not {array.dtype} ({type(x).__name__}).")
    single = array.dtype.name == "bfloat16" or np.result_type(array.dtype, np.float32) == np.float32
    return array.astype(np.float32 if single else np.float64)


class CallbackView:
    """Gradients from a callback; walks with it run eagerly.

    The contract carries no distance per row, and nobody has to answer with the explained output: along the path both
    are zero unless the output is asked for.

    Args:
      call_model_function: the callback.
      call_model_args: any object, passed to it at every call as it is. IG² puts the references' representations
        beside what is in there: for it, a dict or None; a copy is made, the caller's dict is not changed.
      explicand: array `[...]`, see `as_explicand`.
      outputs: whether the explained output is asked for.
      batch_size: rows that the callback gets at a time, however many a walk has together.
    """

    def __init__(
        self,
        call_model_function: CallModelFunction,
        call_model_args: Any,
        explicand: np.ndarray,
        outputs: bool = False,
        batch_size: int = 1,
    ):
        if not callable(call_model_function):
            raise TypeError(f"`call_model_function` must be callable, not {type(call_model_function).__name__}.")
        self._call = of_explicand(call_model_function, explicand, call_model_args)
        self._args = call_model_args
        self._representations: Any = None
        self._outputs, self._batch_size = outputs, batch_size
        dtype = tf.float64 if explicand.dtype == np.float64 else tf.float32
        self.inputs_spec = self.points_spec = tf.TensorSpec([None, *explicand.shape], dtype)

    def represent(self, references: np.ndarray) -> None:
        """Has the callback represent the references `[R, ...]`, and keeps the result as it came."""
        if self._args is not None and not isinstance(self._args, Mapping):
            raise TypeError(
                "`call_model_args` must be a dict or None here, because IG² passes the references' representations in "
                f'it, as "layer_baseline"; not {type(self._args).__name__}.'
            )
        self._args = dict(self._args or {})
        values = self._ask(references, REP_LAYER_VALUES)[REP_LAYER_VALUES]
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
        value = self.outputs(x) if self._outputs else zero
        output: Points = self._gradient(INPUT_OUTPUT_GRADIENTS, x) if output_gradient else ()
        descent: Points = ()
        if objective_gradient:
            descent = -self._gradient(REP_DISTANCE_GRADIENTS, x, rows.contrast.representation.numpy())
        return Seen(value, zero, output, descent)

    def select(self, outputs: tf.Tensor, index: Any) -> tf.Tensor:
        """A callback's output is the explained one."""
        return outputs

    def outputs(self, x: np.ndarray) -> tf.Tensor:
        """The explained output of rows `[B, ...]`: `[B]`."""
        found = []
        for rows in self._some(len(x)):
            output, count = (
                np.asarray(self._ask(x[rows], OUTPUT_LAYER_VALUES)[OUTPUT_LAYER_VALUES]),
                len(x[rows]),
            )
            if output.shape not in ((count,), (count, 1)):
                raise ValueError(
                    f"{OUTPUT_LAYER_VALUES} has shape {output.shape}; it must be the explained output of each row of "
                    f"x_value_batch, [{count}]. Gradients and their sums, without a tolerance and other than IDGI, do "
                    "not need it."
                )
            found.append(output.reshape(count))
        return tf.constant(np.concatenate(found), self.inputs_spec.dtype)

    def feature_maps(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The feature maps of rows `[B, ...]` and the gradient of the explained output by them: `[B, h, w, K]` both."""
        keys = (CONVOLUTION_LAYER_VALUES, CONVOLUTION_OUTPUT_GRADIENTS)
        answer = self._ask(x, *keys)
        maps, gradients = (np.asarray(answer[key], self.inputs_spec.dtype.as_numpy_dtype) for key in keys)
        for key, found in zip(keys, (maps, gradients), strict=True):
            if found.ndim != 4 or len(found) != len(x):
                raise ValueError(
                    f"{key} has shape {found.shape}; it must be feature maps of each row of x_value_batch, "
                    f"[{len(x)}, h, w, K]."
                )
        if maps.shape != gradients.shape:
            raise ValueError(
                f"{keys[0]} has shape {maps.shape} and {keys[1]} {gradients.shape}; they must be the same."
            )
        return maps, gradients

    def _gradient(self, key: str, x: np.ndarray, toward: np.ndarray | None = None) -> tf.Tensor:
        """Gradients of rows `[B, ...]`; `toward` are the numbers `[B]` of the references that they go toward."""
        gradients = []
        for rows in self._some(len(x)):
            if toward is not None:
                self._args["layer_baseline"] = self._representations[toward[rows]]
            gradient = np.asarray(self._ask(x[rows], key)[key])
            if gradient.shape != x[rows].shape:
                raise ValueError(
                    f"{key} has shape {gradient.shape}; it must be that of x_value_batch, {x[rows].shape}."
                )
            gradients.append(gradient)
        return tf.constant(np.concatenate(gradients), self.inputs_spec.dtype)

    def _some(self, count: int) -> list[slice]:
        """The rows of each call."""
        return [slice(first, first + self._batch_size) for first in range(0, count, self._batch_size)]

    def _ask(self, x: np.ndarray, *keys: str) -> Any:
        answer = self._call(x, call_model_args=self._args, expected_keys=list(keys))
        missing = [key for key in keys if key not in answer]
        if missing:
            raise ValueError(f"`call_model_function` was asked for {', '.join(keys)} and returned {sorted(answer)}.")
        return answer

"""A model as metrics need it: points in, outputs out, in batches."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import keras
import numpy as np
import tensorflow as tf

from tf_ig2 import validation
from tf_ig2.metrics.maps import finite
from tf_ig2.models.model_view import ModelView

Model: TypeAlias = keras.Model | ModelView | Callable[[np.ndarray], Any]


class Predictor:
    """Runs a model in batches.

    Args:
      model: a `keras.Model`, whose own output is taken; a `ModelView`, whose explained output is taken; or a callable
        of an array `[B, ...]`.
      batch_size: samples per forward pass.
      activation: applied to the output: None, "softmax" or "sigmoid"; a `ModelView` of logits needs one wherever
        probabilities are wanted.

    Raises:
      TypeError: `model` is none of these.
      ValueError: no positive batch size, or an unknown activation.

    Example:
      >>> Predictor(lambda x: x.sum(axis=1), batch_size=2)(np.ones([3, 4]))
      array([4., 4., 4.])
    """

    def __init__(self, model: Model, batch_size: int = 32, activation: str | None = None):
        if not callable(model) and not isinstance(model, ModelView):
            raise TypeError(f"`model` must be a keras.Model, a ModelView or a callable, not {type(model).__name__}.")
        if activation not in (None, "softmax", "sigmoid"):
            raise ValueError(f'Unknown `activation`: {activation!r}. Choose None, "softmax" or "sigmoid".')
        validation.positive("batch_size", batch_size, integer=True)
        self._model, self._batch_size, self._activation = model, batch_size, activation

    def __call__(self, points: np.ndarray, inputs: np.ndarray | None = None) -> np.ndarray:
        """The outputs for points.

        Args:
          points: `[B, ...]`.
          inputs: the model's own inputs, `[B, ...]`, where a `ModelView` attributes at an `input_layer`.

        Returns:
          Array `[B, C]` or `[B]`.

        Raises:
          ValueError: the model gives NaN or infinite values, or another number of rows than it got; `inputs` are
            missing or not wanted.
        """
        inside = isinstance(self._model, ModelView) and self._model.attributes_inside
        if inside != (inputs is not None):
            raise ValueError(
                "The model attributes at an `input_layer`: pass the model's own `inputs` too."
                if inside
                else "`inputs` are only for a ModelView with an `input_layer`."
            )
        parts = []
        for first in range(0, len(points), self._batch_size):
            rows = slice(first, first + self._batch_size)
            parts.append(self._run(points[rows], None if inputs is None else inputs[rows]))
        return np.concatenate(parts)

    def _run(self, points: np.ndarray, inputs: np.ndarray | None) -> np.ndarray:
        model = self._model
        if isinstance(model, ModelView):
            spec = model.points_spec
            given: Any = () if inputs is None else tf.cast(inputs, model.inputs_spec.dtype)
            outputs = model.outputs(tf.cast(points, spec.dtype), given)
        else:
            outputs = model.predict_on_batch(points) if isinstance(model, keras.Model) else model(points)
        if isinstance(outputs, (dict, list, tuple)):
            raise TypeError("The model has several outputs: pass ModelView(model, output_name=…).")
        if self._activation is not None:
            outputs = getattr(tf.nn, self._activation)(outputs)
        array = np.asarray(outputs)
        if array.ndim == 0 or len(array) != len(points):
            raise ValueError(f"The model gave outputs of shape {array.shape} for {len(points)} rows.")
        return finite("the model's output", array)


def predictor(model: Model | Predictor, batch_size: int, activation: str | None = None) -> Predictor:
    """The model as a `Predictor`; one that is given already stays what it is."""
    return model if isinstance(model, Predictor) else Predictor(model, batch_size, activation)


def probabilities(predict: Predictor, points: np.ndarray, inputs: np.ndarray | None, target: np.ndarray) -> np.ndarray:
    """The probability of one class for each row.

    Args:
      predict: the model.
      points, inputs: `[B, ...]`, see `Predictor`.
      target: int array `[B]`.

    Returns:
      float64 array `[B]`.

    Raises:
      ValueError: the outputs are not probabilities.
    """
    return select(checked_probabilities(predict(points, inputs)), target)


def checked_probabilities(outputs: np.ndarray) -> np.ndarray:
    """Checks that outputs lie in 0 … 1.

    Raises:
      ValueError: they do not.
    """
    if outputs.min() < -1e-6 or outputs.max() > 1 + 1e-6:
        raise ValueError(
            f"Probabilities are wanted, and the model gives values in {outputs.min():.3g} … {outputs.max():.3g}. For "
            'logits pass activation="softmax" or "sigmoid".'
        )
    return outputs


def select(outputs: np.ndarray, target: np.ndarray) -> np.ndarray:
    """The output `[B]` of one class for each row of `[B, C]`; `[B]` stays."""
    if outputs.ndim == 1:
        return outputs.astype(np.float64)
    return np.take_along_axis(outputs, target[:, None], axis=1)[:, 0].astype(np.float64)


def targets(target: Any, outputs: np.ndarray) -> np.ndarray:
    """One class index per row: as given, or the predicted class.

    Args:
      target: None, an int, or ints `[N]`.
      outputs: `[N, C]` or `[N]`, at the explicands.

    Raises:
      TypeError, ValueError: see `tf_ig2.validation.targets`.
    """
    found = validation.targets(target, len(outputs), tf.TensorSpec([None, *outputs.shape[1:]]))
    return outputs.argmax(axis=-1).astype(np.int32) if found is None else found

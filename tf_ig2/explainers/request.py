"""A request: what users pass to `explain`, checked once, and resolved to arrays, points and targets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from tf_ig2 import validation
from tf_ig2.attribution import Attribution
from tf_ig2.errors import NonFiniteGradientError
from tf_ig2.models.explained_output import ExplainedOutput
from tf_ig2.models.model_view import ModelView
from tf_ig2.models.traced_target import TracedTarget


@dataclass(frozen=True)
class Request:
    """N explicands, and what is explained of them.

    Attributes:
      inputs: structure of arrays `[N, ...]`, the model's inputs.
      explicand: structure of arrays `[N, ...]`, where attributions are made: the inputs, or values at an `input_layer`.
      inside: structure of arrays `[N, ...]`, what goes around the `input_layer`; `()` without one.
      target: the callable that picks the explained output, as it is now, if one was given.
      indices: int32 `[N]`, the explained output's index where no callable picks it.
      single: whether one explicand came without the axis N.
      batch_size: rows in a forward pass.
      model: the model together with the target.
      each: T, where several targets are explained of each explicand: every explicand is then there T times, one
        behind the other. 0: one target, and no axis for it.
    """

    inputs: Any
    explicand: Any
    inside: Any
    target: TracedTarget | None
    indices: np.ndarray | None
    single: bool
    batch_size: int
    model: ExplainedOutput
    each: int = 0

    @classmethod
    def of(cls, view: ModelView, x: Any, target: Any, batch_size: int, gradient: bool = True) -> Request:
        """Resolves a request.

        Args:
          view: the model.
          x: what users pass as explicands.
          target: index, one per explicand, None for the predicted class, or a callable; several for each explicand,
            see `tf_ig2.validation.several_targets`.
          batch_size: inputs in a forward pass.
          gradient: whether the explained output must have a gradient.

        Raises:
          TypeError, ValueError: an argument has another structure, shape or type than the model takes, is empty, not
            finite, or out of range; or the callable does not return one number per row, or has no gradient.
          OutputActivationError: see `ModelView.check_logits`.
        """
        inputs, single = door(view, x)
        batch_size = validation.batch_size(batch_size)
        given = TracedTarget(target, view.output_spec, gradient) if callable(target) else None
        view.check_logits(take(inputs, slice(batch_size)))
        explicand, inside = entered(view, inputs, batch_size)
        model, count = ExplainedOutput(view, given), len(tf.nest.flatten(inputs)[0])
        several = None if given is not None else validation.several_targets(target, count, single, view.output_spec)
        if several is not None:
            each = several.shape[1]
            own = explicand is not inputs  # one object stays one
            inputs, inside = repeated(inputs, each), repeated(inside, each)
            explicand = repeated(explicand, each) if own else inputs
            return cls(inputs, explicand, inside, None, several.ravel(), single, batch_size, model, each)
        indices = None if given is not None else _indices(view, explicand, inside, target, batch_size)
        return cls(inputs, explicand, inside, given, indices, single, batch_size, model)

    @property
    def distinct(self) -> Any:
        """Structure of arrays `[N, ...]`: each explicand once."""
        return tf.nest.map_structure(lambda x: x[:: self.each or 1], self.explicand)

    def shaped(self, explanation: Attribution) -> Attribution:
        """An explanation of all rows, as the user asked for it: with an axis T behind N, and without N."""
        explanation = explanation.grouped(self.each) if self.each else explanation
        return explanation[0] if self.single else explanation

    def failed(self, step: int, rows: np.ndarray, finished: Attribution | None) -> NonFiniteGradientError:
        """The error of rows that are not finite, by their explicands; what is finished goes with it.

        Args:
          step: where on the path.
          rows: int array, the rows.
          finished: the explanation of the rows before them, or None.
        """
        if not self.each:
            return NonFiniteGradientError(step, rows, finished)
        done = 0 if finished is None else len(finished) // self.each * self.each
        whole = finished[:done].grouped(self.each) if finished is not None and done else None
        return NonFiniteGradientError(step, np.unique(rows // self.each), whole)

    def __len__(self) -> int:
        return len(tf.nest.flatten(self.inputs)[0])

    def index(self, rows: Any) -> Any:
        """The targets of some rows as a tensor int32 `[n]`, or `()` where a callable picks the output."""
        return () if self.indices is None else tf.constant(self.indices[rows])


def door(view: ModelView, x: Any) -> tuple[Any, bool]:
    """Explicands as a structure of arrays `[N, ...]`, and whether one came without the axis N."""
    return validation.batch("x", x, view.inputs_spec)


def predicted(view: ModelView, x: Any, batch_size: int = 32) -> np.ndarray:
    """int32 `[N]`, the index of the largest output for what users pass as explicands."""
    return Request.of(view, x, None, batch_size).indices  # type: ignore[return-value]


def entered(view: ModelView, inputs: Any, batch_size: int) -> tuple[Any, Any]:
    """The points where attributions are made, and what goes around them: two structures of arrays `[N, ...]`.

    Args:
      view: the model.
      inputs: structure of arrays `[N, ...]`, what the model takes.
      batch_size: inputs that go through the model together.

    Returns:
      The inputs themselves and `()` without an `input_layer`; otherwise what `ModelView.enter` gives.
    """
    if not view.attributes_inside:
        return inputs, ()
    count = len(tf.nest.flatten(inputs)[0])
    parts = [view.enter(take(inputs, slice(first, first + batch_size))) for first in range(0, count, batch_size)]
    return tf.nest.map_structure(lambda *part: np.concatenate([p.numpy() for p in part]), *parts)


def repeated(structure: Any, times: int) -> Any:
    """A structure of arrays `[N·times, ...]`: every row so many times, one behind the other."""
    return tf.nest.map_structure(lambda x: np.repeat(x, times, axis=0), structure)


def take(structure: Any, index: Any) -> Any:
    """The rows of a structure of arrays, as tensors."""
    return tf.nest.map_structure(lambda x: tf.constant(x[index]), structure)


def _indices(view: ModelView, explicand: Any, inside: Any, target: Any, batch_size: int) -> np.ndarray:
    count = len(tf.nest.flatten(explicand)[0])
    indices = validation.targets(target, count, view.output_spec)
    if indices is not None:
        return indices
    parts = []
    for first in range(0, count, batch_size):
        rows = slice(first, first + batch_size)
        outputs = view.outputs(take(explicand, rows), inside=take(inside, rows))
        parts.append(tf.argmax(outputs, axis=-1, output_type=tf.int32).numpy())
    return np.concatenate(parts)

"""A model without a graph, subclassed or with a `call` of its own: what it takes, and its one forward pass."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf

_ACTIVATIONS = {"Softmax": "softmax", "Sigmoid": "sigmoid"}
_HANDED_ON = {
    *("Identity", "IdentityN", "Reshape", "Squeeze", "ExpandDims", "Cast", "StridedSlice", "Transpose", "GatherV2"),
    *("StopGradient", "ClipByValue", "Maximum", "Minimum"),
}


def no_graph(model: keras.Model) -> str:
    """Half a sentence: what is missing, and the way out."""
    return (
        f"the model {model.name!r} is subclassed, or has a `call` of its own, and so no graph to find layers in. Pass "
        "ModelView.from_callables(encoder, head, input_spec) instead of the model."
    )


def inputs_spec(model: Any) -> Any:
    """Structure of `tf.TensorSpec([None, ...])`: what the model was built for.

    Raises:
      ValueError: it is not built, or takes several arguments.
    """
    symbolic = getattr(getattr(model, "_functional", None) or model, "_inputs_struct", None)
    if symbolic is not None:
        single = isinstance(symbolic, (list, tuple)) and len(symbolic) == 1
        return tf.nest.map_structure(
            lambda x: tf.TensorSpec([None, *x.shape[1:]], x.dtype), symbolic[0] if single else symbolic
        )
    shapes = getattr(model, "_build_shapes_dict", None) if model.built else None
    if not shapes or len(shapes) != 1:
        problem = "takes several arguments" if shapes else "is not built: call it once on a batch of inputs"
        raise ValueError(
            f"The subclassed model {model.name!r} {problem}; or pass ModelView.from_callables(encoder, head, "
            "input_spec) instead of the model."
        )
    (shape,) = shapes.values()
    return _specs(shape)


def whole(model: keras.Model, specs: Any, output_name: str | int | None) -> Callable[[Any], tf.Tensor]:
    """The model at inference, as a function of its inputs that gives one output `[B, ...]`.

    Args:
      model: the model.
      specs: what it takes; inputs are cast to that.
      output_name: the key or the index of the output, where there are several.
    """

    def call(inputs: Any) -> tf.Tensor:
        outputs = model(tf.nest.map_structure(lambda x, spec: tf.cast(x, spec.dtype), inputs, specs), training=False)
        if isinstance(outputs, (list, tuple)) and len(outputs) == 1:
            outputs = outputs[0]
        if isinstance(outputs, (dict, list, tuple)):
            names = list(outputs) if isinstance(outputs, dict) else list(range(len(outputs)))
            if output_name is None:
                raise ValueError(f"The model has several outputs: pick one with `output_name`, one of {names}.")
            if output_name not in names:
                raise ValueError(f"Unknown output_name: {output_name!r}. The model's outputs are {names}.")
            outputs = outputs[output_name]  # type: ignore[index]
        elif output_name not in (None, 0):
            raise ValueError(f"Unknown output_name: {output_name!r}. The model has one output.")
        return tf.convert_to_tensor(outputs)

    return call


def activation(output: tf.Tensor) -> str | None:
    """The activation that a tensor of a TensorFlow graph ends in, softmax or sigmoid, as far as can be seen."""
    while output.op.type in _HANDED_ON:
        output = output.op.inputs[0]
    return _ACTIVATIONS.get(output.op.type)


def _specs(shape: Any) -> Any:
    if isinstance(shape, dict):
        return {key: _specs(part) for key, part in shape.items()}
    if all(size is None or isinstance(size, int) for size in shape):
        return tf.TensorSpec([None, *shape[1:]], keras.config.floatx())
    return type(shape)(_specs(part) for part in shape)

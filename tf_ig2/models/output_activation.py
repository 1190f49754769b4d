"""Whether a model's output is logits, and how to have them where an activation comes last."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf

from tf_ig2.errors import OutputActivationError
from tf_ig2.models import keras_graph
from tf_ig2.models.network import Call, Key, Network, Node

_LAYERS = keras.layers
_LOOKED_THROUGH = ("softmax", "sigmoid", "log_softmax")
_UNSEEN = "unseen"

_KEEPING = (  # every number that comes out of them went in
    _LAYERS.Reshape,
    _LAYERS.Flatten,
    _LAYERS.Permute,
    _LAYERS.Identity,
    _LAYERS.RepeatVector,
    _LAYERS.Cropping1D,
    _LAYERS.Cropping2D,
    _LAYERS.Cropping3D,
    *keras_graph.IDENTITY_AT_INFERENCE,
)
_KEEPING_OPERATIONS = {
    *("Reshape", "Transpose", "Squeeze", "ExpandDims", "Ravel", "Moveaxis", "Swapaxes", "Flip", "Roll"),
    *("GetItem", "Cast", "Identity", "Take", "Copy"),
}
_MIXING = (  # of probabilities they make probabilities, or as good as that
    _LAYERS.Rescaling,
    _LAYERS.Average,
    _LAYERS.Add,
    _LAYERS.Subtract,
    _LAYERS.Multiply,
    _LAYERS.Maximum,
    _LAYERS.Minimum,
    _LAYERS.Concatenate,
    _LAYERS.GlobalAveragePooling1D,
    _LAYERS.GlobalAveragePooling2D,
    _LAYERS.GlobalAveragePooling3D,
    _LAYERS.GlobalMaxPooling1D,
    _LAYERS.GlobalMaxPooling2D,
    _LAYERS.GlobalMaxPooling3D,
    _LAYERS.AveragePooling1D,
    _LAYERS.AveragePooling2D,
    _LAYERS.AveragePooling3D,
    _LAYERS.UpSampling2D,
    _LAYERS.Resizing,
    *_KEEPING,
)
_MIXING_OPERATIONS = {
    *("Clip", "Mean", "Average", "Sum", "Max", "Min", "Maximum", "Minimum", "Concatenate", "Stack", "Power"),
    *("Add", "Subtract", "Multiply", "Divide", "TrueDivide", "Round", "Where"),
    *_KEEPING_OPERATIONS,
}
_OPAQUE = tuple(
    getattr(_LAYERS, name)
    for name in ("Lambda", "TFSMLayer", "TorchModuleWrapper", "JaxLayer", "FlaxLayer")
    if hasattr(_LAYERS, name)
)
_ACTIVATION_LAYERS = (_LAYERS.ReLU, _LAYERS.LeakyReLU, _LAYERS.PReLU, _LAYERS.ELU)
_WRAPPERS = (_LAYERS.SpectralNormalization, _LAYERS.TimeDistributed)
_FUNCTIONS = {
    "softmax": (keras.activations.softmax, keras.ops.softmax, tf.nn.softmax),
    "sigmoid": (keras.activations.sigmoid, keras.ops.sigmoid, tf.nn.sigmoid),
    "log_softmax": (keras.activations.log_softmax, keras.ops.log_softmax, tf.nn.log_softmax),
}


def left_out(network: Network, output: Key) -> dict[Node, Call]:
    """What to call instead of the node that applies a last activation, so that logits come out.

    Args:
      network: the whole model.
      output: the tensor that is explained.

    Returns:
      One node and its call; nothing where the output ends in no activation.

    Raises:
      OutputActivationError: what comes last cannot be looked through, or not into; or the output is made of
        probabilities.
    """
    node = _last(network, output)
    if node is None:
        return {}
    activation = _activation(node.operation)
    operation = node.operation
    if activation == _UNSEEN:
        raise OutputActivationError(
            f"The model ends in {operation.name!r} ({_described(operation)}), and whether that applies an activation "
            'cannot be seen from outside. If its output is linear (logits, for example), pass output="raw"; if it is '
            'probabilities, output="probabilities" explains those.'
        )
    before = [key for key in node.inputs if _of_probabilities(network, key)]
    if before and (_activates_only(operation) or type(operation).__name__ == "Log"):
        raise OutputActivationError(
            f"Logits were asked for, but what comes before the model's last {operation.name!r} "
            f"({type(operation).__name__}) are probabilities already, and there are no logits behind it. Pass "
            'output="raw" to explain the output as it is.'
        )
    if activation in _LOOKED_THROUGH:
        return {node: _without_activation(operation)}
    if activation is not None:
        raise OutputActivationError(
            f"Logits were asked for, but the model's output {operation.name!r} ends in the activation {activation!r}, "
            'which cannot be looked through to logits. Pass output="raw" to explain the output as it is.'
        )
    if _of_probabilities(network, output):
        raise OutputActivationError(
            f"Logits were asked for, but the model's output {operation.name!r} ({type(operation).__name__}) is made of "
            'probabilities, and there are no logits behind it. Pass output="probabilities" to explain it as it is.'
        )
    return {}


def is_linear(network: Network, output: Key) -> bool:
    """Whether the output certainly holds no probabilities: no activation comes last, as far as can be seen."""
    node = _last(network, output)
    return node is None or (_activation(node.operation) is None and not _of_probabilities(network, output))


def name(network: Network, output: Key) -> str | None:
    """The name of the activation that an output ends in, `"probabilities"` where it is made of them; None: of none."""
    node = _last(network, output)
    found = None if node is None else _activation(node.operation)
    if found in (None, _UNSEEN):
        return "probabilities" if _of_probabilities(network, output) else None
    return found


def twin(layer: Any, /, **changes: Any) -> Any:
    """The same layer with other attributes, on the same weights; the layer itself is not changed.

    `copy.copy` would not do: Keras layers copy by writing and reading, which gives them weights of their own.
    """
    other = object.__new__(type(layer))
    other.__dict__.update(layer.__dict__, **changes)  # past Keras's attribute tracking, which the two share
    return other


def _last(network: Network, key: Key) -> Node | None:
    """The node that computes a tensor, behind those that only hand its numbers on; None: a model's input."""
    while key in network.producer:
        node = network.producer[key]
        if node.operation is None or keras_graph.is_graph(node.operation):
            key = node.inputs[node.outputs.index(key)]
        elif node.inputs and _is(node.operation, _KEEPING, _KEEPING_OPERATIONS):
            key = node.inputs[0]
        else:
            return node
    return None


def _of_probabilities(network: Network, key: Key) -> bool:
    """Whether a tensor is a softmax or sigmoid, or made of nothing but such."""
    node = network.producer.get(key)
    if node is None:
        return False
    if node.operation is None or keras_graph.is_graph(node.operation):
        return _of_probabilities(network, node.inputs[node.outputs.index(key)])
    if _activation(node.operation) in ("softmax", "sigmoid"):
        return True
    mixes = bool(node.inputs) and _is(node.operation, _MIXING, _MIXING_OPERATIONS)
    return mixes and all(_of_probabilities(network, other) for other in node.inputs)


def _is(operation: Any, layers: tuple[type, ...], names: set[str]) -> bool:
    if not _is_kerass(operation):
        return False
    if isinstance(operation, _LAYERS.Activation):
        return layers is _KEEPING and operation.activation is keras.activations.linear
    return isinstance(operation, layers) or (
        not isinstance(operation, keras.layers.Layer) and type(operation).__name__ in names
    )


def _is_kerass(operation: Any) -> bool:
    return type(operation).__module__.startswith("keras.")


def _activation(operation: Any) -> str | None:
    """The name of the activation that an operation ends with; None: its output is linear; or `_UNSEEN`."""
    if not _is_kerass(operation) or isinstance(operation, (*_OPAQUE, keras.Model)):
        return _UNSEEN  # anything may happen in a layer of the user's own
    if isinstance(operation, _WRAPPERS):
        return _activation(operation.layer)
    if isinstance(operation, _LAYERS.Bidirectional):
        return _activation(operation.forward_layer)
    if isinstance(operation, _LAYERS.RNN):  # it works inside the recurrence, and cannot be left out
        inner = _named(getattr(operation, "activation", None))
        return None if inner is None else f"recurrent {inner}"
    if isinstance(operation, _LAYERS.Softmax):
        return "softmax"
    if isinstance(operation, _ACTIVATION_LAYERS):
        return type(operation).__name__.lower()
    if isinstance(operation, keras.layers.Layer):
        return _named(getattr(operation, "activation", None))
    name = type(operation).__name__.lower()  # a keras.ops operation in the graph: Softmax, Sigmoid, Add, …
    module = type(operation).__module__
    return {"logsoftmax": "log_softmax"}.get(name, name) if module.endswith(("ops.nn",)) else None


def _named(activation: Any) -> str | None:
    """The name of an activation function, which goes by what it is and not by what it is called."""
    if activation is None or activation is keras.activations.linear:
        return None
    if isinstance(activation, keras.layers.Layer):
        return _activation(activation)
    for name, functions in _FUNCTIONS.items():
        if any(activation is function for function in functions):
            return name
    own = not str(getattr(activation, "__module__", "")).startswith("keras.")
    return _UNSEEN if own else str(getattr(activation, "__name__", type(activation).__name__)).lower()


def _described(operation: Any) -> str:
    activation = getattr(operation, "activation", None)
    name = getattr(activation, "__name__", None)
    return f"{type(operation).__name__} with a function {name!r}" if name else type(operation).__name__


def _without_activation(operation: Any) -> Callable[..., Any]:
    """How to call an operation so that its activation is left out."""
    if _activates_only(operation):
        return lambda _, *args, **kwargs: args[0] if args else next(x for x in kwargs.values() if tf.is_tensor(x))
    linear = _linear(operation)
    return lambda _, *args, **kwargs: linear(*args, **kwargs)


def _activates_only(operation: Any) -> bool:
    """Whether an operation that applies an activation does nothing else."""
    if isinstance(operation, keras.layers.Layer):
        return isinstance(operation, (_LAYERS.Activation, _LAYERS.Softmax))
    return _activation(operation) in _LOOKED_THROUGH


def _linear(layer: Any) -> Any:
    if isinstance(layer, _WRAPPERS):
        return twin(layer, layer=_linear(layer.layer))
    if isinstance(layer, _LAYERS.Softmax):
        return _LAYERS.Identity()
    return twin(layer, activation=keras.activations.linear)

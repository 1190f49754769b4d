"""What can be read off a Keras model: its layers by name, its output's activation, what depends on what."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import keras
import tensorflow as tf

from tf_ig2.errors import LayerError, OutputActivationError

_SHAPE_ONLY = (keras.layers.Reshape, keras.layers.Flatten, keras.layers.Dropout, keras.layers.Identity)
_ACTIVATION_LAYERS = (keras.layers.ReLU, keras.layers.LeakyReLU, keras.layers.PReLU, keras.layers.ELU)
_LOOKED_THROUGH = ("softmax", "sigmoid", "log_softmax")


def functional(model: keras.Model) -> Any | None:
    """The functional graph of a model, or None for a model that has none (subclassed, or Sequential not built)."""
    if isinstance(model, keras.Sequential):
        return getattr(model, "_functional", None)
    # The Keras API exports no name for functional models; they are the Functions among the Models.
    return model if isinstance(model, keras.Function) else None


def inputs_structure(model: keras.Model) -> Any:
    """The symbolic inputs in the structure in which the model takes them."""
    graph: Any = functional(model)
    return _unpacked(graph._inputs_struct)


def outputs_structure(model: keras.Model) -> Any:
    """The symbolic outputs in the structure in which the model returns them."""
    graph: Any = functional(model)
    return _unpacked(graph._outputs_struct)


def is_graph(operation: Any) -> bool:
    """Whether an operation is a nested functional model."""
    return isinstance(operation, keras.Model) and functional(operation) is not None


def operations(model: keras.Model) -> Iterator[Any]:
    """All operations of a model's graph, nested models before and together with what is in them, in order."""
    graph = functional(model)
    for operation in graph.operations if graph is not None else ():
        yield operation
        if is_graph(operation):
            yield from operations(operation)


def find_layer(model: keras.Model, layer: str | int | keras.layers.Layer) -> Any:
    """Finds a layer by name (also in nested models; `"outer/inner"` names the way), by index, or by itself.

    Raises:
      LayerError: there is no such layer, or more than one of that name.
    """
    everything = list(operations(model))
    if isinstance(layer, keras.layers.Layer):
        if not any(operation is layer for operation in everything):
            raise LayerError(f"The layer {layer.name!r} is not part of the model {model.name!r}.")
        return layer
    if isinstance(layer, bool) or not isinstance(layer, (str, int)):
        raise TypeError(f"`layer` must be a name, an index, a Keras layer or None, not {type(layer).__name__}.")
    if isinstance(layer, int):
        layers = model.layers
        if not -len(layers) <= layer < len(layers):
            raise LayerError(f"`layer` index {layer} is out of range: the model has {len(layers)} layers.")
        return layers[layer]
    outer, _, inner = layer.partition("/")
    named = [operation for operation in everything if operation.name == layer]
    if not named and inner:
        return find_layer(find_layer(model, outer), inner)
    if len(named) != 1:
        names = [operation.name for operation in everything if isinstance(operation, keras.layers.Layer)]
        problem = f"is the name of {len(named)} layers; write outer/inner" if named else "is not a layer of the model"
        raise LayerError(f"`layer` {layer!r} {problem}. The last layers are {names[-8:]}.")
    return named[0]


def last_weighted(nodes: Sequence[Any]) -> Any:
    """The operation of the last node that has weights: its input is the paper's penultimate representation.

    Args:
      nodes: `tf_ig2.models.network.Node`s, in the order in which they are computed.

    Raises:
      LayerError: no operation has weights.
    """
    for node in reversed(nodes):
        if node.operation is not None and not is_graph(node.operation) and getattr(node.operation, "weights", None):
            return node.operation
    raise LayerError("No layer of the model has weights: name the representation with `layer`.")


def output_node(network: Any, key: Any) -> Any:
    """The node that computes a tensor of a `tf_ig2.models.network.Network`, behind those that change only its shape."""
    while True:
        node = network.producer[key]
        if node.operation is None or is_graph(node.operation):
            key = node.inputs[node.outputs.index(key)]
        elif isinstance(node.operation, _SHAPE_ONLY) or _is_linear_activation(node.operation):
            key = node.inputs[0]
        else:
            return node


def activation_name(operation: Any) -> str | None:
    """The name of the activation that an output operation ends with; None if it has none (its output is linear).

    Raises:
      OutputActivationError: the operation is a Lambda or a layer of the user's own, in which anything may happen.
    """
    if isinstance(operation, keras.layers.Softmax):
        return "softmax"
    if isinstance(operation, _ACTIVATION_LAYERS):
        return type(operation).__name__.lower()
    if isinstance(operation, keras.layers.Layer):
        activation = getattr(operation, "activation", None)
        if activation is not None and activation is not keras.activations.linear:
            return str(getattr(activation, "__name__", type(activation).__name__)).lower()
        if isinstance(operation, keras.layers.Lambda) or not type(operation).__module__.startswith("keras."):
            raise OutputActivationError(
                f"The model ends in {operation.name!r} ({type(operation).__name__}), and whether that applies an "
                "activation cannot be seen from outside. If its output is linear (logits, for example), pass "
                'output="raw".'
            )
        return None
    name = type(operation).__name__.lower()  # a keras.ops operation in the graph: Softmax, Sigmoid, Add, …
    module = type(operation).__module__
    return {"logsoftmax": "log_softmax"}.get(name, name) if module.endswith(("ops.nn",)) else None


def with_activation(layer: keras.layers.Layer, activation: Callable[..., Any]) -> keras.layers.Layer:
    """The same layer with another activation: a shallow copy on the same weights; the layer itself is not changed."""
    twin = copy.copy(layer)
    object.__setattr__(twin, "activation", activation)  # past Keras's attribute tracking, which the two share
    return twin


def without_activation(operation: Any) -> Callable[..., Any]:
    """How to call an output operation so that it returns its logits.

    Raises:
      OutputActivationError: its activation is none of softmax, sigmoid and log_softmax.
    """
    name = activation_name(operation)
    if name not in _LOOKED_THROUGH:
        raise OutputActivationError(
            f"Logits were asked for, but the model's output {operation.name!r} ends in the activation {name!r}, which "
            'cannot be looked through to logits. Pass output="raw" to explain the output as it is.'
        )
    if isinstance(operation, (keras.layers.Activation, keras.layers.Softmax)) or not isinstance(
        operation, keras.layers.Layer
    ):
        return lambda _, x, *args, **kwargs: x
    linear = type(operation).from_config({**operation.get_config(), "activation": "linear"})
    linear.build_from_config(operation.get_build_config())

    def call(operation: Any, *args: Any, **kwargs: Any) -> Any:
        values = [(ours, theirs.value) for ours, theirs in zip(linear.variables, operation.variables, strict=True)]
        with keras.StatelessScope(state_mapping=values):
            return linear(*args, **kwargs)

    return call


def float_ancestors(tensor: tf.Tensor) -> set[str]:
    """The names of all tensors of a TensorFlow graph that one depends on through floating-point values alone."""
    seen: set[str] = set()
    ahead = [tensor]
    while ahead:
        tensor = ahead.pop()
        differentiable = (
            tensor.dtype.is_floating or tensor.dtype == tf.variant
        )  # recurrent layers keep lists in variants
        if tensor.name not in seen and differentiable:
            seen.add(tensor.name)
            ahead.extend(tensor.op.inputs)
    return seen


def ancestors(model: keras.Model, index: int) -> set[int]:
    """The ids of all operations that the model's output number `index` is computed from."""
    graph: Any = functional(model)
    found: set[int] = set()
    seen: set[int] = set()
    ahead = [graph.outputs[index]]
    while ahead:
        tensor = ahead.pop()
        if id(tensor) in seen:
            continue
        seen.add(id(tensor))
        operation, node_index, tensor_index = tensor._keras_history
        found.add(id(operation))
        if is_graph(operation):
            found |= ancestors(operation, tensor_index)
        ahead.extend(operation._inbound_nodes[node_index].input_tensors)
    return found


def _unpacked(structure: Any) -> Any:
    return structure[0] if isinstance(structure, (list, tuple)) and len(structure) == 1 else structure


def _is_linear_activation(operation: Any) -> bool:
    activation = getattr(operation, "activation", None)
    return (
        isinstance(operation, keras.layers.Layer)
        and activation is keras.activations.linear
        and (isinstance(operation, keras.layers.Activation))
    )

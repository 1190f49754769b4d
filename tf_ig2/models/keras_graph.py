"""What can be read off a Keras model: its layers by name, its graph, what depends on what."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import keras
import tensorflow as tf

from tf_ig2.errors import LayerError

IDENTITY_AT_INFERENCE = tuple(
    getattr(keras.layers, name)
    for name in (
        *("Dropout", "SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D", "AlphaDropout", "GaussianDropout"),
        *("GaussianNoise", "ActivityRegularization"),
        *("RandomBrightness", "RandomColorDegeneration", "RandomColorJitter", "RandomContrast", "RandomErasing"),
        *("RandomElasticTransform", "RandomFlip", "RandomGaussianBlur", "RandomGrayscale", "RandomHue"),
        *("RandomInvert", "RandomPerspective", "RandomPosterization", "RandomRotation", "RandomSaturation"),
        *("RandomSharpness", "RandomShear", "RandomTranslation", "RandomZoom", "AugMix", "CutMix", "MixUp"),
        "RandAugment",
    )
    if hasattr(keras.layers, name)
)
"""Layers of Keras that regularise or augment while a model is trained, and give what they take afterwards."""


def functional(model: keras.Model) -> Any | None:
    """The functional graph of a model, or None for a model that has none.

    Subclassed models have none, nor have Sequential ones that are not built, nor those whose class has a `call` of its
    own: what they compute is not what their graph says.
    """
    if _has_own_call(model):
        return None
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


def _has_own_call(model: Any) -> bool:
    methods = (getattr(type(model), name, None) for name in ("call", "__call__"))
    return "call" in vars(model) or not all(str(getattr(m, "__module__", "")).startswith("keras.") for m in methods)


def _unpacked(structure: Any) -> Any:
    return structure[0] if isinstance(structure, (list, tuple)) and len(structure) == 1 else structure

"""The inner layers of a model as a table: where one can explain, and what one can compare."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple, overload

import keras
import tensorflow as tf

from tf_ig2.models import keras_graph
from tf_ig2.models.model_view import check_model
from tf_ig2.models.network import Key, Network, Node


class InnerLayer(NamedTuple):
    """One layer.

    Attributes:
      name: usable as `layer=` and `input_layer=`; `"outer/inner"` in nested models.
      kind: its class.
      shape: its output's, without the batch axis.
      above: share of the model's multiplications with weights that come after it: about what a walk from here costs
        of a walk from the input.
      input_layer: whether one can explain there: it gives one floating-point tensor, on the way to an output.
      all_paths: whether every path from the input to that output goes through it, so that nothing goes around it.
    """

    name: str
    kind: str
    shape: tuple[int | None, ...]
    above: float
    input_layer: bool
    all_paths: bool


class InnerLayers(Sequence[InnerLayer]):
    """Inner layers from the input to the output; prints as a table."""

    def __init__(self, layers: Sequence[InnerLayer]):
        self._layers = tuple(layers)

    @overload
    def __getitem__(self, index: int) -> InnerLayer: ...
    @overload
    def __getitem__(self, index: slice) -> InnerLayers: ...
    def __getitem__(self, index: int | slice) -> InnerLayer | InnerLayers:
        return InnerLayers(self._layers[index]) if isinstance(index, slice) else self._layers[index]

    def __len__(self) -> int:
        return len(self._layers)

    def __str__(self) -> str:
        rows = [("name", "kind", "output", "above", "input_layer")]
        for layer in self._layers:
            shape = " × ".join("?" if size is None else str(size) for size in layer.shape)
            where = ("all paths" if layer.all_paths else "yes") if layer.input_layer else ""
            rows.append((layer.name, layer.kind, shape, f"{layer.above:.0%}", where))
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)

    __repr__ = __str__


def inner_layers(model: keras.Model, output: int = 0) -> InnerLayers:
    """Lists the layers of a model on the way to an output, with what they can be used for.

    Args:
      model: a built functional or Sequential model, other ones nested in it as they may.
      output: the output's number, where there are several.

    Returns:
      The layers, in the order in which they are computed; `print` shows a table. All can be named as `layer`; those
      that can be an `input_layer` are marked, and those that all paths go through.

    Raises:
      TypeError, ValueError: not a Keras model, not built, or subclassed; no such output.

    Example:
      >>> from keras import layers
      >>> model = keras.Sequential([keras.Input([8, 8, 1]), layers.Conv2D(4, 3, name="maps")])
      >>> model.add(layers.Flatten(name="flat"))
      >>> model.add(layers.Dense(2, name="last"))
      >>> print(inner_layers(model))
      name  kind     output     above  input_layer
      maps  Conv2D   6 × 6 × 4  18%    all paths
      flat  Flatten  144        18%    all paths
      last  Dense    2          0%     all paths
    """
    check_model(model)
    if keras_graph.functional(model) is None:
        raise ValueError(f"The subclassed model {model.name!r} has no graph to find layers in.")
    network = Network.of(model)
    if not 0 <= output < len(network.outputs):
        raise ValueError(f"`output` must be the number of one of {len(network.outputs)} outputs, not {output!r}.")
    target = network.outputs[output]
    needed = network.needed([target])
    calls = Counter(id(node.operation) for node in needed)
    costs = {node: _cost(network, node) for node in needed}
    whole = sum(costs.values()) or 1.0
    through = _on_all_paths(network, needed, target)
    rows = []
    for node in needed:
        if not isinstance(node.operation, keras.layers.Layer):
            continue
        tensors = [network.tensors[key] for key in node.outputs]
        single = len(tensors) == 1 and calls[id(node.operation)] == 1
        usable = single and tf.as_dtype(tensors[0].dtype).is_floating
        after = network.after(node.outputs)
        above = sum(cost for other, cost in costs.items() if not after.isdisjoint(other.inputs))
        rows.append(
            InnerLayer(
                node.name,
                type(node.operation).__name__,
                tuple(tensors[0].shape[1:]),
                above / whole,
                usable,
                usable and node.outputs[0] in through,
            )
        )
    return InnerLayers(rows)


def _cost(network: Network, node: Node) -> float:
    """Multiplications with weights for one explicand: every weight of a kernel, at every position of the output."""
    kernels = [weight for weight in getattr(node.operation, "weights", ()) if len(weight.shape) > 1]
    if not kernels or isinstance(node.operation, (keras.Model, keras.layers.Embedding)):
        return 0.0
    shape = network.tensors[node.outputs[0]].shape[1:]
    channels_first = getattr(node.operation, "data_format", None) == "channels_first"
    positions = shape[1:] if channels_first else shape[:-1]
    return float(sum(math.prod(kernel.shape) for kernel in kernels) * math.prod(size or 1 for size in positions))


def _on_all_paths(network: Network, needed: Sequence[Node], target: Key) -> set[Key]:
    """The tensors that every path from the inputs to the target goes through."""
    last = {key: number for number, node in enumerate(needed) for key in node.inputs}
    last[target] = len(needed)
    alive: set[Key] = {key for key in network.inputs if key in last}
    found = set()
    for number, node in enumerate(needed):
        alive.update(key for key in node.outputs if key in last)
        alive = {key for key in alive if last[key] > number}
        if len(alive) == 1:
            found |= alive
    return found

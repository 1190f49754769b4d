"""A Keras model's graph as one list of nodes, nested models unfolded, of which any part can be run.

Keras runs a model from its inputs to its outputs. Explanations enter in the middle, leave before the end, and call
some operations in another way; so here the nodes stand in a row, each with the tensors it takes and gives, and a run
computes what is wanted from what is known, and nothing else. The model, its layers and its weights are only read.
"""

from __future__ import annotations

import inspect
import itertools
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import keras
import tensorflow as tf

from tf_ig2.models import keras_graph

Call: TypeAlias = Callable[..., Any]
"""Called as `call(operation, *args, **kwargs)` in the place of `operation(*args, **kwargs)`."""

Key: TypeAlias = tuple[int, int]
"""A tensor of the graph: the number of the (nested) call that it belongs to, and the `id` of its symbolic tensor."""


@dataclass(frozen=True, eq=False)
class Node:
    """One call of one operation.

    Attributes:
      operation: the Keras operation; the nested model where one ends; None where one begins.
      path: the names of the nested models around it, from the outside in.
      inputs, outputs: the tensors that it takes and gives.
      compute: `(tensors, call) -> outputs`, the call itself, in another way if `call` is not None.
      first: the tensor that is its first positional argument, None if that is something else.
    """

    operation: Any
    path: tuple[str, ...]
    inputs: tuple[Key, ...]
    outputs: tuple[Key, ...]
    compute: Callable[[list[Any], Call | None], Any]
    first: Key | None = None

    @property
    def name(self) -> str:
        """The operation's name, with the nested models that it is in: `"outer/inner"`."""
        return "/".join([*self.path, self.operation.name])


class Network:
    """The nodes of a functional or built Sequential model.

    Args:
      nodes: all nodes, in an order in which they can be computed.
      inputs, outputs: the model's own, flat.
      tensors: the symbolic tensor of every key.
      model: the model, for the structure of its inputs.

    Example:
      >>> network = Network.of(keras.Sequential([keras.Input([2]), keras.layers.Dense(3, name="last")]))
      >>> [node.name for node in network.nodes]
      ['last']
    """

    def __init__(
        self,
        nodes: Iterable[Node],
        inputs: tuple[Key, ...],
        outputs: tuple[Key, ...],
        tensors: Mapping[Key, Any],
        model: keras.Model,
    ):
        self.nodes = tuple(nodes)
        self.inputs, self.outputs, self.tensors = inputs, outputs, tensors
        self._model: Any = keras_graph.functional(model)
        self.producer = {key: node for node in self.nodes for key in node.outputs}

    @classmethod
    def of(cls, model: keras.Model) -> Network:
        """The network of a functional or built Sequential model."""
        tensors: dict[Key, Any] = {}
        nodes: list[Node] = []
        inputs, outputs = _unfold(keras_graph.functional(model), (), itertools.count(), tensors, nodes)
        return cls(nodes, inputs, outputs, tensors, model)

    def replaced(self, nodes: Iterable[Node]) -> Network:
        """The same network with other nodes."""
        return Network(nodes, self.inputs, self.outputs, self.tensors, self._model)

    def fed(self, inputs: Any) -> dict[Key, Any]:
        """The model's inputs, tensors in the structure in which it takes them, by their keys."""
        return dict(zip(self.inputs, self._model._standardize_inputs(inputs), strict=True))

    def results(self, operation: Any) -> list[tuple[Key, ...]]:
        """What an operation gives, call by call; an `InputLayer` gives the tensor that is fed."""
        found = [node.outputs for node in self.nodes if node.operation is operation]
        if found or not isinstance(operation, keras.layers.InputLayer):
            return found
        return [(key,) for key, tensor in self.tensors.items() if tensor._keras_history.operation is operation]

    def needed(self, targets: Iterable[Key], known: Iterable[Key] = ()) -> list[Node]:
        """The nodes that some tensors are computed by, when others are known."""
        known = set(known)
        wanted = set(targets) - known
        found = []
        for node in reversed(self.nodes):
            if not wanted.isdisjoint(node.outputs):
                found.append(node)
                wanted.update(key for key in node.inputs if key not in known)
        return found[::-1]

    def after(self, keys: Iterable[Key]) -> set[Key]:
        """All tensors that are computed from some of these, and these."""
        found = set(keys)
        for node in self.nodes:
            if not found.isdisjoint(node.inputs):
                found.update(node.outputs)
        return found

    def consumers(self) -> Counter[Key]:
        """How many nodes take each tensor; the model's outputs count once more."""
        return Counter(itertools.chain(self.outputs, *(set(node.inputs) for node in self.nodes)))

    def run(
        self,
        known: Mapping[Key, Any],
        targets: Iterable[Key],
        calls: Mapping[int, Call] | None = None,
        at: Mapping[Node, Call] | None = None,
    ) -> dict[Key, Any]:
        """Computes tensors from known ones, at inference.

        Args:
          known: the tensors that are known.
          targets: the tensors that are wanted.
          calls: what is called instead of an operation, by the operation's `id`, wherever it stands.
          at: what is called instead of the operation of one node.

        Returns:
          All tensors that are known then, the wanted ones among them.
        """
        values = dict(known)
        with keras.StatelessScope():  # what layers remember from call to call (stateful recurrence) stays as it is
            for node in self.needed(targets, known):
                call = (at or {}).get(node) or (calls or {}).get(id(node.operation))
                results = tf.nest.flatten(node.compute([values[key] for key in node.inputs], call))
                for key, result in zip(node.outputs, results, strict=False):
                    values.setdefault(key, result)
        return values


def _unfold(
    graph: Any, path: tuple[str, ...], numbers: Any, tensors: dict[Key, Any], nodes: list[Node]
) -> tuple[tuple[Key, ...], tuple[Key, ...]]:
    """Appends the nodes of a graph, and of the models in it; returns the keys of its inputs and outputs."""
    scope = next(numbers)

    def keys(symbolic: Iterable[Any]) -> tuple[Key, ...]:
        tensors.update({(scope, id(x)): x for x in symbolic})
        return tuple((scope, id(x)) for x in symbolic)

    inputs, outputs = keys(graph.inputs), keys(graph.outputs)
    for depth in sorted(graph._nodes_by_depth, reverse=True):
        for node in graph._nodes_by_depth[depth]:
            operation = node.operation
            if not operation or node.is_input:
                continue
            taken, given = keys(node.input_tensors), keys(node.outputs)
            if keras_graph.is_graph(operation):
                inner = keras_graph.functional(operation)
                before = len(nodes)
                into, out = _unfold(inner, (*path, operation.name), numbers, tensors, nodes)
                nodes.insert(before, Node(None, path, taken[: len(into)], into, _entering(inner, node)))
                nodes.append(Node(operation, path, out, given, lambda values, call: values))
            else:
                first = _first(operation, node.arguments)
                position = [x is first for x in node.input_tensors]
                nodes.append(
                    Node(
                        operation,
                        path,
                        taken,
                        given,
                        _calling(operation, node),
                        taken[position.index(True)] if any(position) else None,
                    )
                )
    return inputs, outputs


def _first(operation: Any, arguments: Any) -> Any:
    """The first argument of a call, by position or by name."""
    if arguments.args or not arguments.kwargs:
        return arguments.args[0] if arguments.args else None
    names = inspect.signature(operation.call).parameters
    return arguments.kwargs.get(next(iter(names), ""))


def _entering(model: Any, node: Any) -> Callable[[list[Any], Call | None], Any]:
    """How a nested model takes the tensors that it is called on."""

    def compute(values: list[Any], call: Call | None) -> Any:
        known = {id(x): value for x, value in zip(node.input_tensors, values, strict=False)}
        return model._standardize_inputs(node.arguments.fill_in(known)[0][0])

    return compute


def _calling(operation: Any, node: Any) -> Callable[[list[Any], Call | None], Any]:
    """How an operation is called at a node, at inference."""
    trains = getattr(operation, "_call_has_training_arg", False)
    # Layers that augment images do so unless they are told not to.
    trains_unasked = trains and inspect.signature(operation.call).parameters["training"].default is True

    def compute(values: list[Any], call: Call | None) -> Any:
        known = {id(x): value for x, value in zip(node.input_tensors, values, strict=True)}
        args, kwargs = node.arguments.fill_in(known)
        if "training" in kwargs or (trains if call is None else trains_unasked):
            kwargs = {**kwargs, "training": False}
        return operation(*args, **kwargs) if call is None else call(operation, *args, **kwargs)

    return compute

"""What a graph computes, as one hash that does not depend on the names that tracing gave to things."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import tensorflow as tf


def of_functions(functions: dict[str, Any]) -> str:
    """The fingerprint of traced functions: the same for the same computation, in any process.

    Args:
      functions: concrete functions, by name.

    Returns:
      A SHA-256 in hex.

    Example:
      >>> import tensorflow as tf
      >>> one, same, other = (
      ...     tf.function(f).get_concrete_function(tf.TensorSpec([2]))
      ...     for f in (lambda x: x + 1.0, lambda y: y + 1.0, lambda x: x + 2.0)
      ... )
      >>> of_functions({"f": one}) == of_functions({"f": same}), of_functions({"f": one}) == of_functions({"f": other})
      (True, False)
    """
    parts = []
    for name, function in sorted(functions.items()):
        graph = function.graph.as_graph_def()
        library = {f.signature.name: f for f in graph.library.function}
        parts.append(f"{name} {_of_nodes(graph.node, library, {}, [])}")
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


class Computed:
    """What a Python function computes now; equal to another that computes the same from the same variables.

    A function may answer otherwise the next time, by a closure, a global, an attribute, a file. Nobody asks it whether
    it has changed: it is traced anew, which is cheap where it is small.

    Args:
      function: TensorFlow, from tensors to a structure of tensors.
      *specs: `tf.TensorSpec`s of what it is called on.

    Example:
      >>> import tensorflow as tf
      >>> spec, k = tf.TensorSpec([None, 3]), [0]
      >>> before = Computed(lambda z: z[:, k[0]], spec)
      >>> k[0] = 1
      >>> before == Computed(lambda z: z[:, 0], spec), before == Computed(lambda z: z[:, k[0]], spec)
      (True, False)
    """

    def __init__(self, function: Callable[..., Any], *specs: tf.TensorSpec):
        self.traced: Any = tf.function(function, input_signature=specs, autograph=False).get_concrete_function()
        # What is captured is known by identity; the traced function holds it, so that no other takes its place.
        captured = tuple(id(x) for x in self.traced.captured_inputs)
        self._key = (of_functions({"function": self.traced}), captured)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Computed) and self._key == other._key

    def __hash__(self) -> int:
        return hash(self._key)


def _of_nodes(nodes: Any, library: dict[str, Any], known: dict[str, str], arguments: list[str]) -> str:
    """Nodes are numbered in the order in which they were made, and told apart by that number."""
    number = {name: index for index, name in enumerate(arguments)}
    number |= {node.name: len(number) + index for index, node in enumerate(nodes)}

    def source(name: str) -> str:
        control, name = name.startswith("^"), name.lstrip("^")
        node, *output = name.split(":")
        return f"{'^' if control else ''}{number[node]}:{':'.join(output)}"

    def attribute(value: Any) -> str:
        kind = value.WhichOneof("value")
        if kind == "func":
            return of_function(value.func.name)
        if kind == "list" and value.list.func:
            return " ".join(of_function(func.name) for func in value.list.func)
        return hashlib.sha256(value.SerializeToString(deterministic=True)).hexdigest()

    def of_function(name: str) -> str:
        if name not in known:
            definition = library[name]
            names = [argument.name for argument in definition.signature.input_arg]
            known[name] = _of_nodes(definition.node_def, library, known, names)
        return known[name]

    digest = hashlib.sha256()
    for node in nodes:
        data = [source(name) for name in node.input if not name.startswith("^")]
        control = sorted(source(name) for name in node.input if name.startswith("^"))
        attributes = [
            f"{key}={attribute(node.attr[key])}"
            for key in sorted(node.attr)
            if not key.startswith("_")  # notes of the tracer, with names of its own
        ]
        kind = of_function(node.op) if node.op in library else node.op
        digest.update("|".join([kind, *data, *control, *attributes]).encode() + b"\n")
    return digest.hexdigest()


def of_arrays(arrays: Any) -> str:
    """The SHA-256 of NumPy arrays: dtypes, shapes and contents, in order."""
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(f"{array.dtype} {array.shape} ".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()

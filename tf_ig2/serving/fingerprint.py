"""What a graph computes, as one hash that does not depend on the names that tracing gave to things."""

from __future__ import annotations

import hashlib
from typing import Any


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

"""Whether what an export carries gives its references away.

IG² needs of a reference only what the model represents it by. Whether that hides the reference depends on what lies
between: a `Flatten` hides nothing, a layer with weights mixes what comes in. Here the computation itself is looked at:
operations that move, scale or copy numbers hand them on, and operations that sum products of them do not.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from enum import IntEnum
from graphlib import TopologicalSorter
from typing import Any

import numpy as np
import tensorflow as tf


class Trace(IntEnum):
    """What is left of the references in a tensor."""

    NOTHING = 0
    SUMMARY = 1  # a mean, a sum, a largest value
    MIXED = 2  # sums of products
    WHOLE = 3  # the numbers themselves, moved, scaled or put through a function one by one


_MIXING = {
    *("MatMul", "BatchMatMul", "BatchMatMulV2", "BatchMatMulV3", "Einsum", "_FusedMatMul", "XlaDotV2"),
    *("Conv2D", "Conv3D", "Conv", "DepthwiseConv2dNative", "Conv2DBackpropInput", "Conv3DBackpropInputV2"),
    *("CudnnRNN", "CudnnRNNV2", "CudnnRNNV3", "XlaConvV2", "SparseTensorDenseMatMul"),
}
_SUMMING = {"Mean", "Sum", "Prod", "Max", "Min", "All", "Any", "EuclideanNorm", "L2Loss"}
_COMBINING = {"AddV2", "Add", "AddN", "Sub", "Mul", "SquaredDifference"}
_SHAPES = {"Shape", "ShapeN", "Size", "Rank", "ZerosLike", "OnesLike", "BroadcastGradientArgs"}


def gives_away(function: Callable[[Any], Any], spec: Any) -> bool:
    """Whether a function's results still hold the numbers that it was given.

    Args:
      function: from samples, a structure of tensors `[R, ...]`, to what is kept of them; TensorFlow.
      spec: structure of `tf.TensorSpec([None, ...])` of the samples.

    Returns:
      False if every result is a summary of each sample, or comes from sums of products, as of a convolution, a dense or
      a recurrent layer. True otherwise, also for operations that nobody here knows, and for samples of one or two
      numbers, which their smallest and largest value say all of.

    Example:
      >>> spec = tf.TensorSpec([None, 4])
      >>> gives_away(lambda x: tf.reshape(2 * x, [-1, 2, 2]), spec)
      True
      >>> gives_away(lambda x: tf.matmul(x, tf.ones([4, 9])), spec)
      False
    """
    if sum(math.prod(part.shape[1:]) for part in tf.nest.flatten(spec)) <= 2:
        return True
    graph = tf.function(function, input_signature=[spec], autograph=False).get_concrete_function().graph
    definition = graph.as_graph_def()
    library = {function.signature.name: function for function in definition.library.function}
    known = {tensor.op.name: [Trace.WHOLE] for tensor in graph.inputs[: len(tf.nest.flatten(spec))]}
    found = _traces(definition.node, known, library)
    return any(_of(tensor.name, found) is Trace.WHOLE for tensor in graph.outputs)


def are_inside(references: Any, baked: Any) -> bool:
    """Whether the numbers of a reference stand in what is kept, one behind the other, byte for byte.

    A reference of one colour is nobody's secret: it is not looked for.

    Args:
      references: structure of arrays `[R, ...]`.
      baked: structure of arrays.
    """
    kept = [np.ascontiguousarray(part).tobytes() for part in tf.nest.flatten(baked)]
    for part in map(np.asarray, tf.nest.flatten(references)):
        for sample in part.reshape(len(part), -1) if len(part) else ():
            if sample.size > 1 and (sample != sample[0]).any() and any(sample.tobytes() in whole for whole in kept):
                return True
    return False


def _traces(nodes: Iterable[Any], known: dict[str, list[Trace]], library: dict[str, Any]) -> dict[str, list[Trace]]:
    """What is left in the results of each node, by its name; one trace stands for all of its results.

    Args:
      nodes: in an order in which they can be computed.
      known: of nodes.
      library: name → function.
    """
    found = dict(known)
    for node in nodes:
        if node.name not in found:
            given = [_of(name, found) for name in node.input if not name.startswith("^")]
            found[node.name] = _left(node, given, library)
    return found


def _of(name: str, found: dict[str, list[Trace]]) -> Trace:
    """Of a tensor: `node`, `node:0`, or in functions `node:output:0`."""
    node, *output = name.split(":")
    traces = found.get(node, [Trace.NOTHING])
    return traces[int(output[-1])] if len(traces) > 1 and output else traces[0]


def _left(node: Any, given: list[Trace], library: dict[str, Any]) -> list[Trace]:
    most = max(given, default=Trace.NOTHING)
    if most is Trace.NOTHING or node.op in _SHAPES:
        return [Trace.NOTHING]
    if node.op in _MIXING:
        return [Trace.MIXED]
    if node.op in _SUMMING:
        return [Trace.SUMMARY if most is Trace.WHOLE else most]
    if node.op in _COMBINING and Trace.MIXED in given:
        return [Trace.MIXED]
    called = [library[name] for name in _called(node) if name in library]
    if not called:
        return [most]
    if node.op in ("While", "StatelessWhile"):
        body = library[node.attr["body"].func.name]
        for _ in range(len(given)):  # what a turn hands to the next one; traces only grow
            after = [max(pair) for pair in zip(given, _results(body, given, library), strict=True)]
            given, same = after, after == given
            if same:
                break
        return given
    if node.op in ("If", "StatelessIf", "Case", "StatelessCase"):
        given = given[1:]
    if any(len(function.signature.input_arg) != len(given) for function in called):
        return [most]
    return [max(traces) for traces in zip(*(_results(function, given, library) for function in called), strict=True)]


def _results(function: Any, given: list[Trace], library: dict[str, Any]) -> list[Trace]:
    """What is left in the results of a function of the library."""
    known = {argument.name: [trace] for argument, trace in zip(function.signature.input_arg, given, strict=True)}
    found = _traces(_in_order(function.node_def), known, library)
    return [_of(function.ret[result.name], found) for result in function.signature.output_arg]


def _in_order(nodes: Iterable[Any]) -> list[Any]:
    """The nodes of a function, which may stand in any order, in one in which they can be computed."""
    by_name = {node.name: node for node in nodes}
    sources = {name: {source.lstrip("^").split(":")[0] for source in node.input} for name, node in by_name.items()}
    order = TopologicalSorter({name: found & by_name.keys() for name, found in sources.items()}).static_order()
    return [by_name[name] for name in order]


def _called(node: Any) -> list[str]:
    """The names of the functions that a node calls."""
    functions = [value.func.name for value in node.attr.values() if value.WhichOneof("value") == "func"]
    return functions + [function.name for value in node.attr.values() for function in value.list.func]

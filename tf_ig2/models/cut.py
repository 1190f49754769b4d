"""Where a network is entered: what lies below runs once for an explicand, what lies above in every step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from tf_ig2.compiled import compiled
from tf_ig2.errors import LayerError
from tf_ig2.models.network import Key, Network
from tf_ig2.paths.base import Points

_PROBE = 7
"""A batch size to trace with: what has as many rows for it has one for each explicand."""


class Cut:
    """The entries of a network, and the tensors that go around them.

    A residual connection around an `input_layer` is computed below it and used above. Such tensors are computed with
    the points, and handed on as `[B, ...]` in the place of the model's inputs.

    Args:
      network: the whole model.
      layers: the operations whose outputs are the entries.
      output: the tensor that is explained.
      several: whether the points are a list; they are one too where a layer is shared, called on several things.
      inputs_spec: structure of `tf.TensorSpec([None, ...])`, the model's inputs.

    Attributes:
      entries: the entries' tensors, in the order of the layers, and of the calls of a shared one.
      points_spec, inside_spec: structures of `tf.TensorSpec([None, ...])`.

    Raises:
      LayerError: the output does not depend on a layer, or it does not give one tensor with one row for an explicand.
    """

    def __init__(self, network: Network, layers: Sequence[Any], output: Key, several: bool, inputs_spec: Any):
        self._network, self._inputs_spec = network, inputs_spec
        found = [(layer, key) for layer in layers for key in _entries(network, layer, output)]
        self.entries = [key for _, key in found]
        self._several = several or len(self.entries) > 1
        needed = network.needed([output], self.entries)
        moving = network.after(self.entries)
        around = [key for node in needed if not moving.isdisjoint(node.outputs) for key in node.inputs]
        self._carried = list(dict.fromkeys(key for key in around if key not in moving))
        rows = self._probe()
        for layer, key in found:
            if key not in rows:
                raise LayerError(
                    f"The `input_layer` {layer.name!r} does not give one row of numbers for every explicand."
                )
        if not rows.issuperset(self._carried):
            self._carried = [key for key in network.inputs if any(key in node.inputs for node in network.nodes)]
            self._probe()
        self.enter = compiled(self._enter, [inputs_spec])

    @property
    def carried(self) -> list[Key]:
        """The tensors that go around the entries."""
        return list(self._carried)

    def known(self, points: Points, inside: Sequence[tf.Tensor]) -> dict[Key, tf.Tensor]:
        """The tensors at the cut, for the network to go on from."""
        parts = list(points) if self._several else [points]
        values = [
            tf.cast(part, self._network.tensors[key].dtype) for key, part in zip(self.entries, parts, strict=True)
        ]
        values.extend(inside[: len(self._carried)])
        keys = [*self.entries, *self._carried]
        known = {key: tf.identity(value) for key, value in zip(keys, values, strict=True)}
        for key, mask in zip(self._masked, inside[len(self._carried) :], strict=True):
            known[key]._keras_mask = mask
        return known

    def _enter(self, inputs: Points) -> tuple[Points, tuple[tf.Tensor, ...]]:
        """The points, and the carried tensors followed by the masks of both."""
        keys = [*self.entries, *self._carried]
        values = self._network.run(self._network.fed(inputs), keys)
        masks = {key: getattr(values[key], "_keras_mask", None) for key in keys}
        self._masked = [key for key in keys if masks[key] is not None]
        points = [_walked(values[key]) for key in self.entries]
        inside = [*(values[key] for key in self._carried), *(masks[key] for key in self._masked)]
        return points if self._several else points[0], tuple(inside)

    def _probe(self) -> set[Key]:
        """Learns what comes out, and which tensors have one row for every explicand."""
        specs = tf.nest.map_structure(
            lambda spec: tf.TensorSpec([_PROBE, *spec.shape[1:]], spec.dtype), self._inputs_spec
        )
        traced = tf.function(self._enter, input_signature=[specs], autograph=False).get_concrete_function()
        keys = [*self.entries, *self._carried]
        found = traced.structured_outputs
        parts = _parts(found, self._several)[: len(keys)]
        if any(part.shape.rank and part.shape[0] is None for part in parts):  # of texts nobody knows before they come
            shapes = [part.shape for part in _parts(traced(tf.nest.map_structure(_nothing, specs)), self._several)]
        else:
            shapes = [part.shape for part in parts]
        for key, part in zip(keys, parts, strict=True):
            part.set_shape([None, *self._network.tensors[key].shape[1:]])
        self.points_spec, self.inside_spec = tf.nest.map_structure(_any_rows, (found[0], tuple(found[1])))
        return {key for key, shape in zip(keys, shapes, strict=False) if shape.rank and shape[0] == _PROBE}


def _entries(network: Network, layer: Any, output: Key) -> list[Key]:
    """The tensors that a layer gives on the way to the output: one, or one for each call of a shared layer."""
    needed = network.needed([output])
    used = {key for node in needed for key in node.inputs} | {output}
    found = [keys for keys in network.results(layer) if not used.isdisjoint(keys)]
    if not found:
        raise LayerError(f"The explained output does not depend on the `input_layer` {layer.name!r}.")
    order = {key: (key[0], network.tensors[key]._keras_history.node_index) for call in found for key in call}
    keys = sorted(order, key=order.__getitem__)  # as the calls were written
    apart = all(network.after([key]).isdisjoint(other for other in keys if other != key) for key in keys)
    if any(len(call) != 1 for call in found) or not apart:
        raise LayerError(
            f"The `input_layer` {layer.name!r} gives {len(keys)} outputs in one forward pass, which cannot be "
            "entered at together: name another layer."
        )
    return keys


def _walked(x: tf.Tensor) -> tf.Tensor:
    """Half precision is enough for a network, not for paths, distances and sums."""
    return tf.cast(x, tf.float32) if x.dtype in (tf.float16, tf.bfloat16) else x


def _parts(found: tuple[Points, Sequence[tf.Tensor]], several: bool) -> list[tf.Tensor]:
    points, inside = found
    return [*(points if several else [points]), *inside]


def _nothing(spec: tf.TensorSpec) -> tf.Tensor:
    return tf.zeros([size or 3 for size in spec.shape], spec.dtype)


def _any_rows(x: Any) -> tf.TensorSpec:
    return tf.TensorSpec([None, *x.shape[1:]] if x.shape.rank else [], x.dtype)

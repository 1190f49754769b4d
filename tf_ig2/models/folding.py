"""BatchNorm folded into the linear layer before it: one operation less on every activation, forward and back.

At inference BatchNorm is y = s·x + t, channel by channel, with s = γ/√(σ² + ε) and t = β − s·μ. Behind a convolution or
a Dense layer it can be had for nothing: the kernel times s, and t for a bias. It is done in the graph, from the live
variables, so that weights that change afterwards are seen; the layers themselves are not touched.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

import keras
import tensorflow as tf

from tf_ig2.models.network import Call, Key, Network, Node

_LAYERS = keras.layers
_OUTPUT_LAST = (_LAYERS.Dense, _LAYERS.Conv1D, _LAYERS.Conv2D, _LAYERS.Conv3D)
_TRANSPOSED = (_LAYERS.Conv1DTranspose, _LAYERS.Conv2DTranspose, _LAYERS.Conv3DTranspose)
_DEPTHWISE = (_LAYERS.DepthwiseConv1D, _LAYERS.DepthwiseConv2D)
_SEPARABLE = (_LAYERS.SeparableConv1D, _LAYERS.SeparableConv2D)
_FOLDED = (*_OUTPUT_LAST, *_TRANSPOSED, *_DEPTHWISE, *_SEPARABLE)


def folded(network: Network, keep: Collection[Key] = ()) -> Network:
    """The same network with every BatchNorm folded that can be.

    Args:
      network: the network.
      keep: tensors that somebody enters at or looks at; what gives them stays as it is.

    Returns:
      The network, in which one node, named after the BatchNorm, stands for a linear layer and its BatchNorm where

      * the layer is one of Keras's own convolutions (transposed, depthwise and separable ones too) or a Dense, without
        activation, in float32 or float64, and nothing but the BatchNorm takes its output;
      * the BatchNorm is Keras's own, over the channels.

    Example:
      >>> conv, norm = keras.layers.Conv2D(8, 3, name="conv"), keras.layers.BatchNormalization(name="norm")
      >>> network = Network.of(keras.Sequential([keras.Input([9, 9, 3]), conv, norm]))
      >>> [node.name for node in folded(network).nodes]
      ['norm']

    Reference: Jacob et al., Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only
    Inference, CVPR 2018, section 3.2.
    """
    pairs = dict(_pairs(network, keep))
    linear = set(pairs.values())
    return network.replaced(
        _one_node(pairs[node], node) if node in pairs else node for node in network.nodes if node not in linear
    )


def operations(network: Network) -> set[int]:
    """The ids of the operations that were folded, linear layers and BatchNorms."""
    pairs = [node.operation.operations for node in network.nodes if isinstance(node.operation, _Pair)]
    return {id(operation) for pair in pairs for operation in pair}


class _Pair:
    """A linear layer and the BatchNorm behind it, as one operation."""

    weights = ()

    def __init__(self, linear: Any, norm: Any):
        self.operations = (linear, norm)
        self.name = norm.name

    def __call__(self, x: tf.Tensor) -> tf.Tensor:
        linear, norm = self.operations
        scale, shift = _scale_and_shift(norm, linear.variable_dtype)
        kernel = linear.pointwise_kernel if isinstance(linear, _SEPARABLE) else _kernel(linear)
        values = [(kernel, kernel.value * _along(scale, linear, kernel))]
        if linear.bias is not None:
            values.append((linear.bias, linear.bias.value * scale + shift))
        with keras.StatelessScope(state_mapping=values):
            y = linear(x)
        if linear.bias is not None:
            return y
        mask = getattr(y, "_keras_mask", None)
        channels_first = getattr(linear, "data_format", None) == "channels_first"
        y += tf.reshape(shift, [-1] + [1] * (y.shape.rank - 2)) if channels_first else shift
        if mask is not None:
            y._keras_mask = mask
        return y


def _pairs(network: Network, keep: Collection[Key]) -> Iterator[tuple[Node, Node]]:
    """The BatchNorms that can be folded, each with the linear layer before it."""
    consumers = network.consumers()
    for node in network.nodes:
        before = network.producer.get(node.inputs[0]) if type(node.operation) is _LAYERS.BatchNormalization else None
        if before is None or len(node.inputs) != 1 or len(before.inputs) != 1:
            continue
        between = node.inputs[0]
        if (
            consumers[between] == 1
            and between not in keep
            and _is_linear(before.operation)
            and _is_over_channels(node.operation, before.operation, len(network.tensors[between].shape))
        ):
            yield node, before


def _is_linear(layer: Any) -> bool:
    return (
        type(layer) in _FOLDED
        and layer.activation in (None, keras.activations.linear)
        and layer.compute_dtype == layer.variable_dtype
        and layer.compute_dtype in ("float32", "float64")
        and not getattr(layer, "lora_enabled", False)
        and getattr(layer, "quantization_mode", None) is None
    )


def _is_over_channels(norm: Any, layer: Any, rank: int) -> bool:
    channels_first = getattr(layer, "data_format", None) == "channels_first"
    return (
        norm.compute_dtype == layer.compute_dtype
        and not getattr(norm, "renorm", False)
        and norm.axis % rank == (1 if channels_first else rank - 1)
    )


def _one_node(linear: Node, norm: Node) -> Node:
    pair = _Pair(linear.operation, norm.operation)

    def compute(values: list[Any], call: Call | None) -> Any:
        return pair(values[0])

    return Node(pair, norm.path, linear.inputs, norm.outputs, compute, linear.first)


def _scale_and_shift(norm: Any, dtype: str) -> tuple[tf.Tensor, tf.Tensor]:
    """s and t of y = s·x + t, `[C]`."""
    scale = tf.math.rsqrt(norm.moving_variance.value + norm.epsilon)
    if norm.gamma is not None:
        scale *= norm.gamma.value
    shift = -scale * norm.moving_mean.value
    if norm.beta is not None:
        shift += norm.beta.value
    return tf.cast(scale, dtype), tf.cast(shift, dtype)


def _kernel(layer: Any) -> Any:
    """The kernel's variable."""
    return layer._kernel if hasattr(layer, "_kernel") else layer.kernel


def _along(scale: tf.Tensor, layer: Any, kernel: Any) -> tf.Tensor:
    """The scale of each output channel, as it multiplies the kernel."""
    if isinstance(layer, _TRANSPOSED):
        return scale[:, None]  # kernels are [..., out, in]
    if isinstance(layer, _DEPTHWISE):
        return tf.reshape(scale, kernel.shape[-2:])  # [..., in, multiplier]
    return scale

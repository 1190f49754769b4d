"""DeepLIFT: the difference of two outputs, carried back through a Keras model to the difference of two inputs.

Every operation gets a *multiplier* in place of its gradient, such that multipliers times input differences add up to
the output difference; the chain rule does the rest:

* linear operations: their gradient;
* elementwise activations: Δout/Δin (the rescale rule), the gradient where Δin vanishes;
* maxima (pooling): the increase goes to the explicand's maximum, the decrease to the reference's;
* products: the gradient at the midpoint, which is exact;
* anything else, if asked for: the gradient (which does not add up), or its mean on the straight line between the two
  inputs of the operation (which does; for elementwise functions it is the rescale rule).

References: Shrikumar, Greenside & Kundaje, Learning Important Features Through Propagating Activation Differences, ICML
2017, section 3.5; Lundberg & Lee, A Unified Approach to Interpreting Model Predictions, NeurIPS 2017, section 4.2.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from tf_ig2 import keras_graph
from tf_ig2.model_view import ModelView
from tf_ig2.paths.base import Points

Function = Callable[[list[tf.Tensor]], tf.Tensor]
"""An operation as a function of its floating-point tensors."""

Rule = Callable[[Function, list[tf.Tensor], list[tf.Tensor]], tf.Tensor]
"""`(function, inputs, reference inputs) -> output`, the output's gradient being the multipliers."""

UNKNOWN = ("error", "gradient", "integrate")

_TINY = 1e-6
"""Input differences up to this size have the gradient for their multiplier: Δout/Δin would be rounding noise."""


def linked(value: tf.Tensor, inputs: Sequence[tf.Tensor], multiply: Callable[[tf.Tensor], Any]) -> tf.Tensor:
    """A value whose gradient with respect to some inputs is as one says.

    Args:
      value: `[B, ...]`.
      inputs: the tensors that it came from.
      multiply: maps the gradient of `value` to the list of gradients of `inputs`.
    """

    @tf.custom_gradient
    def link(value: tf.Tensor, *inputs: tf.Tensor) -> Any:
        return tf.identity(value), lambda upstream: (tf.zeros_like(value), *multiply(upstream))

    return link(tf.stop_gradient(value), *inputs)


def rescale(function: Function, inputs: list[tf.Tensor], references: list[tf.Tensor]) -> tf.Tensor:
    """The rescale rule for an elementwise function of one tensor."""
    (x,), (reference,) = inputs, references
    value, slope = _value_and_gradient(function, x)
    difference = x - reference
    tiny = tf.abs(difference) <= _TINY
    quotient = (value - function([reference])) / tf.where(tiny, tf.ones_like(x), difference)
    multiplier = tf.stop_gradient(tf.where(tiny, slope, quotient))
    return linked(value, [x], lambda upstream: [upstream * multiplier])


def maximum(function: Function, inputs: list[tf.Tensor], references: list[tf.Tensor]) -> tf.Tensor:
    """The rule for the maximum of groups of elements of one tensor.

    Where the output increases, what increased it is the explicand's maximum; where it decreases, what did is that the
    reference's maximum is gone.
    """
    (x,), (reference,) = inputs, references
    value, reference_value = function([x]), function([reference])
    change = tf.stop_gradient(value - reference_value)

    def multiply(upstream: tf.Tensor) -> list[tf.Tensor]:
        gained = _vjp(function, [x], upstream * tf.nn.relu(change))[0]
        lost = _vjp(function, [reference], -upstream * tf.nn.relu(-change))[0]
        return [tf.math.divide_no_nan(gained + lost, x - reference)]

    return linked(value, [x], multiply)


def integrated(nodes: int) -> Rule:
    """The rule for any differentiable function: its gradient's mean on the straight line between its two inputs.

    Args:
      nodes: number of Gauss–Legendre nodes; one is exact for products of two factors.
    """
    positions, weights = np.polynomial.legendre.leggauss(nodes)

    def rule(function: Function, inputs: list[tf.Tensor], references: list[tf.Tensor]) -> tf.Tensor:
        where = tf.constant((positions + 1) / 2, inputs[0].dtype)
        shares = tf.constant(weights / 2, inputs[0].dtype)

        def multiply(upstream: tf.Tensor) -> list[tf.Tensor]:
            def add(node: tf.Tensor, total: list[tf.Tensor]) -> tuple[tf.Tensor, list[tf.Tensor]]:
                position, share = where[node], shares[node]
                points = [r + tf.cast(position, x.dtype) * (x - r) for x, r in zip(inputs, references, strict=True)]
                gradients = _vjp(function, points, upstream)
                added = [t + tf.cast(share, t.dtype) * g for t, g in zip(total, gradients, strict=True)]
                return node + 1, added

            zeros = [tf.zeros_like(x) for x in inputs]
            return tf.while_loop(lambda node, total: node < nodes, add, [tf.constant(0), zeros])[1]

        return linked(function(inputs), inputs, multiply)

    return rule


_PRODUCT, _ANY = integrated(1), integrated(16)

_LAYERS = keras.layers
_LINEAR_LAYERS = tuple(
    getattr(_LAYERS, name)
    for name in (
        "InputLayer Identity Dropout SpatialDropout1D SpatialDropout2D SpatialDropout3D GaussianNoise GaussianDropout "
        "AlphaDropout ActivityRegularization Flatten Reshape Permute RepeatVector Cropping1D Cropping2D Cropping3D "
        "ZeroPadding1D ZeroPadding2D ZeroPadding3D UpSampling1D UpSampling2D UpSampling3D AveragePooling1D "
        "AveragePooling2D AveragePooling3D GlobalAveragePooling1D GlobalAveragePooling2D GlobalAveragePooling3D "
        "BatchNormalization Rescaling Normalization CenterCrop Resizing Add Subtract Average Concatenate Embedding"
    ).split()
    if hasattr(_LAYERS, name)
)
_FUSED_LAYERS = tuple(
    getattr(_LAYERS, name)
    for name in (
        "Dense EinsumDense Conv1D Conv2D Conv3D Conv1DTranspose Conv2DTranspose Conv3DTranspose DepthwiseConv1D "
        "DepthwiseConv2D SeparableConv1D SeparableConv2D"
    ).split()
)
_ELEMENTWISE_LAYERS = (_LAYERS.ReLU, _LAYERS.LeakyReLU, _LAYERS.PReLU, _LAYERS.ELU)
_MAXIMUM_LAYERS = (
    _LAYERS.MaxPooling1D,
    _LAYERS.MaxPooling2D,
    _LAYERS.MaxPooling3D,
    _LAYERS.GlobalMaxPooling1D,
    _LAYERS.GlobalMaxPooling2D,
    _LAYERS.GlobalMaxPooling3D,
)
_VECTOR_ACTIVATIONS = {"softmax", "log_softmax", "glu", "sparsemax"}

# Operations of keras.ops that stand in a graph by themselves, by class name.
_LINEAR_OPERATIONS = set(
    "Add Subtract Negative Identity Cast Reshape Transpose Ravel Squeeze ExpandDims Concatenate Stack Split GetItem Pad "
    "Flip Roll Repeat Tile Mean Sum AveragePool Moveaxis Swapaxes BroadcastTo Take".split()
)
_ELEMENTWISE_OPERATIONS = set(
    "Relu Relu6 LeakyRelu Elu Selu Gelu Silu Sigmoid HardSigmoid HardSilu HardTanh Softplus Softsign LogSigmoid Tanh "
    "Exp Expm1 Log Log1p Sqrt Square Absolute Abs Sin Cos Erf Celu Mish Squareplus".split()
)
_MAXIMUM_OPERATIONS = {"MaxPool", "Max"}


def rules(view: ModelView, unknown: str = "error") -> dict[int, tuple[Any, Rule | None]]:
    """Finds the rule of every operation that matters.

    Args:
      view: the model.
      unknown: what to do with operations that have no rule: `"error"`, `"gradient"`, or `"integrate"`.

    Returns:
      By the id of an operation with a rule: the layer that is called first (the same without its activation; None
      if the rule is for the whole operation), and the rule.

    Raises:
      ValueError: the view has no Keras graph; or operations between the input and the explained output have no rule,
        and `unknown` is `"error"`.
    """
    if view.model is None:
        raise ValueError("DeepLIFT goes through a model layer by layer, and this ModelView was made from callables.")
    found: dict[int, tuple[Any, Rule | None]] = {}
    without: dict[int, Any] = {}
    behind_output = view.operations_behind_output()
    for operation in keras_graph.operations(view.model):
        if id(operation) not in behind_output or keras_graph.is_graph(operation):
            continue
        if view.leaves_out_activation(operation) or _is_linear(operation):
            continue
        first, rule = _rule(operation)
        if rule is not None:
            found[id(operation)] = first, rule
        else:
            without[id(operation)] = operation
    if without:
        without = _between(view, without)
    if without and unknown == "error":
        names = ", ".join(f"{operation.name!r} ({_kind(operation)})" for operation in without.values())
        raise ValueError(
            f"DeepLIFT has no rule for {names}. Pass unknown=\"integrate\" to take the mean gradient between the "
            'reference\'s and the explicand\'s value (it adds up), or unknown="gradient" to take the gradient (it does '
            'not). A softmax that ends the model is left out by output="logits".'
        )
    if unknown == "integrate":
        found.update({key: (None, _ANY) for key in without})
    return found


def propagate(
    view: ModelView,
    found: dict[int, tuple[Any, Rule | None]],
    explained: Callable[[tf.Tensor], tf.Tensor],
    points: Points,
    references: Points,
    inputs: Points = (),
) -> tuple[Points, tf.Tensor, tf.Tensor]:
    """Multipliers of a batch of (explicand, reference) pairs: one forward pass for each, one backward pass.

    Args:
      view: the model.
      found: what `rules` found.
      explained: maps the model's output `[B, ...]` to the explained output `[B]`.
      points, references: structures of `[B, ...]`.
      inputs: the model's own inputs when there is an `input_layer`, otherwise `()`.

    Returns:
      The multipliers m, structure of `[B, ...]`, and the explained outputs `[B]` of explicands and of references:
      Σ m·(x − x′) = f(x) − f(x′).
    """
    seen: dict[int, deque[list[tf.Tensor]]] = {key: deque() for key in found}

    def record(operation: Any, *args: Any, **kwargs: Any) -> Any:
        first, _ = found[id(operation)]
        if first is not None:
            args, kwargs = (first(*args, **kwargs),), {}
        seen[id(operation)].append(_floats((args, kwargs)))
        return operation(*args, **kwargs) if first is None else operation.activation(*args)

    def apply(operation: Any, *args: Any, **kwargs: Any) -> Any:
        first, rule = found[id(operation)]
        call: Any = operation
        if first is not None:
            args, kwargs, call = (first(*args, **kwargs),), {}, operation.activation

        def function(tensors: list[tf.Tensor]) -> tf.Tensor:
            given = iter(tensors)
            filled = tf.nest.map_structure(lambda x: next(given) if _is_float(x) else x, (args, kwargs))
            return call(*filled[0], **filled[1])

        assert rule is not None
        return rule(function, _floats((args, kwargs)), seen[id(operation)].popleft())

    reference_output = explained(view.forward(references, inputs, dict.fromkeys(found, record))[1])
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(tf.nest.flatten(points))
        output = explained(view.forward(points, inputs, dict.fromkeys(found, apply))[1])
    multipliers = tape.gradient(output, points, unconnected_gradients=tf.UnconnectedGradients.ZERO)
    return tf.nest.map_structure(tf.convert_to_tensor, multipliers), output, reference_output


def _rule(operation: Any) -> tuple[Any, Rule | None]:
    """The layer to call first, and the rule, of an operation that is not linear; (None, None) if there is none."""
    if isinstance(operation, _ELEMENTWISE_LAYERS):
        return None, rescale
    if isinstance(operation, _MAXIMUM_LAYERS):
        return None, maximum
    if isinstance(operation, _LAYERS.Multiply):
        factors = len(operation._inbound_nodes[-1].input_tensors)
        return None, _PRODUCT if factors == 2 else integrated(-(-factors // 2))
    if isinstance(operation, _LAYERS.Activation):
        return None, rescale if _is_elementwise(operation.activation) else None
    if isinstance(operation, _FUSED_LAYERS) and _is_elementwise(operation.activation):
        return keras_graph.with_activation(operation, keras.activations.linear), rescale
    if isinstance(operation, keras.layers.Layer):
        return None, None
    if _kind(operation) in _ELEMENTWISE_OPERATIONS:
        return None, rescale
    if _kind(operation) in _MAXIMUM_OPERATIONS:
        return None, maximum
    return None, _PRODUCT if _kind(operation) == "Multiply" else None


def _is_linear(operation: Any) -> bool:
    if isinstance(operation, keras.layers.Layer):
        if not type(operation).__module__.startswith("keras."):
            return False
        activation = getattr(operation, "activation", keras.activations.linear)
        linear = activation in (None, keras.activations.linear)
        return isinstance(operation, _LINEAR_LAYERS) or (
            linear and isinstance(operation, (*_FUSED_LAYERS, _LAYERS.Activation))
        )
    kind = _kind(operation)
    if kind in ("Multiply", "Divide", "TrueDivide", "Matmul", "Einsum", "Dot"):
        return _tensors(operation) == 1 and not (kind.endswith("ivide") and _is_denominator(operation))
    return kind in _LINEAR_OPERATIONS


def _is_elementwise(activation: Any) -> bool:
    module = getattr(activation, "__module__", "")
    return module.startswith("keras.") and getattr(activation, "__name__", "") not in _VECTOR_ACTIVATIONS


def _is_denominator(operation: Any) -> bool:
    arguments = operation._inbound_nodes[-1].arguments.args
    return len(arguments) > 1 and isinstance(arguments[1], keras.KerasTensor)


def _tensors(operation: Any) -> int:
    return len(operation._inbound_nodes[-1].input_tensors)


def _kind(operation: Any) -> str:
    return type(operation).__name__


def _between(view: ModelView, operations: dict[int, Any]) -> dict[int, Any]:
    """Those of some operations that lie between the attributed points and the explained output."""
    outputs: dict[int, list[tf.Tensor]] = {key: [] for key in operations}

    def call(operation: Any, *args: Any, **kwargs: Any) -> Any:
        result = operation(*args, **kwargs)
        outputs[id(operation)].extend(tf.nest.flatten(result))
        return result

    def forward(points: Points, inputs: Points) -> tf.Tensor:
        return view.forward(points, inputs, dict.fromkeys(operations, call))[1]

    signature = (view.points_spec, view.inputs_spec if view.attributes_inside else ())
    graph = tf.function(forward, input_signature=signature, autograph=False).get_concrete_function().graph
    points = {tensor.name for tensor in graph.inputs[: len(tf.nest.flatten(view.points_spec))]}
    return {
        key: operation
        for key, operation in operations.items()
        if any(points & keras_graph.float_ancestors(tensor) for tensor in outputs[key])
    }


def _is_float(x: Any) -> bool:
    return tf.is_tensor(x) and x.dtype.is_floating


def _floats(structure: Any) -> list[tf.Tensor]:
    return [x for x in tf.nest.flatten(structure) if _is_float(x)]


def _value_and_gradient(function: Function, x: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(x)
        value = function([x])
    return value, tape.gradient(value, x, unconnected_gradients=tf.UnconnectedGradients.ZERO)


def _vjp(function: Function, inputs: list[tf.Tensor], upstream: tf.Tensor) -> list[tf.Tensor]:
    inputs = [tf.identity(x) for x in inputs]
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(inputs)
        value = function(inputs)
    return tape.gradient(
        value, inputs, output_gradients=upstream, unconnected_gradients=tf.UnconnectedGradients.ZERO
    )

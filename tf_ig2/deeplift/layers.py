"""Which operation of a Keras model follows which of DeepLIFT's rules."""

from __future__ import annotations

from typing import Any, NamedTuple

import keras
import tensorflow as tf

from tf_ig2.deeplift.rules import Rule, integrated, maximum, rescale
from tf_ig2.models import keras_graph
from tf_ig2.models.model_view import ModelView
from tf_ig2.models.output_activation import twin
from tf_ig2.paths.base import Points

UNKNOWN = ("error", "gradient", "integrate")
"""What can be done with operations that have no rule."""


class Ruled(NamedTuple):
    """How to call an operation by its rule.

    Attributes:
      linear: what is called before the rule: the layer without its fused activation; None if the rule is for the whole
        operation.
      rule: the rule, for the activation or for the operation.
    """

    linear: Any
    rule: Rule


_PRODUCT, _ANY = integrated(1), integrated(16, panels=512)

_LAYERS = keras.layers
_LINEAR_LAYERS = (
    _LAYERS.InputLayer,
    _LAYERS.Identity,
    *keras_graph.IDENTITY_AT_INFERENCE,
    _LAYERS.Flatten,
    _LAYERS.Reshape,
    _LAYERS.Permute,
    _LAYERS.RepeatVector,
    _LAYERS.Cropping1D,
    _LAYERS.Cropping2D,
    _LAYERS.Cropping3D,
    _LAYERS.ZeroPadding1D,
    _LAYERS.ZeroPadding2D,
    _LAYERS.ZeroPadding3D,
    _LAYERS.CenterCrop,
    _LAYERS.Resizing,
    _LAYERS.UpSampling1D,
    _LAYERS.UpSampling2D,
    _LAYERS.UpSampling3D,
    _LAYERS.AveragePooling1D,
    _LAYERS.AveragePooling2D,
    _LAYERS.AveragePooling3D,
    _LAYERS.GlobalAveragePooling1D,
    _LAYERS.GlobalAveragePooling2D,
    _LAYERS.GlobalAveragePooling3D,
    _LAYERS.BatchNormalization,
    _LAYERS.Rescaling,
    _LAYERS.Normalization,
    _LAYERS.Add,
    _LAYERS.Subtract,
    _LAYERS.Average,
    _LAYERS.Concatenate,
    _LAYERS.Embedding,
)
_FUSED_LAYERS = (  # linear, then their `activation`
    _LAYERS.Dense,
    _LAYERS.EinsumDense,
    _LAYERS.Conv1D,
    _LAYERS.Conv2D,
    _LAYERS.Conv3D,
    _LAYERS.Conv1DTranspose,
    _LAYERS.Conv2DTranspose,
    _LAYERS.Conv3DTranspose,
    _LAYERS.DepthwiseConv1D,
    _LAYERS.DepthwiseConv2D,
    _LAYERS.SeparableConv1D,
    _LAYERS.SeparableConv2D,
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
_LINEAR_OPERATIONS = {
    "Add",
    "Subtract",
    "Negative",
    "Identity",
    "Cast",
    "Reshape",
    "Transpose",
    "Ravel",
    "Squeeze",
    "ExpandDims",
    "Concatenate",
    "Stack",
    "Split",
    "GetItem",
    "Pad",
    "Flip",
    "Roll",
    "Repeat",
    "Tile",
    "Mean",
    "Sum",
    "AveragePool",
    "Moveaxis",
    "Swapaxes",
    "BroadcastTo",
    "Take",
}
_ELEMENTWISE_OPERATIONS = {
    "Relu",
    "Relu6",
    "LeakyRelu",
    "Elu",
    "Selu",
    "Gelu",
    "Silu",
    "Sigmoid",
    "HardSigmoid",
    "HardSilu",
    "HardTanh",
    "Softplus",
    "Softsign",
    "LogSigmoid",
    "Tanh",
    "Exp",
    "Expm1",
    "Log",
    "Log1p",
    "Sqrt",
    "Square",
    "Absolute",
    "Abs",
    "Sin",
    "Cos",
    "Erf",
    "Celu",
    "Mish",
    "Squareplus",
}
_MAXIMUM_OPERATIONS = {"MaxPool", "Max"}


def rules(view: ModelView, unknown: str = "error") -> dict[int, Ruled]:
    """Finds the rule of every operation that matters.

    Args:
      view: the model.
      unknown: what to do with operations that have no rule: `"error"`, `"gradient"`, or `"integrate"`.

    Returns:
      How to call the operations that have a rule, by their ids; linear ones need none.

    Raises:
      ValueError: the view has no Keras graph; or operations between the input and the explained output have no rule,
        and `unknown` is `"error"`.
    """
    if view.model is None:
        raise ValueError(
            "DeepLIFT goes through a model layer by layer, and this one has no Keras graph (it is subclassed, or the "
            "ModelView was made from callables): build it with the functional API, or use another explainer."
        )
    found: dict[int, Ruled] = {}
    without: dict[int, Any] = {}
    behind_output = view.operations_behind_output()
    for operation in keras_graph.operations(view.model):
        if id(operation) not in behind_output or keras_graph.is_graph(operation):
            continue
        if view.leaves_out_activation(operation) or _is_linear(operation):
            continue
        ruled = _ruled(operation)
        if ruled is not None:
            found[id(operation)] = ruled
        else:
            without[id(operation)] = operation
    if without:
        without = _between(view, without)
    if without and unknown == "error":
        names = ", ".join(f"{operation.name!r} ({_kind(operation)})" for operation in without.values())
        raise ValueError(
            f'DeepLIFT has no rule for {names}. Pass unknown="integrate" to take the mean gradient between the '
            "reference's and the explicand's value (it adds up), or unknown=\"gradient\" to take the gradient (it does "
            'not). A softmax that ends the model is left out by output="logits".'
        )
    if unknown == "integrate":
        found.update(dict.fromkeys(without, Ruled(None, _ANY)))
    return found


def _ruled(operation: Any) -> Ruled | None:
    """The rule of an operation that is not linear, if it has one."""
    kind = _kind(operation)
    if isinstance(operation, _FUSED_LAYERS) and _is_kerass(operation) and _is_elementwise(operation.activation):
        return Ruled(twin(operation, activation=keras.activations.linear), rescale)
    if isinstance(operation, _LAYERS.Activation):
        return Ruled(None, rescale) if _is_elementwise(operation.activation) else None
    if isinstance(operation, keras.layers.Layer) and not _is_kerass(operation):
        return None
    if isinstance(operation, _ELEMENTWISE_LAYERS) or kind in _ELEMENTWISE_OPERATIONS:
        return Ruled(None, rescale)
    if isinstance(operation, _MAXIMUM_LAYERS) or kind in _MAXIMUM_OPERATIONS:
        return Ruled(None, maximum)
    if kind == "Multiply":
        factors = _tensors(operation)
        return Ruled(None, _PRODUCT if factors == 2 else integrated(-(-factors // 2)))
    return None


def _is_linear(operation: Any) -> bool:
    if isinstance(operation, keras.layers.Layer):
        if not _is_kerass(operation):
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


def _is_kerass(operation: Any) -> bool:
    """Whether it is one of Keras's own: a user's subclass may do anything."""
    return type(operation).__module__.startswith("keras.")


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

    def forward(points: Points, inside: Points) -> tf.Tensor:
        return view.forward(points, inside, dict.fromkeys(operations, call), representation=False)[1]

    signature = (view.points_spec, view.inside_spec)
    graph = tf.function(forward, input_signature=signature, autograph=False).get_concrete_function().graph
    points = {tensor.name for tensor in graph.inputs[: len(tf.nest.flatten(view.points_spec))]}
    return {
        key: operation
        for key, operation in operations.items()
        if any(points & keras_graph.float_ancestors(tensor) for tensor in outputs[key])
    }

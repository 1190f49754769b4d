"""ModelView: one forward pass through a Keras model that gives the representation and the explained output."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import keras
import tensorflow as tf

from tf_ig2 import keras_graph
from tf_ig2.errors import LayerError, NotDifferentiableError
from tf_ig2.paths.base import Points

LayerLike: TypeAlias = str | int | keras.layers.Layer

_OUTPUTS = ("logits", "probabilities", "raw")


class ModelView:
    """What explanations need to know of a Keras model.

    The model is only read. Functional and Sequential models work, nested in each other too; for subclassed models see
    `from_callables`.

    Args:
      model: a built `keras.Model`.
      layer: whose output is the representation: a name (in nested models too, `"outer/inner"`), an index into
        `model.layers`, or a layer. None: the input of the last layer with weights, the paper's penultimate layer.
      output: `"logits"` looks through a last softmax or sigmoid, `"probabilities"` keeps it, `"raw"` takes the output
        as it is.
      output_name: which output to explain when the model has several: its key, its layer's name, or its index.
      input_layer: attribute at the output of this layer (or list of layers) instead of the model's input; a text
        model is explained at its embedding.

    Attributes:
      model: the model, or None for callables.
      layer: the representation layer as it was asked for, by name or index; None for the penultimate one.
      inputs_spec: structure of `tf.TensorSpec([None, ...])`: what the model takes.
      points_spec: the same for where attributions are made; differs from `inputs_spec` with an `input_layer`.
      output_spec: `tf.TensorSpec([None, ...])` of the explained output.

    Raises:
      TypeError: `model` is not a Keras model.
      ValueError: the model is not built, is subclassed, or `output` or `output_name` is unknown.
      LayerError: `layer` or `input_layer` is unknown, ambiguous, or not between the input and the output.
      OutputActivationError: logits were asked for and cannot be had.
      NotDifferentiableError: the output does not depend on the input through floating-point numbers.

    Example:
      >>> model = keras.Sequential([keras.Input([4]), keras.layers.Dense(8, "relu"), keras.layers.Dense(3, "softmax")])
      >>> view = ModelView(model)
      >>> view.output_spec.shape, view.representation(tf.zeros([2, 4])).shape
      (TensorShape([None, 3]), TensorShape([2, 8]))
    """

    def __init__(
        self,
        model: keras.Model,
        layer: LayerLike | None = None,
        output: str = "logits",
        output_name: str | int | None = None,
        input_layer: LayerLike | Sequence[LayerLike] | None = None,
    ):
        _check_model(model)
        if output not in _OUTPUTS:
            raise ValueError(f"Unknown output: {output!r}. Choose one of {_OUTPUTS}.")
        self.model: keras.Model | None = model
        self._encoder: Any = None
        self._head: Any = None
        self.variables = list(model.variables)
        self._output_path, index = _find_output(model, output_name)
        final = keras_graph.output_operation(model, index)
        self._calls: dict[int, keras_graph.Call] = {}
        self._output_index = index
        if output == "logits" and keras_graph.activation_name(final) is not None:
            self._calls[id(final)] = keras_graph.without_activation(final)
        elif output == "probabilities" and keras_graph.activation_name(final) is None:
            raise ValueError(
                f"Probabilities were asked for, but the model's output {final.name!r} has no softmax or sigmoid. "
                'Pass output="logits" to explain it as it is, or add the activation to the model.'
            )
        self.layer: str | int | None = layer.name if isinstance(layer, keras.layers.Layer) else layer
        self._taps_input = layer is None
        self._tapped = (
            keras_graph.last_layer_with_weights(model, index) if layer is None else keras_graph.find_layer(model, layer)
        )
        self._entries: list[Any] | None = None
        if input_layer is not None:
            self._several_entries = isinstance(input_layer, (list, tuple))
            layers = input_layer if isinstance(input_layer, (list, tuple)) else [input_layer]
            self._entries = [keras_graph.find_layer(model, entry) for entry in layers]
        self.inputs_spec = tf.nest.map_structure(
            lambda x: tf.TensorSpec([None, *x.shape[1:]], _walked_in(x.dtype)), keras_graph.inputs_structure(model)
        )
        self._trace()

    @classmethod
    def from_callables(
        cls,
        encoder: Callable[[Any], tf.Tensor],
        head: Callable[[tf.Tensor], tf.Tensor],
        input_spec: Any,
        variables: Sequence[Any] = (),
    ) -> ModelView:
        """A view of any TensorFlow model, a subclassed Keras model for example, as two functions.

        Args:
          encoder: maps inputs (structure of `[B, ...]`) to the representation `[B, ...]`.
          head: maps the representation to the output to explain `[B, C]`, logits if that is what is wanted.
          input_spec: structure of `tf.TensorSpec([None, ...])`, floating-point.
          variables: the variables that the functions use; needed only to export them.

        Returns:
          The view; `head(encoder(x))` is its one forward pass.

        Example:
          >>> net = keras.layers.Dense(2)
          >>> view = ModelView.from_callables(tf.tanh, net, tf.TensorSpec([None, 3]))
          >>> view.outputs(tf.zeros([5, 3])).shape
          TensorShape([5, 2])
        """
        self = cls.__new__(cls)
        self.model, self.layer = None, None
        self.variables = list(variables)
        self._encoder, self._head = encoder, head
        self._entries = None
        self.inputs_spec = tf.nest.map_structure(
            lambda spec: tf.TensorSpec([None, *spec.shape[1:]], spec.dtype), input_spec
        )
        self._trace()
        return self

    def forward(
        self, points: Points, inputs: Points = (), calls: dict[int, keras_graph.Call] | None = None
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """One forward pass.

        Args:
          points: structure of `[B, ...]` where attributions are made.
          inputs: the model's own inputs when there is an `input_layer`, otherwise `()`.
          calls: operations of the Keras graph to observe or to call in another way; see `keras_graph.run`. An output
            activation that the view leaves out stays left out.

        Returns:
          The representation `[B, ...]` and the model's output `[B, ...]`, both at least float32.
        """
        if self.model is None:
            representation = self._encoder(points)
            return _at_least_float32(representation), _at_least_float32(self._head(representation))
        seen: list[tf.Tensor] = []
        entered = iter(points if self._entries is not None and self._several_entries else [points])
        entries = self._entries or []
        replaced = {**(calls or {}), **self._calls}

        def call(operation: Any, *args: Any, **kwargs: Any) -> Any:
            bare = replaced.get(id(operation), lambda operation, *args, **kwargs: operation(*args, **kwargs))
            result = bare(operation, *args, **kwargs)
            if any(operation is entry for entry in entries):
                value = tf.cast(next(entered), result.dtype)
                mask = getattr(result, "_keras_mask", None)
                if mask is not None:
                    value._keras_mask = mask
                result = value
            if operation is self._tapped:
                seen.append(args[0] if self._taps_input else result)
            return result

        watched = {id(operation): call for operation in [self._tapped, *entries]}
        outputs = keras_graph.run(self.model, points if self._entries is None else inputs, {**replaced, **watched})
        if len(seen) != 1 or not tf.is_tensor(seen[0]):
            raise LayerError(
                f"The layer {self._tapped.name!r} gives {len(seen)} outputs in one forward pass, and a representation "
                "is one tensor: name another layer with `layer`."
            )
        for key in self._output_path:
            outputs = outputs[key]
        return _at_least_float32(seen[0]), _at_least_float32(outputs)

    def operations_behind_output(self) -> set[int]:
        """The ids of the Keras operations that the explained output is computed from."""
        return keras_graph.ancestors(self.model, self._output_index) if self.model is not None else set()

    def leaves_out_activation(self, operation: Any) -> bool:
        """Whether this is the operation whose activation is looked through to the logits."""
        return self.model is not None and id(operation) in self._calls

    @property
    def attributes_inside(self) -> bool:
        """Whether attributions are made at an `input_layer` rather than at the model's input."""
        return self._entries is not None

    def points(self, inputs: Points) -> Points:
        """The values at the `input_layer` (the inputs themselves if there is none), for inputs `[B, ...]`."""
        return inputs if self._entries is None else self._points(inputs)

    def representation(self, points: Points, inputs: Points = ()) -> tf.Tensor:
        """The representation `[B, ...]` of a batch."""
        return self._forward(points, inputs)[0]

    def outputs(self, points: Points, inputs: Points = ()) -> tf.Tensor:
        """The model's output `[B, ...]` for a batch."""
        return self._forward(points, inputs)[1]

    def _trace(self) -> None:
        """Traces the forward pass once: learns the shapes, and checks what depends on what."""
        if self._entries is None:
            self.points_spec = self.inputs_spec
        else:
            self._points = tf.function(self._run_to_entries, input_signature=[self.inputs_spec], autograph=False)
            specs = self._points.get_concrete_function().structured_outputs
            self.points_spec = tf.nest.map_structure(lambda x: tf.TensorSpec([None, *x.shape[1:]], x.dtype), specs)
        integers = [spec for spec in tf.nest.flatten(self.points_spec) if not spec.dtype.is_floating]
        if integers:
            raise NotDifferentiableError(
                f"The model takes {integers[0].dtype.name} input, which has no gradient. Pass "
                "`input_layer`, for example the name of its embedding layer, to attribute at that layer's output."
            )
        signature = [self.points_spec, () if self._entries is None else self.inputs_spec]
        self._forward = tf.function(
            lambda points, inputs: self.forward(points, inputs), input_signature=signature, autograph=False
        )
        concrete = self._forward.get_concrete_function()
        representation, output = concrete.structured_outputs
        self.output_spec = tf.TensorSpec([None, *output.shape[1:]], output.dtype)
        self.representation_spec = tf.TensorSpec([None, *representation.shape[1:]], representation.dtype)
        representation, output = (concrete.graph.outputs[i] for i in (0, 1))
        points = concrete.graph.inputs[: len(tf.nest.flatten(self.points_spec))]
        behind_output = keras_graph.float_ancestors(output)
        behind_representation = keras_graph.float_ancestors(representation)
        if not any(point.name in behind_output for point in points):
            raise NotDifferentiableError(
                "The explained output does not depend on the input through floating-point numbers, so it has no "
                "gradient (an embedding or a cast to integers lies between). Pass `input_layer`, for example the "
                "embedding."
            )
        if not any(point.name in behind_representation for point in points):
            raise LayerError("The representation does not depend on the attributed input: choose a later `layer`.")
        if _source(representation).name not in behind_output:
            raise LayerError(
                "The explained output does not depend on the representation: choose a `layer` on the way to the output."
            )

    def _run_to_entries(self, inputs: Points) -> Points:
        found: dict[int, Any] = {}

        def call(operation: Any, *args: Any, **kwargs: Any) -> Any:
            result = operation(*args, **kwargs)
            found[id(operation)] = result
            return result

        entries = self._entries or []
        keras_graph.run(self.model, inputs, {id(entry): call for entry in entries})
        values = [_at_least_float32(found[id(entry)]) for entry in entries]
        return values if self._several_entries else values[0]


def _check_model(model: Any) -> None:
    if not isinstance(model, keras.Model):
        raise TypeError(f"`model` must be a keras.Model or a ModelView, not {type(model).__name__}.")
    if keras_graph.functional(model) is None:
        if isinstance(model, keras.Sequential):
            raise ValueError(
                f"The Sequential model {model.name!r} is not built: add a keras.Input or call model.build()."
            )
        raise ValueError(
            f"The subclassed model {model.name!r} has no graph to find layers in. Pass "
            "ModelView.from_callables(encoder, head, input_spec) instead of the model."
        )


def _find_output(model: keras.Model, name: str | int | None) -> tuple[list[Any], int]:
    """The way into the model's output structure to one output, and its flat index."""
    outputs = keras_graph.outputs_structure(model)
    single = tf.nest.flatten(outputs) == [outputs]
    structure = outputs if isinstance(outputs, dict) else dict(enumerate([outputs] if single else outputs))
    flat = {id(tensor): index for index, tensor in enumerate(model.outputs)}
    keys = {key: key for key in structure}
    for key, tensor in structure.items():
        keys.setdefault(tensor._keras_history.operation.name, key)
    if name is None and len(structure) > 1:
        raise ValueError(f"The model has several outputs: pick one with `output_name`, one of {list(keys)}.")
    key = next(iter(structure)) if name is None else keys.get(name)
    if key is None:
        raise ValueError(f"Unknown output_name: {name!r}. The model's outputs are {list(keys)}.")
    return [] if single else [key], flat[id(structure[key])]


def _walked_in(dtype: Any) -> tf.DType:
    """Half precision is enough for a network, not for paths, distances and sums."""
    return tf.float32 if tf.as_dtype(dtype) in (tf.float16, tf.bfloat16) else tf.as_dtype(dtype)


def _at_least_float32(x: tf.Tensor) -> tf.Tensor:
    return tf.cast(x, _walked_in(x.dtype))


def _source(tensor: tf.Tensor) -> tf.Tensor:
    """The tensor behind the identities and casts that a function puts on its way out."""
    while tensor.op.type in ("Identity", "Cast"):
        tensor = tensor.op.inputs[0]
    return tensor

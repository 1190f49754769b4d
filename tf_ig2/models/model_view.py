"""ModelView: a Keras model as one forward pass that gives its representation and the output to explain."""

from __future__ import annotations

import contextlib
import copy
import functools
import hashlib
import re
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import keras
import tensorflow as tf

from tf_ig2 import describe
from tf_ig2.compiled import compiled
from tf_ig2.errors import LayerError, NotDifferentiableError, OutputActivationError
from tf_ig2.models import copies, folding, keras_graph, output_activation, pooling, subclassed
from tf_ig2.models.cut import Cut
from tf_ig2.models.network import Call, Key, Network, Node
from tf_ig2.paths.base import Points

LayerLike: TypeAlias = str | int | keras.layers.Layer

_OUTPUTS = ("logits", "probabilities", "raw")


_SAMPLE = 512
"""About how many numbers of each weight are looked at to tell models apart."""


class ModelView:
    """What explanations need to know of a Keras model.

    The model is only read; where BatchNorm stands behind a linear layer the two are run as one, see
    `tf_ig2.models.folding`. Functional and Sequential models work, nested in each other too. Subclassed models, and
    those with a `call` of their own, are called as they are: whoever needs no representation can explain them; for the
    others see `from_callables`.

    Args:
      model: a built `keras.Model`; a subclassed one is built when it has been called once.
      layer: whose output is the representation: a name (in nested models too, `"outer/inner"`), an index into
        `model.layers`, or a layer. None: the input of the last layer with weights, the paper's penultimate layer,
        which is looked for when a representation is first needed.
      output: `"logits"` looks through a last softmax or sigmoid, `"probabilities"` keeps it, `"raw"` takes the output
        as it is.
      output_name: which output to explain when the model has several: its key, its layer's name, or its index.
      input_layer: attribute at the output of this layer (or list of layers) instead of the model's input; a text
        model is explained at its embedding. What lies below is computed once for each explicand. A layer that is
        shared, called on several inputs, gives a list of points, call by call.
      pool: how a spatial representation is compared: `"auto"`, the mean over positions of feature maps `[B, h, w, C]`,
        everything else as it is; `"mean"` or `"max"` over the positions of whatever has them, `[B, …, C]`; None,
        position by position.

    Attributes:
      model: the model, or None where there is no Keras graph to look into: for callables, and subclassed models.
      layer: the representation layer as it was asked for, by name or index; None for the penultimate one.
      pool: as it was asked for.
      inputs_spec: structure of `tf.TensorSpec([None, ...])`: what the model takes.
      points_spec: the same for where attributions are made; differs from `inputs_spec` with an `input_layer`.
      inside_spec: the same for what `enter` gives beside the points; `()` without an `input_layer`.
      output_spec: `tf.TensorSpec([None, ...])` of the explained output.
      output_activation: the name of the activation that the output ends in; None: of none, or of none that is known.

    Raises:
      TypeError: `model` is not a Keras model.
      ValueError: the model is not built, or `output`, `output_name` or `pool` is unknown.
      LayerError: `layer` or `input_layer` is unknown, ambiguous, or given for a subclassed model; or the output does
        not depend on the `input_layer`.
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
        pool: str | None = "auto",
    ):
        check_model(model)
        if output not in _OUTPUTS:
            raise ValueError(f"Unknown output: {output!r}. Choose one of {_OUTPUTS}.")
        self.model: keras.Model | None = model
        self._encoder: Any = None
        self._head: Any = None
        self._whole: Any = None
        self._asked = {"output": output, "output_name": output_name, "input_layer": input_layer}
        self.pool = pooling.checked(pool)
        self.variables = list(model.variables)
        self._left_out: dict[Node, Call] = {}
        self._taken_for_logits = output == "logits"
        if keras_graph.functional(model) is None:
            self._call_it(model, layer, output, output_name, input_layer)
            return
        self._network = Network.of(model)
        self._output_index = _find_output(model, output_name)
        self._output = self._network.outputs[self._output_index]
        if output == "logits":
            self._left_out = output_activation.left_out(self._network, self._output)
            self._taken_for_logits = not self._left_out
        elif output == "probabilities" and output_activation.is_linear(self._network, self._output):
            raise ValueError(
                "Probabilities were asked for, but the model's output has no softmax or sigmoid. Pass "
                'output="logits" to explain it as it is, or add the activation to the model.'
            )
        self.output_activation: str | None = None
        if output != "logits":
            self.output_activation = output_activation.name(self._network, self._output)
        self.layer: str | int | None = layer.name if isinstance(layer, keras.layers.Layer) else layer
        self._tapped = None if layer is None else keras_graph.find_layer(model, layer)
        self.inputs_spec = tf.nest.map_structure(
            lambda x: tf.TensorSpec([None, *x.shape[1:]], _walked_in(x.dtype)), keras_graph.inputs_structure(model)
        )
        self._cut: Cut | None = None
        if input_layer is not None:
            names = list(input_layer) if isinstance(input_layer, (list, tuple)) else [input_layer]
            layers = [keras_graph.find_layer(model, name) for name in names]
            several = isinstance(input_layer, (list, tuple))
            self._cut = Cut(self._network, layers, self._output, several, self.inputs_spec)
        keep = [] if self._cut is None else [*self._cut.entries, *self._cut.carried]
        with contextlib.suppress(LayerError):
            keep.append(self._tap)
        self._folded = folding.folded(self._network, keep)
        self._trace()
        if layer is not None:
            _ = self.representation_spec  # whoever names a layer hears at once what is wrong with it

    @classmethod
    def from_callables(
        cls,
        encoder: Callable[[Any], tf.Tensor],
        head: Callable[[tf.Tensor], tf.Tensor],
        input_spec: Any,
        variables: Sequence[Any] = (),
        pool: str | None = None,
    ) -> ModelView:
        """A view of any TensorFlow model, a subclassed Keras model for example, as two functions.

        Args:
          encoder: maps inputs (structure of `[B, ...]`) to the representation `[B, ...]`.
          head: maps the representation to the output to explain `[B, C]`, logits if that is what is wanted.
          input_spec: structure of `tf.TensorSpec([None, ...])`, floating-point.
          variables: the variables that the functions use; needed only to export them.
          pool: see `ModelView`; the head takes the representation as it is, whatever is compared of it.

        Returns:
          The view; `head(encoder(x))` is its one forward pass.

        Example:
          >>> net = keras.layers.Dense(2)
          >>> view = ModelView.from_callables(tf.tanh, net, tf.TensorSpec([None, 3]))
          >>> view.outputs(tf.zeros([5, 3])).shape
          TensorShape([5, 2])
        """
        self = cls.__new__(cls)
        self.model, self.layer, self.pool = None, None, pooling.checked(pool)
        self.output_activation = None
        self.variables = list(variables)
        self._encoder, self._head, self._whole = encoder, head, None
        self._cut, self._taken_for_logits = None, False
        self.inputs_spec = tf.nest.map_structure(
            lambda spec: tf.TensorSpec([None, *spec.shape[1:]], spec.dtype), input_spec
        )
        self._trace()
        return self

    def __reduce__(self) -> Any:
        """Pickled, it takes its model along, or its callables, and is made again on the other side."""
        if self.model is None and self._whole is None:
            copies.check_callable(self._encoder)
            copies.check_callable(self._head)
        return _again, self._parts()

    def __deepcopy__(self, memo: dict[int, Any]) -> ModelView:
        return _again(*copy.deepcopy(self._parts(), memo))

    def _parts(self) -> tuple[Any, Any]:
        """What it is made of: a model, or callables; and the options."""
        if self._whole is not None:
            return self._subclassed, {**self._asked, "pool": self.pool}
        if self.model is None:
            return (self._encoder, self._head, self.inputs_spec, self.variables), {"pool": self.pool}
        layer = self.layer if self._tapped is None else copies.named(self.model, self._tapped)
        inner = copies.named(self.model, self._asked["input_layer"])
        return self.model, {**self._asked, "layer": layer, "input_layer": inner, "pool": self.pool}

    def _call_it(
        self, model: keras.Model, layer: Any, output: str, output_name: str | int | None, input_layer: Any
    ) -> None:
        """A view of a model without a graph: its own `call`, and nothing of what is inside."""
        given = {"layer": layer, "input_layer": input_layer}
        for name in (name for name, value in given.items() if value is not None):
            raise LayerError(f"`{name}` was given, but {subclassed.no_graph(model)}")
        self._no_representation = f"A representation is needed, but {subclassed.no_graph(model)}"
        self.model, self.layer, self._cut, self._tapped = None, None, None, None
        self._subclassed: Any = model
        self.output_activation = "softmax" if output == "probabilities" else None
        specs = subclassed.inputs_spec(model)
        self.inputs_spec = tf.nest.map_structure(lambda x: tf.TensorSpec(x.shape, _walked_in(x.dtype)), specs)
        self._whole = subclassed.whole(model, specs, output_name)
        self._trace()
        activation = subclassed.activation(self._raw_output)
        if output == "logits" and activation is not None:
            raise OutputActivationError(
                f"Logits were asked for, but the subclassed model {model.name!r} ends in a {activation}, which cannot "
                'be looked through. Pass output="probabilities" to explain its output as it is, or have the model '
                "return logits."
            )

    def __repr__(self) -> str:
        name = "callables" if self.model is None else repr(self.model.name)
        layer = "" if self.model is None else f", layer {'penultimate' if self.layer is None else repr(self.layer)}"
        at = f", at an inner layer {describe.specs(self.points_spec)}" if self.attributes_inside else ""
        ends = f"{describe.specs(self.inputs_spec)} → {describe.specs(self.output_spec)}"
        return f"<ModelView of {name}: {ends}{layer}{at}>"

    def _repr_html_(self) -> str:
        facts = {
            "model": "callables" if self.model is None else self.model.name,
            "input": describe.specs(self.inputs_spec),
            "explained at": describe.specs(self.points_spec),
            "output": describe.specs(self.output_spec),
            "layer": "penultimate" if self.layer is None else self.layer,
            "pool": self.pool,
        }
        return describe.object_html("ModelView", facts)

    def enter(self, inputs: Points) -> tuple[Points, Points]:
        """Runs the model up to where attributions are made, which is needed once for an explicand.

        Args:
          inputs: structure of `[B, ...]`, the model's inputs.

        Returns:
          The points, structure of `[B, ...]`, and what `forward` needs beside them: `()` without an `input_layer`,
          otherwise the tensors `[B, ...]` that go around it.

        Raises:
          ValueError: a token is out of an embedding's range.
        """
        if self._cut is None:
            return inputs, ()
        try:
            return self._cut.enter(inputs)
        except tf.errors.InvalidArgumentError as error:
            outside = re.search(r"indices\[.*\] = (-?\d+) is not in \[0, (\d+)\)", error.message)
            if outside is None:
                raise
            token, count = map(int, outside.groups())
            raise ValueError(
                f"{token} is no token of this model: the embedding below its `input_layer` has vectors for "
                f"0 … {count - 1}."
            ) from None

    def forward(
        self,
        points: Points,
        inside: Points = (),
        calls: dict[int, Call] | None = None,
        representation: bool = True,
    ) -> tuple[tf.Tensor | None, tf.Tensor]:
        """One forward pass, from where attributions are made.

        Args:
          points: structure of `[B, ...]` where attributions are made.
          inside: what `enter` gave beside the points.
          calls: operations of the Keras graph to observe or to call in another way: called as
            `call(operation, *args, **kwargs)`, by the operation's `id`. An output activation that the view leaves out
            stays left out.
          representation: whether a representation is wanted.

        Returns:
          The representation `[B, ...]`, pooled as asked, or None; and the model's output `[B, ...]`, both at least
          float32.

        Raises:
          LayerError: a representation is wanted, and the layer gives none.
        """
        values, output = self._run(points, inside, calls, representation)
        return self._represented(values) if representation else None, _at_least_float32(output)

    def check_logits(self, inputs: Points) -> None:
        """Looks, once, whether what is taken for logits is not probabilities: in [0, 1], with a sum of 1.

        Args:
          inputs: structure of `[B, ...]`, real explicands' model inputs.

        Raises:
          OutputActivationError: it is.
        """
        if not self._taken_for_logits:
            return
        outputs = self._outputs(*self.enter(inputs))
        if outputs.shape.rank < 2 or outputs.shape[-1] == 1:
            return
        inside = tf.reduce_all((outputs >= 0) & (outputs <= 1))
        if inside and tf.reduce_all(tf.abs(tf.reduce_sum(outputs, axis=-1) - 1) < 1e-2):
            raise OutputActivationError(
                "Logits were asked for, but the model's outputs for these explicands are probabilities: they lie in "
                '[0, 1] and add up to 1. Pass output="probabilities" to explain them, or output="raw" if they are no '
                "probabilities."
            )
        self._taken_for_logits = False

    def operations_behind_output(self) -> set[int]:
        """The ids of the Keras operations that the explained output is computed from."""
        return keras_graph.ancestors(self.model, self._output_index) if self.model is not None else set()

    def leaves_out_activation(self, operation: Any) -> bool:
        """Whether this is the operation whose activation is looked through to the logits, and used for nothing else."""
        if self.model is None or not any(node.operation is operation for node in self._left_out):
            return False
        return sum(node.operation is operation for node in self._network.needed([self._output])) == 1

    @property
    def attributes_inside(self) -> bool:
        """Whether attributions are made at an `input_layer` rather than at the model's input."""
        return self._cut is not None

    @property
    def embedding(self) -> keras.layers.Embedding | None:
        """The embedding whose one output attributions are made at; None where they are made elsewhere."""
        if self._cut is None or isinstance(self.points_spec, list):
            return None
        node = self._network.producer.get(self._cut.entries[0])
        return node.operation if node is not None and isinstance(node.operation, keras.layers.Embedding) else None

    @functools.cached_property
    def representation_spec(self) -> tf.TensorSpec:
        """`tf.TensorSpec([None, ...])` of the representation.

        Raises:
          LayerError: there is no layer to take it from, it is not one tensor, or it is not between the points and the
            output.
        """
        if self._whole is not None:
            raise LayerError(self._no_representation)
        raw = self._traced if self.model is None else self._traced.get(self._tap)
        if self.model is not None and not any(
            self._tap in node.inputs + node.outputs for node in self._network.needed([self._output])
        ):
            raise LayerError(
                "The explained output does not depend on the representation: choose a `layer` on the way to the output."
            )
        if raw is None or self._points_names.isdisjoint(keras_graph.float_ancestors(raw)):
            raise LayerError("The representation does not depend on the attributed input: choose a later `layer`.")
        kept = set(range(1, raw.shape.rank)) - set(pooling.axes(self.pool, raw.shape.rank, self._channel_axis))
        return tf.TensorSpec([None, *(raw.shape[axis] for axis in sorted(kept))], _walked_in(raw.dtype))

    @property
    def source(self) -> str:
        """What representations come from, as a hash: the layer and its pooling, the output, a sample of all weights."""
        place: Any = None
        if self.model is not None:
            tapped = self._network.nodes.index(self._network.producer[self._tap])
            place = (tapped, self._output_index, len(self._left_out))
        digest = hashlib.sha256(repr((place, self.pool, self.points_spec, self.representation_spec)).encode())
        for variable in self.variables:
            step = variable.shape.num_elements() // _SAMPLE + 1
            sample = tf.reshape(variable, [-1])[::step].numpy()  # the rest is not copied
            digest.update(f"{variable.shape}".encode() + sample.tobytes())
        return digest.hexdigest()

    def points(self, inputs: Points) -> Points:
        """The values at the `input_layer` (the inputs themselves if there is none), for inputs `[B, ...]`."""
        return self.enter(inputs)[0]

    def representation(self, points: Points, inputs: Points = (), *, inside: Points | None = None) -> tf.Tensor:
        """The representation `[B, ...]` of a batch of points.

        Args:
          points: structure of `[B, ...]` where attributions are made.
          inputs: the model's own inputs when there is an `input_layer`, otherwise `()`.
          inside: what `enter` gave beside the points, in the place of `inputs`.

        Raises:
          LayerError: see `representation_spec`.
        """
        return self.represent(points, self.enter(inputs)[1] if inside is None else inside)[0]

    def represent(self, points: Points, inside: Points = ()) -> tuple[tf.Tensor, tf.Tensor]:
        """The representation `[B, ...]` and the model's output `[B, ...]`, in one forward pass; see `forward`.

        Raises:
          LayerError: see `representation_spec`.
        """
        _ = self.representation_spec
        return self._both(points, inside)

    def outputs(self, points: Points, inputs: Points = (), *, inside: Points | None = None) -> tf.Tensor:
        """The model's output `[B, ...]` for a batch of points; arguments as for `representation`."""
        return self._outputs(points, self.enter(inputs)[1] if inside is None else inside)

    def _run(
        self, points: Points, inside: Points, calls: dict[int, Call] | None, representation: bool
    ) -> tuple[Any, tf.Tensor]:
        """What the representation is taken from, and the output; what the model counts or remembers stays as it is."""
        if self._whole is not None:
            if representation:
                raise LayerError(self._no_representation)
            with keras.StatelessScope():
                return None, self._whole(points)
        if self.model is None:
            encoded = self._encoder(points)
            return encoded, self._head(encoded)
        targets = [self._output, self._tap] if representation else [self._output]
        known = self._network.fed(points) if self._cut is None else self._cut.known(points, inside)
        network = self._folded if folding.operations(self._folded).isdisjoint(calls or {}) else self._network
        values = network.run(known, targets, calls, self._left_out)
        return values, values[self._output]

    def _represented(self, values: Any) -> tf.Tensor:
        raw = values if self.model is None else values[self._tap]
        mask = getattr(raw, "_keras_mask", None)
        mask = mask if mask is not None and mask.shape.rank == raw.shape.rank - 1 else None
        return pooling.pooled(_at_least_float32(raw), self.pool, self._channel_axis, mask)

    @functools.cached_property
    def _tap(self) -> Key:
        """The tensor that the representation is taken from."""
        needed = self._network.needed([self._output])
        operation = self._tapped or keras_graph.last_weighted(needed)
        nodes = [node for node in needed if node.operation is operation]
        found: list[Any] = [(node.first,) if self._tapped is None else node.outputs for node in nodes]
        if not nodes:
            found = self._network.results(operation)
        if len(found) != 1 or len(found[0]) != 1 or found[0][0] is None:
            raise LayerError(
                f"The layer {operation.name!r} gives {sum(map(len, found))} outputs in one forward pass, and a "
                "representation is one tensor: name another layer with `layer`."
            )
        return found[0][0]

    @functools.cached_property
    def _channel_axis(self) -> int:
        return -1 if self.model is None else pooling.channel_axis(self._network, self._tap)

    def _trace(self) -> None:
        """Traces the forward pass once: learns the shapes, and checks what depends on what."""
        self.points_spec = self.inputs_spec if self._cut is None else self._cut.points_spec
        self.inside_spec: Any = () if self._cut is None else self._cut.inside_spec
        integers = [spec for spec in tf.nest.flatten(self.points_spec) if not spec.dtype.is_floating]
        if integers:
            raise NotDifferentiableError(
                f"The model takes {integers[0].dtype.name} input, which has no gradient. Pass "
                "`input_layer`, for example the name of its embedding layer, to attribute at that layer's output."
            )

        def output(points: Points, inside: Points) -> tf.Tensor:
            self._traced, raw = self._run(points, inside, None, representation=False)
            self._raw_output = raw
            return _at_least_float32(raw)

        signature = [self.points_spec, self.inside_spec]
        self._outputs = tf.function(output, input_signature=signature, autograph=False)
        self._both = compiled(lambda points, inside: self.forward(points, inside), signature)
        concrete = self._outputs.get_concrete_function()
        spec = concrete.structured_outputs
        self.output_spec = tf.TensorSpec([None, *spec.shape[1:]], spec.dtype)
        self._points_names = {x.name for x in concrete.graph.inputs[: len(tf.nest.flatten(self.points_spec))]}
        self._behind_output = keras_graph.float_ancestors(self._raw_output)
        if self._points_names.isdisjoint(self._behind_output):
            raise NotDifferentiableError(
                "The explained output does not depend on the input through floating-point numbers, so it has no "
                "gradient (an embedding or a cast to integers lies between). Pass `input_layer`, for example the "
                "embedding."
            )


def _again(made_of: Any, options: dict[str, Any]) -> ModelView:
    if isinstance(made_of, keras.Model):
        return ModelView(made_of, **options)
    return ModelView.from_callables(*made_of, **options)


def check_model(model: Any) -> None:
    """Refuses what is no Keras model, or not built.

    Raises:
      TypeError, ValueError: it is not.
    """
    if not isinstance(model, keras.Model):
        old = ("tf_keras.", "tensorflow.python.keras.", "keras.engine.")
        if any(kind.__module__.startswith(old) for kind in type(model).__mro__):
            raise TypeError(
                "`model` is a Keras 2 model (tf_keras), and tf_ig2 explains Keras 3 models: rebuild or load it with "
                "`keras`, or pass ModelView.from_callables(encoder, head, input_spec) with functions that call it."
            )
        raise TypeError(f"`model` must be a keras.Model or a ModelView, not {type(model).__name__}.")
    if isinstance(model, keras.Sequential) and not model.built:
        raise ValueError(f"The Sequential model {model.name!r} is not built: add a keras.Input or call model.build().")


def _find_output(model: keras.Model, name: str | int | None) -> int:
    """The flat index of an output."""
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
    return flat[id(structure[key])]


def _walked_in(dtype: Any) -> tf.DType:
    """Half precision is enough for a network, not for paths, distances and sums."""
    return tf.float32 if tf.as_dtype(dtype) in (tf.float16, tf.bfloat16) else tf.as_dtype(dtype)


def _at_least_float32(x: tf.Tensor) -> tf.Tensor:
    return tf.cast(x, _walked_in(x.dtype))

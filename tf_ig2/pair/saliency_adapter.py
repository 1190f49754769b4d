"""Any Keras model behind the callback that PAIR's `saliency` classes, and the authors of IG², call."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from tf_ig2 import validation
from tf_ig2.compiled import compiled
from tf_ig2.errors import NonFiniteGradientError
from tf_ig2.explainers.grad_cam import feature_map_gradients, find_feature_maps
from tf_ig2.explainers.graphs import Graphs
from tf_ig2.models.explained_output import ExplainedOutput
from tf_ig2.models.model_view import LayerLike, ModelView
from tf_ig2.models.traced_target import TracedTarget
from tf_ig2.pair.callback_view import (
    CONVOLUTION_LAYER_VALUES,
    CONVOLUTION_OUTPUT_GRADIENTS,
    INPUT_OUTPUT_GRADIENTS,
    OUTPUT_LAYER_VALUES,
    REP_DISTANCE_GRADIENTS,
    REP_LAYER_VALUES,
    CallModelFunction,
)
from tf_ig2.paths import distances
from tf_ig2.paths.distances import Distance

_MAPS = {CONVOLUTION_LAYER_VALUES, CONVOLUTION_OUTPUT_GRADIENTS}
_KEYS = {INPUT_OUTPUT_GRADIENTS, OUTPUT_LAYER_VALUES, REP_LAYER_VALUES, REP_DISTANCE_GRADIENTS, *_MAPS}


def saliency_adapter(
    model: keras.Model | ModelView,
    target: Any = None,
    *,
    layer: LayerLike | None = None,
    conv_layer: LayerLike | None = None,
    output: str = "logits",
    distance: str | Distance = "euclidean",
) -> SaliencyAdapter:
    """Makes the `call_model_function` that PAIR's `saliency` wants, from a Keras model; compiled once for any batch.

    Its contract is `call_model_function(x_value_batch, call_model_args=None, expected_keys=None) -> dict` of arrays:

    * `INPUT_OUTPUT_GRADIENTS`: like `x_value_batch`, the gradients of the explained output;
    * `OUTPUT_LAYER_VALUES`: `[B]`, the explained output;
    * `CONVOLUTION_LAYER_VALUES`, `CONVOLUTION_OUTPUT_GRADIENTS`: `[B, h, w, K]`, feature maps and their gradients;
    * `REP_LAYER_VALUES`: `[B, ...]`, the representations;
    * `REP_DISTANCE_GRADIENTS`: like `x_value_batch`, the gradients of the negated distance to the representations in
      `call_model_args["layer_baseline"]` `[B, ...]`, as the authors of IG² define it.

    Args:
      model: a built `keras.Model` with one input, or a `ModelView`.
      target: the index of the explained output, or a callable from the output `[B, ...]` to `[B]`, which is asked anew
        for each mask. An index in `call_model_args["target"]` (one, or one per row) comes before it. None: the class
        predicted for the explicand, which stays the same along its path. This package's explainers say what the
        explicand is. PAIR's contract passes points of a path alone, the first of which may be the baseline, so PAIR's
        own classes take `saliency_adapter(model).of_explicand(x)`; without it the callback refuses to guess.
      layer: whose output is the representation; not with a `ModelView`. See `ModelView`.
      conv_layer: whose output are the feature maps; None: the last layer with four-dimensional output.
      output: `"logits"`, `"probabilities"` or `"raw"`; not with a `ModelView`. See `ModelView`.
      distance: the distance of representations, by name or a `Distance`.

    Returns:
      The callback. It takes arrays of any number type, and raises ValueError for an unknown key, a missing
      `layer_baseline`, rows of a shape that the model does not take, and where nobody said which output is explained.

    Raises:
      TypeError, ValueError: the model, `target` or a layer is not what is wanted.
      NonFiniteGradientError: by the callback, when what was asked for is NaN or infinite.

    Example:
      >>> import saliency.core as saliency
      >>> model = keras.Sequential([keras.Input([4]), keras.layers.Dense(3)])
      >>> x, call = np.ones(4), saliency_adapter(model)
      >>> mask = saliency.IntegratedGradients().GetMask(x, call.of_explicand(x), x_steps=5)
      >>> mask.shape
      (4,)

    Reference: PAIR, https://github.com/PAIR-code/saliency, `core/base.py`.
    """
    if isinstance(model, ModelView) and (layer, output) != (None, "logits"):
        raise ValueError("`layer` and `output` belong to the ModelView when `model` is one.")
    view = model if isinstance(model, ModelView) else ModelView(model, layer=layer, output=output, pool=None)
    if not isinstance(view.inputs_spec, tf.TensorSpec) or view.attributes_inside:
        raise ValueError(
            "PAIR's contract knows one array `x_value_batch`: the model must have one input, and no `input_layer`."
        )
    if callable(target):
        TracedTarget(target, view.output_spec, gradient=False)  # of another shape it is refused here
    elif target is not None:
        validation.targets(target, 1, view.output_spec)
    return SaliencyAdapter(view, target, conv_layer, distances.get(distance))


class SaliencyAdapter:
    """A callback of PAIR's contract; `saliency_adapter` makes it, and says what it answers."""

    def __init__(self, view: ModelView, target: Any, conv_layer: LayerLike | None, distance: Distance):
        self._view, self._target, self._distance = view, target, distance
        self._conv_layer, self._maps = conv_layer, None
        if conv_layer is not None:
            self._maps = find_feature_maps(view, conv_layer)
        self._graphs = Graphs()

    def __call__(
        self, x_value_batch: Any, call_model_args: Any = None, expected_keys: Sequence[str] | None = None
    ) -> dict[str, np.ndarray]:
        """What PAIR's classes call; see `saliency_adapter`."""
        return self._answer(x_value_batch, call_model_args, expected_keys, self._target_as_it_is)

    def of_explicand(self, x: Any, call_model_args: Any = None) -> CallModelFunction:
        """The callback for the points around one explicand.

        Args:
          x: array `[...]`, the explicand.
          call_model_args: what the callback will be called with.

        Returns:
          The callback that explains the target, as it is now; without one the class that is predicted for `x`.
        """
        target = self._target_as_it_is()
        if target is None and _asked(call_model_args, "target") is None:
            target = self._predicted(x)

        def call_model_function(
            x_value_batch: Any, call_model_args: Any = None, expected_keys: Sequence[str] | None = None
        ) -> dict[str, np.ndarray]:
            return self._answer(x_value_batch, call_model_args, expected_keys, lambda: target)

        return call_model_function

    def _target_as_it_is(self) -> Any:
        if not callable(self._target):
            return self._target
        return TracedTarget(self._target, self._view.output_spec, gradient=False)

    def _predicted(self, x: Any) -> int:
        """The class of one explicand."""
        explicand, _ = validation.batch("x_value", np.asarray(x)[None], self._view.inputs_spec)
        fixed = validation.targets(None, 1, self._view.output_spec)  # of a model with one output
        found = tf.argmax(self._view.outputs(tf.constant(explicand)), axis=-1).numpy() if fixed is None else fixed
        return int(found[0])

    def _answer(self, x: Any, args: Any, keys: Sequence[str] | None, told: Callable[[], Any]) -> dict[str, np.ndarray]:
        """The arrays that are asked for; `told` says what is explained where `call_model_args` does not."""
        keys = keys or [OUTPUT_LAYER_VALUES]
        unknown = sorted(set(keys) - _KEYS)
        if unknown:
            raise ValueError(f"Unknown expected_keys: {unknown}. This model answers {sorted(_KEYS)}.")
        array, single = validation.batch("x_value_batch", x, self._view.inputs_spec)
        if single:
            raise ValueError(f"`x_value_batch` has shape {array.shape[1:]}: it must have a batch axis.")
        points = tf.constant(array)
        answer: dict[str, Any] = {}
        if REP_LAYER_VALUES in keys:
            answer[REP_LAYER_VALUES] = self._view.representation(points)
        if REP_DISTANCE_GRADIENTS in keys:
            baseline = self._layer_baseline(args, len(array))
            answer[REP_DISTANCE_GRADIENTS] = self._distance_gradient(points, baseline)
        if {INPUT_OUTPUT_GRADIENTS, OUTPUT_LAYER_VALUES, *_MAPS} & set(keys):
            explained, index = self._explained(args, told, len(array))
            if isinstance(explained.target, TracedTarget) and {INPUT_OUTPUT_GRADIENTS, *_MAPS} & set(keys):
                explained.target.check_gradient()
            if INPUT_OUTPUT_GRADIENTS in keys:
                output, answer[INPUT_OUTPUT_GRADIENTS] = self._compiled(explained, _gradients)(points, index)
                answer[OUTPUT_LAYER_VALUES] = output
            if _MAPS & set(keys):
                self._maps = self._maps or find_feature_maps(self._view, self._conv_layer)
                names = (OUTPUT_LAYER_VALUES, CONVOLUTION_LAYER_VALUES, CONVOLUTION_OUTPUT_GRADIENTS)
                answer.update(zip(names, self._compiled(explained, self._map_gradients)(points, index), strict=True))
            if OUTPUT_LAYER_VALUES not in answer:
                answer[OUTPUT_LAYER_VALUES] = self._compiled(explained, _outputs)(points, index)
        arrays = {key: answer[key].numpy() for key in keys}
        for value in arrays.values():
            finite = np.isfinite(value.reshape(len(value), -1)).all(axis=1)
            if not finite.all():  # PAIR's GuidedIG, for one, would loop for ever
                raise NonFiniteGradientError(0, np.flatnonzero(~finite))
        return arrays

    @functools.cached_property
    def _distance_gradient(self) -> Any:
        return self._compile(self._distance_gradients, self._view.representation_spec)

    def _explained(self, args: Any, told: Callable[[], Any], rows: int) -> tuple[ExplainedOutput, Any]:
        """What is explained, and the index `[B]` of it, `()` where a callable picks it."""
        asked = _asked(args, "target")
        target = told() if asked is None else asked
        if isinstance(target, TracedTarget):
            return ExplainedOutput(self._view, target), ()
        index = validation.targets(target, rows, self._view.output_spec)
        if index is None:
            raise ValueError(
                "Nobody said which output is explained: PAIR's contract passes points of a path, and nowhere the "
                "explicand x that they belong to. Pass saliency_adapter(model).of_explicand(x), which explains the "
                'class predicted for x, or saliency_adapter(model, target), or call_model_args={"target": index}. This '
                "package's explainers say it themselves."
            )
        return ExplainedOutput(self._view), tf.constant(index)

    def _layer_baseline(self, args: Any, rows: int) -> tf.Tensor:
        if _asked(args, "layer_baseline") is None:
            raise ValueError(f'{REP_DISTANCE_GRADIENTS} needs call_model_args["layer_baseline"], a row for each of x.')
        spec = self._view.representation_spec
        baseline, _ = validation.batch("call_model_args['layer_baseline']", args["layer_baseline"], spec)
        if len(baseline) != rows:
            raise ValueError(f'call_model_args["layer_baseline"] has {len(baseline)} rows for {rows} of x_value_batch.')
        return tf.constant(baseline)

    def _compiled(self, explained: ExplainedOutput, function: Any) -> Any:
        """A function of what is explained, points and indices, traced once for what a target computes."""
        index = tf.TensorSpec([None], tf.int32) if explained.target is None else ()
        made = functools.partial(function, explained)
        return self._graphs.get((function, explained.target), lambda: self._compile(made, index))

    def _compile(self, function: Any, second: Any) -> Any:
        return compiled(function, [self._view.inputs_spec, second])

    def _map_gradients(self, explained: ExplainedOutput, x: tf.Tensor, index: Any) -> Any:
        return feature_map_gradients(explained, self._maps, x, index)

    def _distance_gradients(self, x: tf.Tensor, baseline: tf.Tensor) -> tf.Tensor:
        size = tf.shape(x)[0]
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(x)
            representation = tf.reshape(self._view.forward(x)[0], [size, -1])
            closeness = -self._distance.objective(representation, tf.reshape(baseline, [size, -1]))
        return tape.gradient(closeness, x, unconnected_gradients=tf.UnconnectedGradients.ZERO)


def _asked(args: Any, name: str) -> Any:
    """What `call_model_args`, any object, says under a name if it is a dict; otherwise None."""
    return args.get(name) if isinstance(args, Mapping) else None


def _outputs(explained: ExplainedOutput, x: tf.Tensor, index: Any) -> tf.Tensor:
    return explained.select(explained.view.forward(x, representation=False)[1], index)


def _gradients(explained: ExplainedOutput, x: tf.Tensor, index: Any) -> tuple[tf.Tensor, tf.Tensor]:
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(x)
        output = _outputs(explained, x, index)
    return output, tape.gradient(output, x, unconnected_gradients=tf.UnconnectedGradients.ZERO)

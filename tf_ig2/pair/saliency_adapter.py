"""Any Keras model behind the callback that PAIR's `saliency` classes, and the authors of IG², call."""

from __future__ import annotations

import functools
import sys
import threading
from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from tf_ig2 import validation
from tf_ig2.errors import NonFiniteGradientError
from tf_ig2.explainers.grad_cam import feature_map_gradients, find_feature_maps
from tf_ig2.models.explained_output import ExplainedOutput
from tf_ig2.models.model_view import LayerLike, ModelView
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

_VERBS = ("GetMask", "GetMaskWithDetails", "GetSmoothedMask")


def saliency_adapter(
    model: keras.Model | ModelView,
    target: Any = None,
    *,
    layer: LayerLike | None = None,
    conv_layer: LayerLike | None = None,
    output: str = "logits",
    distance: str | Distance = "euclidean",
) -> CallModelFunction:
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
      target: the index of the explained output, or a callable from the output `[B, ...]` to `[B]`. An index in
        `call_model_args["target"]` (one, or one per row) comes before it. None: the class predicted for the explicand,
        which stays the same along its path: our explainers say what the explicand is, of PAIR's and the authors'
        classes it is the argument `x_value` of the `GetMask` that calls. Called otherwise, each row's own class.
      layer: whose output is the representation; not with a `ModelView`. See `ModelView`.
      conv_layer: whose output are the feature maps; None: the last layer with four-dimensional output.
      output: `"logits"`, `"probabilities"` or `"raw"`; not with a `ModelView`. See `ModelView`.
      distance: the distance of representations, by name or a `Distance`.

    Returns:
      The callback. It takes arrays of any number type, and raises ValueError for an unknown key, a missing
      `layer_baseline`, and rows of a shape that the model does not take.

    Raises:
      TypeError, ValueError: the model, `target` or a layer is not what is wanted.
      NonFiniteGradientError: by the callback, when what was asked for is NaN or infinite.

    Example:
      >>> import saliency.core as saliency
      >>> model = keras.Sequential([keras.Input([4]), keras.layers.Dense(3)])
      >>> mask = saliency.IntegratedGradients().GetMask(np.ones(4), saliency_adapter(model), x_steps=5)
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
        validation.callable_target(target)
    elif target is not None:
        validation.targets(target, 1, view.output_spec)
    return _Adapter(view, target, conv_layer, distances.get(distance))


class _Adapter:
    def __init__(self, view: ModelView, target: Any, conv_layer: LayerLike | None, distance: Distance):
        self._view, self._target, self._distance = view, target, distance
        self._last = threading.local()
        self._explained = ExplainedOutput(view, target if callable(target) else None)
        self._conv_layer, self._maps = conv_layer, None
        if conv_layer is not None:
            self._maps = find_feature_maps(view, conv_layer)
        index = () if callable(target) else tf.TensorSpec([None], tf.int32)
        self._output = self._compile(self._outputs, index)
        self._gradient = self._compile(self._gradients, index)
        self._map_gradient = self._compile(self._map_gradients, index)

    def __call__(
        self, x_value_batch: Any, call_model_args: Any = None, expected_keys: Sequence[str] | None = None
    ) -> dict[str, np.ndarray]:
        target = self._target
        if target is None and _asked(call_model_args, "target") is None:
            explicand = _explicand_of_the_caller()
            target = None if explicand is None else self._predicted(explicand)
        return self._answer(x_value_batch, call_model_args, expected_keys or [OUTPUT_LAYER_VALUES], target)

    def of_explicand(self, x: Any, call_model_args: Any) -> CallModelFunction:
        """The callback for points around this explicand `[...]`; see `tf_ig2.pair.callback_view.of_explicand`."""
        if self._target is not None or _asked(call_model_args, "target") is not None:
            return self
        target = self._predicted(x)

        def call_model_function(
            x_value_batch: Any, call_model_args: Any = None, expected_keys: Sequence[str] | None = None
        ) -> dict[str, np.ndarray]:
            return self._answer(x_value_batch, call_model_args, expected_keys or [OUTPUT_LAYER_VALUES], target)

        return call_model_function

    def _predicted(self, x: Any) -> int:
        """The class of one explicand; a thread remembers the last one."""
        explicand, _ = validation.batch("x_value", np.asarray(x)[None], self._view.inputs_spec)
        last = getattr(self._last, "explicand", None)
        if last is None or not np.array_equal(last, explicand):
            self._last.explicand, self._last.target = explicand, int(self._classes(tf.constant(explicand))[0])
        return self._last.target

    def _classes(self, points: tf.Tensor) -> np.ndarray:
        """The predicted classes `[B]` of rows."""
        fixed = validation.targets(None, len(points), self._view.output_spec)  # of a model with one output
        return tf.argmax(self._view.outputs(points), axis=-1).numpy() if fixed is None else fixed

    def _answer(self, x: Any, args: Any, keys: Sequence[str], target: Any) -> dict[str, np.ndarray]:
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
            index = self._index(args, target, points)
            if INPUT_OUTPUT_GRADIENTS in keys:
                answer[OUTPUT_LAYER_VALUES], answer[INPUT_OUTPUT_GRADIENTS] = self._gradient(points, index)
            if _MAPS & set(keys):
                self._maps = self._maps or find_feature_maps(self._view, self._conv_layer)
                names = (OUTPUT_LAYER_VALUES, CONVOLUTION_LAYER_VALUES, CONVOLUTION_OUTPUT_GRADIENTS)
                answer.update(zip(names, self._map_gradient(points, index), strict=True))
            if OUTPUT_LAYER_VALUES not in answer:
                answer[OUTPUT_LAYER_VALUES] = self._output(points, index)
        arrays = {key: answer[key].numpy() for key in keys}
        for value in arrays.values():
            finite = np.isfinite(value.reshape(len(value), -1)).all(axis=1)
            if not finite.all():  # PAIR's GuidedIG, for one, would loop for ever
                raise NonFiniteGradientError(0, np.flatnonzero(~finite))
        return arrays

    @functools.cached_property
    def _distance_gradient(self) -> Any:
        return self._compile(self._distance_gradients, self._view.representation_spec)

    def _index(self, args: Any, target: Any, points: tf.Tensor) -> Any:
        if callable(target):
            return ()
        asked = _asked(args, "target")
        index = validation.targets(target if asked is None else asked, len(points), self._view.output_spec)
        return tf.constant(self._classes(points) if index is None else index, tf.int32)

    def _layer_baseline(self, args: Any, rows: int) -> tf.Tensor:
        if _asked(args, "layer_baseline") is None:
            raise ValueError(f'{REP_DISTANCE_GRADIENTS} needs call_model_args["layer_baseline"], a row for each of x.')
        spec = self._view.representation_spec
        baseline, _ = validation.batch("call_model_args['layer_baseline']", args["layer_baseline"], spec)
        if len(baseline) != rows:
            raise ValueError(f'call_model_args["layer_baseline"] has {len(baseline)} rows for {rows} of x_value_batch.')
        return tf.constant(baseline)

    def _compile(self, function: Any, second: Any) -> Any:
        return tf.function(function, input_signature=[self._view.inputs_spec, second], autograph=False)

    def _outputs(self, x: tf.Tensor, index: Any) -> tf.Tensor:
        return self._explained.select(self._view.forward(x, representation=False)[1], index)

    def _gradients(self, x: tf.Tensor, index: Any) -> tuple[tf.Tensor, tf.Tensor]:
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(x)
            output = self._outputs(x, index)
        return output, tape.gradient(output, x, unconnected_gradients=tf.UnconnectedGradients.ZERO)

    def _map_gradients(self, x: tf.Tensor, index: Any) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        return feature_map_gradients(self._explained, self._maps, x, index)

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


def _explicand_of_the_caller() -> Any:
    """The explicand whose `GetMask` is calling, the outermost one's; None if there is none.

    PAIR's contract passes points of a path, the first of which may be the baseline, and nowhere the explicand.
    """
    found, frame = None, sys._getframe(1)
    while frame is not None:
        if frame.f_code.co_name in _VERBS:
            found = frame.f_locals.get("x_value", found)
        frame = frame.f_back  # type: ignore[assignment]
    return found

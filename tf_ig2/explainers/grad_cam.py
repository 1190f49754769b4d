"""Grad-CAM: where the last feature maps of a convolutional network speak for the explained output."""

from __future__ import annotations

from typing import Any, ClassVar, NamedTuple

import keras
import numpy as np
import tensorflow as tf

from tf_ig2 import validation
from tf_ig2.attribution import Attribution
from tf_ig2.compiled import compiled
from tf_ig2.errors import LayerError, NonFiniteGradientError
from tf_ig2.explainers import contrasted
from tf_ig2.explainers.base import Explainer, checked_layer
from tf_ig2.explainers.graphs import Graphs
from tf_ig2.explainers.request import Request, take
from tf_ig2.models import copies, keras_graph
from tf_ig2.models.explained_output import ExplainedOutput
from tf_ig2.models.model_view import LayerLike, ModelView
from tf_ig2.pair.callback_view import CallbackView, CallModelFunction, as_explicand
from tf_ig2.progress_bar import tqdm


class GradCAMExplainer(Explainer):
    """Grad-CAM, ReLU(Σₖ αₖAᵏ): feature maps Aᵏ weighted by the mean gradient αₖ of the explained output.

    It says where, not how much: its values do not add up to the output, so there is no completeness gap. `GetMask`
    gives PAIR's map: divided by its largest value and resized as PAIR does it, three times the same for three colours.

    Args:
      model: a built `keras.Model`, a `ModelView` of one, or None to use `GetMask` with a `call_model_function`.
      layer: whose output are the feature maps `[B, h, w, K]`: a name, an index or a layer; None: the last layer with
        four-dimensional output.
      output: `"logits"`, `"probabilities"` or `"raw"`. See `ModelView`.
      resize: bring the map to the height and width of the input, bilinearly; False leaves it `[h, w]`.
      **model_options: `output_name`. See `Explainer`.

    Raises:
      LayerError: there is no such layer, its output has not four axes, or the explained output does not depend on it.

    Example:
      >>> from keras import layers
      >>> model = keras.Sequential([keras.Input([8, 8, 3]), layers.Conv2D(4, 3), layers.Flatten(), layers.Dense(2)])
      >>> GradCAMExplainer(model).explain(np.random.rand(5, 8, 8, 3)).values.shape
      (5, 8, 8)

    Reference: Selvaraju et al., Grad-CAM, ICCV 2017, Eq. 1 and 2.
    """

    _says: ClassVar[dict[str, Any]] = {"adds_up": False}

    def __init__(
        self,
        model: keras.Model | ModelView | None = None,
        layer: LayerLike | None = None,
        output: str = "logits",
        *,
        resize: bool = True,
        **model_options: Any,
    ):
        super().__init__(model, output=output, **model_options)
        self.resize, self._layer = resize, checked_layer(layer)
        self._verb = _Verb(resize, True)
        self._graphs = Graphs()
        self._maps: Any = None
        if self._view is None:
            return
        spec = self.view.inputs_spec
        if not isinstance(spec, tf.TensorSpec) or spec.shape.rank not in (3, 4):
            raise ValueError(f"Grad-CAM explains images [H, W] or [H, W, C]; this model takes {spec}.")
        self._maps = find_feature_maps(self.view, self._layer)

    def explain(
        self, x: Any, references: Any = None, target: Any = None, *, batch_size: int = 32, verbose: bool = False
    ) -> Attribution:
        """Explains a batch of images, or one.

        Args:
          x: array `[N, H, W, C]` (`[N, H, W]` if the model takes that), or one image without the axis N.
          references: not used, as Grad-CAM contrasts with nothing; they may be passed, so that a loop over explainers
            can call them alike. A target here is refused.
          target: class index, one per explicand, None for the predicted class, or a callable from the model's output
            `[B, ...]` to `[B]`.
          batch_size: images that go through the model together.
          verbose: show a progress bar.

        Returns:
          The explanation: `values` are float `[N, H, W]`, not negative; `outputs` hold f(x) and NaN, because Grad-CAM
          contrasts with nothing.

        Raises:
          TypeError, ValueError: an argument has another shape or type than the model takes, or is out of range.
          NonFiniteGradientError: an output or gradient is NaN or infinite; it carries what was finished.
        """
        contrasted.ignored(references)
        request = Request.of(self.view, x, target, batch_size)
        inputs, indices, batch_size = request.inputs, request.indices, request.batch_size
        function = self._function(request.model)
        values: list[np.ndarray] = []
        outputs: list[np.ndarray] = []

        def explanation() -> Attribution:
            output, done = np.concatenate(outputs), sum(map(len, outputs))
            return Attribution(
                values=np.concatenate(values),
                explicand=inputs[:done],
                outputs=np.stack([output, np.full_like(output, np.nan)], axis=-1)[:, None],
                distances=np.zeros([done, 1, 2], output.dtype),
                target=None if indices is None else indices[:done],
                settings=self._settings(),
            )

        starts = range(0, len(inputs), batch_size)
        for first in tqdm(starts, unit="batch", desc=type(self).__name__, disable=not verbose):
            rows = slice(first, first + batch_size)
            maps, explained = function(take(inputs, rows), request.index(rows))
            finite = np.isfinite(maps.numpy()).all(axis=(1, 2)) & np.isfinite(explained.numpy())
            if not finite.all():
                finished = explanation() if first else None
                raise request.failed(0, first + np.flatnonzero(~finite), finished)
            values.append(maps.numpy())
            outputs.append(explained.numpy())
        return request.shaped(explanation())

    def _understand(self, options: dict[str, Any]) -> tuple[GradCAMExplainer, dict[str, Any]]:
        verb = _Verb(
            should_resize=options.get("should_resize", self.resize), three_dims=options.get("three_dims", True)
        )
        other = type(self)(self._view, **{**self._arguments(), "resize": False})
        other._verb, other._graphs = verb, self._graphs
        return other, {name: value for name, value in options.items() if name not in _Verb._fields}

    def _mask(self, explanation: Attribution) -> np.ndarray:
        """PAIR's maps of one explicand, or of a batch."""
        values, explicand = np.asarray(explanation.values), np.asarray(explanation.explicand)
        if explanation.output.ndim:
            return np.stack([self._verb(*one) for one in zip(values, explicand, strict=True)])
        return self._verb(values, explicand)

    def _explain_callback(
        self,
        x_value: Any,
        call_model_function: CallModelFunction,
        call_model_args: Any,
        **options: Any,
    ) -> Attribution:
        if options:
            raise TypeError(
                f"With a callback GradCAMExplainer takes should_resize and three_dims, not {sorted(options)}."
            )
        x = as_explicand(x_value)
        view = CallbackView(call_model_function, call_model_args, x)
        inputs, _ = validation.batch("x_value", x[None], view.inputs_spec)
        validation.image("x_value", x.shape)
        maps, gradients = view.feature_maps(inputs)
        heat = _heat(tf.constant(maps), tf.constant(gradients)).numpy()[..., 0]
        if not np.isfinite(heat).all():
            raise NonFiniteGradientError(0, np.array([0]))
        unknown = np.full([1, 1, 2], np.nan, heat.dtype)
        settings = {**super()._settings(), "resize": False}
        return Attribution(heat, inputs, unknown, np.zeros_like(unknown), settings=settings)[0]

    def _arguments(self) -> dict[str, Any]:
        layer = self._layer if self._view is None else copies.named(self.view.model, self._layer)
        return {"layer": layer, "resize": self.resize}

    def _settings(self) -> dict[str, Any]:
        layer = self._layer if self._maps is None else self._maps.name
        return {**super()._settings(), "layer": layer, "resize": self.resize}

    def _function(self, explained: ExplainedOutput) -> Any:
        """Maps and outputs of a batch, traced once for any batch size."""

        def grad_cam(x: tf.Tensor, index: Any) -> tuple[tf.Tensor, tf.Tensor]:
            output, maps, gradients = feature_map_gradients(explained, self._maps, x, index)
            heat = _heat(maps, gradients)
            if self.resize:
                heat = tf.cast(tf.image.resize(heat, tf.shape(x)[1:3]), heat.dtype)
            return heat[..., 0], output

        signature = [self.view.inputs_spec, tf.TensorSpec([None], tf.int32) if explained.target is None else ()]
        return self._graphs.get(
            (explained.target, self.resize),
            lambda: compiled(grad_cam, signature),
        )


class _Verb(NamedTuple):
    """What PAIR's `GetMask` makes of a map, by its arguments.

    Attributes:
      should_resize: divide by the largest value, and bring to the height and width of the image.
      three_dims: three times the same, `[..., 3]`.
    """

    should_resize: bool
    three_dims: bool

    def __call__(self, heat: np.ndarray, image: np.ndarray) -> np.ndarray:
        """The mask of a map `[h, w]` and an image `[H, W]` or `[H, W, C]`."""
        if self.should_resize:
            import skimage.transform

            heat = heat / heat.max() if heat.max() > 0 else heat
            heat = skimage.transform.resize(heat, image.shape[:2])
        return np.repeat(heat[..., None], 3, axis=-1) if self.three_dims else heat


def _heat(maps: tf.Tensor, gradients: tf.Tensor) -> tf.Tensor:
    """Eq. 1 and 2: `[B, h, w, 1]` of feature maps and gradients `[B, h, w, K]`."""
    weights = tf.reduce_mean(gradients, axis=[1, 2], keepdims=True)
    return tf.nn.relu(tf.reduce_sum(weights * maps, axis=-1, keepdims=True))


def feature_map_gradients(
    explained: ExplainedOutput, layer: Any, x: tf.Tensor, index: Any
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """One forward pass, and the gradient at a layer inside.

    Args:
      explained: the model and what is explained of its output.
      layer: the operation whose output is wanted.
      x: `[B, ...]`.
      index: int32 `[B]`, the explained output's index, or `()`.

    Returns:
      The explained output `[B]`, the layer's output `[B, ...]`, and the gradient of the one by the other.
    """
    seen: list[tf.Tensor] = []

    def call(operation: Any, *args: Any, **kwargs: Any) -> Any:
        seen.append(operation(*args, **kwargs))
        tape.watch(seen[-1])
        return seen[-1]

    with tf.GradientTape(watch_accessed_variables=False) as tape:
        _, outputs = explained.view.forward(x, (), {id(layer): call}, representation=False)
        output = explained.select(outputs, index)
    maps = seen[-1]
    gradient = tape.gradient(output, maps, unconnected_gradients=tf.UnconnectedGradients.ZERO)
    dtype = output.dtype
    return output, tf.cast(maps, dtype), tf.cast(gradient, dtype)


def find_feature_maps(view: ModelView, layer: LayerLike | None) -> Any:
    """The layer whose output are feature maps: as named, or the last one with four axes.

    Raises:
      ValueError: the view has no Keras graph, or makes attributions at an inner layer.
      LayerError: there is no such layer on the way to the explained output, or its output has not four axes.
    """
    if view.model is None or view.attributes_inside:
        raise ValueError(
            "Feature maps can be found in Keras models with a graph (not subclassed), explained at their input alone."
        )
    candidates = [operation for operation in keras_graph.operations(view.model) if _is_feature_map(operation)]
    if layer is None:
        behind_output = view.operations_behind_output()
        candidates = [operation for operation in candidates if id(operation) in behind_output]
        if not candidates:
            raise LayerError("The model has no layer with output [B, h, w, K]: Grad-CAM needs a convolutional network.")
        return candidates[-1]
    found = keras_graph.find_layer(view.model, layer)
    if id(found) not in {id(operation) for operation in candidates}:
        names = [operation.name for operation in candidates]
        raise LayerError(f"The output of {found.name!r} is not feature maps [B, h, w, K]; these are: {names[-8:]}.")
    if id(found) not in view.operations_behind_output():
        raise LayerError(f"The explained output does not depend on the layer {found.name!r}.")
    return found


def _is_feature_map(operation: Any) -> bool:
    nodes = getattr(operation, "_inbound_nodes", [])
    if isinstance(operation, keras.layers.InputLayer) or keras_graph.is_graph(operation) or not nodes:
        return False
    outputs = nodes[-1].output_tensors
    return len(outputs) == 1 and len(outputs[0].shape) == 4

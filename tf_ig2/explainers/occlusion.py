"""Occlusion: by how much the explained output falls where a window hides a part of the image."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import keras
import numpy as np
import tensorflow as tf

from tf_ig2 import validation
from tf_ig2.attribution import Attribution
from tf_ig2.compiled import compiled
from tf_ig2.errors import NonFiniteGradientError
from tf_ig2.explainers import contrasted, progress
from tf_ig2.explainers.base import Explainer
from tf_ig2.explainers.graphs import Graphs
from tf_ig2.explainers.micro_batches import micro_batches
from tf_ig2.explainers.request import Request, take
from tf_ig2.models.explained_output import ExplainedOutput
from tf_ig2.models.model_view import ModelView
from tf_ig2.pair.callback_view import CallbackView, CallModelFunction, as_explicand


class OcclusionExplainer(Explainer):
    """Occlusion: each pixel gets the sum of f(x) − f(x with the window hidden) over the windows that cover it.

    The window goes over the image pixel by pixel, as with PAIR, which costs a forward pass for each of its
    (H − size + 1)·(W − size + 1) places; `stride` takes fewer. It asks the model for its output alone. The values do
    not add up to it, so there is no completeness gap.

    Args:
      model: a built `keras.Model`, a `ModelView`, or None to use `GetMask` with a `call_model_function`. Its input is
        an image `[H, W, C]`, or `[H, W]`.
      size: height and width of the window in pixels.
      value: what the window shows, in the units of the input.
      stride: pixels from one place of the window to the next; the last place is at the edge.
      **model_options: `output`, `output_name`; see `ModelView`.

    Raises:
      TypeError, ValueError: an argument is not of its kind or out of range; the model takes no images.

    Example:
      >>> model = keras.Sequential([keras.Input([8, 8, 1]), keras.layers.Flatten(), keras.layers.Dense(3)])
      >>> OcclusionExplainer(model, size=3).explain(np.random.rand(2, 8, 8, 1)).values.shape
      (2, 8, 8, 1)

    Reference: Zeiler & Fergus, Visualizing and Understanding Convolutional Networks, ECCV 2014, section 4.2, as in
    PAIR's `Occlusion`.
    """

    _says: ClassVar[dict[str, Any]] = {"adds_up": False}

    def __init__(
        self,
        model: keras.Model | ModelView | None = None,
        *,
        size: int = 15,
        value: float = 0.0,
        stride: int = 1,
        **model_options: Any,
    ):
        self.size = validation.positive("size", size, integer=True)
        self.value = float(validation.number("value", value))
        self.stride = validation.positive("stride", stride, integer=True)
        super().__init__(model, **model_options)
        self._graphs = Graphs()
        if self._view is None:
            return
        spec = self.view.inputs_spec
        if not isinstance(spec, tf.TensorSpec) or spec.shape.rank not in (3, 4) or self.view.attributes_inside:
            raise ValueError(f"Occlusion explains images [H, W] or [H, W, C] at the input; this model takes {spec}.")

    def explain(
        self, x: Any, references: Any = None, target: Any = None, *, batch_size: int = 32, verbose: bool = False
    ) -> Attribution:
        """Explains a batch of images, or one.

        Args:
          x: array `[N, H, W, C]` (`[N, H, W]` if the model takes that), or one image without the axis N.
          references: not used, as what hides is the explainer's `value`; they may be passed, so that a loop over
            explainers can call them alike. A target here is refused.
          target: class index, one per explicand, None for the predicted class, or a callable from the model's output
            `[B, ...]` to `[B]`.
          batch_size: hidden copies that go through the model together; half as many, with a warning, whenever memory is
            exhausted.
          verbose: show a progress bar.

        Returns:
          The explanation: `values` like `x`, the same for all channels; `outputs` hold f(x) and NaN, because Occlusion
          contrasts with many images.

        Raises:
          TypeError, ValueError: an argument has another shape or type than the model takes, or is out of range; the
            window is larger than the image.
          NonFiniteGradientError: an output is NaN or infinite; it carries what was finished.
        """
        contrasted.ignored(references)
        request = Request.of(self.view, x, target, batch_size)
        function = self._function(request.model)
        size, value = tf.constant(self.size), tf.constant(self.value, request.inputs.dtype)

        def outputs(n: int, tops: np.ndarray, lefts: np.ndarray) -> np.ndarray:
            image, index = take(request.inputs, n), request.index([n])
            return function(image, index, tf.constant(tops), tf.constant(lefts), size, value).numpy()

        return request.shaped(
            self._explain(request.inputs, request.indices, outputs, request.batch_size, verbose, request.failed)
        )

    def _explain_callback(  # type: ignore[override]
        self,
        x_value: Any,
        call_model_function: CallModelFunction,
        call_model_args: Any,
        batch_size: int = 1,
        verbose: bool = False,
    ) -> Attribution:
        x = as_explicand(x_value)
        batch_size = validation.batch_size(batch_size)
        view = CallbackView(call_model_function, call_model_args, x, batch_size=batch_size)
        inputs, _ = validation.batch("x_value", x[None], view.inputs_spec)
        size, value = tf.constant(self.size), tf.constant(self.value, inputs.dtype)

        def outputs(n: int, tops: np.ndarray, lefts: np.ndarray) -> np.ndarray:
            rows = hidden(tf.constant(inputs[n]), tf.constant(tops), tf.constant(lefts), size, value)
            return view.outputs(rows.numpy()).numpy()

        return self._explain(inputs, None, outputs, batch_size, verbose)[0]

    def _explain(
        self,
        inputs: np.ndarray,
        indices: Any,
        outputs: Any,
        batch_size: int,
        verbose: bool,
        failed: Callable[..., NonFiniteGradientError] = NonFiniteGradientError,
    ) -> Attribution:
        """Image by image: the output of the whole, then of its hidden copies, `batch_size` at a time."""
        validation.image("x", inputs.shape[1:])
        height, width = inputs.shape[1:3]
        if self.size > min(height, width):
            raise ValueError(f"`size` {self.size} is larger than the images, {height} × {width}.")
        tops, lefts = (_places(side - self.size, self.stride) for side in (height, width))
        values = np.zeros(inputs.shape, inputs.dtype)
        whole = np.full([len(inputs), 1, 2], np.nan, inputs.dtype)
        nowhere = np.array([height], np.int32)

        def explanation() -> Attribution:
            zeros = np.zeros_like(whole)
            return Attribution(values, inputs, whole, zeros, target=indices, settings=self._settings())

        def checked(found: np.ndarray, n: int) -> np.ndarray:
            if not np.isfinite(found).all():
                raise failed(0, np.array([n]), explanation()[:n] if n else None)
            return found

        total = len(tops) * len(lefts)
        with progress.bar(len(inputs) * total, "window", type(self).__name__, verbose) as bar:
            for n in range(len(inputs)):
                whole[n, 0, 0] = checked(outputs(n, nowhere, nowhere), n)[0]
                falls = np.zeros([height - self.size + 1, width - self.size + 1])

                def some(rows: np.ndarray, _: int, n: int = n) -> np.ndarray:
                    return outputs(n, tops[rows // len(lefts)], lefts[rows % len(lefts)])

                for rows, found in micro_batches(total, batch_size, some, stacklevel=3):
                    here = tops[rows // len(lefts)], lefts[rows % len(lefts)]
                    falls[here] = float(whole[n, 0, 0]) - checked(found, n).astype(np.float64)
                    progress.advance(bar, len(rows))
                covered = _over_windows(falls, self.size)
                values[n] = covered if inputs.ndim == 3 else covered[..., None]
        return explanation()

    def _understand(self, options: dict[str, Any]) -> tuple[OcclusionExplainer, dict[str, Any]]:
        own = self._arguments()
        changed = {name: value for name, value in options.items() if name in own}
        other = type(self)(self._view, **{**own, **changed}) if changed else self
        other._graphs = self._graphs
        return other, {name: value for name, value in options.items() if name not in own}

    def _arguments(self) -> dict[str, Any]:
        return {"size": self.size, "value": self.value, "stride": self.stride}

    def _settings(self) -> dict[str, Any]:
        return {**super()._settings(), **self._arguments()}

    def _function(self, model: ExplainedOutput) -> Any:
        """The explained output of hidden copies of one image, traced once for any number and any window."""
        spec = self.view.inputs_spec
        number, numbers = tf.TensorSpec([], tf.int32), tf.TensorSpec([None], tf.int32)
        by_index = model.target is None

        def output(
            image: tf.Tensor, index: Any, tops: tf.Tensor, lefts: tf.Tensor, size: tf.Tensor, value: tf.Tensor
        ) -> tf.Tensor:
            rows = hidden(image, tops, lefts, size, value)
            found = self.view.forward(rows, representation=False)[1]
            return model.select(found, tf.repeat(index, tf.size(tops)) if by_index else ())

        signature = [
            tf.TensorSpec(spec.shape[1:], spec.dtype),
            tf.TensorSpec([1], tf.int32) if by_index else (),
            numbers,
            numbers,
            number,
            tf.TensorSpec([], spec.dtype),
        ]
        return self._graphs.get(model.target, lambda: compiled(output, signature))


def hidden(image: tf.Tensor, tops: tf.Tensor, lefts: tf.Tensor, size: tf.Tensor, value: tf.Tensor) -> tf.Tensor:
    """Copies of an image with a square window each.

    Args:
      image: `[H, W]` or `[H, W, C]`.
      tops, lefts: int32 `[B]`, the windows' first row and column; outside of the image there is none.
      size: int32 scalar, their height and width.
      value: scalar of the image's dtype, what they show.

    Returns:
      `[B, H, W]` or `[B, H, W, C]`.
    """

    def within(first: tf.Tensor, side: tf.Tensor) -> tf.Tensor:
        place = tf.range(side)[None] - first[:, None]
        return (place >= 0) & (place < size)

    shape = tf.shape(image)
    window = within(tops, shape[0])[:, :, None] & within(lefts, shape[1])[:, None]
    if image.shape.rank == 3:
        window = window[..., None]
    return tf.where(window, value, image[None])


def _places(last: int, stride: int) -> np.ndarray:
    """int32, the first pixels of windows along a side: 0, stride, 2·stride, …, and the last that fits."""
    return np.unique(np.append(np.arange(0, last + 1, stride), last)).astype(np.int32)


def _over_windows(falls: np.ndarray, size: int) -> np.ndarray:
    """Float64 `[H, W]`: for each pixel the sum of what the windows `[H − size + 1, W − size + 1]` that cover it say."""
    for axis in (0, 1):
        moved = np.moveaxis(falls, axis, 0)
        sums = np.zeros([len(moved) + size - 1, moved.shape[1]])
        for offset in range(size):
            sums[offset : offset + len(moved)] += moved
        falls = np.moveaxis(sums, 0, axis)
    return falls

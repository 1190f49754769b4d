"""DeepSHAP: DeepLIFT's rescale rule, averaged over references."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from tqdm.auto import tqdm

from tf_ig2 import validation
from tf_ig2.attribution import Attribution
from tf_ig2.contrasts.references import from_dataset
from tf_ig2.deeplift import layers
from tf_ig2.deeplift.propagate import propagate
from tf_ig2.errors import NonFiniteGradientError
from tf_ig2.explained_output import ExplainedOutput, Target
from tf_ig2.explainers.base import Explainer, take
from tf_ig2.explainers.micro_batches import micro_batches
from tf_ig2.model_view import LayerLike, ModelView


class DeepSHAPExplainer(Explainer):
    """DeepSHAP: multipliers from differences of activations, times the difference of the inputs, mean over references.

    The attributions add up to f(x) − mean f(x′) (completeness), as far as every operation has a rule; see
    `tf_ig2.deeplift`. Elementwise activations, linear layers, pooling and products have one; softmax and normalisation
    over features inside the model, recurrent layers, attention and layers of one's own have none.

    Args:
      model: a built `keras.Model`, or a `ModelView` of one.
      output: `"logits"`, `"probabilities"` or `"raw"`. See `ModelView`.
      output_name: which output to explain, of several.
      input_layer: attribute at this layer's output instead of the model's input (a text model's embedding).
      unknown: what to do with operations without a rule: `"error"`; `"gradient"`, take the gradient at the explicand,
        at the price of completeness; `"integrate"`, take the mean of the gradient between the reference's and the
        explicand's values at that operation, with 16 nodes, at the price of 16 more backward passes through it.

    Raises:
      ValueError: an operation has no rule and `unknown` is `"error"`; the message names it.

    Example:
      >>> model = keras.Sequential([keras.Input([4]), keras.layers.Dense(8, "relu"), keras.layers.Dense(3, "softmax")])
      >>> explanation = DeepSHAPExplainer(model).explain(np.random.rand(5, 4), references=np.random.rand(2, 4))
      >>> explanation.values.shape, bool(np.all(np.abs(explanation.completeness_gap) < 1e-5))
      ((5, 4), True)

    Reference: Lundberg & Lee, NeurIPS 2017, section 4.2; Shrikumar et al., ICML 2017.
    """

    def __init__(
        self,
        model: keras.Model | ModelView,
        output: str = "logits",
        *,
        output_name: str | int | None = None,
        input_layer: LayerLike | Sequence[LayerLike] | None = None,
        unknown: str = "error",
    ):
        if unknown not in layers.UNKNOWN:
            raise ValueError(f"Unknown value of `unknown`: {unknown!r}. Choose one of {layers.UNKNOWN}.")
        super().__init__(model, output=output, output_name=output_name, input_layer=input_layer)
        self.unknown = unknown
        self._rules = layers.rules(self.view, unknown)
        self._compiled: dict[Target | None, Any] = {}

    def explain(
        self, x: Any, references: Any, target: Any = None, *, batch_size: int = 32, verbose: bool = False
    ) -> Attribution:
        """Explains a batch of explicands, or one.

        Args:
          x: explicands, array `[N, ...]`, or one `[...]`; a dict, list or tuple of them for models with several inputs.
          references: the background: `[R, ...]` shared by all explicands, `[N, R, ...]`, one `[...]`, or a finite
            `tf.data.Dataset`.
          target: class index, one per explicand, None for the predicted class, or a callable from the model's output
            `[B, ...]` to `[B]`.
          batch_size: (explicand, reference) pairs that go through the model together; half as many, with a warning,
            whenever memory is exhausted.
          verbose: show a progress bar.

        Returns:
          The explanation: `values` like `x`, `outputs` `[N, R, 2]` of explicands and references.

        Raises:
          TypeError, ValueError: an argument has another structure, shape or type than the model takes, is empty, not
            finite, or out of range.
          NonFiniteGradientError: an output or a multiplier is NaN or infinite; it carries what was finished.
        """
        view = self.view
        inputs, single = self._door(x)
        validation.positive("batch_size", batch_size, integer=True)
        given = target if callable(target) else None
        indices = None if callable(target) else self._predicted(inputs, target, batch_size)
        count = len(tf.nest.flatten(inputs)[0])
        explicand = self._points(inputs, batch_size)
        background, own, size = self._background(references, count, batch_size)
        function = self._function(given)

        values = tf.nest.map_structure(lambda part: np.zeros(part.shape, part.dtype), explicand)
        outputs = np.zeros([count, size, 2], tf.nest.flatten(explicand)[0].dtype)

        def explanation() -> Attribution:
            return Attribution(values, explicand, outputs, np.zeros_like(outputs), indices, settings=self._settings())

        def attribute(pairs: np.ndarray, _: int) -> Any:
            i, r = pairs // size, pairs % size
            shared = not own and not view.attributes_inside
            once, pair = np.unique(r, return_inverse=True) if shared else (r, np.arange(len(r)))
            return function(
                take(explicand, i),
                take(background, (i, once) if own else once),
                tf.constant(pair, tf.int32),
                take(inputs, i) if view.attributes_inside else (),
                () if indices is None else tf.constant(indices[i]),
            )

        total = count * size
        with tqdm(total=total, unit="pair", desc=type(self).__name__, disable=not verbose) as bar:
            for pairs, (parts, output, reference_output) in micro_batches(
                total, min(batch_size, total), attribute, stacklevel=2
            ):
                i, r = pairs // size, pairs % size
                outputs[i, r] = np.stack([output.numpy(), reference_output.numpy()], axis=-1)
                finite = np.isfinite(outputs[i, r]).all(axis=1)
                for part in tf.nest.flatten(parts):
                    finite &= np.isfinite(part.numpy().reshape(len(i), -1)).all(axis=1)
                if not finite.all():
                    done = pairs[0] // size
                    finished = explanation()[:done] if done else None
                    raise NonFiniteGradientError(0, np.unique(i[~finite]), finished)
                for sum_, part in zip(tf.nest.flatten(values), tf.nest.flatten(parts), strict=True):
                    np.add.at(sum_, i, part.numpy() / size)
                bar.update(len(pairs))
        return explanation()[0] if single else explanation()

    def _settings(self) -> dict[str, Any]:
        return {**super()._settings(), "unknown": self.unknown}

    def _points(self, inputs: Any, batch_size: int) -> Any:
        """The values where attributions are made, structure of arrays `[N, ...]`."""
        if not self.view.attributes_inside:
            return inputs
        size = len(tf.nest.flatten(inputs)[0])
        parts = [self.view.points(take(inputs, slice(s, s + batch_size))) for s in range(0, size, batch_size)]
        return tf.nest.map_structure(lambda *part: np.concatenate([p.numpy() for p in part]), *parts)

    def _background(self, references: Any, count: int, batch_size: int) -> tuple[Any, bool, int]:
        """The references where attributions are made, whether each explicand has its own, and R."""
        view = self.view
        if isinstance(references, tf.data.Dataset):
            references = from_dataset(references, view.inputs_spec)
        arrays, own = validation.contrasts("references", references, view.inputs_spec, count)
        size = tf.nest.flatten(arrays)[0].shape[1 if own else 0]
        if not view.attributes_inside:
            return arrays, own, size
        if not own:
            return self._points(arrays, batch_size), own, size
        flat = tf.nest.map_structure(lambda part: part.reshape(-1, *part.shape[2:]), arrays)
        points = self._points(flat, batch_size)
        return tf.nest.map_structure(lambda part: part.reshape(count, size, *part.shape[1:]), points), own, size

    def _function(self, target: Target | None) -> Any:
        """Attributions of a batch of pairs, traced once for any batch size."""
        if target not in self._compiled:
            view, explained = self.view, ExplainedOutput(self.view, target)
            own = view.inputs_spec if view.attributes_inside else ()
            rows = tf.TensorSpec([None], tf.int32)
            index = () if target is not None else rows

            def attribute(points: Any, references: Any, pairs: tf.Tensor, inputs: Any, index: Any) -> Any:
                def select(outputs: tf.Tensor) -> tf.Tensor:
                    return explained.select(outputs, index)

                multipliers, *outputs = propagate(view, self._rules, select, points, references, pairs, inputs)
                values = tf.nest.map_structure(
                    lambda m, x, r: m * (x - tf.gather(r, pairs)), multipliers, points, references
                )
                return values, *outputs

            self._compiled[target] = tf.function(
                attribute, input_signature=[view.points_spec, view.points_spec, rows, own, index], autograph=False
            )
        return self._compiled[target]

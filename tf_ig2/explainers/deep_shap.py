"""DeepSHAP: DeepLIFT's rescale rule, averaged over references."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any, ClassVar

import keras
import numpy as np
import tensorflow as tf

from tf_ig2.attribution import Attribution
from tf_ig2.compiled import compiled
from tf_ig2.deeplift import layers
from tf_ig2.deeplift.propagate import propagate
from tf_ig2.explainers import contrasted
from tf_ig2.explainers.background import background
from tf_ig2.explainers.base import Explainer
from tf_ig2.explainers.graphs import Graphs
from tf_ig2.explainers.micro_batches import micro_batches
from tf_ig2.explainers.request import Request, take
from tf_ig2.models.explained_output import ExplainedOutput
from tf_ig2.models.model_view import LayerLike, ModelView
from tf_ig2.progress_bar import tqdm

_GAP = 0.01
"""The completeness gap from which on a user is warned, relative to the difference that it misses."""

_ROUNDINGS = 16
"""How many roundings of the output, in the precision that the model computes in, are no gap to warn of."""


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
        explicand's values at that operation, with 16 nodes, at the price of 16 more backward passes through it. Where
        that does not add up, the line between the two is divided where the operation changes, into up to 512 parts of
        16 nodes; where the attributions still miss by more than 1 %, a warning says by how much.

    Raises:
      ValueError: an operation has no rule and `unknown` is `"error"`; the message names it.

    Example:
      >>> model = keras.Sequential([keras.Input([4]), keras.layers.Dense(8, "relu"), keras.layers.Dense(3, "softmax")])
      >>> explanation = DeepSHAPExplainer(model).explain(np.random.rand(5, 4), references=np.random.rand(2, 4))
      >>> explanation.values.shape, bool(np.all(np.abs(explanation.completeness_gap) < 1e-5))
      ((5, 4), True)

    Reference: Lundberg & Lee, NeurIPS 2017, section 4.2; Shrikumar et al., ICML 2017.
    """

    references_are = "needed"
    _says: ClassVar[dict[str, Any]] = {"end": "reference"}

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
        self._graphs = Graphs()

    def explain(
        self, x: Any, references: Any = None, target: Any = None, *, batch_size: int = 32, verbose: bool = False
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
          TypeError, ValueError: there are no references; an argument has another structure, shape or type than the
            model takes, is empty, not finite, or out of range.
          NonFiniteGradientError: an output or a multiplier is NaN or infinite; it carries what was finished.
        """
        view = self.view
        references = contrasted.needed(references, view.inputs_spec, type(self).__name__)
        request = Request.of(view, x, target, batch_size)
        explicand, indices, count = request.explicand, request.indices, len(request)
        batch_size = request.batch_size
        points, own = background(view, references, count // (request.each or 1), batch_size)
        size = tf.nest.flatten(points)[0].shape[1 if own else 0]
        function = self._function(request.model)

        values = tf.nest.map_structure(lambda part: np.zeros(part.shape, part.dtype), explicand)
        outputs = np.zeros([count, size, 2], tf.nest.flatten(explicand)[0].dtype)

        def explanation() -> Attribution:
            return Attribution(
                values=values,
                explicand=explicand,
                outputs=outputs,
                distances=np.zeros_like(outputs),
                target=indices,
                settings=self._settings(),
                inputs=request.inputs if view.attributes_inside else None,
            )

        def attribute(pairs: np.ndarray, _: int) -> Any:
            i, r = pairs // size, pairs % size
            # Run eagerly, a tensor does not say whether its first axis is the batch: each pair has its own reference.
            shared = not own and not view.attributes_inside and not tf.config.functions_run_eagerly()
            once, pair = np.unique(r, return_inverse=True) if shared else (r, np.arange(len(r)))
            return function(
                take(explicand, i),
                take(points, (i // (request.each or 1), once) if own else once),
                tf.constant(pair, tf.int32),
                take(request.inside, i),
                request.index(i),
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
                    raise request.failed(0, np.unique(i[~finite]), finished)
                for sum_, part in zip(tf.nest.flatten(values), tf.nest.flatten(parts), strict=True):
                    np.add.at(sum_, i, part.numpy() / size)
                bar.update(len(pairs))
        found = explanation()
        if self.unknown == "integrate":
            _warn_of_gaps(found, outputs, _precision(view.model))
        return request.shaped(found)

    def _arguments(self) -> dict[str, Any]:
        return {"unknown": self.unknown}

    def _settings(self) -> dict[str, Any]:
        return {**super()._settings(), "unknown": self.unknown}

    def _function(self, model: ExplainedOutput) -> Any:
        """Attributions of a batch of pairs, traced once for any batch size."""
        view = self.view
        rows = tf.TensorSpec([None], tf.int32)

        def attribute(points: Any, references: Any, pairs: tf.Tensor, inside: Any, index: Any) -> Any:
            def select(outputs: tf.Tensor) -> tf.Tensor:
                return model.select(outputs, index)

            multipliers, *outputs = propagate(view, self._rules, select, points, references, pairs, inside)
            values = tf.nest.map_structure(
                lambda m, x, r: m * (x - tf.gather(r, pairs)), multipliers, points, references
            )
            return values, *outputs

        signature = [
            view.points_spec,
            view.points_spec,
            rows,
            view.inside_spec,
            rows if model.target is None else (),
        ]
        return self._graphs.get(model.target, lambda: compiled(attribute, signature))


def _warn_of_gaps(found: Attribution, outputs: np.ndarray, precision: float) -> None:
    """Warns where attributions miss more than rounding in that precision explains; outputs `[N, R, 2]` of both ends."""
    size = np.abs(outputs).mean(axis=(1, 2))
    missed = np.maximum(np.abs(found.completeness_gap) - _ROUNDINGS * precision * size, 0)
    worst = np.max(missed / np.maximum(np.maximum(np.abs(found._difference), _GAP * size), np.finfo(size.dtype).tiny))
    if worst > _GAP:
        warnings.warn(
            f"The attributions of some explicands miss the difference of the outputs by up to {worst:.1%}: the "
            'operations that unknown="integrate" goes through change faster than its nodes resolve. '
            "`relative_completeness_gap` says which; take references nearer to them, or ExpectedIGExplainer, whose "
            "path goes through the whole model.",
            stacklevel=3,
        )


def _precision(model: keras.Model) -> float:
    """The spacing of numbers at 1 in the coarsest type that a layer computes in."""
    return max(map(_layer_precision, model.layers))


def _layer_precision(layer: keras.layers.Layer) -> float:
    if getattr(layer, "layers", None):
        return _precision(layer)
    kind = tf.as_dtype(layer.compute_dtype)
    return float(np.spacing(kind.as_numpy_dtype(1))) if kind.is_floating else 0.0

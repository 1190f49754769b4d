"""KernelSHAP: Shapley values of superpixels, tokens or features, estimated from the model's outputs alone."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any, ClassVar

import keras
import numpy as np
import tensorflow as tf

from tf_ig2 import extras, validation
from tf_ig2.attribution import Attribution
from tf_ig2.compiled import compiled
from tf_ig2.explainers import contrasted
from tf_ig2.explainers.background import background
from tf_ig2.explainers.base import Explainer
from tf_ig2.explainers.graphs import Graphs
from tf_ig2.explainers.own_draws import OwnDraws, seeded
from tf_ig2.explainers.request import Request, repeated, take
from tf_ig2.models.explained_output import ExplainedOutput
from tf_ig2.models.model_view import LayerLike, ModelView
from tf_ig2.progress_bar import tqdm
from tf_ig2.segments import segmentation
from tf_ig2.segments.regions import RegionAttribution


class KernelSHAPExplainer(Explainer):
    """KernelSHAP by the `shap` package: what is left out of the explicand is replaced by references.

    Players are the superpixels of an image, the positions of a sequence at an `input_layer`, or single features. The
    Shapley value of a player is spread evenly over its elements, so that the attributions add up to f(x) − mean f(x′).
    Needs the extra `shap`.

    Args:
      model: a built `keras.Model` with one input, or a `ModelView`.
      output: `"logits"`, `"probabilities"` or `"raw"`. See `ModelView`.
      output_name: which output to explain, of several.
      input_layer: attribute at this layer's output instead of the model's input (a text model's embedding).
      samples: number of coalitions that are evaluated for an explicand, each with every reference; `"auto"`: twice the
        number of players plus 2048, as in `shap`, and never more than there are.
      superpixels: about how many superpixels an image is divided into, by SLIC.
      l1: regularisation of `shap`'s regression: False for none, `"aic"`, `"bic"`, `"num_features(10)"`, or an alpha.
      seed: int, not negative, of the coalitions, the same ones in every thread; None: others each time. NumPy's global
        state, which `shap` draws from elsewhere, is left alone.

    Raises:
      MissingExtraError: `shap` is not installed.
      TypeError, ValueError: an argument is not of its kind or out of range, or the model has several inputs.

    Example:
      >>> model = keras.Sequential([keras.Input([4]), keras.layers.Dense(3)])
      >>> KernelSHAPExplainer(model).explain(np.ones([2, 4]), references=np.zeros([1, 4])).values.shape
      (2, 4)

    Reference: Lundberg & Lee, A Unified Approach to Interpreting Model Predictions, NeurIPS 2017, section 4.1.
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
        samples: int | str = "auto",
        superpixels: int = 50,
        l1: str | float | bool = False,
        seed: int | None = 0,
    ):
        extras.need("shap", "shap", "KernelSHAP")
        super().__init__(model, output=output, output_name=output_name, input_layer=input_layer)
        if not isinstance(self.view.points_spec, tf.TensorSpec):
            raise ValueError("KernelSHAP explains models with one input, or at one `input_layer`.")
        if not isinstance(samples, str) or samples != "auto":
            samples = validation.positive("samples", samples, integer=True)
        if not isinstance(l1, (str, bool, np.bool_)):
            l1 = validation.not_negative("l1", l1)
        self.samples, self.seed = samples, None if seed is None else validation.seed(seed)
        self.l1 = bool(l1) if isinstance(l1, np.bool_) else l1
        self.superpixels = validation.positive("superpixels", superpixels, integer=True)
        self._graphs = Graphs()

    def explain(
        self,
        x: Any,
        references: Any = None,
        target: Any = None,
        *,
        segments: Any = None,
        batch_size: int = 32,
        verbose: bool = False,
    ) -> Attribution:
        """Explains a batch of explicands, or one.

        Args:
          x: explicands, array `[N, ...]`, or one `[...]`.
          references: what replaces parts that are left out: `[R, ...]` shared, `[N, R, ...]`, one `[...]`, or a finite
            `tf.data.Dataset`.
          target: class index, one per explicand, None for the predicted class, or a callable from the model's output
            `[B, ...]` to `[B]`.
          segments: the players, as an int array of their numbers over the leading axes of an explicand (`[H, W]` for an
            image), or `[N, ...]` of them; None: SLIC superpixels for images, positions at an `input_layer` with more
            than one axis, otherwise single features.
          batch_size: inputs that go through the model together.
          verbose: show a progress bar of model evaluations.

        Returns:
          The explanation, a `RegionAttribution`: `values` like `x`, `regions` the players' numbers from 0, `outputs`
          `[N, R, 2]`.

        Raises:
          TypeError, ValueError: there are no references; an argument has another shape or type than the model takes, is
            empty, not finite, or out of range.
          NonFiniteGradientError: an output is NaN or infinite; it carries the explicands that were finished.
        """
        view = self.view
        references = contrasted.needed(references, view.inputs_spec, type(self).__name__)
        shap = _import_shap()
        request = Request.of(view, x, target, batch_size, gradient=False)
        explicand, indices, count, batch_size = request.explicand, request.indices, len(request), request.batch_size
        distinct = request.distinct
        given = self._background(references, len(distinct), batch_size), self._players(segments, distinct)
        background, players = repeated(given, request.each or 1)
        samples = [self._coalitions(int(part.max()) + 1) for part in players]
        function = self._function(request.model)

        values = np.zeros_like(explicand)
        outputs = np.zeros([*background.shape[:2], 2], explicand.dtype)

        def explanation() -> RegionAttribution:
            return RegionAttribution(
                values=values,
                explicand=explicand,
                outputs=outputs,
                distances=np.zeros_like(outputs),
                target=indices,
                settings=self._settings(),
                regions=players,
                inputs=request.inputs if view.attributes_inside else None,
            )

        total = sum(1 + background.shape[1] * (number + 3) for number in samples)
        with tqdm(total=total, unit="output", desc=type(self).__name__, disable=not verbose) as bar, seeded(self.seed):
            for n in range(count):
                own, index = take(request.inside, slice(n, n + 1)), request.index(slice(n, n + 1))
                member = _expand(players[n], explicand[n].shape)

                def output(points: np.ndarray, own: Any = own, index: Any = index, n: int = n) -> np.ndarray:
                    parts = []
                    for first in range(0, len(points), batch_size):
                        parts.append(function(tf.constant(points[first : first + batch_size]), own, index).numpy())
                        bar.update(len(parts[-1]))
                    result = np.concatenate(parts)
                    if not np.isfinite(result).all():
                        raise request.failed(0, np.array([n]), explanation()[:n] if n else None)
                    return result

                def game(
                    coalitions: np.ndarray, n: int = n, member: np.ndarray = member, output: Any = output
                ) -> np.ndarray:
                    """Mean over references of the output for every coalition `[Z, players]`."""
                    step = max(1, batch_size // background.shape[1])
                    results = []
                    for first in range(0, len(coalitions), step):
                        stays = coalitions[first : first + step].astype(bool)[:, member][:, None]
                        mixed = np.where(stays, explicand[n], background[n])
                        flat = mixed.reshape(-1, *explicand.shape[1:])
                        results.append(output(flat).reshape(mixed.shape[:2]).mean(axis=1, dtype=np.float64))
                    return np.concatenate(results)

                outputs[n, :, 0], outputs[n, :, 1] = output(explicand[n : n + 1]), output(background[n])
                shapley = self._shapley(shap, game, int(players[n].max()) + 1, samples[n])
                values[n] = (shapley / np.bincount(member.ravel(), minlength=len(shapley)))[member]
        return request.shaped(explanation())

    def _arguments(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in ("samples", "superpixels", "l1", "seed")}

    def _settings(self) -> dict[str, Any]:
        return {**super()._settings(), **self._arguments()}

    def _coalitions(self, players: int) -> int:
        """How many coalitions are evaluated beside the empty and the full one."""
        wanted = 2 * players + 2048 if isinstance(self.samples, str) else self.samples
        return min(wanted, 2**players - 2) if players <= 30 else wanted

    def _shapley(self, shap: Any, game: Any, players: int, samples: int) -> np.ndarray:
        """The Shapley values `[players]` of a game."""
        nobody, everybody = np.zeros([1, players]), np.ones([1, players])
        explainer = shap.KernelExplainer(game, nobody)
        return explainer.shap_values(everybody, nsamples=max(samples, 1), l1_reg=self.l1, silent=True)[0]

    def _background(self, references: Any, count: int, batch_size: int) -> np.ndarray:
        """The references where attributions are made, `[N, R, ...]`."""
        points, own = background(self.view, references, count, batch_size)
        return points if own else np.broadcast_to(points, [count, *points.shape])

    def _players(self, segments: Any, explicand: np.ndarray) -> np.ndarray:
        """The players' numbers, from 0 without gaps, `[N, ...]` over leading axes of the explicands."""
        features = explicand.shape[1:]
        if segments is None:
            if self.view.attributes_inside and len(features) > 1:
                segments = np.arange(features[0])
            elif len(features) in (2, 3):
                segments = np.stack([segmentation.slic(image, self.superpixels) for image in explicand])
            else:
                segments = np.arange(int(np.prod(features))).reshape(features)
        given = np.asarray(segments)
        if given.dtype.kind not in "iu":
            raise TypeError(f"`segments` must be the players' numbers (integers), not {given.dtype}.")
        if given.ndim and given.shape == features[: given.ndim]:
            given = np.broadcast_to(given, [len(explicand), *given.shape])
        elif given.ndim < 2 or given.shape[0] != len(explicand) or given.shape[1:] != features[: given.ndim - 1]:
            raise ValueError(
                f"`segments` has shape {given.shape}; an explicand has {features}: pass numbers over its leading axes."
            )
        return np.stack([np.unique(part, return_inverse=True)[1].reshape(part.shape) for part in given])

    def _function(self, model: ExplainedOutput) -> Any:
        """The explained output of masked copies of one explicand, traced once."""
        view = self.view
        by_index = model.target is None

        def output(points: tf.Tensor, inside: Any, index: Any) -> tf.Tensor:
            size = tf.shape(points)[0]
            inside = tf.nest.map_structure(lambda part: tf.repeat(part, size, axis=0), inside)
            outputs = view.forward(points, inside, representation=False)[1]
            return model.select(outputs, tf.repeat(index, size) if by_index else ())

        signature = [
            view.points_spec,
            view.inside_spec,
            tf.TensorSpec([1], tf.int32) if by_index else (),
        ]
        return self._graphs.get(model.target, lambda: compiled(output, signature))


def _expand(players: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """The player of every element of an explicand."""
    return np.broadcast_to(players.reshape(*players.shape, *[1] * (len(shape) - players.ndim)), shape)


def _import_shap() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PendingDeprecationWarning)  # of matplotlib, by shap's plots
        import shap
        from shap.explainers import _kernel
    OwnDraws.give(_kernel)
    return shap

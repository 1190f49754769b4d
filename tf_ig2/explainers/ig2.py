"""IG²: gradients integrated along GradPath, from the explicand to GradCF."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from tf_ig2 import distances, normalizers, validation
from tf_ig2.attribution import Attribution
from tf_ig2.callback_view import CallbackView
from tf_ig2.contrasts import value_range
from tf_ig2.contrasts.references import Representations, represent
from tf_ig2.distances import Distance
from tf_ig2.explainers.path_explainer import Contrasts, PathExplainer
from tf_ig2.model_view import LayerLike, ModelView
from tf_ig2.normalizers import Normalizer
from tf_ig2.paths.gradpath import GradPath, GradPathContrast
from tf_ig2.paths.integrate import Keep
from tf_ig2.paths.rules import END, START, TRAPEZOID, gauss_legendre

STEP_FRACTION = 0.04
"""`step_size="auto"` makes steps of this fraction of the diagonal of the box that clipping confines the path to."""

_ENDPOINT_RULES = {"explicand": START, "counterfactual": END, "trapezoid": TRAPEZOID}


class IG2Explainer(PathExplainer):
    """IG²: which features make the model say A about the explicand rather than what it says about the references?

    From the explicand, GradPath descends toward the representation of a reference of another class; the gradients of
    the explained output are integrated along it, and averaged over references.

    Args:
      model: a built `keras.Model`, a `ModelView`, or None to use `GetMask` with a `call_model_function`.
      layer: whose output is the representation; None: the input of the last layer with weights. See `ModelView`.
      output: `"logits"`, `"probabilities"` or `"raw"`. See `ModelView`.
      output_name: which output to explain, of several.
      input_layer: attribute at this layer's output instead of the model's input (a text model's embedding).
      steps: K, the number of steps of GradPath.
      step_size: length η of a step, in the units of the input, in the norm of the normalizer (ℓ2: Euclidean length over
        all features). `"auto"`: 0.04·√(Σᵢ (highᵢ − lowᵢ)²) over all features i, for the range (low, high) of
        `clip_min_max`, that is 4 % of the diagonal of the box; the sparse ℓ1 norm's steps get the same ℓ2 length. The
        formula knows neither the scale of the input nor the number of its features.
      clip_min_max: range that every point of the path is clipped to: `"auto"`, the range of the explicand and its
        references, input by input; a pair (low, high); None, no clipping, as in the paper's Algorithm 1.
      norm: `"l2"` (Eq. 20), `"l1"` (Eq. 21 at the 95th percentile), or a `Normalizer` such as `SparseL1(98)`.
      distance: `"euclidean"`, `"squared_euclidean"`, `"cosine"`, `"l1"`, or a `Distance`.
      rule: where on each segment the output's gradient is taken: `"explicand"`, at the end nearer the explicand, as the
        authors' code does and at the price of one forward pass a step; `"counterfactual"`, at the end nearer GradCF, as
        in Eq. 3 and 8; `"trapezoid"`, the mean of both; `"segment"`, at Gauss–Legendre nodes inside the segment, which
        is what makes the attributions add up (Completeness).
      nodes: number of nodes for `rule="segment"`.
      jit_compile: compile the walk with XLA.

    Raises:
      TypeError, ValueError: an argument is not of its kind, unknown, or out of range; the message names it.

    Example:
      >>> model = keras.Sequential([keras.Input([4]), keras.layers.Dense(8, "tanh"), keras.layers.Dense(3, "softmax")])
      >>> explainer = IG2Explainer(model, steps=20)
      >>> explanation = explainer.explain(np.random.rand(5, 4), references=np.random.rand(2, 4))
      >>> explanation.values.shape
      (5, 4)

    Reference: Yue Zhuo and Zhiqiang Ge, IG²: Integrated Gradient on Iterative Gradient Path for Feature Attribution,
    TPAMI 2024, Definition 1, Algorithm 1.
    """

    _contrast_names = ("references",)
    _needs_contrast = True

    def __init__(
        self,
        model: keras.Model | ModelView | None = None,
        layer: LayerLike | None = None,
        output: str = "logits",
        *,
        output_name: str | int | None = None,
        input_layer: LayerLike | Sequence[LayerLike] | None = None,
        steps: int = 10,
        step_size: float | str = "auto",
        clip_min_max: str | Sequence[float] | None = "auto",
        norm: str | Normalizer = "l2",
        distance: str | Distance = "euclidean",
        rule: str = "explicand",
        nodes: int = 4,
        jit_compile: bool = False,
    ):
        if rule != "segment" and rule not in _ENDPOINT_RULES:
            raise ValueError(f"Unknown rule: {rule!r}. Choose one of {[*_ENDPOINT_RULES, 'segment']}.")
        validation.positive("nodes", nodes, integer=True)
        if step_size != "auto":
            validation.positive("step_size", step_size)
        if clip_min_max is not None and (not isinstance(clip_min_max, str) or clip_min_max != "auto"):
            clip_min_max = validation.value_range("clip_min_max", clip_min_max)
        self.step_size, self.clip_min_max, self.rule, self.nodes = step_size, clip_min_max, rule, nodes
        self._normalizer = normalizers.get(norm)
        self._distance = distances.get(distance)
        super().__init__(
            model,
            path=GradPath(self._distance, self._normalizer),
            rule=gauss_legendre(nodes) if rule == "segment" else _ENDPOINT_RULES[rule],
            steps=steps,
            layer=layer,
            output=output,
            output_name=output_name,
            input_layer=input_layer,
            jit_compile=jit_compile,
        )

    def explain(
        self,
        x: Any,
        references: Any,
        target: Any = None,
        *,
        batch_size: int = 32,
        keep: Keep | None = None,
        verbose: bool = False,
    ) -> Attribution:
        """Explains a batch of explicands, or one.

        Args:
          x: explicands, array `[N, ...]`, or one `[...]`; a dict, list or tuple of them for models with several inputs.
            Integer images are converted to the model's floating-point type.
          references: samples of other classes: `[R, ...]` shared by all explicands, `[N, R, ...]`, a finite
            `tf.data.Dataset`, or what `represent` returned.
          target: which output to explain: class index, one per explicand, None for the predicted class, or a callable
            from the model's output `[B, ...]` to `[B]`.
          batch_size: how many (explicand, reference) pairs, and segment nodes, go through the model together.
          keep: what to keep beside the values; the default keeps the counterfactuals.
          verbose: show a progress bar.

        Returns:
          The explanation; without the leading axis N if `x` was one explicand.

        Raises:
          TypeError, ValueError: an argument has another structure, shape or type than the model takes, is empty, not
            finite, or out of range.
          NonFiniteGradientError: an output or gradient became NaN or infinite on the way.
        """
        return self._explain(x, references, target, batch_size, keep or Keep(), verbose)

    def represent(self, references: Any, batch_size: int = 32) -> Representations:
        """Computes the representations of references once, to be passed as `references` to many calls of `explain`.

        Args:
          references: array `[R, ...]` or structure of them, or a finite `tf.data.Dataset`.
          batch_size: references per forward pass.

        Returns:
          The representations, with the value range of each reference.
        """
        return represent(self.view, references, 0, batch_size)

    def _settings(self) -> dict[str, Any]:
        clip = list(self.clip_min_max) if isinstance(self.clip_min_max, tuple) else self.clip_min_max
        return {
            **super()._settings(),
            "layer": None if self._view is None else self._view.layer,
            "step_size": self.step_size,
            "clip_min_max": clip,
            "norm": repr(self._normalizer),
            "distance": self._distance.name,
            "rule": self.rule,
            **({"nodes": self.nodes} if self.rule == "segment" else {}),
        }

    def _within_bounds(self, x: np.ndarray) -> np.ndarray:
        return np.clip(x, *self.clip_min_max) if isinstance(self.clip_min_max, tuple) else x

    def _contrasts(self, view: Any, explicand: Any, contrast: Any, batch_size: int) -> Contrasts:
        count = len(tf.nest.flatten(explicand)[0])
        if isinstance(view, CallbackView):
            references = np.asarray(contrast)
            references, _ = validation.contrasts("references", references, view.inputs_spec, 1)
            references = references.reshape(-1, *references.shape[-len(view.inputs_spec.shape) + 1 :])
            view.represent(references)
            flat = references.reshape(len(references), -1)
            represented = Representations(np.arange(len(references)), flat.min(axis=1), flat.max(axis=1))
            own = False
        else:
            represented = represent(view, contrast, count, batch_size)
            own = represented.values.ndim == view.representation_spec.shape.rank + 1
        self._check_bounds(explicand)
        explicand = tf.nest.map_structure(tf.constant, explicand)
        return self._contrasts_in_graph(explicand, _baked(represented), own)

    def _bake(self, contrast: Any) -> dict[str, Any]:
        return _baked(self.represent(contrast))

    def _receive(self, contrast: Any) -> dict[str, Any]:
        points = self.view.points(contrast)
        low, high = value_range.of_samples(points)
        representation = self.view.representation(points, contrast if self.view.attributes_inside else ())
        return {"representation": representation, "low": low, "high": high}

    def _contrasts_in_graph(self, explicand: Any, baked: dict[str, Any], own: bool = False) -> Contrasts:
        low, high = value_range.with_references(explicand, baked.get("low"), baked.get("high"))
        step_size = self._step_size(explicand, low, high)
        low, high = self._clip(low, high)
        values = tf.convert_to_tensor(baked["representation"])
        count = tf.shape(values)[1 if own else 0]

        def rows(i: Any, r: Any) -> GradPathContrast:
            return GradPathContrast(
                representation=tf.gather_nd(values, tf.stack([i, r], axis=-1)) if own else tf.gather(values, r),
                step_size=tf.gather(step_size, i),
                low=tf.nest.map_structure(lambda x: tf.gather(x, i), low),
                high=tf.nest.map_structure(lambda x: tf.gather(x, i), high),
            )

        return Contrasts(count, rows)

    @property
    def _bounds(self) -> tuple[float, float] | None:
        return self.clip_min_max if isinstance(self.clip_min_max, tuple) else None

    def _check_bounds(self, explicand: Any) -> None:
        if self._bounds is None:
            return
        for part in tf.nest.flatten(explicand):
            if part.min() < self._bounds[0] or part.max() > self._bounds[1]:
                raise ValueError(
                    f"`clip_min_max` {self._bounds} does not contain the explicand, whose values lie in "
                    f"[{part.min():g}, {part.max():g}]."
                )

    def _step_size(self, explicand: Any, low: Any, high: Any) -> tf.Tensor:
        """The step size of each explicand, `[N]`."""
        parts = tf.nest.flatten(explicand)
        if not isinstance(self.step_size, str):
            return tf.fill([tf.shape(parts[0])[0]], tf.cast(self.step_size, parts[0].dtype))
        low, high = self._clip(low, high) if self._bounds is not None else (low, high)
        sizes = [math.prod(part.shape[1:]) for part in parts]
        squares = tf.add_n(
            [
                size * tf.square(tf.cast(top, tf.float64) - tf.cast(bottom, tf.float64))
                for size, bottom, top in zip(sizes, tf.nest.flatten(low), tf.nest.flatten(high), strict=True)
            ]
        )
        return tf.cast(STEP_FRACTION * tf.sqrt(squares) / self._normalizer.unit_length(sum(sizes)), parts[0].dtype)

    def _clip(self, low: Any, high: Any) -> tuple[Any, Any]:
        """The clipping range of each explicand, two structures of `[N]`."""
        if self.clip_min_max == "auto":
            return low, high
        edges = self._bounds or (-np.inf, np.inf)
        return (
            tf.nest.map_structure(lambda x: tf.fill(tf.shape(x), tf.cast(edges[0], x.dtype)), low),
            tf.nest.map_structure(lambda x: tf.fill(tf.shape(x), tf.cast(edges[1], x.dtype)), high),
        )


def _baked(references: Representations) -> dict[str, Any]:
    """References as a dict of arrays, without what is not known of them."""
    parts = {"representation": references.values, "low": references.low, "high": references.high}
    return {name: part for name, part in parts.items() if part is not None}

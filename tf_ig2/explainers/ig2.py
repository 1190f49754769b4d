"""IG²: gradients integrated along GradPath, from the explicand to GradCF."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import keras
import tensorflow as tf

from tf_ig2 import validation
from tf_ig2.attribution import Attribution
from tf_ig2.contrasts.references import Representations, represent
from tf_ig2.contrasts.toward_references import TowardReferences
from tf_ig2.explainers import contrasted
from tf_ig2.explainers.base import Explainer
from tf_ig2.explainers.path_explainer import PathExplainer
from tf_ig2.models.model_view import LayerLike, ModelView
from tf_ig2.paths import distances, normalizers
from tf_ig2.paths.distances import Distance
from tf_ig2.paths.gradpath import GradPath
from tf_ig2.paths.keep import Keep
from tf_ig2.paths.normalizers import Normalizer
from tf_ig2.paths.plan import Walk
from tf_ig2.paths.rules import FROM_EXPLICAND, Rule, noisy_idgi, segment
from tf_ig2.paths.stepping import FIXED, Calibrated, Stepping

FIXED_STEPS = 10
"""The number of steps that are not calibrated on the model."""

NOISE = 0.1
"""`noise="auto"` at the pixels of pictures, as a fraction of the range of values."""

PICTURES = Calibrated(fraction=0.3, to_reference=True), 3
"""Where there are height and width: steps, and their limit. A row may end where the output is the reference's."""

NUMBERS = Calibrated(fraction=0.1, to_reference=False), 8
"""For vectors, words and signals: finer, and all the way to the reference's representation."""


class IG2Explainer(PathExplainer):
    """IG²: which features make the model say A about the explicand rather than what it says about the references?

    From the explicand, GradPath descends toward the representation of a reference of another class; the gradients of
    the explained output are integrated along it, and averaged over references.

    Args:
      model: a built `keras.Model`, a `ModelView`, or None to use `GetMask` with a `call_model_function`.
      layer: whose output is the representation; None: the input of the last layer with weights. See `ModelView`.
      output: `"logits"`, `"probabilities"` or `"raw"`. See `ModelView`.
      output_name: which output to explain, of several.
      pool: how a spatial representation is compared, `"auto"`, `"mean"`, `"max"` or None. See `ModelView`.
      input_layer: attribute at this layer's output instead of the model's input (a text model's embedding).
      steps: K, the number of steps of GradPath; with `step_size="auto"` the limit, rows may stop before. None: with
        `"auto"` 3 for pictures, whose points have three axes or more (height, width, channels), 8 for vectors, words
        and signals; otherwise 10.
      step_size: length η of a step. `"auto"`: calibrated row by row on the model's own answers, see
        `tf_ig2.paths.stepping.Calibrated`; it knows neither the scale of the input nor of the representation, and needs
        no setting for a network. In pictures a row also stops where the output has come down to what it is at the
        reference; elsewhere it goes on to the reference's representation, in finer steps. A number is taken literally,
        in the units of the input, in the norm of the normalizer (ℓ2: Euclidean length over all features). `"range"`:
        0.04·√(Σᵢ (highᵢ − lowᵢ)²) over all features i, for the range (low, high) of `clip_min_max`; that is what
        `"auto"` meant in release 0.1, and what it means with a callback, which gives no distances.
      tolerance: with `"auto"`, a row stops where a step brought less than this fraction of its distance; the first one
        brings 0.3 in pictures and 0.1 elsewhere.
      clip_min_max: range that every point of the path is clipped to: `"auto"`, the range of the explicand and its
        references, input by input; a pair (low, high); None, no clipping, as in the paper's Algorithm 1.
      norm: `"l2"` (Eq. 20), `"l1"` (Eq. 21 at the 95th percentile), or a `Normalizer` such as `SparseL1(98)`.
      distance: `"euclidean"`, `"squared_euclidean"`, `"cosine"`, `"l1"`, or a `Distance`.
      rule: where on each segment the output's gradient is taken: `"explicand"`, at the end nearer the explicand, as the
        authors' code does and at the price of one forward pass a step; `"counterfactual"`, at the end nearer GradCF, as
        in Eq. 3 and 8; `"trapezoid"`, the mean of both; `"segment"`, at Gauss–Legendre nodes inside the segment, which
        makes the attributions add up (Completeness); `"idgi"`, at the end nearer the explicand, and `"idgi-both"`, at
        both, share out the differences of the output by the squares of the gradient: they add up to rounding at no
        cost, and are not linear in the model, see `tf_ig2.paths.rules.idgi`. None: with `step_size="auto"` what fits
        what is explained: `"idgi"` for the pixels of pictures, which shows where; `"idgi-both"` for pictures without
        noise and for maps inside a network; `"segment"` for vectors, words and signals, whose signs and shares count.
        Pictures whose background is constant, such as digits or wafer maps, want `"segment"`, too: say so.
        `"segment"` with a `completeness_tolerance`; `"explicand"` with a step size of your own or a callback.
      noise: with `rule="idgi"`, standard deviation of Gaussian noise on the points where the output's gradient is
        taken, as a fraction of the range of `clip_min_max`, see `tf_ig2.paths.rules.noisy_idgi`; it costs a forward
        pass more a step, and the attributions add up all the same. `"auto"`: 0.1 for the pixels of pictures, 0
        otherwise.
      seed: of the noise.
      nodes: number of nodes for `rule="segment"`.
      completeness_tolerance: of `rule="segment"`: halve segments, row by row, where the gap comes from, until the
        attributions miss at most this fraction of f(x) − f(GradCF), or a piece is 1/256 of its segment; the path is
        kept in memory for it, and `gradients` of the explanation says what it took. None: do not.
      jit_compile: compile the walk with XLA; what is random is then drawn by XLA, and differs.

    Raises:
      TypeError, ValueError: an argument is not of its kind, unknown, or out of range; the message names it.
      LayerError: the model has no such representation, or it does not lie between the input and the output.

    Example:
      >>> import numpy as np
      >>> model = keras.Sequential([keras.Input([4]), keras.layers.Dense(8, "tanh"), keras.layers.Dense(3, "softmax")])
      >>> explainer = IG2Explainer(model, steps=20)
      >>> explanation = explainer.explain(np.random.rand(5, 4), references=np.random.rand(2, 4))
      >>> explanation.values.shape
      (5, 4)

    Reference: Yue Zhuo and Zhiqiang Ge, IG²: Integrated Gradient on Iterative Gradient Path for Feature Attribution,
    TPAMI 2024, Definition 1, Algorithm 1.
    """

    _callback_batch = 32
    references_are = "needed"

    def __init__(
        self,
        model: keras.Model | ModelView | None = None,
        layer: LayerLike | None = None,
        output: str = "logits",
        *,
        output_name: str | int | None = None,
        input_layer: LayerLike | Sequence[LayerLike] | None = None,
        pool: str | None = "auto",
        steps: int | None = None,
        step_size: float | str = "auto",
        tolerance: float = 0.0,
        clip_min_max: str | Sequence[float] | None = "auto",
        norm: str | Normalizer = "l2",
        distance: str | Distance = "euclidean",
        rule: str | None = None,
        noise: float | str = "auto",
        seed: int = 0,
        nodes: int = 4,
        completeness_tolerance: float | None = None,
        jit_compile: bool = False,
    ):
        if rule is not None and rule != "segment" and rule not in FROM_EXPLICAND:
            raise ValueError(f"Unknown rule: {rule!r}. Choose one of {[*FROM_EXPLICAND, 'segment']}.")
        if steps is not None:
            steps = validation.positive("steps", steps, integer=True)
        if not isinstance(step_size, str) or step_size not in ("auto", "range"):
            step_size = validation.positive("step_size", step_size)
        if clip_min_max is not None and (not isinstance(clip_min_max, str) or clip_min_max != "auto"):
            clip_min_max = validation.value_range("clip_min_max", clip_min_max)
        if completeness_tolerance is not None:
            rule = rule or "segment"
            completeness_tolerance = validation.tolerance(completeness_tolerance, str(rule), "segment")
        if not isinstance(noise, str) or noise != "auto":
            noise = validation.not_negative("noise", noise)
        shakes = rule == "idgi" or (rule is None and step_size == "auto")
        if noise not in ("auto", 0) and not shakes:
            raise ValueError(f'`noise` goes with rule="idgi"; with rule={rule or "explicand"!r} there is none.')
        seed, tolerance = validation.seed(seed), float(validation.number("tolerance", tolerance))
        self.step_size, self.clip_min_max, self.seed = step_size, clip_min_max, seed
        self.tolerance = tolerance
        self.nodes = nodes = validation.positive("nodes", nodes, integer=True)
        self.completeness_tolerance = completeness_tolerance
        self._normalizer = normalizers.get(norm)
        self._distance = distances.get(distance)
        own = {
            "steps": steps,
            "step_size": step_size,
            "tolerance": tolerance,
            "clip_min_max": clip_min_max,
            "norm": norm,
            "distance": distance,
            "rule": rule,
            "noise": noise,
            "seed": seed,
            "nodes": nodes,
            "completeness_tolerance": completeness_tolerance,
        }
        super().__init__(
            model,
            walk=lambda view: self._walk(own, view),
            own=own,
            layer=layer,
            output=output,
            output_name=output_name,
            input_layer=input_layer,
            pool=pool,
            jit_compile=jit_compile,
        )
        settled = _settled(own, self._view)
        self.rule, self.noise = settled.rule, settled.noise
        if self._view is not None:
            _ = self._view.representation_spec  # a model without one is refused here, not at the first explanation

    @property
    def steps(self) -> int:
        return self.walk.segments

    def explain(
        self,
        x: Any,
        references: Any = None,
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
            from the model's output `[B, ...]` to `[B]`. Several of each explicand: indices `[N, T]`, `[T]` of one
            explicand, or "all". The explanation then has an axis T behind N, and costs T times the time and memory.
          batch_size: how many (explicand, reference) pairs, and segment nodes, go through the model together.
          keep: what to keep beside the values; the default keeps the counterfactuals.
          verbose: show a progress bar.

        Returns:
          The explanation; without the leading axis N if `x` was one explicand.

        Raises:
          TypeError, ValueError: there are no references; an argument has another structure, shape or type than the
            model takes, is empty, not finite, or out of range.
          NonFiniteGradientError: an output or gradient became NaN or infinite on the way.
        """
        references = contrasted.needed(references, self.view.inputs_spec, type(self).__name__)
        return self._explain(x, references, target, batch_size, keep, verbose)

    def represent(self, references: Any, batch_size: int = 32) -> Representations:
        """Computes the representations of references once, to be passed as `references` to many calls of `explain`.

        Args:
          references: array `[R, ...]` or structure of them, or a finite `tf.data.Dataset`.
          batch_size: references per forward pass.

        Returns:
          The representations, with the value range of each reference.
        """
        found = represent(self.view, references, 0, batch_size)
        return dataclasses.replace(found, source=self.view.source)

    def _callback_walk(self) -> Walk:
        """A callback gives no distances: without a step size of the user's it is made of the value range."""
        return self.walk if self.step_size != "auto" else self._walk({**self._own, "step_size": "range"}, None)

    def _walk(self, own: Mapping[str, Any], view: ModelView | None) -> Walk:
        settled = _settled(own, view)
        calibrated = isinstance(settled.stepping, Calibrated)
        return Walk(
            GradPath(self._distance, self._normalizer, settled.stepping),
            self._rule(settled),
            segments=settled.steps,
            contrast=TowardReferences(self.clip_min_max, None if calibrated else own["step_size"], self._normalizer),
        )

    def _rule(self, settled: _Settled) -> Rule:
        if settled.rule == "segment":
            return segment(self.nodes, self.completeness_tolerance)
        return noisy_idgi(settled.noise, self.seed) if settled.noise else FROM_EXPLICAND[settled.rule]

    def _settings(self) -> dict[str, Any]:
        clip = list(self.clip_min_max) if isinstance(self.clip_min_max, tuple) else self.clip_min_max
        segment_only = {"nodes": self.nodes, "completeness_tolerance": self.completeness_tolerance}
        return {
            **Explainer._settings(self),
            "steps": self.steps,
            "layer": None if self._view is None else self._view.layer,
            "pool": None if self._view is None else self._view.pool,
            "step_size": self.step_size,
            **({"tolerance": self.tolerance} if self.step_size == "auto" else {}),
            "clip_min_max": clip,
            "norm": repr(self._normalizer),
            "distance": self._distance.name,
            "rule": self.rule,
            **({"noise": self.noise, "seed": self.seed} if self.noise else {}),
            **(segment_only if self.rule == "segment" else {}),
        }


class _Settled(NamedTuple):
    stepping: Stepping
    steps: int
    rule: str
    noise: float


def _settled(own: Mapping[str, Any], view: ModelView | None) -> _Settled:
    """What users leave open goes with the kind of step, and with what is explained."""
    picture = view is not None and all(spec.shape.rank > 3 for spec in tf.nest.flatten(view.points_spec))
    pixels = picture and view is not None and not view.attributes_inside
    noise = own["noise"] if own["noise"] != "auto" else NOISE if pixels else 0.0
    stepping: Stepping = FIXED
    steps, rule = FIXED_STEPS, "explicand"
    if own["step_size"] == "auto" and view is not None:  # a callback gives no distances
        calibrated, steps = PICTURES if picture else NUMBERS
        stepping = dataclasses.replace(calibrated, tolerance=own["tolerance"])
        rule = "idgi" if noise else "idgi-both" if picture else "segment"
    rule = own["rule"] or rule
    return _Settled(stepping, own["steps"] or steps, rule, float(noise) if rule == "idgi" else 0.0)

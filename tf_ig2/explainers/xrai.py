"""XRAI: attributions to regions, the densest first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from tf_ig2 import validation
from tf_ig2.attribution import Attribution
from tf_ig2.contrasts.baselines import resolve
from tf_ig2.explainers.base import Explainer
from tf_ig2.explainers.baseline_explainer import BaselineExplainer
from tf_ig2.explainers.integrated_gradients import IntegratedGradientsExplainer
from tf_ig2.explainers.request import door, repeated
from tf_ig2.models.model_view import ModelView
from tf_ig2.pair.callback_view import CallModelFunction, as_explicand, of_explicand
from tf_ig2.pair.xrai import XRAIOutput, XRAIParameters
from tf_ig2.progress_bar import tqdm
from tf_ig2.segments import segmentation
from tf_ig2.segments.regions import RegionAttribution, rank_regions

_NAMES = ("sigma", "min_size", "dilation", "min_new_pixels", "area", "algorithm", "channels")
_ALGORITHMS = ("full", "fast")
_CHANNELS: dict[str, Any] = {"max": np.max, "sum": np.sum}


class XRAIExplainer(Explainer):
    """XRAI: segments of the image are added one by one, always that with the largest mean attribution of what is new.

    Args:
      base: the explainer of pixels, any that returns attributions like the image, or that has an `input_layer` with
        positions, whose attributions are brought to the image by `Attribution.at_input`; a built `keras.Model` or a
        `ModelView`, for integrated gradients from the image's smallest and largest value, as in PAIR's XRAI; None, to
        pass `base_attribution` to `explain`, or a callback to `GetMask`.
      scales, sigma, min_size: see `tf_ig2.segments.segmentation.felzenszwalb`.
      dilation: grow segments by this many pixels, so that they include edges.
      min_new_pixels: segments that add fewer pixels are left out.
      area: stop when this fraction of the image is covered; the rest is one region.
      algorithm: `"full"`, or `"fast"`, which ranks segments once, without regard to overlaps.
      channels: how channels become one value: `"max"`, as in PAIR's XRAI, or `"sum"`, which keeps completeness.

    Raises:
      TypeError, ValueError: an argument is not of its kind, unknown, or out of range.

    Example:
      >>> x = np.random.rand(32, 32, 3)
      >>> XRAIExplainer().explain(x, base_attribution=np.random.rand(32, 32, 3)).values.shape
      (32, 32)

    Reference: Kapishnikov et al., XRAI: Better Attributions Through Regions, ICCV 2019, Algorithm 1.
    """

    references_are = "taken"

    def __init__(
        self,
        base: Explainer | keras.Model | ModelView | None = None,
        *,
        scales: Sequence[float] = segmentation.SCALES,
        sigma: float = 0.8,
        min_size: int = 150,
        dilation: int = 5,
        min_new_pixels: int = 50,
        area: float = 1.0,
        algorithm: str = "full",
        channels: str = "max",
    ):
        if algorithm not in _ALGORITHMS:
            raise ValueError(f"Unknown algorithm: {algorithm!r}. Choose one of {_ALGORITHMS}.")
        if channels not in _CHANNELS:
            raise ValueError(f"Unknown channels: {channels!r}. Choose one of {list(_CHANNELS)}.")
        self.scales = tuple(float(validation.positive("scales", scale)) for scale in scales)
        self.sigma = float(validation.positive("sigma", sigma))
        self.min_size = validation.positive("min_size", min_size, integer=True)
        self.min_new_pixels = validation.positive("min_new_pixels", min_new_pixels, integer=True)
        self.dilation = validation.not_negative("dilation", dilation, integer=True)
        self.area, self.algorithm, self.channels = validation.fraction("area", area), algorithm, channels
        self._chosen = isinstance(base, (keras.Model, ModelView))
        if self._chosen:
            base = IntegratedGradientsExplainer(base)
        if base is not None and not isinstance(base, Explainer):
            raise TypeError(f"`base` must be an explainer, a Keras model or None, not {type(base).__name__}.")
        self.base: Explainer | None = base
        super().__init__(None if base is None else base._view)

    def explain(
        self,
        x: Any,
        references: Any = None,
        target: Any = None,
        *,
        base_attribution: Any = None,
        segments: Any = None,
        verbose: bool = False,
        **base_options: Any,
    ) -> RegionAttribution:
        """Explains a batch of images, or one.

        Args:
          x: images, array `[N, H, W, C]` or `[N, H, W]`, or one of them without the axis N. Without a model and with
            three axes it is one image `[H, W, C]`.
          references, target, **base_options: what the base explainer's `explain` takes beside `x`. References that it
            cannot use are ignored.
          base_attribution: an `Attribution` of `x`, at the input or at an inner layer, or its values, array like `x` or
            without the channel axis; None: the base explainer is asked.
          segments: boolean masks `[H, W]` for all images, or for each image a sequence of them; None: Felzenszwalb's.
          verbose: show progress bars.

        Returns:
          The explanation: `values` float `[N, H, W]`, `regions` the ranks. Its outputs are the base attribution's, or
          NaN when only values were given.

        Raises:
          TypeError, ValueError: an argument is not of its kind; images are wanted, and attributions of finite numbers.
        """
        if base_attribution is None:
            if self.base is None:
                raise ValueError(
                    "This XRAIExplainer has no base explainer: make it with one or pass `base_attribution`."
                )
            inputs, single = door(self.view, x)
            _check_images(inputs)
            if self._chosen and references is None:
                base_options = _from_extremes(base_options)
            given = {"references": references, "target": target}
            base_options.update({name: value for name, value in given.items() if value is not None})
            base = self.base.explain(inputs, verbose=verbose, **base_options).at_input()
            each = base.output.shape[1] if base.output.ndim == 2 else 0
        else:
            if references is not None or target is not None or base_options:
                raise TypeError("With `base_attribution` nothing else is computed: pass no arguments for the base.")
            inputs, single = self._images(x)
            base, each = _precomputed(base_attribution, inputs, single), 0
        own = _own_segments(segments, len(inputs))
        if each:  # several targets: the same image for each of them
            base, inputs = base.flat(), repeated(inputs, each)
            own = None if own is None else [masks for masks in own for _ in range(each)]
        values, ranks = np.zeros(inputs.shape[:3]), np.zeros(inputs.shape[:3], np.int32)
        for n in tqdm(range(len(inputs)), unit="image", desc=type(self).__name__, disable=not verbose):
            values[n], ranks[n] = self._regions(inputs[n], base.values[n], None if own is None else own[n])
        explanation = RegionAttribution(
            values=values.astype(base.values.dtype),
            explicand=inputs,
            outputs=base.outputs,
            distances=base.distances,
            target=base.target,
            settings={**self._settings(), "base": base.settings, **self._adds_up(base)},
            regions=ranks,
            base_values=base.values,
            summed=base.summed,
        )
        explanation = explanation.grouped(each) if each else explanation  # type: ignore[assignment]
        return explanation[0] if single else explanation  # type: ignore[return-value]

    def _explain_callback(
        self,
        x_value: Any,
        call_model_function: CallModelFunction,
        call_model_args: Any,
        segments: Any = None,
        base_attribution: Any = None,
        **options: Any,
    ) -> RegionAttribution:
        if base_attribution is None:
            base = self.base or IntegratedGradientsExplainer()
            if self.base is None or self._chosen:
                options = _from_extremes(options)
            base, options = base._understand(options)
            base_attribution = base._explain_callback(x_value, call_model_function, call_model_args, **options)
        return self.explain(x_value, base_attribution=base_attribution, segments=segments)

    def _understand(self, options: dict[str, Any]) -> tuple[XRAIExplainer, dict[str, Any]]:
        own: dict[str, Any] = {name: options[name] for name in ("segments", "base_attribution") if name in options}
        options = {name: value for name, value in options.items() if name not in own}
        parameters, base = options.pop("extra_parameters", None), self.base
        changed: dict[str, Any] = {}
        if parameters is not None:
            changed = {
                "area": parameters.area_threshold,
                "algorithm": parameters.algorithm,
                "min_new_pixels": parameters.experimental_params["min_pixel_diff"],
            }
            integrates = base is None or isinstance(base, IntegratedGradientsExplainer)
            if integrates and own.get("base_attribution") is None:
                options = {"steps": parameters.steps, **options}
        if base is not None:
            base, options = base._understand(options)
        other = type(self)(base, **{**self._arguments(), **changed})
        other._chosen = self._chosen
        return other, {**own, **options}

    def GetMaskWithDetails(
        self,
        x_value: Any,
        call_model_function: CallModelFunction | None = None,
        call_model_args: Any = None,
        **options: Any,
    ) -> XRAIOutput:
        """PAIR's verb: the map of one image, and what it was made of.

        Args:
          x_value, call_model_function, call_model_args: as for `GetMask`.
          **options: as for `GetMask`; `extra_parameters`, an `XRAIParameters` of PAIR's or of `tf_ig2.pair.xrai`, says
            what is wanted beside the map.

        Returns:
          The map and the details that were asked for. The base attribution for each of several baselines costs another
          run of the base explainer.
        """
        parameters = options.get("extra_parameters") or XRAIParameters()
        explainer, own = self._understand(options)
        if call_model_function is None:
            explanation = explainer._one(x_value, **own)
        else:
            x_value = as_explicand(x_value)
            call_model_function = of_explicand(call_model_function, x_value, call_model_args)
            explanation = explainer._explain_callback(x_value, call_model_function, call_model_args, **own)
        details = XRAIOutput(explanation.values)
        if parameters.return_xrai_segments:
            ranks = explanation.regions
            flat = parameters.flatten_xrai_segments
            details.segments = ranks if flat else ranks == np.arange(1, ranks.max() + 1)[:, None, None]
        given = own.pop("base_attribution", None)
        own.pop("segments", None)
        base = explainer.base or IntegratedGradientsExplainer()
        if given is not None or not isinstance(base, BaselineExplainer):
            details.ig_attribution = explanation.base_values if parameters.return_ig_attributions else None
            return details
        if explainer.base is None or explainer._chosen:
            own = _from_extremes(own)
        image = np.asarray(explanation.explicand)[None]
        bounds = base.walk.contrast.value_range  # type: ignore[attr-defined]
        found = resolve(own.pop("baselines", 0.0), image, tf.TensorSpec([None, *image.shape[1:]], image.dtype), bounds)
        details.baselines = np.asarray(found.rows(np.zeros(found.count, int), np.arange(found.count)))
        if parameters.return_ig_attributions:
            details.ig_attribution = [
                base.GetMask(x_value, call_model_function, call_model_args, baselines=one, **own)
                for one in details.baselines
            ]
        return details

    def _constructed(self) -> tuple[tuple[Any, ...], dict[str, Any]]:
        return (self._view if self._chosen else self.base,), self._arguments()

    def _arguments(self) -> dict[str, Any]:
        return {"scales": self.scales, **{name: getattr(self, name) for name in _NAMES}}

    def _one(self, x_value: Any, **options: Any) -> RegionAttribution:
        if options.get("base_attribution") is None:
            return super()._one(x_value, **options)  # type: ignore[return-value]
        if not self._images(x_value)[1]:
            raise ValueError("`x_value` must be one explicand without a batch axis; use `explain` for a batch.")
        return self.explain(x_value, **options)

    def _settings(self) -> dict[str, Any]:
        return {**super()._settings(), **self._arguments(), "scales": list(self.scales)}

    def _adds_up(self, base: Attribution) -> dict[str, Any]:
        """What the settings say where the regions do not add up: one of several channels, or a base that does not."""
        whole = self.channels == "sum" or base.values.ndim == 3 or base.values.shape[-1] == 1
        return {} if whole and base.settings.get("adds_up") is not False else {"adds_up": False}

    def _images(self, x: Any) -> tuple[np.ndarray, bool]:
        """Checks images when there may be no model that says what they look like."""
        if self._view is not None:
            inputs, single = door(self.view, x)
        else:
            rank = np.ndim(x)
            if rank not in (2, 3, 4):
                raise ValueError(f"`x` has shape {np.shape(x)}: images are [H, W], [H, W, C] or [N, H, W, C].")
            features = [None] * (2 if rank == 2 else 3)
            inputs, single = validation.batch("x", x, tf.TensorSpec([None, *features], _float_type(x)))
        _check_images(inputs)
        return inputs, single

    def _regions(self, image: np.ndarray, base: np.ndarray, segments: Any) -> tuple[np.ndarray, np.ndarray]:
        """XRAI of one image."""
        if segments is None:
            labels = segmentation.felzenszwalb(image, self.scales, self.sigma, self.min_size)
            masks = segmentation.masks(labels, self.dilation)
        else:
            masks = segmentation.from_masks(segments, image.shape[:2])
        attribution = base if base.ndim == 2 else _CHANNELS[self.channels](base, axis=-1)
        values, ranks = rank_regions(
            attribution.ravel(), masks, self.min_new_pixels, self.area, self.algorithm == "fast"
        )
        return values.reshape(image.shape[:2]), ranks.reshape(image.shape[:2])


def _from_extremes(options: dict[str, Any]) -> dict[str, Any]:
    """PAIR's baselines, the image's smallest and largest value, where no others are given."""
    return {**options, "baselines": "black_and_white" if options.get("baselines") is None else options["baselines"]}


def _precomputed(base: Any, inputs: np.ndarray, single: bool) -> Attribution:
    """A base attribution that came from outside, as an Attribution of the batch."""
    base = base.at_input() if isinstance(base, Attribution) else base
    given = base.values if isinstance(base, Attribution) else base
    values = np.asarray(given)[None] if single else np.asarray(given)
    if values.dtype.kind not in "iuf":
        raise TypeError(f"`base_attribution` must hold numbers, not {values.dtype}.")
    if values.shape not in (inputs.shape, inputs.shape[:3]):
        raise ValueError(
            f"`base_attribution` has shape {np.shape(given)}: the images' is {inputs.shape[1 if single else 0 :]}."
        )
    values = values.astype(np.float32) if values.dtype.kind in "iu" else values
    if not np.isfinite(values).all():
        where = tuple(int(i) for i in np.argwhere(~np.isfinite(values))[0][1 if single else 0 :])
        raise ValueError(f"`base_attribution` contains NaN or infinite values, the first at index {where}.")
    if not isinstance(base, Attribution):
        unknown = np.full([len(inputs), 1, 2], np.nan)
        return Attribution(values, inputs, unknown, np.zeros_like(unknown), settings={"method": "given"})
    lead = (lambda part: part[None]) if single else (lambda part: part)
    target = None if base.target is None else lead(np.asarray(base.target))
    return Attribution(values, inputs, lead(base.outputs), lead(base.distances), target, settings=base.settings)


def _own_segments(segments: Any, images: int) -> list[Any] | None:
    """The masks of every image."""
    if segments is None:
        return None
    segments = list(segments)
    if not segments or np.ndim(segments[0]) == 2:
        return [segments] * images
    if len(segments) != images:
        raise ValueError(f"`segments` has masks for {len(segments)} images; there are {images}.")
    return segments


def _check_images(inputs: Any) -> None:
    if not isinstance(inputs, np.ndarray) or inputs.ndim not in (3, 4):
        raise ValueError("XRAI explains images [H, W] or [H, W, C], one input of a model.")


def _float_type(x: Any) -> tf.DType:
    return tf.float64 if getattr(x, "dtype", None) == np.float64 else tf.float32

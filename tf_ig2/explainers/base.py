"""What every explainer shares: the model, the door, and PAIR's verbs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import keras
import numpy as np
import tensorflow as tf

from tf_ig2 import describe, validation
from tf_ig2._version import __version__
from tf_ig2.attribution import Attribution
from tf_ig2.explainers.made import Made
from tf_ig2.explainers.request import door, predicted
from tf_ig2.models.model_view import LayerLike, ModelView
from tf_ig2.pair.callback_view import CallModelFunction, as_explicand, of_explicand


class Explainer(Made):
    """An explainer of one model. Subclasses write `explain`; the rest follows from it.

    What an explainer is made with is read-only afterwards. It pickles and copies with its model, as Keras does that
    (unpickle only what you trust), and compiles again on the other side.

    Args:
      model: a built `keras.Model`, a `ModelView`, or None to use `call_model_function` alone.
      layer, output, output_name, input_layer, pool: see `ModelView`; not to be given with a `ModelView`.
    """

    _says: ClassVar[dict[str, Any]] = {}
    """What its explanations say beside the settings: `end`, what the ends of its paths are called; `adds_up`, False
    where a completeness gap means nothing."""

    references_are: ClassVar[str] = "ignored"
    """What `explain` does with references: they are "needed", "taken" if there are some, or "ignored"."""

    def __init__(
        self,
        model: keras.Model | ModelView | None,
        *,
        layer: LayerLike | None = None,
        output: str = "logits",
        output_name: str | int | None = None,
        input_layer: LayerLike | Sequence[LayerLike] | None = None,
        pool: str | None = "auto",
    ):
        layer = checked_layer(layer)
        if not isinstance(output, str):
            raise TypeError(
                f'`output` must be "logits", "probabilities" or "raw", not {type(output).__name__}. References, the '
                "background, are passed to each explanation: explain(x, references)."
            )
        options = (layer, output, output_name, input_layer, pool)
        if isinstance(model, ModelView) and options != (None, "logits", None, None, "auto"):
            raise ValueError(
                "`layer`, `output`, `output_name`, `input_layer` and `pool` belong to the ModelView when `model` is "
                "one."
            )
        self._view = (
            model
            if isinstance(model, ModelView) or model is None
            else ModelView(
                model, layer=layer, output=output, output_name=output_name, input_layer=input_layer, pool=pool
            )
        )

    @property
    def view(self) -> ModelView:
        """The model as the explainer sees it.

        Raises:
          ValueError: the explainer was made without a model.
        """
        if self._view is None:
            raise ValueError(
                f"This {type(self).__name__} has no model: pass one when making it, or call GetMask with "
                "`call_model_function`."
            )
        return self._view

    def GetMask(
        self,
        x_value: Any,
        call_model_function: CallModelFunction | None = None,
        call_model_args: Any = None,
        **options: Any,
    ) -> Any:
        """PAIR's verb: the attributions of one explicand.

        Args:
          x_value: one explicand, array `[...]` without batch axis (or the structure of them that the model takes).
          call_model_function: PAIR's callback, for models of any framework; None: the explainer's own model.
          call_model_args: any object, passed to the callback.
          **options: the arguments of `explain`; with a callback, what to contrast with, and `batch_size`, by default 1
            where it is with PAIR, so that callbacks for single rows work. Explainers that PAIR has too take its
            arguments for `GetMask`, by its names.

        Returns:
          Float array(s) like `x_value`; of Grad-CAM and XRAI what PAIR's classes give.
        """
        explainer, options = self._understand(options)
        if call_model_function is None:
            return explainer._mask(explainer._one(x_value, **options))
        return explainer._mask(explainer._explain_callback(x_value, call_model_function, call_model_args, **options))

    def GetSmoothedMask(
        self,
        x_value: Any,
        call_model_function: CallModelFunction | None = None,
        call_model_args: Any = None,
        stdev_spread: float = 0.15,
        nsamples: int = 25,
        magnitude: bool = True,
        seed: int | None = None,
        variance: bool = False,
        **options: Any,
    ) -> Any:
        """PAIR's verb: SmoothGrad, attributions averaged over noisy copies of the explicand.

        Args:
          x_value: one explicand, array `[...]` without batch axis.
          call_model_function, call_model_args, **options: as for `GetMask`.
          stdev_spread: standard deviation of the noise as a fraction of the explicand's value range.
          nsamples: number of noisy copies.
          magnitude: average the squares, as PAIR does, instead of the values.
          seed: seed of the noise.
          variance: take the variance instead of an average (VarGrad); `magnitude` does not matter then.

        Returns:
          Float array(s) like `x_value`.

        Reference: Smilkov et al., SmoothGrad, 2017; Adebayo et al., Local Explanation Methods for Deep Neural Networks
        Lack Sensitivity to Parameter Values, 2018, for VarGrad.
        """
        explainer, own = self._understand(options)
        nsamples = validation.positive("nsamples", nsamples, integer=True)
        stdev_spread = validation.not_negative("stdev_spread", stdev_spread)
        rng = np.random.default_rng(seed)

        def summary(values: np.ndarray) -> np.ndarray:
            if variance:
                return np.var(values, axis=0)
            return np.mean(np.square(values) if magnitude else values, axis=0)

        def noisy(x: Any) -> np.ndarray:
            x = np.asarray(x)
            x = x if x.dtype == np.float64 else x.astype(np.float32)
            noise = rng.normal(0.0, stdev_spread * (x.max() - x.min()), [nsamples, *x.shape]).astype(x.dtype)
            return self._within_bounds(x + noise)

        if call_model_function is not None or self._view is None:
            x_value = as_explicand(x_value)
            if call_model_function is not None:
                call_model_function = of_explicand(call_model_function, x_value, call_model_args)
            masks = [self.GetMask(x, call_model_function, call_model_args, **options) for x in noisy(x_value)]
            return summary(np.stack(masks))
        if self.view.attributes_inside:
            raise ValueError("Noise cannot be added before an `input_layer`; explain without smoothing.")
        if own.get("target") is None:  # of the explicand itself, not of each noisy copy
            own["target"] = predicted(self.view, x_value)[0]
        elif np.ndim(own["target"]):  # several of the explicand, and not one for each noisy copy
            several = np.atleast_2d(own["target"])
            own["target"] = np.repeat(several, nsamples, axis=0) if several.size > 1 else several.ravel()[0]
        masks = explainer._mask(explainer.explain(tf.nest.map_structure(noisy, x_value), **own))
        return tf.nest.map_structure(summary, masks)

    def explain(self, x: Any, *args: Any, **options: Any) -> Attribution:
        """Explains a batch; see the explainer's own documentation.

        All explainers take `(x, references=None, target=None)`, so that a loop over them can call them alike.
        References that a method cannot use are ignored, and a target in their place is refused. Targets are explained
        in `IG2Explainer.explain`.
        """
        raise NotImplementedError

    def _understand(self, options: dict[str, Any]) -> tuple[Explainer, dict[str, Any]]:
        """The explainer that PAIR's arguments ask for, and what is left of them for `explain`."""
        return self, options

    def _mask(self, explanation: Attribution) -> Any:
        """What PAIR's verbs return of an explanation, of one explicand or of a batch."""
        return explanation.values

    def _within_bounds(self, x: np.ndarray) -> np.ndarray:
        """Brings noisy explicands back to where explicands may lie."""
        return x

    def _explain_callback(
        self, x_value: Any, call_model_function: CallModelFunction, call_model_args: Any, **options: Any
    ) -> Attribution:
        raise NotImplementedError(
            f"{type(self).__name__} looks into the model and needs one; it cannot use a callback."
        )

    @property
    def settings(self) -> dict[str, Any]:
        """How it explains: method, arguments, package version, as JSON has them; explanations carry it."""
        return self._settings()

    def _settings(self) -> dict[str, Any]:
        return {"method": type(self).__name__, "tf_ig2": __version__, **self._says}

    def __repr__(self) -> str:
        model = "without a model" if self._view is None else f"of {self._view!r}"
        return f"{type(self).__name__}({describe.settings(self.settings)})\n  {model}"

    def _repr_html_(self) -> str:
        model = "none" if self._view is None else self._view
        own = {key: value for key, value in self.settings.items() if key not in ("method", *self._says)}
        return describe.object_html(type(self).__name__, {"model": model, **own})

    def _constructed(self) -> tuple[tuple[Any, ...], dict[str, Any]]:
        return (self._view,), self._arguments()

    def _arguments(self) -> dict[str, Any]:
        """The constructor's arguments beside the model and those of its view."""
        return {}

    def _one(self, x_value: Any, **options: Any) -> Attribution:
        if not door(self.view, x_value)[1]:
            raise ValueError("`x_value` must be one explicand without a batch axis; use `explain` for a batch.")
        return self.explain(x_value, **options)


def checked_layer(layer: Any) -> Any:
    """What names a layer, the second argument of many an explainer; arrays and datasets are refused.

    Raises:
      TypeError: it is no name, index or layer.
    """
    if layer is not None and not isinstance(layer, (str, int, np.integer, keras.layers.Layer)):
        raise TypeError(
            f"`layer` must be a name, an index, a Keras layer or None, not {type(layer).__name__}. References are "
            "passed to each explanation: explain(x, references)."
        )
    return int(layer) if isinstance(layer, np.integer) else layer

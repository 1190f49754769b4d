"""Blur IG: gradients integrated along the blurring of an image."""

from __future__ import annotations

from typing import Any, ClassVar

import keras
import numpy as np

from tf_ig2 import validation
from tf_ig2.contrasts.nothing import NothingButImages
from tf_ig2.explainers.explicand_explainer import ExplicandExplainer
from tf_ig2.models.model_view import ModelView
from tf_ig2.paths import rules
from tf_ig2.paths.blur import Blur
from tf_ig2.paths.plan import Walk

_PADDINGS = ("zero", "reflect")


class BlurIGExplainer(ExplicandExplainer):
    """Blur IG: at which scale, and where, does the model see what it sees? There is no baseline to choose.

    Explanations keep the blurred explicands, as `counterfactuals`, unless `keep` says otherwise.

    Args:
      model: a built `keras.Model`, a `ModelView`, or None to use `GetMask` with a `call_model_function`. Its input is
        an image `[H, W, C]`, or `[H, W]`.
      steps: number of scales the gradient is taken at (one more for the trapezoid rule).
      max_sigma: standard deviation of the Gaussian at the end of the path, in pixels.
      grad_step: dγ/dσ by a finite difference of this width in pixels, as PAIR does; None: the analytic derivative.
      sqrt: scales σᵢ = √(i·max_sigma/steps) up to √max_sigma, as PAIR does, closer together as they grow; otherwise
        evenly spaced up to max_sigma.
      padding: `"zero"`, black beyond the edges, as PAIR does, which darkens images from the edges inward; `"reflect"`,
        mirrored there, which leaves a constant image as it is.
      rule: `"left"`, as PAIR does, or `"right"`, `"midpoint"`, `"trapezoid"`, `"idgi"`, `"idgi-both"`; see
        `tf_ig2.paths.rules`.
      jit_compile: compile the walk with XLA.
      **model_options: `output`, `output_name`, `input_layer`, `layer`; see `ModelView`.

    Raises:
      TypeError, ValueError: an argument is not of its kind, unknown, or out of range; the message names it.

    Example:
      >>> model = keras.Sequential([keras.Input([8, 8, 1]), keras.layers.Flatten(), keras.layers.Dense(3)])
      >>> BlurIGExplainer(model, steps=20, max_sigma=3).explain(np.random.rand(2, 8, 8, 1)).values.shape
      (2, 8, 8, 1)

    Reference: Xu, Venugopalan & Sundararajan, Attribution in Scale and Space, CVPR 2020.
    """

    _says: ClassVar[dict[str, Any]] = {"end": "blurred explicand"}

    def __init__(
        self,
        model: keras.Model | ModelView | None = None,
        *,
        steps: int = 100,
        max_sigma: float = 50.0,
        grad_step: float | None = 0.01,
        sqrt: bool = False,
        padding: str = "zero",
        rule: str = "left",
        jit_compile: bool = False,
        **model_options: Any,
    ):
        steps = validation.positive("steps", steps, integer=True)
        max_sigma = validation.positive("max_sigma", max_sigma)
        if grad_step is not None:
            grad_step = validation.positive("grad_step", grad_step)
        if padding not in _PADDINGS:
            raise ValueError(f"Unknown padding: {padding!r}. Choose one of {_PADDINGS}.")
        edges = np.linspace(0, 1, steps + 1)
        super().__init__(
            model,
            walk=Walk(
                Blur(
                    max_sigma=float(np.sqrt(max_sigma) if sqrt else max_sigma),
                    padding=padding,
                    grad_step=None if grad_step is None else float(grad_step),
                ),
                rules.cells(rule, list(np.sqrt(edges) if sqrt else edges)),
                segments=1,
                contrast=NothingButImages(),
            ),
            own={
                "steps": steps,
                "max_sigma": max_sigma,
                "grad_step": grad_step,
                "sqrt": sqrt,
                "padding": padding,
                "rule": rule,
            },
            jit_compile=jit_compile,
            **model_options,
        )

"""Integrated Gradients: gradients integrated along the straight line from a baseline to the explicand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras

from tf_ig2 import validation
from tf_ig2.contrasts.baselines import FromBaselines
from tf_ig2.explainers.baseline_explainer import BaselineExplainer, checked_range
from tf_ig2.models.model_view import ModelView
from tf_ig2.paths import rules
from tf_ig2.paths.plan import Walk
from tf_ig2.paths.straight_line import StraightLine


class IntegratedGradientsExplainer(BaselineExplainer):
    """IG: how does each feature move the output on the straight way from a baseline to the explicand?

    All nodes of the rule are known beforehand, so they are evaluated together, `batch_size` at a time.

    Args:
      model: a built `keras.Model`, a `ModelView`, or None to use `GetMask` with a `call_model_function`.
      steps: gradients per baseline (one more for the trapezoid rule); cells of the Riemann sums.
      rule: `"gauss-legendre"`, `"midpoint"`, `"trapezoid"`, `"left"`, `"right"` (Eq. 2 of the IG² paper), or `"pair"`,
        the weights of PAIR's class, to compare with; `"idgi"` and `"idgi-both"`, which share out the differences of the
        output instead. See `tf_ig2.paths.rules`.
      completeness_tolerance: with `"gauss-legendre"`, halve pieces of the line, `steps` nodes on each, until what the
        attributions miss is at most this fraction of f(x) − f(x′), or a piece is 1/256 of the line; None: do not.
      value_range: (low, high) of the input, from which named baselines are made; `"auto"`: the range of each explicand.
      jit_compile: compile the walk with XLA.
      **model_options: `output`, `output_name`, `input_layer`, `layer`; see `ModelView`.

    Raises:
      TypeError, ValueError: an argument is not of its kind, unknown, or out of range; the message names it.

    Example:
      >>> model = keras.Sequential([keras.Input([4]), keras.layers.Dense(8, "tanh"), keras.layers.Dense(3, "softmax")])
      >>> explanation = IntegratedGradientsExplainer(model).explain([[1.0, 2.0, 3.0, 4.0]], baselines="black")
      >>> explanation.values.shape, abs(explanation.completeness_gap[0]) < 1e-4
      ((1, 4), np.True_)

    Reference: Sundararajan, Taly & Yan, Axiomatic Attribution for Deep Networks, ICML 2017.
    """

    def __init__(
        self,
        model: keras.Model | ModelView | None = None,
        *,
        steps: int = 50,
        rule: str = "gauss-legendre",
        completeness_tolerance: float | None = None,
        value_range: str | Sequence[float] = "auto",
        jit_compile: bool = False,
        **model_options: Any,
    ):
        steps = validation.positive("steps", steps, integer=True)
        found = rules.by_name(rule, steps)
        if completeness_tolerance is not None:
            completeness_tolerance = validation.tolerance(completeness_tolerance, rule, "gauss-legendre")
            found = rules.segment(steps, completeness_tolerance)
        bounds = checked_range(value_range)
        super().__init__(
            model,
            walk=Walk(StraightLine(), found, segments=1, contrast=FromBaselines(bounds)),
            own={
                "steps": steps,
                "rule": rule,
                "completeness_tolerance": completeness_tolerance,
                "value_range": bounds or "auto",
            },
            jit_compile=jit_compile,
            **model_options,
        )

"""Guided IG: gradients integrated along a path that leaves features with large gradients to the end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras

from tf_ig2 import validation
from tf_ig2.contrasts.baselines import FromBaselines
from tf_ig2.explainers.baseline_explainer import BaselineExplainer, checked_range
from tf_ig2.models.model_view import ModelView
from tf_ig2.paths.guided import Guided
from tf_ig2.paths.plan import Walk
from tf_ig2.paths.rules import END, IDGI_ENDS, START, TRAPEZOID, segment

_ENDPOINT_RULES = {"left": START, "right": END, "trapezoid": TRAPEZOID, **IDGI_ENDS}


class GuidedIGExplainer(BaselineExplainer):
    """Guided IG: IG on a path that goes around the noise that saturated features pick up on the straight line.

    Every step needs the gradient of the one before it, so an explicand takes `steps` forward passes one after the
    other; rows of a batch go side by side.

    Args:
      model: a built `keras.Model`, a `ModelView`, or None to use `GetMask` with a `call_model_function`.
      steps: K, the number of steps.
      fraction: in (0, 1], the fraction of the features that moves first, those with the smallest gradients.
      max_dist: in [0, 1], how far a feature may be ahead of or behind the straight line, as a fraction of its way.
      rule: where on each step's segment the gradient is taken: `"left"`, at its start, as PAIR does, at no cost
        beyond the gradient that chooses the step; `"right"`, at its end; `"trapezoid"`, the mean of both; `"segment"`,
        at Gauss–Legendre nodes inside it, which makes the attributions add up (Completeness); `"idgi"`, at its start,
        and `"idgi-both"`, at both ends, share out the differences of the output, see `tf_ig2.paths.rules.idgi`.
      nodes: number of nodes for `rule="segment"`: as many more gradients a step.
      completeness_tolerance: with `rule="segment"`, add nodes where they are needed until the attributions miss at most
        this fraction of f(x) − f(x′); see `IG2Explainer`. None: do not.
      value_range: (low, high) of the input, from which named baselines are made; `"auto"`: the range of each explicand.
      jit_compile: compile the walk with XLA.
      **model_options: `output`, `output_name`, `input_layer`, `layer`; see `ModelView`.

    Raises:
      TypeError, ValueError: an argument is not of its kind, unknown, or out of range; the message names it.

    Example:
      >>> model = keras.Sequential([keras.Input([4]), keras.layers.Dense(8, "tanh"), keras.layers.Dense(3, "softmax")])
      >>> GuidedIGExplainer(model, steps=20).explain([[1.0, 2.0, 3.0, 4.0]]).values.shape
      (1, 4)

    Reference: Kapishnikov et al., Guided Integrated Gradients: an Adaptive Path Method for Removing Noise, CVPR 2021.
    """

    def __init__(
        self,
        model: keras.Model | ModelView | None = None,
        *,
        steps: int = 200,
        fraction: float = 0.25,
        max_dist: float = 0.02,
        rule: str = "left",
        nodes: int = 4,
        completeness_tolerance: float | None = None,
        value_range: str | Sequence[float] = "auto",
        jit_compile: bool = False,
        **model_options: Any,
    ):
        fraction = validation.fraction("fraction", fraction)
        max_dist = validation.fraction("max_dist", max_dist, zero=True)
        if rule != "segment" and rule not in _ENDPOINT_RULES:
            raise ValueError(f"Unknown rule: {rule!r}. Choose one of {[*_ENDPOINT_RULES, 'segment']}.")
        steps = validation.positive("steps", steps, integer=True)
        nodes = validation.positive("nodes", nodes, integer=True)
        if completeness_tolerance is not None:
            completeness_tolerance = validation.tolerance(completeness_tolerance, rule, "segment")
        bounds = checked_range(value_range)
        super().__init__(
            model,
            walk=Walk(
                Guided(fraction, max_dist),
                segment(nodes, completeness_tolerance) if rule == "segment" else _ENDPOINT_RULES[rule],
                segments=steps,
                contrast=FromBaselines(bounds),
            ),
            own={
                "steps": steps,
                "fraction": fraction,
                "max_dist": max_dist,
                "rule": rule,
                "nodes": nodes,
                "completeness_tolerance": completeness_tolerance,
                "value_range": bounds or "auto",
            },
            jit_compile=jit_compile,
            **model_options,
        )

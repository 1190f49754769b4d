"""Boundary-based Integrated Gradients: IG from the nearest point of another class."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import keras

from tf_ig2 import validation
from tf_ig2.contrasts.boundary import Attack, ByAttacks
from tf_ig2.explainers.baseline_explainer import checked_range
from tf_ig2.explainers.explicand_explainer import ExplicandExplainer
from tf_ig2.models.model_view import ModelView
from tf_ig2.paths import rules
from tf_ig2.paths.boundary_line import FromBoundary
from tf_ig2.paths.plan import Walk

ATTACKS = (Attack("l2", 0.02, 50), Attack("l2", 0.1, 50), Attack("sign", 0.001, 50), Attack("sign", 0.01, 50))
"""From fine to coarse, along the gradient and along its sign."""


class BIGExplainer(ExplicandExplainer):
    """BIG: what makes the explicand another thing than its nearest neighbour across the decision boundary?

    Several attacks look for a point of another class; IG runs from the nearest that was found, in Euclidean distance.
    It is in `counterfactuals`. `stop_reason` says "arrived", or "steps" where no attack found one within its steps: the
    line then comes from the farthest point that was reached, which is of the explained class still. An explicand that
    the model does not take for the target lies across the boundary itself: its attributions are zero. With a callable
    target no class is known, and nothing is found.

    Args:
      model: a built `keras.Model` or a `ModelView`; a callback will not do, as it does not tell the class.
      steps, rule: nodes on the line, see `IntegratedGradientsExplainer`.
      attacks: a sequence of `tf_ig2.contrasts.boundary.Attack`; each takes up to its `steps` gradients of all rows.
      value_range: (low, high) of the input, which attacks are clipped to; `"auto"`: the range of each explicand.
      jit_compile: compile the walk with XLA.
      **model_options: `output`, `output_name`, `input_layer`, `layer`; see `ModelView`.

    Raises:
      TypeError, ValueError: an argument is not of its kind, unknown, or out of range; the message names it.

    Example:
      >>> model = keras.Sequential([keras.Input([4]), keras.layers.Dense(8, "tanh"), keras.layers.Dense(3, "softmax")])
      >>> explanation = BIGExplainer(model, value_range=(-1, 1)).explain([[0.1, 0.2, -0.3, 0.4]])
      >>> explanation.values.shape, explanation.counterfactuals.shape
      ((1, 4), (1, 1, 4))

    Reference: Wang, Fredrikson & Datta, Robust Models Are More Interpretable Because Attributions Look Normal, ICML
    2022, boundary-based Integrated Gradient.
    """

    _says: ClassVar[dict[str, Any]] = {"end": "other class"}

    def __init__(
        self,
        model: keras.Model | ModelView | None = None,
        *,
        steps: int = 50,
        rule: str = "gauss-legendre",
        attacks: Sequence[Attack] = ATTACKS,
        value_range: str | Sequence[float] = "auto",
        jit_compile: bool = False,
        **model_options: Any,
    ):
        steps = validation.positive("steps", steps, integer=True)
        bounds = checked_range(value_range)
        contrast = ByAttacks(bounds, None, 0.0, _checked(attacks))
        super().__init__(
            model,
            walk=Walk(FromBoundary(), rules.by_name(rule, steps), segments=1, contrast=contrast),
            own={"steps": steps, "rule": rule, "attacks": attacks, "value_range": bounds or "auto"},
            jit_compile=jit_compile,
            **model_options,
        )

    def _callback_walk(self) -> Walk:
        raise NotImplementedError("BIGExplainer looks for another class, which a callback does not tell it.")


def _checked(attacks: Any) -> tuple[Attack, ...]:
    if not isinstance(attacks, (list, tuple)) or not attacks or not all(isinstance(a, Attack) for a in attacks):
        raise TypeError(f"`attacks` must be a sequence of tf_ig2.contrasts.boundary.Attack, at least one: {attacks!r}.")
    for attack in attacks:
        if attack.norm not in ("l2", "sign"):
            raise ValueError(f"`attacks`: unknown norm {attack.norm!r}. Choose one of ['l2', 'sign'].")
        validation.positive("attacks: fraction", attack.fraction)
        validation.positive("attacks: steps", attack.steps, integer=True)
    return tuple(attacks)

"""AGI: gradients integrated along the ways to other classes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import keras
import numpy as np

from tf_ig2 import validation
from tf_ig2.contrasts.other_classes import OtherClasses
from tf_ig2.explainers.baseline_explainer import checked_range
from tf_ig2.explainers.explicand_explainer import ExplicandExplainer
from tf_ig2.models.model_view import ModelView
from tf_ig2.paths.agi import TowardClass
from tf_ig2.paths.plan import Walk
from tf_ig2.paths.rules import FROM_EXPLICAND

FRACTION = 0.01
"""What each feature moves by in a step, as a fraction of the value range; about that of the authors' code."""


class AGIExplainer(ExplicandExplainer):
    """AGI: what did it take to make the model say each of several other classes? Nothing has to be chosen.

    For each false class t, steps ε·sign(∇p_t) until t is the largest output, or a limit of steps. The attributions are
    summed over the false classes, and so is what they are to add up to. The ends are in `counterfactuals`, one a class;
    `stop_reason` says "arrived" where the class was reached and "steps" where it was not. Where the explained class
    itself is among `classes`, it adds nothing.

    Args:
      model: a built `keras.Model` or a `ModelView`; a callback will not do, as it does not tell the classes.
      classes: how many false classes (at most all others), or their indices.
      seed: draw the false classes, as the paper does; None: the most probable ones at the explicand.
      steps: the limit of steps toward each.
      step_size: ε, in the units of the input, what each feature moves by; `"auto"`: 0.01 of the value range.
      rule: where on each step the gradient is taken, see `IG2Explainer`; `"explicand"` is the paper's.
      value_range: (low, high) of the input, which the path is clipped to; `"auto"`: the range of each explicand.
      output: `"logits"` or `"probabilities"`: what is explained. The paper integrates ∇p_c, which is
        `"probabilities"`; logits do not saturate. The way follows ∇p_t in both, of the softmax of the logits.
      jit_compile: compile the walk with XLA.
      **model_options: `output_name`, `input_layer`, `layer`; see `ModelView`. A `ModelView` whose output does not end
        in an activation that is known to it, of callables say, is taken to give logits.

    Raises:
      TypeError, ValueError: an argument is not of its kind, unknown, or out of range; the message names it.

    Example:
      >>> model = keras.Sequential([keras.Input([4]), keras.layers.Dense(8, "tanh"), keras.layers.Dense(3, "softmax")])
      >>> explanation = AGIExplainer(model, value_range=(-1, 1)).explain([[0.1, 0.2, -0.3, 0.4], [0.0, 0.5, 0, 0]])
      >>> explanation.values.shape, explanation.counterfactuals.shape
      ((2, 4), (2, 2, 4))

    Reference: Pan, Li & Zhu, Explaining Deep Neural Network Models with Adversarial Gradient Integration, IJCAI 2021,
    Algorithm 1: φ = −Σ_t Σ_j ∇p_c(γ_j) ⊙ (γ_{j+1} − γ_j).
    """

    _says: ClassVar[dict[str, Any]] = {"end": "other class"}

    def __init__(
        self,
        model: keras.Model | ModelView | None = None,
        *,
        classes: int | Sequence[int] = 5,
        seed: int | None = None,
        steps: int = 20,
        step_size: float | str = "auto",
        rule: str = "explicand",
        value_range: str | Sequence[float] = "auto",
        jit_compile: bool = False,
        **model_options: Any,
    ):
        steps = validation.positive("steps", steps, integer=True)
        if not isinstance(step_size, str) or step_size != "auto":
            step_size = validation.positive("step_size", step_size)
        if rule not in FROM_EXPLICAND:
            raise ValueError(f"Unknown rule: {rule!r}. Choose one of {list(FROM_EXPLICAND)}.")
        seed = validation.seed(seed)
        found = _checked(classes, seed)
        length = None if isinstance(step_size, str) else float(step_size)
        bounds = checked_range(value_range)
        contrast = OtherClasses(bounds, length, FRACTION, found, seed)

        def walk(view: ModelView | None) -> Walk:
            probabilities = view is not None and view.output_activation is not None
            return Walk(
                TowardClass(probabilities), FROM_EXPLICAND[rule], segments=steps, contrast=contrast, summed=True
            )

        super().__init__(
            model,
            walk=walk,
            own={
                "classes": classes,
                "seed": seed,
                "steps": steps,
                "step_size": step_size,
                "rule": rule,
                "value_range": bounds or "auto",
            },
            jit_compile=jit_compile,
            **model_options,
        )

    def _callback_walk(self) -> Walk:
        raise NotImplementedError("AGIExplainer walks toward other classes, which a callback does not tell it.")


def _checked(classes: Any, seed: Any) -> int | tuple[int, ...]:
    """How many classes, or which."""
    if np.ndim(classes) == 0:
        return validation.positive("classes", classes, integer=True)
    indices = np.asarray(classes)
    if indices.ndim != 1 or indices.dtype.kind not in "iu":
        raise TypeError(f"`classes` must be how many, or a sequence of class indices, not {classes!r}.")
    if not indices.size or (indices < 0).any() or len(np.unique(indices)) < indices.size:
        raise ValueError(f"`classes` must be different indices from 0 on, at least one, not {classes!r}.")
    if seed is not None:
        raise ValueError("`seed` draws classes: pass how many with it, and not which.")
    return tuple(indices.tolist())

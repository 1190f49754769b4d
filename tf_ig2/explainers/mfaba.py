"""MFABA: gradients integrated along the way down to where the class changes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import keras

from tf_ig2 import validation
from tf_ig2.contrasts.within_range import WithinRange
from tf_ig2.explainers.baseline_explainer import checked_range
from tf_ig2.explainers.explicand_explainer import ExplicandExplainer
from tf_ig2.models.model_view import ModelView
from tf_ig2.paths.mfaba import ToBoundary
from tf_ig2.paths.plan import Walk
from tf_ig2.paths.rules import FROM_EXPLICAND

FRACTIONS = {"l2": 0.02, "sign": 0.001}
"""The length of a step by its norm, as a fraction of the value range; near to that of the authors' code."""


class MFABAExplainer(ExplicandExplainer):
    """MFABA: what did it take to make the model say something else? There is no baseline or reference to choose.

    Steps of a fixed length go down the gradient of the explained output; each row ends at the first point of another
    class, at the price of one gradient a step. The end is in `counterfactuals`; `stop_reason` says "arrived" where the
    class changed and "steps" where it did not within the limit. An explicand that the model does not take for the
    target has arrived before its first step: its attributions are zero.

    Args:
      model: a built `keras.Model`, a `ModelView`, or None to use `GetMask` with a `call_model_function`, which goes as
        far as the limit of steps: the callback does not tell the class.
      steps: the limit of steps; what lies nearer than it is found earlier.
      step_size: in the units of the input, the Euclidean length of a step, or with `norm="sign"` what each feature
        moves by; `"auto"`: 0.02 or 0.001 of the value range.
      norm: `"l2"`, or `"sign"`, the sign of the gradient.
      rule: where on each step the gradient is taken, see `IG2Explainer`; `"explicand"` is the paper's.
      value_range: (low, high) of the input, which the path is clipped to; `"auto"`: the range of each explicand.
      jit_compile: compile the walk with XLA.
      **model_options: `output`, `output_name`, `input_layer`, `layer`; see `ModelView`.

    Raises:
      TypeError, ValueError: an argument is not of its kind, unknown, or out of range; the message names it.

    Example:
      >>> model = keras.Sequential([keras.Input([4]), keras.layers.Dense(8, "tanh"), keras.layers.Dense(3, "softmax")])
      >>> explanation = MFABAExplainer(model, value_range=(-1, 1)).explain([[0.1, 0.2, -0.3, 0.4], [0.0, 0.5, 0, 0]])
      >>> explanation.values.shape, explanation.steps_taken.shape
      ((2, 4), (2, 1))

    Reference: Zhu et al., MFABA: A More Faithful and Accelerated Boundary-based Attribution Method for Deep Neural
    Networks, AAAI 2024, Algorithm 1: φ = −Σ ∇f(γ_j) ⊙ (γ_{j+1} − γ_j).
    """

    _says: ClassVar[dict[str, Any]] = {"end": "other class"}

    def __init__(
        self,
        model: keras.Model | ModelView | None = None,
        *,
        steps: int = 50,
        step_size: float | str = "auto",
        norm: str = "l2",
        rule: str = "explicand",
        value_range: str | Sequence[float] = "auto",
        jit_compile: bool = False,
        **model_options: Any,
    ):
        steps = validation.positive("steps", steps, integer=True)
        if not isinstance(step_size, str) or step_size != "auto":
            step_size = validation.positive("step_size", step_size)
        if norm not in FRACTIONS:
            raise ValueError(f"Unknown norm: {norm!r}. Choose one of {list(FRACTIONS)}.")
        if rule not in FROM_EXPLICAND:
            raise ValueError(f"Unknown rule: {rule!r}. Choose one of {list(FROM_EXPLICAND)}.")
        length = None if isinstance(step_size, str) else float(step_size)
        bounds = checked_range(value_range)
        super().__init__(
            model,
            walk=Walk(
                ToBoundary(sign=norm == "sign"),
                FROM_EXPLICAND[rule],
                segments=steps,
                contrast=WithinRange(bounds, length, FRACTIONS[norm]),
            ),
            own={"steps": steps, "step_size": step_size, "norm": norm, "rule": rule, "value_range": bounds or "auto"},
            jit_compile=jit_compile,
            **model_options,
        )

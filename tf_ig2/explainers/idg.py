"""Integrated Decision Gradients: gradients count where the model makes up its mind."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import keras

from tf_ig2 import validation
from tf_ig2.contrasts.decisions import Decisions
from tf_ig2.explainers.baseline_explainer import BaselineExplainer, checked_range
from tf_ig2.models.model_view import ModelView
from tf_ig2.paths.decision_line import DecisionLine
from tf_ig2.paths.plan import Walk
from tf_ig2.paths.rules import START


class IDGExplainer(BaselineExplainer):
    """IDG: IG whose gradients are weighed by df/dα, so that where the output is saturated they count for nothing.

    Completeness does not hold: values are in squares of the units of the output, and there is no completeness gap. Use
    them to rank features.

    Nodes are placed in proportion to |df/dα| as a coarse pass finds it. (The paper scales slopes to [0, 1] from the
    most negative one; here a fall of the output is looked at as closely as a rise.)

    Args:
      model: a built `keras.Model` or a `ModelView`; a callback will not do, as it does not give the output on the way.
      steps: K, pieces of the line; K + 1 gradients for each baseline.
      coarse: pieces of the coarse pass; as many forward passes, and one, more.
      value_range: (low, high) of the input, from which named baselines are made; `"auto"`: the range of each explicand.
      jit_compile: compile the walk with XLA.
      **model_options: `output`, `output_name`, `input_layer`, `layer`; see `ModelView`.

    Raises:
      TypeError, ValueError: an argument is not of its kind, unknown, or out of range; the message names it.

    Example:
      >>> model = keras.Sequential([keras.Input([4]), keras.layers.Dense(8, "tanh"), keras.layers.Dense(3, "softmax")])
      >>> IDGExplainer(model).explain([[1.0, 2.0, 3.0, 4.0]]).values.shape
      (1, 4)

    Reference: Walker, Jha, Chen & Ewetz, Integrated Decision Gradients: Compute Your Attributions Where the Model Makes
    Its Decision, AAAI 2024: φ = (x − x′) ⊙ ∫ ∇f · df/dα dα.
    """

    _says: ClassVar[dict[str, Any]] = {**BaselineExplainer._says, "adds_up": False}

    def __init__(
        self,
        model: keras.Model | ModelView | None = None,
        *,
        steps: int = 50,
        coarse: int = 16,
        value_range: str | Sequence[float] = "auto",
        jit_compile: bool = False,
        **model_options: Any,
    ):
        steps = validation.positive("steps", steps, integer=True)
        coarse = validation.positive("coarse", coarse, integer=True)
        bounds = checked_range(value_range)
        contrast = Decisions(bounds, coarse=coarse)
        super().__init__(
            model,
            walk=Walk(DecisionLine(), START, segments=steps + 1, contrast=contrast),
            own={"steps": steps, "coarse": coarse, "value_range": bounds or "auto"},
            jit_compile=jit_compile,
            **model_options,
        )

    def _callback_walk(self) -> Walk:
        raise NotImplementedError("IDGExplainer needs the output along the way, which a callback need not give.")

"""Sequential IG: every word has its own line, while the others stay as they are."""

from __future__ import annotations

from typing import Any, ClassVar

import keras

from tf_ig2 import validation
from tf_ig2.contrasts.words import WordByWord
from tf_ig2.explainers.explicand_explainer import ExplicandExplainer
from tf_ig2.models.model_view import ModelView
from tf_ig2.paths import rules
from tf_ig2.paths.keep import Keep
from tf_ig2.paths.plan import Walk
from tf_ig2.paths.straight_line import StraightLine


class SequentialIGExplainer(ExplicandExplainer):
    """SIG, for words: how does each one move the output on the straight way from nothing, in its own sentence?

    The line of word w runs from the sentence with w's vector replaced to the sentence, and only w is attributed by it.
    A sentence of W words takes W times the gradients of IG. Values are put together, word by word: they add up to
    Σ_w f(x) − f(x without w), which `completeness_gap` is measured against, and not to a difference between two
    sentences. `outputs` has each word's line, `[N, W, …]`. `counterfactuals` are kept only if `keep` asks for them: W
    sentences for each.

    Args:
      model: a built `keras.Model`, a `ModelView`, or None to use `GetMask` with a `call_model_function`.
      token: the pad or mask token, whose vector at the embedding stands in the place of a word; with a position added
        behind the embedding but before the `input_layer`, that of the word's own position. None: zeros.
      steps, rule: nodes on each line, see `IntegratedGradientsExplainer`.
      jit_compile: compile the walk with XLA.
      **model_options: `input_layer`, which a model of tokens needs, `output`, `output_name`, `layer`; see `ModelView`.

    Raises:
      TypeError, ValueError: an argument is not of its kind, unknown, or out of range; the message names it.

    Example:
      >>> import numpy as np
      >>> layers = [keras.Input([6], dtype="int32"), keras.layers.Embedding(20, 4, name="words")]
      >>> model = keras.Sequential([*layers, keras.layers.Flatten(), keras.layers.Dense(3, "softmax")])
      >>> explainer = SequentialIGExplainer(model, input_layer="words", token=0)
      >>> explainer.explain(np.array([[3, 1, 4, 1, 5, 9]])).values.shape
      (1, 6, 4)

    Reference: Enguehard, Sequential Integrated Gradients: a simple but effective method for explaining language models,
    ACL Findings 2023, Section 3.
    """

    _keep: ClassVar[Keep] = Keep(counterfactuals=False)
    _says: ClassVar[dict[str, Any]] = {"end": "word left out"}

    def __init__(
        self,
        model: keras.Model | ModelView | None = None,
        *,
        token: int | None = None,
        steps: int = 50,
        rule: str = "gauss-legendre",
        jit_compile: bool = False,
        **model_options: Any,
    ):
        steps = validation.positive("steps", steps, integer=True)
        if token is not None:
            token = validation.not_negative("token", token, integer=True)
        contrast = WordByWord(token)
        super().__init__(
            model,
            walk=Walk(StraightLine(), rules.by_name(rule, steps), segments=1, contrast=contrast, summed=True),
            own={"token": token, "steps": steps, "rule": rule},
            jit_compile=jit_compile,
            **model_options,
        )

    def _callback_walk(self) -> Walk:
        if self._own["token"] is not None:
            raise ValueError("`token` is looked up in the model's embedding, and a callback has none: leave it out.")
        return self.walk

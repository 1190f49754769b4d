"""Discretised IG: gradients along a path that goes through other words, and not through the space between them."""

from __future__ import annotations

from typing import Any, ClassVar

import keras

from tf_ig2 import validation
from tf_ig2.contrasts.anchors import STRATEGIES
from tf_ig2.contrasts.through_words import ThroughWords
from tf_ig2.explainers.explicand_explainer import ExplicandExplainer
from tf_ig2.models.model_view import ModelView
from tf_ig2.paths.given_points import GivenPoints
from tf_ig2.paths.plan import Walk
from tf_ig2.paths.rules import END, IDGI_ENDS, START, TRAPEZOID

_RULES = {"left": START, "right": END, "trapezoid": TRAPEZOID, **IDGI_ENDS}


class DiscretizedIGExplainer(ExplicandExplainer):
    """DIG, for words: IG on a path whose points lie near words, where the model has seen what it is asked about.

    Every word's vector goes to the baseline's in `steps` pieces, all words of a sentence at once. Between the ends are
    anchors: words out of the `neighbours` nearest ones, with those coordinates moved that would turn back. They are
    looked for in the model's vocabulary on the host, without the network; see `tf_ig2.contrasts.anchors`.

    `outputs` are those along the path, `[N, 1, steps + 1]`, explicand first; `counterfactuals` are the baselines. A
    batch's paths are held whole: (steps + 1) times the vectors of its sentences.

    Args:
      model: a built `keras.Model`, or a `ModelView`.
      token: the pad or mask token, whose vector is the baseline; None: zeros.
      steps: m, pieces of the path; m − 1 anchors.
      neighbours: K, how many nearest words an anchor is chosen from; None: 500, or all of a smaller vocabulary.
      strategy: `"greedy"`, the anchor that must be moved least; `"max count"`, the one with the most coordinates that
        need not be moved.
      rule: where on each piece the gradient is taken: `"left"`, at the end toward the baseline, as the authors do;
        `"right"`, at the other; `"trapezoid"`, the mean of both, one gradient more; `"idgi"`, at the left, and
        `"idgi-both"`, at both ends, share out the differences of the output, see `tf_ig2.paths.rules.idgi`.
      jit_compile: compile the walk with XLA.
      **model_options: `input_layer`, the embedding, which it needs; `output`, `output_name`, `layer`; see `ModelView`.

    Raises:
      TypeError, ValueError: an argument is not of its kind, unknown, or out of range; attributions are not made at one
        `keras.layers.Embedding`; the message names it.

    Example:
      >>> import numpy as np
      >>> layers = [keras.Input([6], dtype="int32"), keras.layers.Embedding(20, 4, name="words")]
      >>> model = keras.Sequential([*layers, keras.layers.Flatten(), keras.layers.Dense(3, "softmax")])
      >>> explainer = DiscretizedIGExplainer(model, input_layer="words", token=0, steps=8)
      >>> explainer.explain(np.array([[3, 1, 4, 1, 5, 9]])).values.shape
      (1, 6, 4)

    Reference: Sanyal & Ren, Discretized Integrated Gradients for Explaining Language Models, EMNLP 2021.
    """

    _says: ClassVar[dict[str, Any]] = {"end": "baseline"}

    def __init__(
        self,
        model: keras.Model | ModelView,
        *,
        token: int | None = None,
        steps: int = 50,
        neighbours: int | None = None,
        strategy: str = "greedy",
        rule: str = "trapezoid",
        jit_compile: bool = False,
        **model_options: Any,
    ):
        steps = validation.positive("steps", steps, integer=True)
        if token is not None:
            token = validation.not_negative("token", token, integer=True)
        if neighbours is not None:
            neighbours = validation.positive("neighbours", neighbours, integer=True)
        if strategy not in STRATEGIES:
            raise ValueError(f"Unknown strategy: {strategy!r}. Choose one of {STRATEGIES}.")
        if rule not in _RULES:
            raise ValueError(f"Unknown rule: {rule!r}. Choose one of {[*_RULES]}.")
        contrast = ThroughWords(token, steps, neighbours, strategy)
        super().__init__(
            model,
            walk=Walk(GivenPoints(), _RULES[rule], segments=steps, contrast=contrast),
            own={"token": token, "steps": steps, "neighbours": neighbours, "strategy": strategy, "rule": rule},
            jit_compile=jit_compile,
            **model_options,
        )
        contrast.embedding(self.view)

    def _callback_walk(self) -> Walk:
        raise ValueError("Discretised IG goes through the words of the model's vocabulary, and a callback has none.")

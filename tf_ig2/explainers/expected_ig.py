"""Expected IG: Integrated Gradients averaged over baselines from a distribution of references."""

from __future__ import annotations

import dataclasses
from typing import Any, ClassVar

import keras

from tf_ig2 import validation
from tf_ig2.attribution import Attribution
from tf_ig2.contrasts.baselines import FromBaselines
from tf_ig2.explainers.baseline_explainer import BaselineExplainer
from tf_ig2.models.explained_output import Target
from tf_ig2.models.model_view import ModelView
from tf_ig2.paths import rules
from tf_ig2.paths.keep import Keep
from tf_ig2.paths.plan import Walk
from tf_ig2.paths.straight_line import StraightLine


class ExpectedIGExplainer(BaselineExplainer):
    """Expected gradients: E over references x′ and positions α of (x − x′) ⊙ ∇f(x′ + α(x − x′)).

    Args:
      model: a built `keras.Model`, a `ModelView`, or None to use `GetMask` with a `call_model_function`.
      steps: gradients per reference.
      sample_alpha: draw the positions α uniformly, anew for each reference, as in the paper; every explicand gets the
        same draws. False: the nodes of `rule`, which is Integrated Gradients averaged over references.
      rule: for `sample_alpha=False`, see `IntegratedGradientsExplainer`; `"idgi"` and `"idgi-both"` go with drawn
        positions, too, taken in order.
      seed: int, not negative, of the draws.
      jit_compile: compile the walk with XLA.
      **model_options: `output`, `output_name`, `input_layer`, `layer`; see `ModelView`.

    Raises:
      TypeError, ValueError: an argument is not of its kind, unknown, or out of range; the message names it.

    Example:
      >>> import numpy as np
      >>> model = keras.Sequential([keras.Input([4]), keras.layers.Dense(8, "tanh"), keras.layers.Dense(3, "softmax")])
      >>> ExpectedIGExplainer(model, steps=4).explain(np.ones([2, 4]), references=np.random.rand(10, 4)).values.shape
      (2, 4)

    Reference: Erion et al., Improving performance of deep learning models with axiomatic attribution priors and
    expected gradients, Nature Machine Intelligence 2021, Eq. 3.
    """

    _says: ClassVar[dict[str, Any]] = {"end": "reference"}

    _callback_batch = 32
    references_are = "needed"

    def __init__(
        self,
        model: keras.Model | ModelView | None = None,
        *,
        steps: int = 8,
        sample_alpha: bool = True,
        rule: str = "gauss-legendre",
        seed: int = 0,
        jit_compile: bool = False,
        **model_options: Any,
    ):
        steps = validation.positive("steps", steps, integer=True)
        seed = validation.seed(seed)
        found = rules.by_name(rule, steps)
        if sample_alpha:
            found = dataclasses.replace(found, nodes=(0.0,) * steps, weights=(1 / steps,) * steps, seed=seed)
        super().__init__(
            model,
            walk=Walk(StraightLine(), found, segments=1, contrast=FromBaselines(required=True)),
            own={"steps": steps, "sample_alpha": sample_alpha, "rule": rule, "seed": seed},
            jit_compile=jit_compile,
            **model_options,
        )

    def explain(
        self,
        x: Any,
        references: Any = None,
        target: int | Any | Target | None = None,
        *,
        baselines: Any = None,
        batch_size: int = 32,
        keep: Keep | None = None,
        verbose: bool = False,
    ) -> Attribution:
        """Explains a batch of explicands; see `BaselineExplainer.explain`.

        Args:
          x: one explicand `[...]` or a batch `[N, ...]`.
          references: samples of the distribution, arrays `[R, ...]` or `[N, R, ...]`, or a finite `tf.data.Dataset`, as
            the model takes them, also with an `input_layer`; any other `baselines` too.
          target: as there.
          baselines: another name for `references`.
          batch_size, keep, verbose: as there.

        Returns:
          The explanation.

        Raises:
          TypeError: neither or both of `references` and `baselines` were given, or as there.
          ValueError, NonFiniteGradientError: as there.
        """
        return super().explain(
            x, references, target, baselines=baselines, batch_size=batch_size, keep=keep, verbose=verbose
        )

"""Gradient and gradient × input."""

from __future__ import annotations

from typing import Any

import keras

from tf_ig2.contrasts.nothing import Direction
from tf_ig2.explainers.explicand_explainer import ExplicandExplainer
from tf_ig2.models.model_view import ModelView
from tf_ig2.paths.keep import Keep
from tf_ig2.paths.plan import Walk
from tf_ig2.paths.rules import START
from tf_ig2.paths.tangent import Tangent


class GradientExplainer(ExplicandExplainer):
    """The gradient of the explained output at the explicand; `GetSmoothedMask` gives SmoothGrad and VarGrad.

    Units of `values`: of the output per unit of the input; with `times_input`, of the output. Explanations keep only
    these, unless `keep` says otherwise.

    Args:
      model: a built `keras.Model`, a `ModelView`, or None to use `GetMask` with a `call_model_function`.
      times_input: multiply by the explicand. The completeness gap then compares with f(x) − f(0); without, there is
        none.
      jit_compile: compile with XLA.
      **model_options: `output`, `output_name`, `input_layer`, `layer`; see `ModelView`.

    Example:
      >>> import numpy as np
      >>> model = keras.Sequential([keras.Input([4]), keras.layers.Dense(8, "tanh"), keras.layers.Dense(3, "softmax")])
      >>> explainer = GradientExplainer(model)
      >>> explainer.explain(np.ones([2, 4])).values.shape
      (2, 4)
      >>> explainer.GetSmoothedMask(np.arange(4.0), variance=True, seed=0).shape  # VarGrad
      (4,)

    Reference: Simonyan, Vedaldi & Zisserman, Deep Inside Convolutional Networks, ICLR Workshop 2014; Shrikumar et al.,
    Not Just a Black Box, 2016, for gradient × input.
    """

    _keep = Keep(counterfactuals=False)

    def __init__(
        self,
        model: keras.Model | ModelView | None = None,
        *,
        times_input: bool = False,
        jit_compile: bool = False,
        **model_options: Any,
    ):
        self.times_input = times_input
        walk = Walk(Tangent(), START, segments=1, contrast=Direction(times_input))
        super().__init__(model, walk=walk, own={"times_input": times_input}, jit_compile=jit_compile, **model_options)

    def _settings(self) -> dict[str, Any]:
        return {**super()._settings(), **({} if self.times_input else {"adds_up": False})}

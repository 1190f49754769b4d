"""Gradient and gradient × input."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from tf_ig2.attribution import Attribution
from tf_ig2.explained_output import Target
from tf_ig2.explainers.base import take
from tf_ig2.explainers.path_explainer import Contrasts, PathExplainer
from tf_ig2.model_view import ModelView
from tf_ig2.paths.integrate import Keep
from tf_ig2.paths.rules import START
from tf_ig2.paths.tangent import Tangent


class GradientExplainer(PathExplainer):
    """The gradient of the explained output at the explicand; `GetSmoothedMask` gives SmoothGrad and VarGrad.

    Args:
      model: a built `keras.Model`, a `ModelView`, or None to use `GetMask` with a `call_model_function`.
      times_input: multiply by the explicand. The completeness gap then compares with f(x) − f(0); without, it is the
        error of predicting f(x) − f(x − 1) from the gradient.
      jit_compile: compile with XLA.
      **model_options: `output`, `output_name`, `input_layer`, `layer`; see `ModelView`.

    Example:
      >>> model = keras.Sequential([keras.Input([4]), keras.layers.Dense(8, "tanh"), keras.layers.Dense(3, "softmax")])
      >>> explainer = GradientExplainer(model)
      >>> explainer.explain(np.ones([2, 4])).values.shape
      (2, 4)
      >>> explainer.GetSmoothedMask(np.arange(4.0), variance=True, seed=0).shape  # VarGrad
      (4,)

    Reference: Simonyan, Vedaldi & Zisserman, Deep Inside Convolutional Networks, ICLR Workshop 2014; Shrikumar et al.,
    Not Just a Black Box, 2016, for gradient × input.
    """

    def __init__(
        self,
        model: keras.Model | ModelView | None = None,
        *,
        times_input: bool = False,
        jit_compile: bool = False,
        **model_options: Any,
    ):
        self.times_input = times_input
        super().__init__(model, path=Tangent(), rule=START, steps=1, jit_compile=jit_compile, **model_options)

    def explain(
        self,
        x: Any,
        target: int | Any | Target | None = None,
        *,
        batch_size: int = 32,
        keep: Keep | None = None,
        verbose: bool = False,
    ) -> Attribution:
        """Explains a batch of explicands.

        Args:
          x: one explicand `[...]` or a batch `[N, ...]`: array, tensor, or the structure of them that the model takes.
          target: an index, one for each explicand, a callable, or None for the predicted class.
          batch_size: explicands in a forward pass.
          keep: what to keep beside the values; None: only these.
          verbose: show a progress bar.

        Returns:
          The explanation; without the leading axis N if `x` was one explicand. Units of `values`: of the output per
          unit of the input; with `times_input`, of the output.

        Raises:
          TypeError, ValueError: an argument has another structure, shape or type than the model takes, is empty, not
            finite, or out of range.
          NonFiniteGradientError: the output or its gradient is NaN or infinite.
        """
        return self._explain(x, None, target, batch_size, keep or Keep(counterfactuals=False), verbose)

    def _contrasts(self, view: Any, explicand: Any, contrast: Any, batch_size: int) -> Contrasts:
        def rows(i: np.ndarray, r: np.ndarray) -> Any:
            points = take(explicand, i)
            return points if self.times_input else tf.nest.map_structure(tf.ones_like, points)

        return Contrasts(1, rows)

    def _bake(self, contrast: Any) -> tuple[()]:
        return ()

    def _contrasts_in_graph(self, explicand: Any, baked: Any) -> Contrasts:
        displaced = explicand if self.times_input else tf.nest.map_structure(tf.ones_like, explicand)
        return Contrasts(1, lambda i, r: tf.nest.map_structure(lambda part: tf.gather(part, i), displaced))

    def _settings(self) -> dict[str, Any]:
        return {**super()._settings(), "times_input": self.times_input}

"""Any walk: for a path, a sum or a contrast of one's own."""

from __future__ import annotations

from typing import Any

import keras

from tf_ig2.attribution import Attribution
from tf_ig2.explainers import contrasted
from tf_ig2.explainers.path_explainer import PathExplainer
from tf_ig2.models.model_view import ModelView
from tf_ig2.paths.keep import Keep
from tf_ig2.paths.plan import Walk


class WalkExplainer(PathExplainer):
    """Explains with a `Walk`: batched, compiled, exported and run in batch jobs like every other explainer.

    Args:
      model: a built `keras.Model`, a `ModelView`, or None to use `GetMask` with a `call_model_function`.
      walk: the walk; its path, rule and contrast are compared by value, so make them frozen dataclasses.
      jit_compile: compile the walk with XLA; what is random is then drawn by XLA, and differs.
      **model_options: `layer`, `output`, `output_name`, `input_layer`, `pool`; see `ModelView`.

    Example:
      >>> import numpy as np
      >>> from tf_ig2.contrasts.baselines import FromBaselines
      >>> from tf_ig2.paths.rules import TRAPEZOID
      >>> from tf_ig2.paths.straight_line import StraightLine
      >>> model = keras.Sequential([keras.Input([4]), keras.layers.Dense(8, "tanh"), keras.layers.Dense(3)])
      >>> walk = Walk(StraightLine(), TRAPEZOID, segments=5, contrast=FromBaselines())
      >>> WalkExplainer(model, walk).explain(np.ones([2, 4]), 0.0).outputs.shape
      (2, 1, 6)
    """

    _callback_batch = 32
    references_are = "taken"

    def __init__(
        self,
        model: keras.Model | ModelView | None,
        walk: Walk,
        *,
        jit_compile: bool = False,
        **model_options: Any,
    ):
        super().__init__(model, walk=walk, own={}, jit_compile=jit_compile, **model_options)

    def explain(
        self,
        x: Any,
        references: Any = None,
        target: Any = None,
        *,
        contrast: Any = None,
        batch_size: int = 32,
        keep: Keep | None = None,
        verbose: bool = False,
    ) -> Attribution:
        """Explains a batch of explicands, or one.

        Args:
          x: one explicand `[...]` or a batch `[N, ...]`: array, tensor, or the structure of them that the model takes.
          references: what the walk's contrast takes, references or baselines; not used, and allowed, where it needs
            nothing.
          target: an index, one for each explicand, a callable, or None for the predicted class.
          contrast: another name for `references`.
          batch_size: (explicand, reference) pairs in a forward pass.
          keep: what to keep beside the values; None: the counterfactuals.
          verbose: show a progress bar.

        Returns:
          The explanation; without the leading axis N if `x` was one explicand.

        Raises:
          TypeError, ValueError: what the contrast needs is missing; an argument has another structure, shape or type
            than the model or the contrast takes.
          NonFiniteGradientError: an output or gradient became NaN or infinite on the way.
        """
        given = contrasted.one("contrast", references, contrast)
        kind = self.walk.contrast
        if kind.argument is None:
            contrasted.ignored(given)
        elif kind.required or given is not None:
            checked = contrasted.needed if kind.required else contrasted.baseline
            checked(given, self.view.inputs_spec, type(self).__name__)
        return self._explain(x, given, target, batch_size, keep, verbose)

    def _arguments(self) -> dict[str, Any]:
        return {"walk": self.walk, **super()._arguments()}

    def _settings(self) -> dict[str, Any]:
        parts = {name: repr(getattr(self.walk, name)) for name in ("path", "rule", "contrast")}
        return {**super()._settings(), **parts}

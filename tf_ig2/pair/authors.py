"""The authors' interface, for people who come from their repository."""

from __future__ import annotations

from typing import Any

import numpy as np

from tf_ig2.explainers.ig2 import IG2Explainer
from tf_ig2.pair.callback_view import CallModelFunction
from tf_ig2.paths.keep import Keep


class IG2:
    """IG² with the signature and the defaults of the authors' class.

    Example:
      >>> mask = IG2().GetMask(x, references, call_model_function, call_model_args)  # doctest: +SKIP
    """

    def GetMask(
        self,
        x_value: Any,
        baselines: Any,
        call_model_function: CallModelFunction,
        call_model_args: dict | None = None,
        steps: int = 201,
        step_size: float = 256.0,
        clip_min_max: tuple[float, float] = (0, 255),
        return_path: bool = False,
    ) -> Any:
        """Attributions of one explicand, averaged over references.

        Args:
          x_value: array `[...]`, one explicand.
          baselines: array `[R, ...]`, the references.
          call_model_function: answers the keys of `tf_ig2.pair.callback_view`.
          call_model_args: passed to it; a copy is made.
          steps: number of steps of GradPath.
          step_size: ℓ2 length of a step.
          clip_min_max: range of the points of the path.
          return_path: also return the path.

        Returns:
          Array `[...]`; with `return_path` also the list of `steps + 1` arrays `[R, ...]`, from explicand to GradCF.
        """
        explainer = IG2Explainer(steps=steps, step_size=float(step_size), clip_min_max=clip_min_max, rule="explicand")
        explanation = explainer._explain_callback(
            x_value, call_model_function, call_model_args, references=baselines, keep=Keep(path=return_path)
        )
        if return_path:
            return explanation.values, list(np.swapaxes(explanation.path, 0, 1))
        return explanation.values

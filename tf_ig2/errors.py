"""The package's own exceptions: each is also the built-in exception that a caller would expect."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from tf_ig2.attribution import Attribution


class LayerError(ValueError):
    """A layer was not found, is ambiguous, or does not lie between the input and the explained output."""


class OutputActivationError(ValueError):
    """Logits were asked for, and the model's last activation has no logits to be looked through to."""


class NotDifferentiableError(ValueError):
    """The explained output, or the representation, has no gradient with respect to the attributed input."""


class NonFiniteGradientError(ArithmeticError):
    """A value or gradient on a path was NaN or infinite; the walk stopped there.

    Attributes:
      step: int, the 0-based step at which it happened.
      explicands: int array, indices of the explicands whose paths were hit.
      finished: the `Attribution` of the explicands before the batch in which it happened, or None if there were none.
    """

    def __init__(self, step: int, explicands: np.ndarray, finished: Attribution | None = None):
        self.step = step
        self.explicands = explicands
        self.finished = finished
        listed = ", ".join(str(index) for index in explicands[:8]) + (", …" if len(explicands) > 8 else "")
        super().__init__(
            f"The model's output or its gradient became NaN or infinite at step {step} for explicand(s) {listed}. "
            "Look for log, sqrt or division at zero in the model, lower `step_size`, or narrow `clip_min_max`."
        )

"""One scale for all pictures: red for, blue against, white for none; told apart by the colour-blind too."""

from __future__ import annotations

from typing import Any

import numpy as np

DIVERGING = "RdBu_r"
"""The scale's name in matplotlib."""

FOR, AGAINST, NEUTRAL = "#b2182b", "#2166ac", "#777777"
"""The scale's ends, for lines and bars."""


def fraction(values: Any) -> np.ndarray:
    """Values by the largest absolute one, in [−1, 1]: zero stays zero, and nothing stays nothing."""
    array = np.asarray(values, np.float64)
    largest = np.abs(array).max(initial=0.0)
    return array / largest if largest > 0 else np.zeros_like(array)


def hexadecimal(share: float) -> str:
    """The colour of a value in [−1, 1].

    Example:
      >>> hexadecimal(0.0), hexadecimal(1.0)
      ('#ffffff', '#b2182b')
    """
    end = FOR if share >= 0 else AGAINST
    parts = (int(end[place : place + 2], 16) for place in (1, 3, 5))
    return "#" + "".join(f"{round(255 + (part - 255) * min(abs(share), 1.0)):02x}" for part in parts)


def ink(share: float) -> str:
    """Black or white, whichever can be read on the colour of a value."""
    return "#ffffff" if abs(share) > 0.6 else "#000000"

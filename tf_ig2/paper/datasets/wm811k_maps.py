"""What a wafer map of WM-811K is: the numbers in it, the patterns on it, and the form in which a network takes it."""

from __future__ import annotations

import numpy as np

CLASSES = ("Center", "Donut", "Edge-Loc", "Edge-Ring", "Loc", "Near-full", "Random", "Scratch", "none")
"""The failure patterns; "none" are wafers that an expert found free of patterns."""

NO_DIE, PASS, FAIL = 0, 1, 2
"""What the numbers in a map mean."""

SIZE = 56
"""Height and width of the maps that the network of Table B.5 takes, in dies."""


def one_hot(maps: np.ndarray) -> np.ndarray:
    """What the network takes: float32 `[..., 3]`, one-hot of no die, passing die and failing die.

    Args:
      maps: integer array of 0, 1 and 2.

    Raises:
      ValueError: other values.

    Example:
      >>> one_hot(np.array([[0, 2]], np.uint8))
      array([[[1., 0., 0.],
              [0., 0., 1.]]], dtype=float32)
    """
    maps = np.asarray(maps)
    check(maps)
    return np.eye(3, dtype=np.float32)[maps]


def resize(wafer_map: np.ndarray, size: int = SIZE) -> np.ndarray:
    """Resizes a map to `[size, size]` by nearest neighbour, so that its values stay what they are.

    Args:
      wafer_map: integer array `[rows, columns]`.
      size: height and width of the result.
    """
    rows, columns = (((np.arange(size) + 0.5) * count / size).astype(int) for count in wafer_map.shape)
    return np.asarray(wafer_map, np.uint8)[np.ix_(rows, columns)]


def check(maps: np.ndarray) -> None:
    """Refuses what are no wafer maps.

    Args:
      maps: integer array of 0, 1 and 2.

    Raises:
      ValueError: other values, or none.
    """
    if maps.dtype.kind not in "iu" or maps.size == 0 or maps.min() < 0 or maps.max() > FAIL:
        raise ValueError("`maps` must hold the integers 0 (no die), 1 (pass) and 2 (fail).")

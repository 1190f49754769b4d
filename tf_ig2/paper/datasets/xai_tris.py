"""XAI-TRIS: tetrominoes in noise, where it is known which pixels tell the classes apart.

A pattern a, T or L, is put into a background b, both of Frobenius norm 1: x = α·a + (1 − α)·b, or in the
multiplicative scenario x = (1 − α·a) ⊙ b. White backgrounds are Gaussian noise. Correlated ones are smoothed, so that
pixels beside the pattern tell of the noise on it: a model that subtracts them is better for it, although they know
nothing of the class. Such suppressors are what a method should not point at.

Reference: Clark, Wilming & Haufe, XAI-TRIS: Non-linear image benchmarks to quantify false positive post-hoc attribution
of feature importance, Machine Learning 2024, section 3. Images are scaled to a root mean square of about 1 and not to a
largest value of 1, so that the scale does not depend on which others are drawn.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from tf_ig2 import validation
from tf_ig2.paper.datasets import folder

SCENARIOS = ("linear", "multiplicative", "rigid", "xor")
"""T or L at places of their own, added; the same, multiplied; T or L anywhere, turned; both, and whether their signs
are alike."""

BACKGROUNDS = ("white", "correlated")

ALPHA = {
    8: {"linear": (0.18, 0.0125), "multiplicative": (0.7, 0.1), "rigid": (0.65, 0.2), "xor": (0.35, 0.15)},
    64: {"linear": (0.03, 0.02), "multiplicative": (0.2, 0.65), "rigid": (0.575, 0.375), "xor": (0.35, 0.15)},
}
"""Size of images → scenario → α for each of `BACKGROUNDS`; the authors chose them so that networks reach 80 %."""

_T = np.array([[1, 0], [1, 1], [1, 0]], np.float64)
_L = np.array([[1, 0], [1, 0], [1, 1]], np.float64)
_PLACES = ((1, 1), (4, 5))
"""Row and column of T's and L's corner, in units of a tetromino's square."""

_SMOOTHING = {8: 3.0, 64: 10.0}
_PATTERN_SMOOTHING = {8: 0.0, 64: 1.5}


@dataclass(frozen=True)
class Tetrominoes:
    """Images of a scenario.

    Attributes:
      x: float32 array `[N, size, size, 1]`.
      y: int64 array `[N]`, the class: 0 for T and 1 for L; with "xor" 0 for equal signs.
      masks: bool array `[N, size, size]`, the pixels that tell the classes apart. Where places are fixed these are both
        patterns' in every image, because that a pattern is absent tells as much as that it is there.
    """

    x: np.ndarray
    y: np.ndarray
    masks: np.ndarray

    def __len__(self) -> int:
        return len(self.x)


def load(
    scenario: str,
    background: str = "white",
    count: int = 1000,
    seed: int = 0,
    alpha: float | None = None,
    size: int = 8,
) -> Tetrominoes:
    """Draws images, as many of each class, up to one.

    Args:
      scenario: one of `SCENARIOS`.
      background: one of `BACKGROUNDS`.
      count: N.
      seed: of all draws; other seeds give other images.
      alpha: α, in 0 … 1; None: the authors'.
      size: 8, or 64 with smooth patterns of eight times the size (RIGID: four times).

    Returns:
      The images, in random order.

    Raises:
      TypeError, ValueError: an argument is not of its kind, unknown, or out of range.

    Example:
      >>> load("rigid", count=10).masks.sum(axis=(1, 2))
      array([4, 4, 4, 4, 4, 4, 4, 4, 4, 4])
    """
    folder.choice("scenario", scenario, SCENARIOS)
    folder.choice("background", background, BACKGROUNDS)
    validation.positive("count", count, integer=True)
    if size not in ALPHA:
        raise ValueError(f"`size` must be one of {list(ALPHA)}, not {size!r}.")
    weight = ALPHA[size][scenario][BACKGROUNDS.index(background)] if alpha is None else alpha
    weight = validation.fraction("alpha", weight, zero=True)
    rng = np.random.default_rng([seed, SCENARIOS.index(scenario), BACKGROUNDS.index(background)])
    y = rng.permutation(np.arange(count) % 2)
    patterns, masks = _PATTERNS[scenario](y, size, rng)
    noise = rng.normal(size=patterns.shape)
    if background == "correlated":
        noise = ndimage.gaussian_filter(noise, (0, _SMOOTHING[size], _SMOOTHING[size]))
    a, b = _normalised(patterns), _normalised(noise)
    x = (1 - weight * a) * b if scenario == "multiplicative" else weight * a + (1 - weight) * b
    return Tetrominoes((size * x)[..., None].astype(np.float32), y.astype(np.int64), masks)


def _at_places(y: np.ndarray, size: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    both = _both(size)
    masks = np.broadcast_to((both != 0).any(axis=0), (len(y), size, size))
    return both[y], masks


def _anywhere(y: np.ndarray, size: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    scale = max(1, size // 16)
    patterns = np.zeros([len(y), size, size])
    for pattern, label in zip(patterns, y, strict=True):
        piece = np.kron(np.rot90((_T, _L)[label], int(rng.integers(4))), np.ones([scale, scale]))
        (height, width), (row, column) = piece.shape, (rng.integers(size - edge + 1) for edge in piece.shape)
        pattern[row : row + height, column : column + width] = piece
    patterns = _smooth(patterns, size)
    return patterns, patterns != 0


def _with_signs(y: np.ndarray, size: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    first = rng.choice([-1, 1], len(y))
    second = np.where(y == 0, first, -first)
    both = _both(size)
    masks = np.broadcast_to((both != 0).any(axis=0), (len(y), size, size))
    return first[:, None, None] * both[0] + second[:, None, None] * both[1], masks


_PATTERNS: dict[str, Callable[[np.ndarray, int, np.random.Generator], tuple[np.ndarray, np.ndarray]]] = {
    "linear": _at_places,
    "multiplicative": _at_places,
    "rigid": _anywhere,
    "xor": _with_signs,
}


def _both(size: int) -> np.ndarray:
    """`[2, size, size]`, T and L at their places."""
    scale = size // 8
    images = np.zeros([2, size, size])
    for image, piece, (row, column) in zip(images, (_T, _L), _PLACES, strict=True):
        large = np.kron(piece, np.ones([scale, scale]))
        row, column = scale * row, scale * column
        image[row : row + large.shape[0], column : column + large.shape[1]] = large
    return _smooth(images, size)


def _smooth(patterns: np.ndarray, size: int) -> np.ndarray:
    sigma = _PATTERN_SMOOTHING[size]
    return ndimage.gaussian_filter(patterns, (0, sigma, sigma)) if sigma else patterns


def _normalised(images: np.ndarray) -> np.ndarray:
    return images / np.linalg.norm(images, axis=(1, 2), keepdims=True)

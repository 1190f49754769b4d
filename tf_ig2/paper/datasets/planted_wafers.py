"""Wafer maps with known causes: failure patterns planted on real pattern-free maps of WM-811K.

WM-811K has no annotation of pixels. Here dies of a real wafer that experts found free of patterns are made to fail in
a region that we choose, so the ground truth, the dies that were changed, is exact. Patterns are drawn at the 56 × 56
of the network's input; on wafers with fewer dies they are finer than the dies.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from tf_ig2 import validation
from tf_ig2.paper.datasets import wm811k

PATTERNS = ("Center", "Donut", "Edge-Loc", "Edge-Ring", "Loc", "Scratch")
"""The patterns that have a place: all but Near-full and Random, which cover the wafer."""


@dataclass(frozen=True)
class PlantedWafers:
    """Wafer maps with a planted pattern each.

    Attributes:
      maps: uint8 array `[N, 56, 56]`, 0 no die, 1 passing die, 2 failing die.
      labels: int64 array `[N]`, indices of the planted pattern into `wm811k.CLASSES`.
      masks: bool array `[N, 56, 56]`, the dies that passed before and fail now: the ground truth.
      regions: bool array `[N, 56, 56]`, all dies within the pattern's outline.
      clean: uint8 array `[N, 56, 56]`, the maps before.
    """

    maps: np.ndarray
    labels: np.ndarray
    masks: np.ndarray
    regions: np.ndarray
    clean: np.ndarray

    def __len__(self) -> int:
        return len(self.maps)


def load(
    count: int = 60, split: str = "test", seed: int = 0, source: str | os.PathLike[str] | None = None
) -> PlantedWafers:
    """Plants patterns, each of the six as often, on pattern-free wafers drawn without repetition.

    Args:
      count: N.
      split: of WM-811K, "train" or "test".
      seed: of the draws.
      source: see `wm811k.load`.

    Returns:
      The wafers.

    Raises:
      MissingDataError, CorruptDataError: see `wm811k.load`.
      ValueError: more wafers are wanted than are free of patterns, or other arguments that do not fit.

    Example:
      >>> wafers = load(60)  # doctest: +SKIP
      >>> bool((wafers.maps[wafers.masks] == wm811k.FAIL).all())  # doctest: +SKIP
      True
    """
    validation.positive("count", count, integer=True)
    wafers = wm811k.load(split, source)
    free = np.flatnonzero(wafers.labels == wm811k.CLASSES.index("none"))
    if count > len(free):
        raise ValueError(f"{count} wafers are wanted, and {len(free)} of the {split} split are free of patterns.")
    rows = np.random.default_rng(seed).permutation(free)[:count]
    return plant(wafers.maps[rows], [PATTERNS[i % len(PATTERNS)] for i in range(count)], seed)


def plant(maps: np.ndarray, patterns: list[str], seed: int = 0) -> PlantedWafers:
    """Plants one pattern on each map.

    Args:
      maps: uint8 array `[N, H, W]` of 0, 1 and 2.
      patterns: N names out of `PATTERNS`.
      seed: of their places and sizes, and of which dies fail.

    Returns:
      The wafers. Within a pattern, each die fails with a chance of 0.8 … 0.98; it is the same for all of the pattern.

    Raises:
      ValueError: an unknown pattern, another number of patterns than maps, or a map without a passing die to change.
    """
    maps = np.asarray(maps)
    if maps.ndim != 3 or maps.dtype.kind not in "iu" or len(maps) != len(patterns):
        raise ValueError(f"`maps` has shape {maps.shape} ({maps.dtype}) for {len(patterns)} patterns.")
    for name in patterns:
        if name not in PATTERNS:
            raise ValueError(f"Unknown pattern: {name!r}. Choose from {PATTERNS}.")
    planted, regions = maps.astype(np.uint8), np.zeros(maps.shape, bool)
    for number, (wafer, name) in enumerate(zip(maps, patterns, strict=True)):
        rng = np.random.default_rng([seed, number])
        if not (wafer == wm811k.PASS).any():
            raise ValueError(f"Map {number} has no passing die that a pattern could change.")
        chance = rng.uniform(0.8, 0.98)
        while not (regions[number] & (wafer == wm811k.PASS)).any():
            regions[number] = _SHAPES[name](*_disc(wafer), rng) & (wafer != wm811k.NO_DIE)
        while (planted[number] == wafer).all():
            planted[number][regions[number] & (rng.random(wafer.shape) < chance)] = wm811k.FAIL
    labels = np.array([wm811k.CLASSES.index(name) for name in patterns], np.int64)
    return PlantedWafers(planted, labels, planted != maps, regions, maps.astype(np.uint8))


def _disc(wafer: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Horizontal and vertical place of every die in units of the wafer's radius, `[H, W]` each, 0 at its centre."""
    rows, columns = (np.flatnonzero((wafer != wm811k.NO_DIE).any(axis=axis)) for axis in (1, 0))

    def along(places: np.ndarray, size: int) -> np.ndarray:
        return (2 * np.arange(size) - places[0] - places[-1]) / (places[-1] - places[0] + 1)

    v, u = along(rows, wafer.shape[0]), along(columns, wafer.shape[1])
    return np.broadcast_to(u, wafer.shape), np.broadcast_to(v[:, None], wafer.shape)


def _center(u: np.ndarray, v: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    x, y = rng.normal(0, 0.05, 2)
    return np.hypot(u - x, v - y) < rng.uniform(0.25, 0.45)


def _donut(u: np.ndarray, v: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    x, y = rng.normal(0, 0.05, 2)
    return np.abs(np.hypot(u - x, v - y) - rng.uniform(0.42, 0.55)) < rng.uniform(0.13, 0.2)


def _edge_ring(u: np.ndarray, v: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return np.hypot(u, v) > rng.uniform(0.84, 0.91)


def _edge_loc(u: np.ndarray, v: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    turned = (np.arctan2(v, u) - rng.uniform(0, 2 * np.pi)) % (2 * np.pi)
    return (np.hypot(u, v) > rng.uniform(0.7, 0.84)) & (turned < rng.uniform(0.5, 1.2))


def _loc(u: np.ndarray, v: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    angle, distance, lean = rng.uniform(0, 2 * np.pi), rng.uniform(0.4, 0.65), rng.uniform(0, np.pi)
    x, y = u - distance * np.cos(angle), v - distance * np.sin(angle)
    along, across = x * np.cos(lean) + y * np.sin(lean), y * np.cos(lean) - x * np.sin(lean)
    return np.hypot(along / rng.uniform(0.2, 0.34), across / rng.uniform(0.15, 0.24)) < 1


def _scratch(u: np.ndarray, v: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    start, heading, bend = rng.uniform(0, 2 * np.pi), rng.uniform(0, 2 * np.pi), rng.normal(0, 0.8)
    length = rng.uniform(0.8, 1.5)
    walked = np.linspace(-0.5, 0.5, 80) * length
    directions = heading + bend * walked
    step = length / len(walked)
    x = 0.35 * np.cos(start) + np.cumsum(np.cos(directions)) * step - np.cos(heading) * length / 2
    y = 0.35 * np.sin(start) + np.cumsum(np.sin(directions)) * step - np.sin(heading) * length / 2
    distance = np.hypot(u[..., None] - x, v[..., None] - y).min(axis=-1)
    return distance < rng.uniform(0.035, 0.06)


_SHAPES: dict[str, Callable[[np.ndarray, np.ndarray, np.random.Generator], np.ndarray]] = {
    "Center": _center,
    "Donut": _donut,
    "Edge-Loc": _edge_loc,
    "Edge-Ring": _edge_ring,
    "Loc": _loc,
    "Scratch": _scratch,
}

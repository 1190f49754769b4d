"""What the benchmarks share: a model, references, and ratios measured pair by pair."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np


def mobilenet() -> keras.Model:
    """MobileNetV2 at 224²: the file in TF_IG2_DATA_DIR, or the same architecture with random weights."""
    folder = os.environ.get("TF_IG2_DATA_DIR")
    if folder:
        return keras.models.load_model(Path(folder) / "models" / "mobilenet_v2_imagenet.keras", compile=False)
    keras.utils.set_random_seed(0)
    inputs = keras.Input((224, 224, 3))
    scaled = keras.layers.Rescaling(1 / 127.5, -1.0)(inputs)
    return keras.Model(inputs, keras.applications.MobileNetV2(weights=None)(scaled))


def paired_ratios(
    ours: Callable[[], object], theirs: Callable[[], object], repeats: int = 7
) -> tuple[np.ndarray, np.ndarray]:
    """Runs both in turn, after one warm-up each.

    Returns:
      The ratios theirs / ours, pair by pair `[repeats]`, and the seconds `[repeats, 2]` (ours, theirs).
    """
    ours()
    theirs()
    seconds = np.zeros([repeats, 2])
    for row in seconds:
        for column, function in enumerate((ours, theirs)):
            start = time.perf_counter()
            function()
            row[column] = time.perf_counter() - start
    return seconds[:, 1] / seconds[:, 0], seconds


def quote(ratios: np.ndarray) -> str:
    """Median and spread of ratios, for a table."""
    return f"{np.median(ratios):.2f}× ({ratios.min():.2f}–{ratios.max():.2f})"

"""Wafer maps with failure patterns, planted or real, and the CNN of Table B.5 (section 6.5)."""

from __future__ import annotations

import os

import numpy as np

from tf_ig2.contrasts import strategies
from tf_ig2.metrics.predict import Predictor
from tf_ig2.models.model_view import ModelView
from tf_ig2.paper import saved_models
from tf_ig2.paper.datasets import planted_wafers, wm811k
from tf_ig2.paper.experiments.task import Task

LAYER = "flatten"
"""Where the convolutions end. The paper represents wafers by fc1, the layer after it."""

_NORMAL = wm811k.CLASSES.index("none")
_NOTE = (
    "the CNN of Table B.5, references: pattern-free wafers. Removed dies become passing ones in the curves. IG² "
    "represents wafers by what the convolutions give to the dense layers."
)


def planted(
    samples: int = 120,
    half: str = "report",
    references: int = 8,
    seed: int = 0,
    source: str | os.PathLike[str] | None = None,
    layer: str = LAYER,
) -> Task:
    """Pattern-free wafers on which patterns were planted; the ground truth is the dies that were changed.

    Wafers whose planted pattern the network does not recognise are left out: what it did not see it cannot explain.

    Args:
      samples: how many wafers are planted; fewer remain.
      half: "report" for test wafers, "study" for training wafers.
      references: R, pattern-free training wafers for each.
      seed: of planting and of the choice of references.
      source: see `wm811k.load`.
      layer: the representation layer.

    Returns:
      The task.

    Raises:
      MissingDataError, CorruptDataError: see `wm811k.load`.
    """
    wafers = planted_wafers.load(samples, _split(half), seed, source)
    names = tuple(f"planted {i} {wm811k.CLASSES[label]}" for i, label in enumerate(wafers.labels))
    return _task("Wafers (planted)", wafers.maps, wafers.labels, names, wafers.masks, references, seed, source, layer)


def real(
    samples: int = 120,
    half: str = "report",
    references: int = 8,
    seed: int = 0,
    source: str | os.PathLike[str] | None = None,
    layer: str = LAYER,
) -> Task:
    """Real wafers with patterns that the network recognises, as many of each; there is no ground truth.

    Args, returns, raises: as for `planted`.
    """
    wafers = wm811k.load(_split(half), source)
    rng = np.random.default_rng(seed)
    patterns = [label for label in range(len(wm811k.CLASSES)) if label != _NORMAL]
    each = -(-samples // len(patterns))
    rows = np.concatenate([rng.permutation(np.flatnonzero(wafers.labels == label))[:each] for label in patterns])
    names = tuple(f"wafer {row} {wm811k.CLASSES[wafers.labels[row]]}" for row in rows)
    return _task("Wafers (real)", wafers.maps[rows], wafers.labels[rows], names, None, references, seed, source, layer)


def _split(half: str) -> str:
    if half not in ("report", "study"):
        raise ValueError(f'Unknown `half`: {half!r}. Choose "report" or "study".')
    return "test" if half == "report" else "train"


def _task(
    name: str,
    maps: np.ndarray,
    labels: np.ndarray,
    names: tuple[str, ...],
    masks: np.ndarray | None,
    references: int,
    seed: int,
    source: str | os.PathLike[str] | None,
    layer: str,
) -> Task:
    view = ModelView(saved_models.load("wafer_cnn"), layer=layer, pool=None)
    x = wm811k.one_hot(maps)
    recognised = np.flatnonzero(Predictor(view)(x).argmax(axis=1) == labels)
    training = wm811k.load("train", source)
    chosen = strategies.of_class(training.labels, _NORMAL, len(maps), count=references, seed=seed)
    healthy = wm811k.one_hot(np.where(maps == wm811k.FAIL, wm811k.PASS, maps))
    return Task(
        name=name,
        view=view,
        inputs=x[recognised],
        names=tuple(names[row] for row in recognised),
        target=labels[recognised].astype(np.int32),
        references=wm811k.one_hot(training.maps[chosen[recognised]]),
        value_range=(0.0, 1.0),
        points=x[recognised],
        background=healthy[recognised],
        masks=None if masks is None else masks[recognised],
        options={
            "XRAI": {"min_size": 10, "dilation": 1, "min_new_pixels": 4},
            "KernelSHAP": {"superpixels": 100, "samples": 400},
            # Steps of 2 % of the diagonal; chosen on the study half, as the layer is: docs/results/study.md.
            "IG²": {"steps": 8, "step_size": 0.02 * x[0].size ** 0.5},
        },
        notes=(f"{name}: {len(recognised)} maps of WM-811K (of {len(maps)}, those recognised), {_NOTE}",),
    )

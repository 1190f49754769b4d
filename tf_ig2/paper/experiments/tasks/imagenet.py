"""ImageNet photographs with object masks, and MobileNetV2 (section 6.3; the paper has Inception-v3)."""

from __future__ import annotations

import os

import numpy as np

from tf_ig2.contrasts import strategies
from tf_ig2.metrics.predict import Predictor
from tf_ig2.models.model_view import ModelView
from tf_ig2.paper.datasets import imagenet
from tf_ig2.paper.experiments.task import Task
from tf_ig2.paper.zoo.imagenet import mobilenet_v1, mobilenet_v2, squeezenet
from tf_ig2.paths.normalizers import SparseL1

HALVES = ("all", "study", "report")
"""The photographs are parted once, at random, into a half to choose settings on and a half to report."""

NETWORKS = {"MobileNetV2": mobilenet_v2, "MobileNetV1": mobilenet_v1, "SqueezeNet": squeezenet}

_SPLIT_SEED = 2024


def load(
    samples: int | None = None,
    half: str = "all",
    references: int = 4,
    seed: int = 0,
    source: str | os.PathLike[str] | None = None,
    layer: str | None = None,
    network: str = "MobileNetV2",
    pool: str | None = None,
) -> Task:
    """The masked photographs, each with references of random other classes.

    Args:
      samples: how many; None: all.
      half: "all", "study" or "report".
      references: R, per explicand, each of another class.
      seed: of the choice of references.
      source: see `tf_ig2.paper.datasets.imagenet.load`.
      layer: the representation layer; None: the penultimate one.
      network: one of `NETWORKS`.
      pool: see `ModelView`.

    Returns:
      The task.

    Raises:
      MissingDataError, CorruptDataError: see `tf_ig2.paper.datasets.imagenet.load`.
      ValueError: unknown half, or more samples or references than there are.
    """
    if half not in HALVES:
        raise ValueError(f"Unknown `half`: {half!r}. Choose one of {HALVES}.")
    view = ModelView(NETWORKS[network](), layer=layer, pool=pool)
    height, width = view.inputs_spec.shape[1:3]
    photographs = imagenet.load(height, width, source=source)
    outputs = Predictor(view, batch_size=16)(photographs.x)
    target = outputs.argmax(axis=1).astype(np.int32)
    masked = np.flatnonzero(photographs.masks.any(axis=(1, 2)))
    rows, studied = _rows(masked, half), _rows(masked, "study")
    if samples is not None and samples > len(rows):
        raise ValueError(f"{samples} samples are wanted; {half!r} has {len(rows)} masked photographs.")
    rows = rows[:samples]
    # By predicted class, so that no photograph is its own reference where the network errs.
    chosen = strategies.uniform(target, target, classes=references, seed=seed)
    return Task(
        name="ImageNet",
        view=view,
        inputs=photographs.x[rows],
        names=tuple(photographs.names[row] for row in rows),
        target=target[rows],
        references=photographs.x[chosen[rows]],
        value_range=(0.0, 255.0),
        points=photographs.x[rows],
        masks=photographs.masks[rows],
        options={
            "KernelSHAP": {"superpixels": 100, "samples": 400},
            # Chosen on the study half: docs/results/study.md.
            "IG²": {"steps": 8, "step_size": "range", "rule": "counterfactual", "norm": SparseL1(90)},
        },
        studied=frozenset(photographs.names[row] for row in np.intersect1d(rows, studied)),
        notes=(
            f"ImageNet photographs with object masks, {network} at {height} × {width}; {references} references of "
            "random other classes, the same for all methods.",
        ),
    )


def _rows(masked: np.ndarray, half: str) -> np.ndarray:
    if half == "all":
        return masked
    order = np.random.default_rng(_SPLIT_SEED).permutation(masked)
    middle = len(masked) // 2
    return np.sort(order[:middle] if half == "study" else order[middle:])

"""MNIST's digits, explained against another digit (Fig. 4b and Fig. 6; the paper has no table of them)."""

from __future__ import annotations

import os

import numpy as np

from tf_ig2.contrasts import strategies
from tf_ig2.metrics.predict import Predictor
from tf_ig2.models.model_view import ModelView
from tf_ig2.paper import saved_models
from tf_ig2.paper.datasets import mnist
from tf_ig2.paper.experiments.task import Task


def load(
    samples: int | None = 100,
    digit: int | None = None,
    contrast: int | None = None,
    references: int = 8,
    seed: int = 0,
    source: str | os.PathLike[str] | None = None,
) -> Task:
    """Test digits that the network recognises, with training digits of one other class each as references.

    Args:
      samples: how many, drawn at random; None: all.
      digit: explain only this one; None: all ten.
      contrast: the references' digit; None: for each explicand one of the nine others, drawn at random.
      references: R.
      seed: of all draws.
      source: folder of `mnist_60k_train.npz` and `mnist_10k.npz`, or "tfds"; None: see `tf_ig2.datasets.mnist.load`.

    Returns:
      The task.

    Raises:
      MissingDataError, CorruptDataError: see `tf_ig2.datasets.mnist.load`.
      ValueError: a class against itself.
    """
    if digit is not None and digit == contrast:
        raise ValueError(f"`contrast` must be another digit than the explained one, not {contrast!r}.")
    view = ModelView(saved_models.load("mnist_cnn"))
    (x, y), (known, labels) = (mnist.load(split, _file(source, split)) for split in ("test", "train"))
    order = np.random.default_rng(seed).permutation(np.flatnonzero(y == digit) if digit is not None else len(y))
    recognised = Predictor(view, batch_size=512)(x[order]).argmax(axis=1) == y[order]
    rows = order[recognised][:samples]
    target = y[rows].astype(np.int32)
    if contrast is None:
        chosen = strategies.uniform(labels, target, classes=1, per_class=references, seed=seed)
    else:
        chosen = strategies.of_class(labels, contrast, len(rows), count=references, seed=seed)
    inputs = x[rows].astype(np.float32)
    return Task(
        name="MNIST",
        view=view,
        inputs=inputs,
        names=tuple(f"{row}: {y[row]}" for row in rows),
        target=target,
        references=known[chosen].astype(np.float32),
        value_range=(0.0, 255.0),
        points=inputs,
        background=0.0,
        notes=(
            f"MNIST: {len(rows)} test digits that the network `mnist_cnn` recognises; {references} training digits of "
            f"{'one other class, drawn for each explicand,' if contrast is None else f'the digit {contrast}'} as "
            "references.",
        ),
    )


def _file(source: str | os.PathLike[str] | None, split: str) -> str | os.PathLike[str] | None:
    if source is None or source == "tfds":
        return source
    return os.path.join(source, "mnist_60k_train.npz" if split == "train" else "mnist_10k.npz")

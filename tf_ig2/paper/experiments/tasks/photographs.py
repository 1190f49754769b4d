"""A folder of photographs, one's own or the 400 without masks, block by block: references fit into memory then."""

from __future__ import annotations

import os
from dataclasses import dataclass

import numpy as np

from tf_ig2 import images
from tf_ig2.contrasts import strategies
from tf_ig2.metrics.predict import Predictor
from tf_ig2.models.model_view import ModelView
from tf_ig2.paper.datasets import folder
from tf_ig2.paper.experiments.task import Task

_HOW_TO_GET = "It holds photographs (JPEG, PNG …), or a folder `images` of them; labels are not needed."


@dataclass(frozen=True)
class Photographs:
    """Photographs as a network sees them, in the order in which they are taken.

    Attributes:
      view: the network.
      inputs: float32 `[M, H, W, 3]` in 0 … 255.
      names: of the files.
      probabilities: float `[M, C]`.
      chosen: int `[M, R]`, the references of each.
    """

    view: ModelView
    inputs: np.ndarray
    names: tuple[str, ...]
    probabilities: np.ndarray
    chosen: np.ndarray

    def __len__(self) -> int:
        return len(self.names)

    @property
    def target(self) -> np.ndarray:
        """int32 `[M]`, the predicted classes."""
        return self.probabilities.argmax(axis=1).astype(np.int32)

    def task(self, rows: np.ndarray) -> Task:
        """Some of them, with their references."""
        return Task(
            name="photographs",
            view=self.view,
            inputs=self.inputs[rows],
            names=tuple(self.names[row] for row in rows),
            target=self.target[rows],
            references=self.inputs[self.chosen[rows]],
            value_range=(0.0, 255.0),
            points=self.inputs[rows],
        )


def load(
    view: ModelView,
    source: str | os.PathLike[str] | None = None,
    references: int = 4,
    seed: int = 0,
) -> Photographs:
    """Loads a folder of photographs.

    Args:
      view: the network; it takes RGB in 0 … 255.
      source: the folder; None: the folder `photographs` in TF_IG2_DATA_DIR.
      references: R, photographs of random other predicted classes for each.
      seed: of the order and of the choice of references.

    Returns:
      The photographs, in an order that the seed draws.

    Raises:
      MissingDataError: there is no such folder, or no photograph in it.
      CorruptDataError: one cannot be read.
      ValueError: too few predicted classes for the references.
    """
    home = folder.find("photographs", _HOW_TO_GET, source)
    home = home / "images" if (home / "images").is_dir() else home
    height, width = view.inputs_spec.shape[1:3]
    try:
        files = images.find([home])
    except ValueError as error:
        raise folder.MissingDataError(f"{error} {_HOW_TO_GET}") from error
    try:
        x = np.stack([images.read(path, height, width, 3) for path in files])
    except ValueError as error:
        raise folder.CorruptDataError(str(error)) from error
    order = np.random.default_rng(seed).permutation(len(files))
    x = x[order]
    probabilities = Predictor(view, batch_size=16, activation="softmax")(x)
    target = probabilities.argmax(axis=1)
    chosen = strategies.uniform(target, target, classes=references, seed=seed)
    return Photographs(view, x, tuple(files[row].name for row in order), probabilities, chosen)

"""WM-811K: wafer maps from production, labelled with nine failure patterns (section 6.5).

Reference: Wu, Jang & Chen, Wafer Map Failure Pattern Recognition and Similarity Ranking for Large-Scale Data Sets,
IEEE Transactions on Semiconductor Manufacturing 28(1), 2015.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tf_ig2 import files
from tf_ig2.paper.datasets import folder, wm811k_pickle
from tf_ig2.paper.datasets.wm811k_maps import CLASSES, FAIL, NO_DIE, PASS, SIZE, check, one_hot, resize

__all__ = ["CLASSES", "FAIL", "NO_DIE", "PASS", "SIZE", "Wafers", "load", "one_hot", "resize", "save"]

_SPLITS = ("train", "test")
_HOW_TO_GET = (
    "A compact file is made with `save` from the public LSWMD.pkl (http://mirlab.org/dataSet/public, or Kaggle "
    "qingyi/wm811k-wafer-map): pass that file as `source`."
)


@dataclass(frozen=True)
class Wafers:
    """Wafer maps with their pattern.

    Attributes:
      maps: uint8 array `[N, 56, 56]`: 0 no die, 1 passing die, 2 failing die.
      labels: int64 array `[N]`, indices into `CLASSES`.
    """

    maps: np.ndarray
    labels: np.ndarray

    def __len__(self) -> int:
        return len(self.maps)


def load(split: str = "test", source: str | os.PathLike[str] | None = None) -> Wafers:
    """Loads labelled wafer maps.

    Args:
      split: "train" or "test".
      source: a compact `.npz` file, or the public LSWMD.pkl (read without executing anything; needs minutes, and
        about 4 GB of memory); None: wafer/wafer_subset.npz in TF_IG2_DATA_DIR.

    Returns:
      The maps, resized to 56 × 56 by nearest neighbour where they had another size.

    Raises:
      MissingDataError: there is no such file.
      CorruptDataError: the file is damaged, or holds something else.
      UnsafePickleError: the pickle asks for something that has no place in wafer maps.
      ValueError: unknown split.

    Example:
      >>> load("test").maps.shape  # doctest: +SKIP
      (1514, 56, 56)
    """
    folder.choice("split", split, _SPLITS)
    path = folder.find("wafer/wafer_subset.npz", _HOW_TO_GET, source)
    if path.suffix == ".npz":
        return _from_npz(path, split)
    rows = [wafer for wafer in wm811k_pickle.read(path) if wafer.split == split]
    return Wafers(
        np.stack([resize(wafer.map) for wafer in rows]) if rows else np.zeros([0, SIZE, SIZE], np.uint8),
        np.array([CLASSES.index(wafer.label) for wafer in rows], np.int64),
    )


def save(path: str | os.PathLike[str], train: Wafers, test: Wafers) -> None:
    """Writes both splits to a compact `.npz` file that `load` reads.

    Args:
      path: where to; the file is there whole, or not at all.
      train, test: the splits.
    """
    with files.whole(path) as file:
        np.savez_compressed(
            file,
            maps=np.concatenate([train.maps, test.maps]),
            labels=np.array(CLASSES)[np.concatenate([train.labels, test.labels])],
            split=np.repeat(_SPLITS, [len(train), len(test)]),
        )


def _from_npz(path: Path, split: str) -> Wafers:
    maps, labels, splits = folder.read_npz(path, "maps", "labels", "split")
    if maps.ndim != 3 or maps.shape[1:] != (SIZE, SIZE) or not len(maps) == len(labels) == len(splits):
        raise folder.CorruptDataError(
            f"{str(path)!r} holds maps {maps.shape}, labels {labels.shape} and split {splits.shape}, "
            f"not [N, {SIZE}, {SIZE}], [N] and [N]."
        )
    unknown = sorted(set(labels.tolist()) - set(CLASSES))
    if unknown:
        raise folder.CorruptDataError(f"{str(path)!r} holds unknown labels: {unknown[:5]}.")
    chosen = splits == split
    try:
        check(maps)
    except ValueError as error:
        raise folder.CorruptDataError(f"{str(path)!r}: {error}") from error
    lookup = {name: index for index, name in enumerate(CLASSES)}
    return Wafers(maps[chosen], np.array([lookup[name] for name in labels[chosen].tolist()], np.int64))

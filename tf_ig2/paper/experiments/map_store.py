"""Maps on disk: an explanation is computed once and scored often, by several experiments and on several days."""

from __future__ import annotations

import hashlib
import json
import os
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from tf_ig2 import files, fingerprint, npz
from tf_ig2._version import __version__
from tf_ig2.models.model_view import ModelView
from tf_ig2.paper.experiments.task import Task

Maps = Callable[[Task], np.ndarray]
"""From a task, or a batch of it, to one number for each feature, float `[N, *features]`."""


class Mapped(NamedTuple):
    """A method that makes maps, and what they depend on beside the task.

    Attributes:
      maps: see `Maps`.
      settings: of the method, as JSON has them.
    """

    maps: Maps
    settings: Mapping[str, Any]


class MapStore:
    """A folder of maps, one file for each, written whole, so that a killed run leaves none that is damaged.

    What a file is named by: weights of the network, explicand, its references and target, settings of the method, and
    the version of the package. Whoever changes what a method computes without a new version empties the folder.

    Args:
      folder: where they are; None: nothing is kept.

    Example:
      >>> import tempfile
      >>> store = MapStore(tempfile.mkdtemp())
      >>> store.put("ab12", np.ones([2, 3], np.float32))
      >>> store.get("ab12").shape, store.get("cd34")
      ((2, 3), None)
    """

    def __init__(self, folder: str | os.PathLike[str] | None):
        self.folder = None if folder is None else Path(folder)

    def get(self, key: str) -> np.ndarray | None:
        """A map, or None where there is none; a damaged file is said, and there is none."""
        path = self._path(key)
        if path is None or not path.exists():
            return None
        try:
            return npz.read(path)["map"]
        except (OSError, ValueError, KeyError) as error:
            warnings.warn(f"{str(path)!r} holds no map and is computed again: {error}", stacklevel=2)
            return None

    def put(self, key: str, values: np.ndarray) -> None:
        """Keeps a map.

        Raises:
          OSError: it cannot be written; what was there before is still good.
        """
        path = self._path(key)
        if path is None:
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        with files.whole(path) as file:
            np.savez(file, map=values)

    def _path(self, key: str) -> Path | None:
        return None if self.folder is None else self.folder / key[:2] / f"{key}.npz"


def network_fingerprint(view: ModelView) -> str:
    """Of the weights, and of where the representation is."""
    weights = () if view.model is None else view.model.get_weights()
    return f"{fingerprint.of_arrays(weights)} {view.layer} {view.pool}"


def kept(mapped: Mapped, store: MapStore, network: str) -> Maps:
    """The same maps in float32, from the store where it has them; what it lacks is computed together and put there.

    Args:
      mapped: the method.
      store: where maps are kept.
      network: see `network_fingerprint`.
    """

    def maps(part: Task) -> np.ndarray:
        keys = [_key(mapped, network, part, row) for row in range(len(part))]
        found = [store.get(key) for key in keys]
        lacking = np.array([row for row, one in enumerate(found) if one is None], np.int64)
        if len(lacking):
            made = np.asarray(mapped.maps(part.take(lacking)), np.float32)
            for row, one in zip(lacking, made, strict=True):
                store.put(keys[row], one)
                found[row] = one
        return np.stack([one for one in found if one is not None])

    return maps


def _key(mapped: Mapped, network: str, part: Task, row: int) -> str:
    about = {"network": network, "target": int(part.target[row]), "settings": mapped.settings, "tf_ig2": __version__}
    digest = hashlib.sha256(json.dumps(about, sort_keys=True).encode())
    digest.update(fingerprint.of_arrays([part.inputs[row], part.references[row]]).encode())
    return digest.hexdigest()

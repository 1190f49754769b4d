"""What a recipe gives back, and how it is put on disk."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import keras

from tf_ig2 import files


@dataclass(frozen=True)
class Trained:
    """A trained network.

    Attributes:
      model: the network.
      report: what was measured, ready for JSON: at least `test_samples`, `parameters`, and a score on the test split.
      beside: files that the network needs, by their ending: functions that write to the path they are given.
    """

    model: keras.Model
    report: dict[str, Any]
    beside: dict[str, Callable[[Path], None]] = field(default_factory=dict)

    def save(self, out: str | os.PathLike[str]) -> list[Path]:
        """Writes `<name>.keras` without the optimizer's state, `<name>.json` with the report, and what lies beside.

        Args:
          out: a folder; made if it does not exist.

        Returns:
          The files written; each is there whole, or not at all.
        """
        folder = Path(out)
        folder.mkdir(parents=True, exist_ok=True)
        bare = self.model.__class__.from_config(self.model.get_config())
        bare.set_weights(self.model.get_weights())
        text = json.dumps(self.report, indent=2, ensure_ascii=False) + "\n"
        writers: dict[str, Callable[[Path], Any]] = {
            ".keras": bare.save,
            ".json": lambda path: path.write_text(text, encoding="utf-8"),
            **self.beside,
        }
        return [_whole(folder / f"{self.model.name}{ending}", write) for ending, write in writers.items()]


def _whole(path: Path, write: Callable[[Path], Any]) -> Path:
    with files.whole(path) as file, tempfile.TemporaryDirectory() as folder:
        elsewhere = Path(folder, path.name)  # Keras wants a path with its ending, and not an open file
        write(elsewhere)
        file.write(elsewhere.read_bytes())
    return path

"""Where data lie when there is no network: one folder, named by the environment variable TF_IG2_DATA_DIR."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from tf_ig2 import npz

VARIABLE = "TF_IG2_DATA_DIR"


class MissingDataError(FileNotFoundError):
    """Data are not where they were looked for; the message says what is missing and how to get it."""


class CorruptDataError(ValueError):
    """A data file was found and does not hold what it should."""


def find(
    relative: str, how_to_get: str, source: str | os.PathLike[str] | None = None, argument: str = "source"
) -> Path:
    """Finds a file or folder of data.

    Args:
      relative: its place in the folder of data, for example `"trec/TREC_test.txt"`.
      how_to_get: a sentence for the message when it is missing.
      source: the file or folder itself; None: looked for in the folder that TF_IG2_DATA_DIR names.
      argument: what `source` is called where the user passes it, for the message.

    Returns:
      The path; it exists.

    Raises:
      MissingDataError: it does not exist, or TF_IG2_DATA_DIR is needed and not set.

    Example:
      >>> find("trec/TREC_test.txt", "It comes with tfds.load('trec').")  # doctest: +SKIP
      PosixPath('/data/trec/TREC_test.txt')
    """
    if source is not None:
        path = Path(source)
        if not path.exists():
            raise MissingDataError(f"There is no {str(path)!r}. {how_to_get}")
        return path
    folder = os.environ.get(VARIABLE)
    if not folder:
        raise MissingDataError(
            f"No place to look for {relative!r}: set the environment variable {VARIABLE} to the folder of data, or "
            f"pass `{argument}`. {how_to_get}"
        )
    path = Path(folder) / relative
    if not path.exists():
        raise MissingDataError(f"{VARIABLE} is {folder!r}, and there is no {relative!r} in it. {how_to_get}")
    return path


def read_npz(path: Path, *names: str) -> list[np.ndarray]:
    """Reads arrays from an `.npz` file; pickles inside it are not opened.

    Args:
      path: the file.
      *names: of the arrays.

    Returns:
      The arrays, in the order of their names.

    Raises:
      CorruptDataError: the file is no `.npz` file, is damaged, or lacks an array.
    """
    try:
        arrays = npz.read(path)
        return [arrays[name] for name in names]
    except (OSError, ValueError, KeyError) as error:
        raise CorruptDataError(
            f"{str(path)!r} is damaged, or no .npz file with the arrays {list(names)}: {error}"
        ) from error


def choice(name: str, value: str, allowed: tuple[str, ...]) -> str:
    """Checks an argument that is one of a few words.

    Raises:
      ValueError: it is not.
    """
    if value not in allowed:
        raise ValueError(f"Unknown {name}: {value!r}. Choose one of {allowed}.")
    return value

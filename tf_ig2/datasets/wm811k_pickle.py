"""Reads the public LSWMD.pkl without executing anything that it asks for.

The file is a pickled pandas data frame from the days of Python 2. A pickle may name any function and have it called, so
it is opened with an unpickler that knows NumPy arrays and nothing else: whatever it asks of pandas becomes an inert
record of what was asked, and anything other is refused. pandas itself is not needed, and the reading does not depend
on its version.
"""

from __future__ import annotations

import os
import pickle
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tf_ig2.datasets.folder import CorruptDataError
from tf_ig2.datasets.wm811k import CLASSES, FAIL

_COLUMNS = ("waferMap", "failureType", "trianTestLabel", "lotName", "waferIndex")  # the typing error is the file's
_SPLITS = {"Training": "train", "Test": "test"}


class UnsafePickleError(CorruptDataError):
    """A pickle asks for a function or class that has no place in an array of wafer maps; it was not called."""


@dataclass(frozen=True)
class Wafer:
    """One labelled wafer.

    Attributes:
      map: uint8 array `[rows, columns]`: 0 no die, 1 passing die, 2 failing die.
      label: one of `wm811k.CLASSES`.
      split: "train" or "test", as the file has it.
      lot: name of its lot.
      number: of the wafer within its lot.
      row: its row in the file.
    """

    map: np.ndarray
    label: str
    split: str
    lot: str
    number: int
    row: int


def read(path: str | os.PathLike[str]) -> Iterator[Wafer]:
    """Reads the labelled wafers of LSWMD.pkl, one after the other.

    Args:
      path: the file.

    Returns:
      Its wafers that have a label and a split, 172,950 of 811,457.

    Raises:
      UnsafePickleError: the pickle asks for code; nothing of it was run.
      CorruptDataError: the file is truncated, is no pickle, or holds no table of wafer maps.
    """
    columns = _columns(load_table(path), path)
    for row, (wafer_map, label, split) in enumerate(
        zip(columns["waferMap"], columns["failureType"], columns["trianTestLabel"], strict=True)
    ):
        name, part = _word(label), _SPLITS.get(_word(split))
        if name not in CLASSES or part is None:
            continue
        dies = np.asarray(wafer_map)
        if dies.ndim != 2 or not dies.size or dies.dtype.kind not in "iu" or dies.min() < 0 or dies.max() > FAIL:
            raise CorruptDataError(f"{str(path)!r}, row {row}: a wafer map of {dies.dtype} {dies.shape} is not one.")
        number = int(float(columns["waferIndex"][row]))
        yield Wafer(dies.astype(np.uint8), name, part, _word(columns["lotName"][row]), number, row)


def load_table(path: str | os.PathLike[str]) -> dict[str, np.ndarray]:
    """Reads a pickled data frame as plain columns.

    Args:
      path: the file.

    Returns:
      Its columns by name, arrays `[rows]`.

    Raises:
      UnsafePickleError, CorruptDataError: as for `read`.
    """
    try:
        with open(path, "rb") as file:
            frame = _Unpickler(file, encoding="latin1").load()
    except UnsafePickleError:
        raise
    except OSError:
        raise
    except Exception as error:  # a damaged pickle can raise nearly anything
        raise CorruptDataError(f"{str(path)!r} cannot be read as a pickle: {error}") from error
    try:
        return _table(frame)
    except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
        raise CorruptDataError(f"{str(path)!r} holds no pandas data frame that is understood: {error}") from error


class _Inert:
    """Stands for an object of pandas: remembers what it was made of, and does nothing."""

    name = ""

    def __new__(cls, *args: Any, **kwargs: Any) -> _Inert:
        self = object.__new__(cls)
        self.args, self.state = args, None
        return self

    def __init__(self, *args: Any, **kwargs: Any):
        pass

    def __setstate__(self, state: Any) -> None:
        self.state = state

    args: tuple[Any, ...]
    state: Any


class _Bytes(_Inert):
    """`_codecs.encode`, with which Python 3 writes bytes into old pickles, latin-1 only; or `bytes` for empty ones."""

    def __new__(cls, text: str = "", encoding: str = "latin1") -> Any:
        if encoding not in ("latin1", "latin-1"):
            raise UnsafePickleError(f"The pickle asks for the codec {encoding!r}.")
        return str(text).encode("latin1")


class _Reconstructed(_Inert):
    """`copyreg._reconstructor`: an object of the inert class that it names."""

    def __new__(cls, kind: Any, *rest: Any) -> Any:
        if not (isinstance(kind, type) and issubclass(kind, _Inert)):
            raise UnsafePickleError(f"The pickle asks for an object of {kind!r}.")
        return kind()


_NUMPY = {
    "_reconstruct": np.empty(0).__reduce__()[0],
    "scalar": np.float64(0).__reduce__()[0],
    "ndarray": np.ndarray,
    "dtype": np.dtype,
}
_NUMERIC = ("numpy.core.numeric", "numpy._core.numeric")
_ALLOWED: dict[tuple[str, str], Any] = {
    **{
        (module, name): _NUMPY[name]
        for module in ("numpy.core.multiarray", "numpy._core.multiarray", "numpy")
        for name in _NUMPY
    },
    **{(module, "_frombuffer"): np.empty(1).__reduce_ex__(5)[0] for module in _NUMERIC},
    ("_codecs", "encode"): _Bytes,
    ("__builtin__", "bytes"): _Bytes,
    ("builtins", "bytes"): _Bytes,
    ("copy_reg", "_reconstructor"): _Reconstructed,
    ("copyreg", "_reconstructor"): _Reconstructed,
    ("__builtin__", "object"): _Inert,
    ("builtins", "object"): _Inert,
    ("__builtin__", "slice"): slice,
    ("builtins", "slice"): slice,
}


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) in _ALLOWED:
            return _ALLOWED[module, name]
        if module.split(".")[0] == "pandas" and "." not in name:
            return type(name, (_Inert,), {"name": name, "__module__": __name__})
        raise UnsafePickleError(
            f"The pickle asks for {module}.{name}, which has no place in a table of wafer maps: nothing of it was run. "
            "Get the file from its source again."
        )

    def persistent_load(self, pid: Any) -> Any:
        raise UnsafePickleError(f"The pickle asks for the persistent object {pid!r}.")


def _table(frame: Any) -> dict[str, np.ndarray]:
    state = frame.state
    manager = state.get("_data", state.get("_mgr")) if isinstance(state, dict) else frame
    axes, blocks = _blocks(manager)
    names, rows = _labels(axes[0]), len(_labels(axes[1]))
    columns: dict[str, np.ndarray] = {}
    for values, places in blocks:
        values = np.atleast_2d(values)
        for place, column in zip(_places(places), values, strict=True):
            if column.shape != (rows,):
                raise ValueError(f"column {names[place]!r} has shape {column.shape}, and the table {rows} rows")
            columns[str(names[place])] = column
    return columns


def _blocks(manager: Any) -> tuple[list[Any], list[tuple[np.ndarray, Any]]]:
    """Axes and blocks, as pandas since 0.14 lays them out in old files, or since 1.1 in newer ones."""
    parts = manager.state
    if isinstance(parts, tuple) and len(parts) == 4:
        layout = parts[3]["0.14.1"]
        return list(layout["axes"]), [(block["values"], block["mgr_locs"]) for block in layout["blocks"]]
    if isinstance(parts, tuple) and len(parts) == 3:  # before 0.14
        return list(parts[0]), [
            (values, [_labels(parts[0][0]).index(name) for name in _labels(items)])
            for values, items in zip(parts[1], parts[2], strict=True)
        ]
    blocks, axes = manager.args[:2]
    return list(axes), [(block.args[0], block.args[1]) for block in blocks]


def _labels(index: Any) -> list[Any]:
    """The labels of a pickled pandas index."""
    if index.name == "_new_Index":
        data = index.args[1]
        if "data" not in data:  # a RangeIndex
            return list(range(data["start"], data["stop"], data["step"]))
        return list(np.asarray(data["data"]))
    if isinstance(index.state, tuple):  # before 0.15: an array with a name
        return list(np.asarray(index.state[0]))
    return list(np.asarray(index.args[0]))


def _places(places: Any) -> list[int]:
    if isinstance(places, _Inert):  # a BlockPlacement
        places = places.args[0]
    if isinstance(places, slice):
        return list(range(places.start, places.stop, places.step or 1))
    return [int(place) for place in places]


def _columns(table: dict[str, np.ndarray], path: str | os.PathLike[str]) -> dict[str, np.ndarray]:
    missing = [name for name in _COLUMNS if name not in table]
    if missing:
        raise CorruptDataError(f"{str(Path(path))!r} has the columns {sorted(table)}; {missing} are missing.")
    return {name: table[name] for name in _COLUMNS}


def _word(value: Any) -> str:
    """The file wraps its words in arrays, [['Center']]; an empty array is no word."""
    flat = np.asarray(value, dtype=object).ravel()
    if flat.size != 1:
        return ""
    word = flat[0]
    return word.decode("latin1") if isinstance(word, bytes) else str(word)

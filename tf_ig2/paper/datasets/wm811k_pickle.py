"""Reads the public LSWMD.pkl without executing anything that it asks for.

The file is a pickled pandas data frame from the days of Python 2. A pickle may name any function and have it called, so
it is read by `inert_pickle`, which hands it inert stand-ins only: they record what pandas and NumPy would have been
asked, and the arrays are made from these records afterwards, by us, after a look at them. Anything else is refused. Not
even NumPy's own functions are within reach: fed with a forged dtype they read and write memory. pandas is not needed.
What all of it may cost is bounded by the size of the file.
"""

from __future__ import annotations

import mmap
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tf_ig2.paper.datasets.folder import CorruptDataError
from tf_ig2.paper.datasets.inert_pickle import Budget, Reader
from tf_ig2.paper.datasets.wm811k_maps import CLASSES, FAIL

_COLUMNS = ("waferMap", "failureType", "trianTestLabel", "lotName", "waferIndex")  # the typing error is the file's
_SPLITS = {"Training": "train", "Test": "test"}
_MOST_AXES = 8


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
      CorruptDataError: the file is truncated, is no pickle, holds no table of wafer maps, or costs more memory or time
        to read than a file of its size should.
    """
    columns = _columns(load_table(path), path)
    budget = Budget.of_size(os.path.getsize(path))
    for row, (wafer_map, label, split) in enumerate(
        zip(columns["waferMap"], columns["failureType"], columns["trianTestLabel"], strict=True)
    ):
        name, part = _word(label), _SPLITS.get(_word(split))
        if name not in CLASSES or part is None:
            continue
        try:
            dies = _map(wafer_map)
            budget.take_bytes(dies.nbytes)
            number = _whole(columns["waferIndex"][row])
        except ValueError as error:
            raise CorruptDataError(f"{str(path)!r}, row {row}: {error}.") from error
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
    size = os.path.getsize(path)
    budget = Budget.of_size(size)
    try:
        with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            frame = parse(data, budget)
    except (UnsafePickleError, OSError):
        raise
    except Exception as error:  # a damaged pickle can raise nearly anything
        raise CorruptDataError(f"{str(path)!r} cannot be read as a pickle: {error}") from error
    try:
        return _table(frame, budget)
    except Exception as error:  # and so can what it describes
        raise CorruptDataError(f"{str(path)!r} holds no pandas data frame that is understood: {error}") from error


def parse(data: Any, budget: Budget) -> Any:
    """What a pickle describes, in plain values and inert stand-ins.

    Args:
      data: bytes or a `mmap`.
      budget: what it may cost.

    Raises:
      UnsafePickleError: it asks for code.
    """
    return Reader(data, _find_class, _instance, _build, budget).load()


class _Inert:
    """Stands for an object of pandas: remembers what it was made of, and does nothing."""

    name = ""

    def __new__(cls, *args: Any, **kwargs: Any) -> _Inert:
        self = object.__new__(cls)
        self.args, self.state = args, None
        return self

    def __init__(self, *args: Any, **kwargs: Any):
        pass

    args: tuple[Any, ...]
    state: Any


class _Bytes(_Inert):
    """`_codecs.encode`, with which Python 3 writes bytes into old pickles, latin-1 only; or `bytes` for empty ones."""

    def __new__(cls, text: str = "", encoding: str = "latin1") -> Any:
        if encoding not in ("latin1", "latin-1") or not isinstance(text, str):
            raise UnsafePickleError("The pickle asks for another codec than latin-1, or for bytes of something else.")
        return text.encode("latin1")


class _Object(_Inert):
    """`copyreg._reconstructor`: an object of the class that it names, if that is a stand-in too."""

    def __new__(cls, kind: Any, *rest: Any) -> Any:
        if not (isinstance(kind, type) and issubclass(kind, _Inert)):
            raise UnsafePickleError("The pickle asks for an object of a class that is none of pandas.")
        return _Inert.__new__(kind)


class _DType(_Inert):
    """`numpy.dtype`."""

    def real(self) -> np.dtype:
        code = self.args[0].decode("latin1") if isinstance(self.args[0], bytes) else self.args[0]
        if not isinstance(code, str) or not re.fullmatch(r"[biufOSU]\d{0,4}", code):
            raise ValueError("an array of a dtype that is no number and no word")
        order = self.state[1] if self.state else "="
        if order not in ("=", "<", ">", "|"):
            raise ValueError("an array of an unknown byte order")
        return np.dtype(f"{order}{code}")


class _Array(_Inert):
    """`numpy.ndarray`, made by one of the two functions below."""

    made: np.ndarray | None = None
    making = False

    def real(self, budget: Budget) -> np.ndarray:
        """The array; made once, however often the file refers to it."""
        if self.made is None:
            if self.making:
                raise ValueError("an array that contains itself")
            self.making = True
            self.made = self._make(budget)
        return self.made

    def _make(self, budget: Budget) -> np.ndarray:
        _, shape, kind, fortran, raw = self.state
        dtype = kind.real()
        if not isinstance(shape, tuple) or len(shape) > _MOST_AXES or not all(type(size) is int for size in shape):
            raise ValueError("an array of a shape that is none")
        if dtype.hasobject:
            if not isinstance(raw, list):
                raise ValueError("an array of objects that is no list")
            budget.take_bytes(8 * len(raw))
            flat = np.empty(len(raw), object)
            for index, item in enumerate(raw):
                flat[index] = _plain(item, budget)
        else:
            if not isinstance(raw, (str, bytes)):
                raise ValueError("an array of neither bytes nor objects")
            budget.take_bytes(len(raw))
            flat = np.frombuffer(raw.encode("latin1") if isinstance(raw, str) else raw, dtype)
        return flat.reshape(shape, order="F" if fortran else "C")


class _Reconstruct(_Inert):
    """`numpy.core.multiarray._reconstruct`."""

    def __new__(cls, kind: Any, *rest: Any) -> Any:
        if kind is not _Array:
            raise UnsafePickleError("The pickle asks for an array of a class that is not NumPy's.")
        return _Inert.__new__(_Array)


class _FromBuffer(_Inert):
    """`numpy.core.numeric._frombuffer`, of protocol 5."""

    def __new__(cls, raw: Any, dtype: Any, shape: Any, order: str, *rest: Any) -> Any:
        array: Any = _Inert.__new__(_Array)
        array.state = (1, shape, dtype, order == "F", raw)
        return array


class _Scalar(_Inert):
    """`numpy.core.multiarray.scalar`."""

    def real(self, budget: Budget) -> Any:
        array: Any = _Inert.__new__(_Array)
        array.state = (1, (1,), self.args[0], False, self.args[1])
        return array.real(budget)[0]


_STAND_INS: dict[str, tuple[type[_Inert], tuple[str, ...]]] = {
    "_reconstruct": (_Reconstruct, ("numpy.core.multiarray", "numpy._core.multiarray")),
    "scalar": (_Scalar, ("numpy.core.multiarray", "numpy._core.multiarray")),
    "_frombuffer": (_FromBuffer, ("numpy.core.numeric", "numpy._core.numeric")),
    "ndarray": (_Array, ("numpy",)),
    "dtype": (_DType, ("numpy",)),
    "encode": (_Bytes, ("_codecs",)),
    "_reconstructor": (_Object, ("copy_reg", "copyreg")),
    "bytes": (_Bytes, ("__builtin__", "builtins")),
    "object": (_Inert, ("__builtin__", "builtins")),
}


def _find_class(module: str, name: str) -> Any:
    stand_in, modules = _STAND_INS.get(name, (_Inert, ()))
    if module in modules:
        return stand_in
    if name == "slice" and module in ("__builtin__", "builtins"):
        return slice
    if module.split(".")[0] == "pandas" and "." not in name:
        return type(name, (_Inert,), {"name": name, "__module__": __name__})
    raise UnsafePickleError(
        f"The pickle asks for {module[:80]}.{name[:80]}, which has no place in a table of wafer maps: nothing of it "
        "was run. Get the file from its source again."
    )


def _instance(kind: Any, arguments: tuple[Any, ...]) -> Any:
    if not (isinstance(kind, type) and (kind is slice or issubclass(kind, _Inert))):
        raise ValueError(f"a {type(kind).__name__} is called")
    return kind(*arguments)


def _build(instance: Any, state: Any) -> None:
    if not isinstance(instance, _Inert):
        raise ValueError(f"a {type(instance).__name__} is given a state")
    instance.state = state


def _table(frame: Any, budget: Budget) -> dict[str, np.ndarray]:
    axes, blocks = _blocks(frame.state["_data"])
    names, rows = _labels(axes[0], budget), len(_labels(axes[1], budget))
    columns: dict[str, np.ndarray] = {}
    for values, places in blocks:
        if not isinstance(values, _Array):
            raise ValueError("a block that is no array")
        block = np.atleast_2d(values.real(budget))
        where = _places(places, budget)
        if len(where) != len(block):
            raise ValueError(f"a block of {len(block)} columns at {len(where)} places")
        for place, column in zip(where, block, strict=True):
            if column.shape != (rows,):
                raise ValueError(f"a column has shape {column.shape}, and the table {rows} rows")
            name = names[place]
            if not isinstance(name, str) or name in columns:
                raise ValueError("a column whose name is no word, or that is there twice")
            columns[name] = column
    return columns


def _blocks(manager: Any) -> tuple[list[Any], list[tuple[Any, Any]]]:
    """Axes and blocks, as pandas since 0.14 lays them out in the state of a BlockManager."""
    layout = manager.state[3]["0.14.1"]
    return list(layout["axes"]), [(block["values"], block["mgr_locs"]) for block in layout["blocks"]]


def _labels(index: Any, budget: Budget) -> Sequence[Any]:
    """The labels of a pickled pandas index: arguments of its function `_new_Index`."""
    data = index.args[1]
    if "data" not in data:  # a RangeIndex, which may be as long as it likes: nothing is made of it
        return range(data["start"], data["stop"], data["step"])
    return list(_plain(data["data"], budget))


def _places(places: Any, budget: Budget) -> Sequence[int]:
    if isinstance(places, slice):
        return range(places.start, places.stop, places.step or 1)
    return [int(place) for place in _plain(places, budget)]


def _plain(value: Any, budget: Budget) -> Any:
    """What a stand-in for NumPy stands for."""
    return value.real(budget) if isinstance(value, (_Array, _Scalar)) else value


def _map(value: Any) -> np.ndarray:
    if not isinstance(value, np.ndarray):
        raise ValueError(f"a wafer map that is a {type(value).__name__}")
    if value.ndim != 2 or not value.size or value.dtype.kind not in "iu" or value.min() < 0 or value.max() > FAIL:
        raise ValueError(f"a wafer map of {value.dtype} {value.shape} is not one")
    return value


def _whole(value: Any) -> int:
    if not isinstance(value, (int, float, np.integer, np.floating)) or not float(value).is_integer():
        raise ValueError("the wafer's number is no whole one")
    return int(value)


def _columns(table: dict[str, np.ndarray], path: str | os.PathLike[str]) -> dict[str, np.ndarray]:
    missing = [name for name in _COLUMNS if name not in table]
    if missing:
        raise CorruptDataError(f"{str(Path(path))!r} has the columns {sorted(table)}; {missing} are missing.")
    return {name: table[name] for name in _COLUMNS}


def _word(value: Any) -> str:
    """The file wraps its words in arrays, [['Center']]; an empty array is no word."""
    if isinstance(value, np.ndarray) and value.size == 1:
        value = value.reshape(-1)[0]
    if isinstance(value, bytes):
        return value.decode("latin1")
    return str(value) if isinstance(value, (str, int, float, np.generic)) else ""

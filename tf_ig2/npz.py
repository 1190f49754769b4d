"""Arrays out of `.npz` and `.npy` files that nobody vouches for: sizes are known before anything is unpacked."""

from __future__ import annotations

import io
import math
import os
import zipfile
from typing import Any, BinaryIO

import numpy as np

_MOST_MEMBERS = 4096
_LEAST_BYTES = 2**28
_RATIO = 100
"""How much larger than its file an archive may become; arrays of measured numbers shrink to a half or a tenth."""


def read(path: str | os.PathLike[str], max_bytes: int | None = None) -> dict[str, np.ndarray]:
    """Reads all arrays of an `.npz` file; pickles inside it are not opened.

    Every member's checksum is compared, and its size with what its shape and type need.

    Args:
      path: the file.
      max_bytes: the most that all arrays together may take in memory; None: a hundred times the size of the file, and
        256 MiB at least.

    Returns:
      Name → array.

    Raises:
      FileNotFoundError: there is no such file.
      ValueError: it is no `.npz` file, is damaged, holds objects, or its arrays are larger than `max_bytes`; nothing is
        unpacked then.

    Example:
      >>> import pathlib, tempfile
      >>> path = pathlib.Path(tempfile.mkdtemp(), "arrays.npz")
      >>> np.savez(path, a=np.arange(3), b=np.eye(2))
      >>> {name: array.shape for name, array in read(path).items()}
      {'a': (3,), 'b': (2, 2)}
    """
    most = max(_LEAST_BYTES, _RATIO * os.path.getsize(path)) if max_bytes is None else max_bytes
    with open(path, "rb") as file:
        try:
            return _arrays(file, most)
        except ValueError as error:
            raise ValueError(f"{os.fspath(path)!r} cannot be read as arrays: {error}") from error
        except Exception as error:  # a damaged archive can raise nearly anything
            raise ValueError(f"{os.fspath(path)!r} is damaged, or no .npz file: {error}") from error


def read_one(path: str | os.PathLike[str]) -> np.ndarray:
    """Reads the array of an `.npy` file, not a pickle.

    Raises:
      FileNotFoundError: there is no such file.
      ValueError: it is no `.npy` file, is damaged, or holds objects.
    """
    size = os.path.getsize(path)
    with open(path, "rb") as file:
        try:
            return _array(file, size)
        except Exception as error:
            raise ValueError(f"{os.fspath(path)!r} cannot be read as an array: {error}") from error


def _arrays(file: BinaryIO, most: int) -> dict[str, np.ndarray]:
    with zipfile.ZipFile(file) as archive:
        members = archive.infolist()
        total = sum(member.file_size for member in members)
        if total > most:
            raise ValueError(
                f"it unpacks to {total:,} bytes, and {most:,} are allowed: pass `max_bytes` if you trust the file"
            )
        names = [member.filename for member in members]
        if len(names) > _MOST_MEMBERS or len(set(names)) < len(names):
            raise ValueError("it has too many members, or two of one name")
        if not all(name.endswith(".npy") for name in names):
            raise ValueError("it has members that are no arrays")
        found = {}
        for member in members:
            with archive.open(member) as opened:
                found[member.filename.removesuffix(".npy")] = _array(opened, member.file_size)
        return found


def _array(file: Any, size: int) -> np.ndarray:
    """An array of a stream of so many bytes, which has to hold it and nothing else."""
    version = np.lib.format.read_magic(file)
    if version not in ((1, 0), (2, 0)):
        raise ValueError(f"an array of format {version}")
    read_header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, fortran, dtype = read_header(file)
    if dtype.hasobject or dtype.fields is not None:
        raise ValueError("an array of Python objects or records, which are not opened")
    if any(length < 0 for length in shape):
        raise ValueError(f"an array of shape {shape}")
    data = file.read(size)
    wanted = math.prod(shape) * dtype.itemsize
    if len(data) != wanted:
        raise ValueError(f"an array with {len(data):,} bytes, where {list(shape)} of {dtype} were announced")
    if not wanted:
        return np.zeros(shape, dtype)
    return np.frombuffer(io.BytesIO(data).getbuffer(), dtype).reshape(shape, order="F" if fortran else "C")

"""Arrays out of an `.npz` file of unknown origin: no pickles, and no more memory than the file accounts for."""

from __future__ import annotations

import os
import zipfile
from typing import IO

import numpy as np

FREE, EXPANSION = 2**28, 100
"""An archive may unpack to 256 MiB, or to a hundred times its own size if that is more."""


def read(path: str | os.PathLike[str], max_bytes: int | None = None) -> dict[str, np.ndarray]:
    """Reads all arrays of a file.

    Args:
      path: the file.
      max_bytes: how much its arrays may have together; None: 256 MiB, or 100 times the size of the file.

    Returns:
      The arrays by name.

    Raises:
      OSError: the file cannot be read.
      ValueError: it is no `.npz` file, is damaged, holds Python objects, or more than it may.

    Example:
      >>> import pathlib, tempfile
      >>> path = pathlib.Path(tempfile.mkdtemp(), "arrays.npz")
      >>> np.savez_compressed(path, a=np.arange(3))
      >>> read(path)
      {'a': array([0, 1, 2])}
    """
    limit = max(FREE, EXPANSION * os.path.getsize(path)) if max_bytes is None else max_bytes
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            total = sum(member.file_size for member in members)
            if total > limit:
                raise ValueError(
                    f"its arrays have {total:,} bytes, and {limit:,} are allowed; if you trust the file, say so with "
                    "`max_bytes`"
                )
            return {member.filename.removesuffix(".npy"): _array(archive, member) for member in members}
    except zipfile.BadZipFile as error:
        raise ValueError(str(error)) from error


def _array(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> np.ndarray:
    with archive.open(member) as file:
        shape, fortran, dtype = _header(file)
        if dtype.hasobject:
            raise ValueError(f"{member.filename!r} holds Python objects, which are not opened")
        rest = file.read()
    count = 1
    for size in shape:
        count *= size
    if count * dtype.itemsize != len(rest):
        raise ValueError(f"{member.filename!r} has {len(rest):,} bytes, and {list(shape)} of {dtype} were announced")
    return np.frombuffer(bytearray(rest), dtype).reshape(shape, order="F" if fortran else "C")


def _header(file: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype]:
    major, _ = np.lib.format.read_magic(file)
    if major not in (1, 2):
        raise ValueError(f"arrays of format {major} are not known")
    return (np.lib.format.read_array_header_1_0 if major == 1 else np.lib.format.read_array_header_2_0)(file)

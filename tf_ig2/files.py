"""Files that are there whole, or not at all."""

from __future__ import annotations

import contextlib
import os
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO


@contextlib.contextmanager
def whole(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """Opens a file to be written; it gets its name when all is on disk, and the one that had the name stays until then.

    Args:
      path: where to; its folder exists.

    Yields:
      The file, binary.

    Raises:
      OSError: the file cannot be written, nothing was changed; of the kind that the system says (`PermissionError` …).

    Example:
      >>> import tempfile
      >>> path = Path(tempfile.mkdtemp(), "numbers.txt")
      >>> with whole(path) as file:
      ...     _ = file.write(b"1 2 3")
      >>> path.read_text()
      '1 2 3'
    """
    target = Path(path)
    partial = target.with_name(f".{target.name}.{uuid.uuid4().hex}.partial")
    try:
        with open(partial, "xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, target)
    except BaseException as error:
        with contextlib.suppress(OSError):
            partial.unlink()
        if isinstance(error, OSError):
            said = f"The file cannot be written, and nothing was changed: {error.strerror or error}"
            raise OSError(error.errno, said, str(target)) from error
        raise

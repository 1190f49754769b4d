"""Files that are there whole, or not at all, on the local disk and on any file system that `tf.io.gfile` knows."""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
import uuid
import warnings
from collections.abc import Iterator
from typing import Any, BinaryIO

import tensorflow as tf

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

_LOCK = ".lock"
"""The file in a folder of results that is locked while a job writes to it."""

_LONGEST = 200
"""Bytes of a name that are kept while its file grows; most file systems take 255 in all."""

PARTIAL = ".partial"
"""The folder, beside the folders of results, in which files of `write_whole` grow."""


class BusyError(OSError):
    """Another process is writing to a folder."""


@contextlib.contextmanager
def whole(path: str | os.PathLike[str], growing: str | os.PathLike[str] | None = None) -> Iterator[BinaryIO]:
    """Opens a file to be written; it gets its name when all is on disk, and the one that had the name stays until then.

    Args:
      path: where to, local or `scheme://…`; its folder exists.
      growing: an existing folder on the same file system in which the file grows; None: beside its place, hidden.

    Yields:
      The file, binary.

    Raises:
      OSError: the file cannot be written, nothing was changed; of the kind that the system says (`PermissionError` …).

    Example:
      >>> import pathlib, tempfile
      >>> path = pathlib.Path(tempfile.mkdtemp(), "numbers.txt")
      >>> with whole(path) as file:
      ...     _ = file.write(b"1 2 3")
      >>> path.read_text()
      '1 2 3'
    """
    target = os.fspath(path)
    folder, name = os.path.split(target)
    unique = uuid.uuid4().hex
    short = os.fsdecode(os.fsencode(name)[:_LONGEST])  # a file system that takes the name takes no longer one
    partial = os.path.join(folder, f".{short}.{unique}.partial") if growing is None else f"{growing}/{short}.{unique}"
    local = _is_local(target)
    with _or_unchanged(target):
        try:
            if local:
                with open(partial, "xb") as file:
                    yield file
                    file.flush()
                    os.fsync(file.fileno())
                os.replace(partial, target)
            else:  # other file systems cannot write where they have been, as zip archives want it
                content = io.BytesIO()
                yield content
                with tf.io.gfile.GFile(partial, "wb") as remote:
                    remote.write(content.getvalue())
                tf.io.gfile.rename(partial, target, overwrite=True)
        except BaseException:
            with contextlib.suppress(tf.errors.OpError, OSError):
                (os.remove if local else tf.io.gfile.remove)(partial)
            raise


def write_whole(folder: str, name: str, data: bytes) -> None:
    """Writes a file of results, see `whole`; it grows out of sight of who reads all files of its folder.

    Args:
      folder: where results are; made if it is not there.
      name: the file's name in it, with folders of its own if need be.
      data: the content.

    Raises:
      OSError: it cannot be written: no space, no permission; nothing has changed then.
    """
    path, growing = os.path.join(folder, name), os.path.join(folder, PARTIAL)
    with _or_unchanged(path):
        tf.io.gfile.makedirs(growing)
        tf.io.gfile.makedirs(os.path.dirname(path))
    with whole(path, growing) as file:
        file.write(data)


def write_json(folder: str, name: str, content: Any) -> None:
    """Writes JSON, whole or not at all; see `write_whole`."""
    write_whole(folder, name, (json.dumps(content, indent=1, sort_keys=True) + "\n").encode())


def publish_folder(source: str, path: str, last: str) -> None:
    """Copies a folder: a local one appears under its name with all of its content, also if the process is killed.

    Other file systems cannot rename a folder; there, one of its files appears after all others.

    Args:
      source: a local folder.
      path: its place, where nothing is or what a killed process left.
      last: the name of the file in it that its readers look for.

    Raises:
      OSError: it cannot be written; nothing has changed then.
    """
    local = _is_local(path)
    # Model servers look for folders named by a number; this one has none.
    target = os.path.join(os.path.dirname(path), f".exporting-{uuid.uuid4().hex}") if local else path
    with _or_unchanged(path):
        try:
            if local:
                os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
                shutil.copytree(source, target)
                os.rename(target, path)
            else:
                _copy_files(source, target, last)
        except BaseException:
            if tf.io.gfile.exists(target):
                tf.io.gfile.rmtree(target)
            raise


def read(path: str) -> bytes:
    """Reads a file.

    Raises:
      OSError: it cannot be read.
    """
    try:
        with tf.io.gfile.GFile(path, "rb") as file:
            return file.read()
    except tf.errors.NotFoundError as error:
        raise FileNotFoundError(f"There is no file {path!r}.") from error
    except tf.errors.OpError as error:
        raise OSError(f"{path!r} cannot be read: {error.message}") from error


def read_json(path: str) -> Any:
    """Reads JSON; None if there is no such file, or no JSON in it that can be understood."""
    if not tf.io.gfile.exists(path):
        return None
    try:
        return json.loads(read(path))
    except (ValueError, RecursionError):
        return None


@contextlib.contextmanager
def alone(folder: str) -> Iterator[None]:
    """Keeps a folder of results to one process, for as long as the context lasts or the process lives.

    Only local folders can be kept; on others, and where the system has no locks, nothing is done.

    Args:
      folder: the folder; made if it is not there.

    Raises:
      BusyError: another process, or another thread, has it.
      OSError: it cannot be written.
    """
    if not _is_local(folder) or fcntl is None:
        yield
        return
    path = os.path.join(folder, _LOCK)
    with contextlib.ExitStack() as held:
        with _or_unchanged(path):
            os.makedirs(folder, exist_ok=True)
            file = held.enter_context(open(path, "ab"))  # it stays, so that all who come look at the same one
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise BusyError(
                f"Somebody else is writing to {folder!r}: wait until they are done, or choose another folder."
            ) from error
        except OSError as error:
            warnings.warn(
                f"{folder!r} cannot be locked ({error.strerror}): see to it that one job writes to it.", stacklevel=3
            )
        yield


def remove_partial(folder: str, names: set[str]) -> None:
    """Removes what killed processes left of files that are whole by now."""
    partial = os.path.join(folder, PARTIAL)
    if not tf.io.gfile.isdir(partial):
        return
    for file in tf.io.gfile.listdir(partial):
        if file.rsplit(".", 1)[0] in names:
            tf.io.gfile.remove(os.path.join(partial, file))
    if not tf.io.gfile.listdir(partial):
        tf.io.gfile.rmtree(partial)


def _is_local(path: str) -> bool:
    return "://" not in path


@contextlib.contextmanager
def _or_unchanged(path: str) -> Iterator[None]:
    """Errors of either kind of file system become the system's own, and say which file was to be written."""
    said = "The file cannot be written, and nothing was changed"
    try:
        yield
    except tf.errors.OpError as error:
        raise OSError(f"{said}: {error.message}: {path!r}") from error
    except OSError as error:
        if error.errno is None:
            raise OSError(f"{said}: {error}: {path!r}") from error
        raise OSError(error.errno, f"{said}: {error.strerror}", path) from error


def _copy_files(source: str, target: str, last: str) -> None:
    names = [
        os.path.relpath(os.path.join(folder, file), source) for folder, _, files in os.walk(source) for file in files
    ]
    for name in sorted(names, key=lambda name: name == last):
        tf.io.gfile.makedirs(os.path.dirname(os.path.join(target, name)))
        tf.io.gfile.copy(os.path.join(source, name), os.path.join(target, name), overwrite=True)

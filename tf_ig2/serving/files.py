"""Files that are there whole, or not at all, on any file system that `tf.io.gfile` knows."""

from __future__ import annotations

import json
import os
import shutil
import uuid
from typing import Any

import tensorflow as tf

PARTIAL = ".partial"
"""The folder, beside the folders of results, in which files grow."""


def write_whole(folder: str, name: str, data: bytes) -> None:
    """Writes a file: it appears under its name with all of its content, also if the process is killed.

    Args:
      folder: where results are; made if it is not there.
      name: the file's name in it, with folders of its own if need be.
      data: the content.

    Raises:
      OSError: it cannot be written: no space, no permission; nothing has changed then.
    """
    path, partial = os.path.join(folder, name), os.path.join(folder, PARTIAL)
    temporary = os.path.join(partial, f"{os.path.basename(name)}.{uuid.uuid4().hex}")
    try:
        tf.io.gfile.makedirs(partial)
        tf.io.gfile.makedirs(os.path.dirname(path))
        try:
            with tf.io.gfile.GFile(temporary, "wb") as file:
                file.write(data)
            if "://" not in temporary:  # a local disk may still hold it in memory
                with open(temporary, "rb+") as local:
                    os.fsync(local.fileno())
            tf.io.gfile.rename(temporary, path, overwrite=True)
        except BaseException:
            if tf.io.gfile.exists(temporary):
                tf.io.gfile.remove(temporary)
            raise
    except (tf.errors.OpError, OSError) as error:
        said = error.message if isinstance(error, tf.errors.OpError) else str(error)
        raise OSError(f"{path!r} cannot be written, and nothing was changed: {said}") from error


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
    local = "://" not in path
    # Model servers look for folders named by a number; this one has none.
    target = os.path.join(os.path.dirname(path), f".exporting-{uuid.uuid4().hex}") if local else path
    try:
        try:
            if local:
                tf.io.gfile.makedirs(os.path.dirname(path))
                shutil.copytree(source, target)
                os.rename(target, path)
            else:
                _copy_files(source, target, last)
        except BaseException:
            if tf.io.gfile.exists(target):
                tf.io.gfile.rmtree(target)
            raise
    except (tf.errors.OpError, OSError) as error:
        said = error.message if isinstance(error, tf.errors.OpError) else str(error)
        raise OSError(f"{path!r} cannot be written, and nothing was changed: {said}") from error


def _copy_files(source: str, target: str, last: str) -> None:
    names = [
        os.path.relpath(os.path.join(folder, file), source) for folder, _, files in os.walk(source) for file in files
    ]
    for name in sorted(names, key=lambda name: name == last):
        tf.io.gfile.makedirs(os.path.dirname(os.path.join(target, name)))
        tf.io.gfile.copy(os.path.join(source, name), os.path.join(target, name), overwrite=True)


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
    """Reads JSON; None if there is no such file, or no JSON in it."""
    if not tf.io.gfile.exists(path):
        return None
    try:
        return json.loads(read(path))
    except ValueError:
        return None


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

"""Records of TFRecord and Parquet files, and what makes one of them a row that the model can take."""

from __future__ import annotations

import hashlib
import io
import itertools
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, BinaryIO

import numpy as np
import tensorflow as tf

from tf_ig2 import extras, files, images, validation


class RejectedError(ValueError):
    """A record cannot be explained; the message is the reason."""


@dataclass(frozen=True)
class Record:
    """One record as it was found.

    Attributes:
      key: its `key` feature, or the file's name and the row number.
      features: name → bytes, or a list or array of numbers.
      sha256: of its content.
      problem: why it could not be read, if so.
    """

    key: str
    features: dict[str, Any] = field(default_factory=dict)
    sha256: bytes = b""
    problem: str | None = None


def find(patterns: list[str]) -> dict[str, str]:
    """Lists the files of glob patterns, sorted, each once.

    Args:
      patterns: files or glob patterns, on any file system that `tf.io.gfile` knows.

    Returns:
      Path → name: the path below the folder that all patterns start with. Two files never share a name, and a file's
      name stays as it is when others come, or when the folder moves.

    Raises:
      FileNotFoundError: a pattern matches no file.
    """
    paths: dict[str, str] = {}
    for pattern in patterns:
        found = [path for path in tf.io.gfile.glob(pattern) if not tf.io.gfile.isdir(path)]
        if not found:
            raise FileNotFoundError(f"There is no input file {pattern!r}.")
        for path in found:
            paths.setdefault(_absolute(path), path)
    folder = _common_folder(patterns)
    return {paths[path]: path.removeprefix(f"{folder}/") for path in sorted(paths)}


def _absolute(path: str) -> str:
    return path if "://" in path else os.path.abspath(path)


def _common_folder(patterns: list[str]) -> str:
    """The folder that all patterns start with, wildcards left out."""
    folders = [_absolute(pattern).split("/")[:-1] for pattern in patterns]
    fixed = [list(itertools.takewhile(lambda part: not set("*?[{") & set(part), parts)) for parts in folders]
    levels = itertools.takewhile(lambda level: len(set(level)) == 1, zip(*fixed, strict=False))
    return "/".join(level[0] for level in levels)


def count(path: str) -> int:
    """The number of records in a file; all of it is read, so that a broken file is found before anything is computed.

    Raises:
      ValueError: the file is not what its name says, or is cut off.
      MissingExtraError: it is Parquet, and pyarrow is not installed.
    """
    if is_parquet(path):
        extras.need("pyarrow", "beam", f"Reading {path!r}")
    try:
        if is_parquet(path):
            with _opened(path) as file:
                return sum(len(batch) for batch in _parquet_file(file).iter_batches(1024))
        return sum(len(batch) for batch in tf_records(path).batch(16))
    except tf.errors.OpError as error:
        raise ValueError(f"{path!r} is not a whole TFRecord file: {error.message}") from error
    except (ValueError, OSError) as error:  # pyarrow's errors are of these kinds
        raise ValueError(f"{path!r} is not a whole Parquet file: {error}") from error


def read(path: str, name: str, start: int, stop: int) -> Iterator[Record]:
    """Reads records `start` … `stop - 1` of a file, TFRecord of `tf.train.Example` or Parquet.

    Args:
      path: the file; the ending of its name says what it is.
      name: what the keys of records without one begin with.
      start, stop: which records.

    Yields:
      The records.

    Raises:
      ValueError: the file is damaged.
    """
    if is_parquet(path):
        rows = _parquet_rows(path, start, stop)
    else:
        rows = map(_example, tf_records(path).skip(start).take(stop - start).as_numpy_iterator())
    for number, (features, problem, digest) in enumerate(_whole(path, rows), start):
        key = features.get("key")
        if isinstance(key, (list, tuple, np.ndarray)) and len(key) == 1:
            key = key[0]
        key = key.decode(errors="replace") if isinstance(key, bytes) else key
        yield Record(f"{name}#{number}" if key is None else str(key), features, digest, problem)


def _whole(path: str, rows: Iterator[Any]) -> Iterator[Any]:
    try:
        yield from rows
    except tf.errors.OpError as error:
        raise ValueError(f"{path!r} is not a whole TFRecord file: {error.message}") from error
    except (ValueError, OSError) as error:
        raise ValueError(f"{path!r} is not a whole Parquet file: {error}") from error


def is_parquet(path: str) -> bool:
    """Whether a file is Parquet, by its name; anything else is TFRecord."""
    return path.endswith((".parquet", ".pq"))


@dataclass(frozen=True)
class Decoder:
    """Turns records into rows.

    Attributes:
      inputs: input name → `tf.TensorSpec([None, ...])`.
      classes: number of class indices; None if records choose none.
      target: class index for records without a `target` feature; -1 is the predicted class.
      pixel_range: what black and white of encoded images become.
    """

    inputs: dict[str, tf.TensorSpec]
    classes: int | None
    target: int = -1
    pixel_range: tuple[float, float] = (0.0, 255.0)

    def row(self, record: Record) -> tuple[dict[str, np.ndarray], int]:
        """The arrays `[...]` of a record by input name, and its target.

        Raises:
          RejectedError: a feature is missing, of another shape, not finite, no image, or the target is out of range.
        """
        if record.problem is not None:
            raise RejectedError(record.problem)
        arrays = {name: self._array(name, record, spec) for name, spec in self.inputs.items()}
        return arrays, self._target(record)

    def row_or_reason(self, record: Record) -> tuple[dict[str, np.ndarray], int] | RejectedError:
        """What `row` returns, or what it raises."""
        try:
            return self.row(record)
        except RejectedError as error:
            return error

    def _array(self, name: str, record: Record, spec: tf.TensorSpec) -> np.ndarray:
        if record.features.get(name) is None:
            raise RejectedError(f"missing feature `{name}`: the record has {sorted(record.features)}")
        value, shape = record.features[name], spec.shape[1:].as_list()
        if isinstance(value, list) and len(value) == 1 and isinstance(value[0], bytes):
            value = value[0]
        if isinstance(value, bytes):
            return _image(name, value, shape, self.pixel_range).astype(spec.dtype.as_numpy_dtype)
        try:
            array = np.array(value)
            if array.ndim == 1 and array.size == int(np.prod(shape)):
                array = array.reshape(shape)
            elif array.ndim <= 1:
                raise RejectedError(f"wrong shape: `{name}` holds {array.size} values, the model takes {shape}")
            return validation.batch(name, array[None], spec)[0][0]
        except RejectedError:
            raise
        except (TypeError, ValueError) as error:
            raise RejectedError(str(error)) from error

    def _target(self, record: Record) -> int:
        value = record.features.get("target")
        if self.classes is None or value is None:
            return self.target
        array = np.asarray(value)
        if array.size != 1 or array.dtype.kind not in "iu":
            raise RejectedError(f"`target` must be one integer, not {value!r}")
        target = int(array.reshape(-1)[0])
        if not -1 <= target < self.classes:
            raise RejectedError(f"target out of range: {target}, the model's outputs are 0 … {self.classes - 1}")
        return target


def _image(name: str, data: bytes, shape: list[int], pixel_range: tuple[float, float]) -> np.ndarray:
    if len(shape) != 3 or shape[-1] not in (1, 3):
        raise RejectedError(f"`{name}` is an encoded image, and the model takes {shape}, not [H, W, 1 or 3]")
    height, width, channels = shape
    try:
        return images.read(io.BytesIO(data), height, width, channels, pixel_range)
    except ValueError as error:
        raise RejectedError(f"corrupt image: `{name}` cannot be decoded: {error}") from error


def tf_records(path: str) -> tf.data.Dataset:
    """The records of a TFRecord file as bytes; `tf.data.TFRecordDataset` traces, and keeps, a graph for each file."""
    kind = "GZIP" if path.endswith(".gz") else ""
    variant = tf.raw_ops.TFRecordDataset(filenames=[path], compression_type=kind, buffer_size=2**18)
    return tf.data.experimental.from_variant(variant, tf.TensorSpec([], tf.string))


def _example(data: bytes) -> tuple[dict[str, Any], str | None, bytes]:
    digest = hashlib.sha256(data).digest()
    try:
        example = tf.train.Example.FromString(data)
    except Exception as error:  # protobuf's DecodeError has moved from one module to another
        return {}, f"not a tf.train.Example: {error}", digest
    features: dict[str, Any] = {}
    for name, feature in example.features.feature.items():
        kind = feature.WhichOneof("kind")
        if kind is not None:
            values = getattr(feature, kind).value
            features[name] = list(values) if kind == "bytes_list" else np.array(values, _DTYPES[kind])
    return features, None, digest


_DTYPES = {"float_list": np.float32, "int64_list": np.int64}


def _opened(path: str) -> BinaryIO:
    """A file that can be sought in; a remote one is fetched whole."""
    return io.BytesIO(files.read(path)) if "://" in path else open(path, "rb")


def _parquet_file(opened: BinaryIO) -> Any:
    import pyarrow.parquet

    return pyarrow.parquet.ParquetFile(opened, page_checksum_verification=True)


def _parquet_rows(path: str, start: int, stop: int) -> Iterator[tuple[dict[str, Any], str | None, bytes]]:
    with _opened(path) as opened:
        file = _parquet_file(opened)
        first = 0
        for group in range(file.num_row_groups):
            size = file.metadata.row_group(group).num_rows
            inside = slice(max(start - first, 0), min(stop - first, size))
            first += size
            if inside.start >= inside.stop:
                continue
            table = file.read_row_group(group)[inside.start : inside.stop]
            for row in table.to_pylist():
                features = {name: value for name, value in row.items() if value is not None}
                yield features, None, hashlib.sha256(repr(sorted(features.items())).encode()).digest()

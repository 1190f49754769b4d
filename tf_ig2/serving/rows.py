"""Explained rows as the bytes of a Parquet or TFRecord file; the same rows are always the same bytes.

Each row has `key`, `target` (absent if a callable picked the output), `output`, `counterfactual_output` (one for each
reference), `completeness_gap`, and for each attributed input `attributions…`, flat, with its shape in
`attributions…_shape`.
"""

from __future__ import annotations

import hashlib
import io
import os
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from tf_ig2 import files
from tf_ig2.serving.records import tf_records
from tf_ig2.serving.served import Explanations


def encode(format: str, keys: list[str], rows: list[Explanations]) -> bytes:
    """The content of a file.

    Args:
      format: `"parquet"` or `"tfrecord"`.
      keys: one for each row.
      rows: explanations of one explicand each.

    Returns:
      The bytes.

    Raises:
      ValueError: float64 rows as TFRecord, which holds float32 only.
    """
    table = [{"key": key, **_columns(row)} for key, row in zip(keys, rows, strict=True)]
    return _parquet(table) if format == "parquet" else _tfrecord(table)


def decode(path: str) -> list[dict[str, Any]]:
    """Reads a file of explained rows, with the attributions in their shape.

    Args:
      path: a file that a job wrote, `.parquet` or `.tfrecord`.

    Returns:
      One dict a row: `key` is a string, everything else an array.

    Raises:
      FileNotFoundError: there is no such file.
      ValueError: it is no file of rows, or damaged: in its place beside the job's reports, not as the job wrote it.
    """
    data = files.read(path)
    folder, name = os.path.split(path)
    report = files.read_json(os.path.join(os.path.dirname(folder), "reports", f"{os.path.splitext(name)[0]}.json"))
    its_own = isinstance(report, dict) and report.get("file") == f"shards/{name}"
    if its_own and hashlib.sha256(data).hexdigest() != report.get("sha256"):
        raise ValueError(f"{path!r} is damaged: it is not what its report says. Run the job again.")
    try:
        return _decoded(path, data)
    except Exception as error:  # pyarrow, TensorFlow and protobuf raise errors of many kinds on broken data
        raise ValueError(f"{path!r} is no file of explained rows, or damaged: {error}") from error


def _decoded(path: str, data: bytes) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]]
    if path.endswith(".parquet"):
        import pyarrow.parquet

        table = pyarrow.parquet.read_table(io.BytesIO(data), page_checksum_verification=True)
        rows = [{name: table[name][i].as_py() for name in table.column_names} for i in range(len(table))]
        types = {field.name: _numpy_type(field.type) for field in table.schema if field.name != "key"}
        rows = [{name: np.array(v, types[name]) if name in types else v for name, v in row.items()} for row in rows]
    else:
        rows = [_from_example(data) for data in tf_records(path).as_numpy_iterator()]
    for row in rows:
        for name in [name for name in row if name.endswith("_shape")]:
            values = name.removesuffix("_shape")
            row[values] = row[values].reshape(row.pop(name))
    return rows


def _columns(row: Explanations) -> dict[str, np.ndarray]:
    columns = {
        "output": row.output,
        "counterfactual_output": row.counterfactual_output,
        "completeness_gap": row.completeness_gap,
    }
    if row.target is not None:
        columns["target"] = np.asarray(row.target, np.int64)
    for name, values in row.attributions.items():
        columns |= {name: values.reshape(-1), f"{name}_shape": np.array(values.shape, np.int64)}
    return columns


def _parquet(table: list[dict[str, Any]]) -> bytes:
    import pyarrow
    import pyarrow.parquet

    columns: dict[str, Any] = {"key": pyarrow.array([row["key"] for row in table])}
    for name in table[0]:
        if name == "key":
            continue
        parts = [row[name] for row in table]
        if parts[0].ndim == 0:
            columns[name] = pyarrow.array(np.stack(parts))
        else:
            offsets = np.cumsum([0, *(part.size for part in parts)])
            flat = pyarrow.array(np.concatenate(parts))
            columns[name] = pyarrow.LargeListArray.from_arrays(pyarrow.array(offsets, pyarrow.int64()), flat)
    sink = pyarrow.BufferOutputStream()
    pyarrow.parquet.write_table(pyarrow.table(columns), sink, write_page_checksum=True)
    return sink.getvalue().to_pybytes()


def _numpy_type(type_: Any) -> Any:
    return getattr(type_, "value_type", type_).to_pandas_dtype()


def _tfrecord(table: list[dict[str, Any]]) -> bytes:
    with tempfile.TemporaryDirectory() as folder:  # TensorFlow writes records to files only
        file = Path(folder) / "rows.tfrecord"
        with tf.io.TFRecordWriter(str(file)) as writer:
            for row in table:
                writer.write(_to_example(row).SerializeToString(deterministic=True))
        return file.read_bytes()


def _to_example(row: dict[str, Any]) -> tf.train.Example:
    features = {}
    for name, value in row.items():
        if isinstance(value, str):
            features[name] = tf.train.Feature(bytes_list=tf.train.BytesList(value=[value.encode()]))
        elif value.dtype.kind == "f":
            if value.dtype == np.float64:
                raise ValueError('TFRecord holds float32, and the explanations are float64: choose format="parquet".')
            features[name] = tf.train.Feature(float_list=tf.train.FloatList(value=value.reshape(-1)))
        else:
            features[name] = tf.train.Feature(int64_list=tf.train.Int64List(value=value.reshape(-1)))
    return tf.train.Example(features=tf.train.Features(feature=features))


def _from_example(data: bytes) -> dict[str, Any]:
    row: dict[str, Any] = {}
    for name, feature in tf.train.Example.FromString(data).features.feature.items():
        kind = feature.WhichOneof("kind")
        values = getattr(feature, kind).value
        if kind == "bytes_list":
            row[name] = values[0].decode()
        else:
            array = np.array(values, np.float32 if kind == "float_list" else np.int64)
            several = name.startswith(("attributions", "counterfactual_output"))
            row[name] = array if several else array[0]
    return row

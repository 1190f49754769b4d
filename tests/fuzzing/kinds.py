"""The kinds of files that are read: a good one of each, how it is read, and what may come of a damaged one.

What a reader returns is compared as bytes. Where a format has a checksum, a damaged file gives what the good one gives,
or an error by name. Formats of others without one (PNG has one, JPEG has none; a pickle has none) cannot promise that:
`unchecked` files may also give other content, which is counted, and has to be well formed.
"""

import dataclasses
import json
import warnings
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from tests.paper.datasets import wafer_pickle
from tests.serving.conftest import write_tfrecord
from tf_ig2 import Attribution, images
from tf_ig2.paper.datasets import mnist, wm811k, wm811k_pickle
from tf_ig2.paper.datasets.folder import CorruptDataError
from tf_ig2.paper.experiments.records import Record, Records
from tf_ig2.serving import records, rows, shards
from tf_ig2.serving.served import MANIFEST, Explanations, read_manifest, with_checksum


@dataclasses.dataclass(frozen=True)
class Kind:
    """A kind of file.

    Attributes:
      make: folder → the path of a good file in it.
      read: path → its content, as anything that `repr` shows whole.
      errors: what may be raised.
      fewer: whether the format has no end, so that records may be missing.
      unchecked: whether the format has no checksum.
    """

    make: Callable[[Path], Path]
    read: Callable[[Path], object]
    errors: tuple[type[Exception], ...] = (ValueError,)
    fewer: bool = False
    unchecked: bool = False


def _digest(array):
    array = np.asarray(array)
    return str(array.dtype), array.shape, zlib.crc32(np.ascontiguousarray(array).tobytes())


def _explanation(folder):
    rng = np.random.default_rng(0)
    x = rng.normal(size=[2, 5]).astype(np.float32)
    curves = rng.normal(size=[2, 3, 5]).astype(np.float32)
    counts = np.full([2, 3], 4, np.int32)
    Attribution(
        x, x, curves, curves, np.array([0, 1]), rng.normal(size=[2, 3, 5]), None, counts, settings={"method": "made"}
    ).save(folder / "x.npz")
    return folder / "x.npz"


def _read_explanation(path):
    explanation = Attribution.load(path)
    parts = [getattr(explanation, field.name) for field in dataclasses.fields(explanation)]
    return [part if part is None or isinstance(part, (dict, bool)) else _digest(part) for part in parts]


def _digits(folder):
    np.savez_compressed(folder / "x.npz", x=np.arange(3 * 784).reshape(3, 28, 28).astype(np.uint8), y=np.arange(3))
    return folder / "x.npz"


def _wafers(folder):
    maps = wm811k.Wafers(np.random.default_rng(0).integers(0, 3, [3, 56, 56], np.uint8), np.array([0, 3, 8]))
    wm811k.save(folder / "x.npz", maps, maps)
    return folder / "x.npz"


def _read_wafers(path):
    found = wm811k.load("train", path)
    return _digest(found.maps), found.labels.tolist()


def _wafer_pickle(protocol):
    def make(folder):
        with pytest.MonkeyPatch.context() as patch:
            return wafer_pickle.write(folder / "x.pkl", wafer_pickle.TABLE, patch, protocol)

    return make


def _read_pickle(path):
    found = list(wm811k_pickle.read(path))
    for wafer in found:
        assert wafer.map.dtype == np.uint8
        assert wafer.map.max() <= 2
        assert wafer.label in wm811k.CLASSES
    return [(_digest(wafer.map), wafer.label, wafer.split, wafer.lot, wafer.number, wafer.row) for wafer in found]


def _tfrecord(folder):
    values = np.random.default_rng(0).normal(size=[4, 6]).astype(np.float32)
    write_tfrecord(folder / "x.tfrecord", [{"x": x, "key": b"key %d" % n} for n, x in enumerate(values)])
    return folder / "x.tfrecord"


def _parquet(folder):
    import pyarrow as pa
    import pyarrow.parquet

    values = list(np.random.default_rng(0).normal(size=[4, 6]).astype(np.float32))
    table = pa.table({"x": values, "key": [f"key {n}" for n in range(4)]})
    pyarrow.parquet.write_table(table, folder / "x.parquet", write_page_checksum=True)
    return folder / "x.parquet"


def _read_records(path):
    decoder = records.Decoder({"x": tf.TensorSpec([None, 6], tf.float32)}, 3)
    count = records.count(str(path))
    found = []
    for record in records.read(str(path), "x", 0, min(count, 1000)):
        row = decoder.row_or_reason(record)
        if isinstance(row, records.RejectedError):
            raise row
        found.append((record.key, _digest(row[0]["x"]), row[1]))
    return found


def _explained(format):
    """A file of explained rows with its report, as a job leaves them."""

    def make(folder):
        (folder / "reports").mkdir(parents=True)
        (folder / "shards").mkdir()
        row = Explanations({"attributions": np.ones([2, 3], np.float32)}, *map(np.float32, (1, [2, 3], 4)), np.int32(1))
        row = dataclasses.replace(row, counterfactual_output=np.array([2, 3], np.float32))
        data = rows.encode(format, ["a", "b"], [row, row])
        path = folder / "shards" / f"name.{format}"
        path.write_bytes(data)
        (folder / "reports" / "name.json").write_text(json.dumps(_report(f"shards/name.{format}", data).to_json()))
        return path

    return make


def _alone(format):
    """The same rows without their report, which has a checksum of the whole file."""

    def make(folder):
        path = _explained(format)(folder)
        (folder / "reports" / "name.json").unlink()
        return path

    return make


def _report(file, data):
    import hashlib

    bad = {"key": "c", "path": "in.tfrecord", "row": 2, "reason": "missing feature"}
    shard = shards.Shard("in.tfrecord", "in.tfrecord", 0, 3)
    return shards.Report("name", shard, file, hashlib.sha256(data).hexdigest(), 2, [bad], 1.5, 0.5)


def _read_explained(path):
    return [
        {name: v if isinstance(v, str) else _digest(v) for name, v in row.items()} for row in rows.decode(str(path))
    ]


def _report_file(folder):
    (folder / "x.json").write_text(json.dumps(_report("shards/name.parquet", b"rows").to_json(), indent=1))
    return folder / "x.json"


def _read_report(path):
    from tf_ig2 import files

    return shards.Report.from_json(files.read_json(str(path)))


def _manifest(folder):
    path = folder / MANIFEST
    path.parent.mkdir(parents=True)
    signature = {"explain": {"inputs": {"x": {"dtype": "float32", "shape": [None, 6]}}, "outputs": {}}}
    content = {"format": 1, "references": 3, "batch_size": 32, "signatures": signature, "classes": [4]}
    path.write_text(json.dumps(with_checksum(content), indent=2, sort_keys=True))
    return path


def _experiment(folder):
    made = Records(folder, "x", {})
    made.append(Record("IG", f"{n}.png", {"auc": n / 7, "add": 0.5}) for n in range(4))
    return made.path


def _read_experiment(path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it is said which lines are dropped
        found = Records(path.parent, "x", {})
    return [(record.arm, record.explicand, dict(record.scores)) for record in found]


def _image(suffix, mode="RGB", **options):
    def make(folder):
        pixels = np.random.default_rng(0).integers(0, 255, [9, 7, 3], np.uint8)
        Image.fromarray(pixels).convert(mode).save(folder / f"x.{suffix}", **options)
        return folder / f"x.{suffix}"

    return make


def _read_image(path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = images.read(path, 9, 7, 3)
    assert found.dtype == np.float32
    assert found.min() >= 0
    assert found.max() <= 255
    return _digest(found)


KINDS = {
    "explanation .npz": Kind(_explanation, _read_explanation),
    "digits .npz": Kind(
        _digits, lambda path: [_digest(part) for part in mnist.load("test", path)], (CorruptDataError,)
    ),
    "wafers .npz": Kind(_wafers, _read_wafers, (CorruptDataError,)),
    "wafer pickle, protocol 2": Kind(_wafer_pickle(2), _read_pickle, (CorruptDataError,), unchecked=True),
    "wafer pickle, protocol 5": Kind(_wafer_pickle(5), _read_pickle, (CorruptDataError,), unchecked=True),
    "records .tfrecord": Kind(_tfrecord, _read_records, fewer=True),
    "records .parquet": Kind(_parquet, _read_records, unchecked=True),
    "explained rows .tfrecord": Kind(_explained("tfrecord"), _read_explained),
    "explained rows .parquet": Kind(_explained("parquet"), _read_explained),
    "explained rows alone .tfrecord": Kind(_alone("tfrecord"), _read_explained, fewer=True),
    "explained rows alone .parquet": Kind(_alone("parquet"), _read_explained, unchecked=True),
    "report of a shard": Kind(_report_file, _read_report),
    "manifest of an export": Kind(
        _manifest, lambda path: read_manifest(path.parent.parent), (ValueError, FileNotFoundError)
    ),
    "records of an experiment": Kind(_experiment, _read_experiment, fewer=True),
    "image .png": Kind(_image("png"), _read_image, unchecked=True),
    "image .png with a palette": Kind(_image("png", "P", transparency=3), _read_image, unchecked=True),
    "image .jpg": Kind(_image("jpg", quality=90), _read_image, unchecked=True),
    "image .tif": Kind(_image("tif"), _read_image, unchecked=True),
    "image .gif": Kind(_image("gif", "P"), _read_image, unchecked=True),
    "image .bmp": Kind(_image("bmp"), _read_image, unchecked=True),
    "image .webp": Kind(_image("webp", quality=90), _read_image, unchecked=True),
}

"""A small exported explainer, and files of records for it, good and bad."""

import io
import json
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers
from PIL import Image

from tf_ig2 import IG2Explainer
from tf_ig2.serving import export, rows

FEATURES = 6


def feature(value):
    if isinstance(value, bytes):
        return tf.train.Feature(bytes_list=tf.train.BytesList(value=[value]))
    value = np.asarray(value)
    if value.dtype.kind == "f":
        return tf.train.Feature(float_list=tf.train.FloatList(value=value.reshape(-1)))
    return tf.train.Feature(int64_list=tf.train.Int64List(value=value.reshape(-1)))


def example(record):
    """A serialized tf.train.Example; bytes are taken for one already."""
    if isinstance(record, bytes):
        return record
    features = {name: feature(value) for name, value in record.items()}
    return tf.train.Example(features=tf.train.Features(feature=features)).SerializeToString(deterministic=True)


def write_tfrecord(path, records):
    with tf.io.TFRecordWriter(str(path)) as writer:
        for record in records:
            writer.write(example(record))
    return str(path)


def jpeg(array):
    data = io.BytesIO()
    Image.fromarray(array).save(data, "JPEG")
    return data.getvalue()


def result(folder):
    """All explained rows of a job by key, each key once."""
    manifest = json.loads((Path(folder) / "manifest.json").read_text())
    found = [row for shard in manifest["shards"] if shard["file"] for row in rows.decode(f"{folder}/{shard['file']}")]
    by_key = {row["key"]: row for row in found}
    assert len(by_key) == len(found) == manifest["explained"]
    return manifest, by_key


def shard_bytes(folder):
    """The files of a job's rows."""
    return {file.name: file.read_bytes() for file in (Path(folder) / "shards").iterdir()}


@pytest.fixture(scope="session")
def net():
    keras.utils.set_random_seed(8)
    return keras.Sequential([keras.Input((FEATURES,)), layers.Dense(16, "tanh"), layers.Dense(4, "softmax")])


@pytest.fixture(scope="session")
def contrast():
    return np.random.default_rng(4).uniform(-1, 1, [2, FEATURES]).astype(np.float32)


@pytest.fixture(scope="session")
def model(net, contrast, tmp_path_factory):
    """The path of an exported explainer."""
    folder = tmp_path_factory.mktemp("model")
    return export(IG2Explainer(net, steps=8), folder, contrast, counterfactuals=False, batch_size=16)


@pytest.fixture(scope="session")
def slow_model(net, contrast, tmp_path_factory):
    """The same with so many steps that there is time to kill a job."""
    folder = tmp_path_factory.mktemp("slow_model")
    return export(IG2Explainer(net, steps=1500), folder, contrast, counterfactuals=False, batch_size=16)


@pytest.fixture(scope="session")
def values():
    return np.random.default_rng(5).uniform(-1, 1, [90, FEATURES]).astype(np.float32)


@pytest.fixture(scope="session")
def tfrecords(values, tmp_path_factory):
    """Two files with 50 and 40 good records."""
    folder = tmp_path_factory.mktemp("records")
    write_tfrecord(folder / "a.tfrecord", [{"x": x} for x in values[:50]])
    write_tfrecord(folder / "b.tfrecord", [{"x": x} for x in values[50:]])
    return str(folder / "*.tfrecord")


@pytest.fixture(scope="session")
def plain(model, tfrecords, tmp_path_factory):
    """The folder of the job done by the plain loop."""
    from tf_ig2.serving import job as jobs
    from tf_ig2.serving.shards import Job

    job = Job(model, str(tmp_path_factory.mktemp("plain")))
    jobs.begin(job)
    shards = jobs.plan([tfrecords], 16)
    jobs.finish(job, shards, jobs.run(job, shards), "local")
    return job.output

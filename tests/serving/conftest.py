"""Small exported explainers, and files of records for them, good and bad."""

import contextlib
import io
import json
import os
import signal
import subprocess
import time
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers
from PIL import Image

from tf_ig2 import IG2Explainer
from tf_ig2.serving import export, rows
from tf_ig2.serving import job as jobs
from tf_ig2.serving.shards import Job

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


def check(answer, explanation, tolerance=1e-5):
    """Holds what an exported explainer answered against an explanation in process."""
    for name, expected in {
        "attributions": explanation.values,
        "output": explanation.output,
        "counterfactual_output": explanation.counterfactual_output,
        "completeness_gap": explanation.completeness_gap,
    }.items():
        if expected is None:
            continue  # a gap that means nothing
        np.testing.assert_allclose(answer[name], expected, rtol=1e-5, atol=tolerance, err_msg=name)
    np.testing.assert_array_equal(answer["target"], explanation.target)


def kill_when_begun(command, output, victims=lambda group: [], **options):
    """Starts a job in a process group of its own, and SIGKILLs it when the first of its files is there.

    Args:
      command: the job.
      output: its folder.
      victims: the group's number → the processes to kill; none stands for the whole group.
      **options: of `subprocess.Popen`.

    Returns:
      How many of the job's shards are finished.
    """
    process = subprocess.Popen(command, start_new_session=True, **options)
    deadline = time.monotonic() + 400
    try:
        while not list(Path(output).glob("shards/*")):
            assert process.poll() is None, "the job ended before it could be killed"
            assert time.monotonic() < deadline
            time.sleep(0.01)
        killed = victims(process.pid)
        for victim in killed:
            os.kill(victim, signal.SIGKILL)
        if killed:
            assert process.wait(timeout=400) != 0
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    return len(list(Path(output).glob("reports/*.json")))


def processes(belongs):
    """The ids of processes by `belongs(command line, parent, group)`."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # it may be gone by now
            _, parent, group = (folder / "stat").read_text().rpartition(")")[2].split()[:3]
            if belongs((folder / "cmdline").read_text(errors="replace"), int(parent), int(group)):
                found.append(int(folder.name))
    return found


@pytest.fixture(scope="session")
def net():
    """A float32 classifier with a tanh layer: smooth, so that long walks can be compared."""
    keras.utils.set_random_seed(8)
    hidden, dropout = layers.Dense(16, "tanh"), layers.Dropout(0.5)  # whose seed is another one after each loading
    return keras.Sequential([keras.Input((FEATURES,)), hidden, dropout, layers.Dense(4, "softmax")])


@pytest.fixture(scope="session")
def contrast():
    """Three references."""
    return np.random.default_rng(4).uniform(-1, 1, [3, FEATURES]).astype(np.float32)


@pytest.fixture(scope="session")
def explainer(net):
    return IG2Explainer(net, steps=20)


@pytest.fixture(scope="session")
def exported(explainer, contrast, tmp_path_factory):
    """The path of an exported explainer that takes its number of steps with the request."""
    return export(explainer, tmp_path_factory.mktemp("exported"), contrast, batch_size=7, max_steps=50)


@pytest.fixture(scope="session")
def model(net, contrast, tmp_path_factory):
    """The path of an exported explainer for jobs."""
    folder = tmp_path_factory.mktemp("model")
    return export(IG2Explainer(net, steps=8), folder, contrast, counterfactuals=False, batch_size=16)


@pytest.fixture(scope="session")
def slow_model(net, contrast, tmp_path_factory):
    """The same with so many steps that there is time to kill a job."""
    folder = tmp_path_factory.mktemp("slow_model")
    return export(IG2Explainer(net, steps=1500), folder, contrast, counterfactuals=False, batch_size=16)


def do(job, patterns, shard_size=16):
    """Does a job by the plain loop, and returns its manifest."""
    jobs.begin(job)
    planned = jobs.plan(patterns, shard_size)
    return jobs.finish(job, planned, jobs.run(job, planned), "local")


@pytest.fixture(scope="session")
def values():
    return np.random.default_rng(5).uniform(-1, 1, [90, FEATURES]).astype(np.float32)


@pytest.fixture(scope="session")
def samples(values):
    """Eight explicands."""
    return values[:8]


@pytest.fixture(scope="session")
def tfrecords(values, tmp_path_factory):
    """Two files with 50 and 40 good records."""
    folder = tmp_path_factory.mktemp("records")
    write_tfrecord(folder / "a.tfrecord", [{"x": x} for x in values[:50]])
    write_tfrecord(folder / "b.tfrecord", [{"x": x} for x in values[50:]])
    return str(folder / "*.tfrecord")


@pytest.fixture(scope="session")
def plain(model, tfrecords, tmp_path_factory):
    """The folder of the job done by the plain loop, in shards of 16."""
    job = Job(model, str(tmp_path_factory.mktemp("plain")))
    do(job, [tfrecords], 16)
    return job.output


@pytest.fixture(scope="session")
def few(values, tmp_path_factory):
    """A file with 24 records, for jobs that are killed: six shards of four, each of them slow."""
    return write_tfrecord(tmp_path_factory.mktemp("few") / "few.tfrecord", [{"x": x} for x in values[:24]])


@pytest.fixture(scope="session")
def undisturbed(slow_model, few, tmp_path_factory):
    """The folder of that job, done by the plain loop."""
    job = Job(slow_model, str(tmp_path_factory.mktemp("undisturbed")))
    do(job, [few], 4)
    return job.output

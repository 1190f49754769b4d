"""What serving costs: `python benchmarks/serving.py latency` and `python benchmarks/serving.py throughput`.

* latency: the exported `explain` of MobileNetV2, loaded by TensorFlow and by a session (the loader of model servers),
  against the in-process call with the same settings; ratios pair by pair, medians with their range.
* throughput: 400 wafer maps (TF_IG2_DATA_DIR; random maps without it) through a small CNN: one Beam worker process
  against two, each with one thread for TensorFlow, in turn; beside them two Ray actors. All results must be those
  of the plain loop, file by file. Wall time includes starting the workers.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
if sys.argv[1:2] == ["throughput"]:
    os.environ |= {"TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1", "OMP_NUM_THREADS": "1"}
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, sys.path))  # for worker processes

import keras
import numpy as np
import tensorflow as tf
from common import mobilenet, paired_ratios, quote

from tf_ig2 import IG2Explainer, Keep
from tf_ig2.serving import export
from tf_ig2.serving import job as jobs
from tf_ig2.serving.shards import Job


def latency() -> None:
    """A request against the in-process call."""
    images = np.random.default_rng(0).uniform(0, 255, [4, 224, 224, 3]).astype(np.float32)
    explainer = IG2Explainer(mobilenet(), steps=5)
    references = explainer.represent(images[:2])
    with tempfile.TemporaryDirectory() as folder:
        path = export(explainer, folder, references, counterfactuals=True)
        loaded = tf.saved_model.load(path).signatures["explain"]
        session = tf.compat.v1.Session(graph=tf.Graph())
        with session.graph.as_default():
            signature = tf.compat.v1.saved_model.load(session, ["serve"], path).signature_def["explain"]
        outputs = {name: info.name for name, info in signature.outputs.items()}
        for count in (1, 4):
            x = images[:count]

            def in_process(x: np.ndarray = x) -> object:
                return explainer.explain(x, references, keep=Keep(counterfactuals=True)).values

            def in_python(x: np.ndarray = x) -> object:
                answer = loaded(x=tf.constant(x), target=tf.constant(-1))
                return {name: value.numpy() for name, value in answer.items()}

            def in_session(x: np.ndarray = x) -> object:
                return session.run(outputs, {signature.inputs["x"].name: x})

            for name, request in {"tf.saved_model.load": in_python, "session": in_session}.items():
                ratios, seconds = paired_ratios(in_process, request)
                print(f"{name}, batch {count}: {quote(ratios)} of {np.median(seconds[:, 0]):.2f} s in process")


def wafers() -> np.ndarray:
    """400 wafer maps `[400, 56, 56, 1]`, values in [0, 1]."""
    folder = os.environ.get("TF_IG2_DATA_DIR")
    if not folder:
        return np.random.default_rng(0).integers(0, 3, [400, 56, 56, 1]).astype(np.float32) / 2
    with np.load(Path(folder) / "wafer" / "wafer_subset.npz") as file:
        maps = next(file[name] for name in file.files if file[name].ndim >= 3)
    return (maps[:: len(maps) // 400][:400].reshape(400, 56, 56, 1) / max(1, maps.max())).astype(np.float32)


def throughput(repeats: int = 2) -> None:
    """Workers against each other, and against the plain loop."""
    from tf_ig2.serving import beam, ray

    maps = wafers()
    keras.utils.set_random_seed(0)
    net = keras.Sequential(
        [
            keras.Input((56, 56, 1)),
            keras.layers.Conv2D(16, 3, activation="relu"),
            keras.layers.MaxPooling2D(),
            keras.layers.Conv2D(32, 3, activation="relu"),
            keras.layers.MaxPooling2D(),
            keras.layers.Flatten(),
            keras.layers.Dense(64, "relu"),
            keras.layers.Dense(9, "softmax"),
        ]
    )
    with tempfile.TemporaryDirectory() as folder:
        model = export(IG2Explainer(net, steps=5), f"{folder}/model", maps[:4], counterfactuals=False)
        with tf.io.TFRecordWriter(f"{folder}/maps.tfrecord") as writer:
            for x in maps:
                feature = tf.train.Feature(float_list=tf.train.FloatList(value=x.reshape(-1)))
                example = tf.train.Example(features=tf.train.Features(feature={"x": feature}))
                writer.write(example.SerializeToString())
        shards = jobs.plan([f"{folder}/maps.tfrecord"], 25)
        two = ["--direct_num_workers=2", "--direct_running_mode=multi_processing"]
        one = ["--direct_num_workers=1", "--direct_running_mode=multi_processing"]
        runs = {
            "plain loop": lambda job: (jobs.begin(job), jobs.finish(job, shards, jobs.run(job, shards), "local"))[1],
            "Beam, 1 process": lambda job: beam.run(job, shards, one),
            "Beam, 2 processes": lambda job: beam.run(job, shards, two),
            "Ray, 2 actors": lambda job: ray.run(job, shards, actors=2),
        }
        walls: dict[str, list[float]] = {name: [] for name in runs}
        digests = set()
        for number in range(repeats):
            for name, run in runs.items():
                job = Job(model, f"{folder}/{name} {number}")
                start = time.perf_counter()
                manifest = run(job)
                walls[name].append(time.perf_counter() - start)
                share = manifest["run"]["model_seconds"] / manifest["run"]["worker_seconds"]
                digests.add(json.dumps([shard["sha256"] for shard in manifest["shards"]]))
                print(f"{name}: {walls[name][-1]:.1f} s, {400 / walls[name][-1]:.1f} rows/s, model {share:.0%}")
        print(f"different results: {len(digests) - 1}")
        ratios = np.divide(walls["Beam, 1 process"], walls["Beam, 2 processes"])
        print(f"throughput of two Beam processes against one: {quote(ratios)}")


if __name__ == "__main__":
    {"latency": latency, "throughput": throughput}[sys.argv[1]]()

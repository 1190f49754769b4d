"""What serving costs: `python benchmarks/serving.py latency` and `python benchmarks/serving.py throughput`.

* latency: the exported `explain` of MobileNetV2, loaded by TensorFlow and by a session (the loader of model servers),
  against the in-process call with the same settings in the same process; ratios pair by pair.
* throughput: wafer maps (TF_IG2_DATA_DIR; random maps without it) through the trained wafer CNN, by one worker and by
  two: processes with the plain loop, which are what the machine can do at all, Beam worker processes, Ray actors. Each
  worker has one thread for TensorFlow. The job is made so long that each of two workers has a minute for the model
  alone; wall time includes starting the workers. All results must be those of the plain loop, file by file.

Both print the load of the machine beside the numbers. `--quick` shows in a few minutes whether it works; its numbers
are not worth quoting.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
if sys.argv[1:2] == ["throughput"]:
    os.environ |= {"TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1", "OMP_NUM_THREADS": "1"}
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, sys.path))  # for worker processes

import numpy as np
import tensorflow as tf
from common import mobilenet, paired_ratios

from tf_ig2 import IG2Explainer, Keep
from tf_ig2.paper import saved_models
from tf_ig2.paper.datasets import wm811k
from tf_ig2.serving import ServedExplainer, export
from tf_ig2.serving import job as jobs
from tf_ig2.serving.shards import Job, Report, Shard, explain_rows

RUNNERS = ["plain loop", "Beam", "Ray"]
SHARD = 16
PLAIN_LOOP = """
import json, sys
from tf_ig2.serving import job as jobs
from tf_ig2.serving.shards import Job, Shard
model, output, shards = json.loads(sys.argv[1])
for _ in jobs.run(Job(model, output), [Shard(*shard) for shard in shards]):
    pass
"""


def quote(ratios: Any) -> str:
    """Median and quartiles."""
    low, middle, high = np.percentile(ratios, [25, 50, 75])
    return f"{middle:.2f}× (quartiles {low:.2f}–{high:.2f}, {len(ratios)} pairs)"


def load() -> str:
    """What else the machine does."""
    return f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"


def latency(repeats: int, steps: int) -> None:
    """A request against the in-process call."""
    images = np.random.default_rng(0).uniform(0, 255, [4, 224, 224, 3]).astype(np.float32)
    explainer = IG2Explainer(mobilenet(), steps=steps)
    references = explainer.represent(images[:2])
    with tempfile.TemporaryDirectory() as folder:
        path = export(explainer, folder, references, counterfactuals=True)
        loaded = tf.saved_model.load(path)  # holds the variables
        explain = loaded.signatures["explain"]
        session = tf.compat.v1.Session(graph=tf.Graph())
        with session.graph.as_default():
            signature = tf.compat.v1.saved_model.load(session, ["serve"], path).signature_def["explain"]
        outputs = {name: info.name for name, info in signature.outputs.items()}
        for count in (1, 4):
            x = images[:count]

            def in_process(x: np.ndarray = x) -> object:
                return explainer.explain(x, references, keep=Keep(counterfactuals=True)).values

            def in_python(x: np.ndarray = x) -> object:
                answer = explain(x=tf.constant(x), target=tf.constant(-1))
                return {name: value.numpy() for name, value in answer.items()}

            def in_session(x: np.ndarray = x) -> object:
                return session.run(outputs, {signature.inputs["x"].name: x})

            for name, request in {"tf.saved_model.load": in_python, "session": in_session}.items():
                ratios, seconds = paired_ratios(in_process, request, repeats)
                in_process_seconds = np.median(seconds[:, 0])
                print(f"{name}, batch {count}: {quote(ratios)} of {in_process_seconds:.2f} s in process; {load()}")


def wafers() -> tuple[np.ndarray, np.ndarray]:
    """Wafer maps to explain, `[N, 56, 56, 3]`, and four to contrast them with."""
    if "TF_IG2_DATA_DIR" in os.environ:
        data = wm811k.load("test")
        none = data.labels == wm811k.CLASSES.index("none")
        return wm811k.one_hot(data.maps[~none]), wm811k.one_hot(data.maps[none][:4])
    maps = wm811k.one_hot(np.random.default_rng(0).integers(0, 3, [1004, 56, 56], np.uint8))
    return maps[4:], maps[:4]


def write(path: str, maps: np.ndarray, count: int) -> None:
    """Writes so many records, the maps over and over."""
    with tf.io.TFRecordWriter(path) as writer:
        for number in range(count):
            values = tf.train.FloatList(value=maps[number % len(maps)].reshape(-1))
            features = tf.train.Features(feature={"x": tf.train.Feature(float_list=values)})
            writer.write(tf.train.Example(features=features).SerializeToString())


def seconds_each(model: str, maps: np.ndarray) -> float:
    """What the model takes for a map, in this process."""
    served = ServedExplainer(model)
    batch = [({"x": x}, -1) for x in maps[: served.batch_size]]
    times = []
    for _ in range(4):
        start = time.perf_counter()
        explain_rows(served, batch)
        times.append(time.perf_counter() - start)
    return float(np.median(times[1:])) / len(batch)


def plain_loops(job: Job, shards: list[Shard], workers: int) -> dict[str, Any]:
    """Processes that each take every so-manieth shard, and know nothing of each other."""
    jobs.begin(job)
    parts = [
        [[shard.path, shard.name, shard.start, shard.stop] for shard in shards[first::workers]]
        for first in range(workers)
    ]
    processes = [
        subprocess.Popen([sys.executable, "-c", PLAIN_LOOP, json.dumps([job.model, job.output, part])])
        for part in parts
    ]
    statuses = [process.wait() for process in processes]
    if any(statuses):
        raise SystemExit(f"A plain loop failed: {statuses}.")
    reports = [Report.from_json(json.loads(file.read_text())) for file in Path(job.output, "reports").iterdir()]
    return jobs.finish(job, shards, reports, "local")


def throughput(repeats: int, seconds: float, chosen: list[str]) -> None:
    """Workers against each other, and against the plain loop."""
    from tf_ig2.serving import beam, ray

    def on_beam(job: Job, shards: list[Shard], workers: int) -> dict[str, Any]:
        return beam.run(job, shards, [f"--direct_num_workers={workers}", "--direct_running_mode=multi_processing"])

    def on_ray(job: Job, shards: list[Shard], workers: int) -> dict[str, Any]:
        return ray.run(job, shards, actors=workers)

    runners: dict[str, Callable[[Job, list[Shard], int], dict[str, Any]]] = {
        "plain loop": plain_loops,
        "Beam": on_beam,
        "Ray": on_ray,
    }
    runners = {name: run for name, run in runners.items() if name in chosen}
    maps, references = wafers()
    with tempfile.TemporaryDirectory() as folder:
        explainer = IG2Explainer(saved_models.load("wafer_cnn"), steps=10)
        model = export(explainer, f"{folder}/model", references, counterfactuals=False)
        each = seconds_each(model, maps)
        count = -(-int(2 * seconds / each) // (2 * SHARD)) * 2 * SHARD  # both workers get equally many shards
        print(f"{count} maps, {each:.3f} s of the model each; {load()}", flush=True)
        write(f"{folder}/maps.tfrecord", maps, count)
        shards = jobs.plan([f"{folder}/maps.tfrecord"], SHARD)
        digests = set()
        ratios: dict[str, list[float]] = {name: [] for name in runners}
        for number in range(repeats):
            for name, run in runners.items():
                walls = {}
                for workers in (1, 2):
                    job = Job(model, f"{folder}/{name} {workers} {number}")
                    start = time.perf_counter()
                    manifest = run(job, shards, workers)
                    walls[workers] = time.perf_counter() - start
                    share = manifest["run"]["model_seconds"] / (workers * walls[workers])
                    digests.add(json.dumps([shard["sha256"] for shard in manifest["shards"]]))
                    print(
                        f"{name}, {workers} worker(s): {walls[workers]:.1f} s, {count / walls[workers]:.2f} maps/s, "
                        f"{share:.0%} of the workers' time in the model; {load()}",
                        flush=True,
                    )
                ratios[name].append(walls[1] / walls[2])
        if len(digests) != 1:
            raise SystemExit(f"The runners disagree: {len(digests)} different results.")
        print("all results are the same, file by file")
        for name in runners:
            print(f"{name}: throughput of two workers against one: {quote(ratios[name])}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["latency", "throughput"])
    parser.add_argument("--quick", action="store_true", help="few repeats, short jobs")
    parser.add_argument("--repeats", type=int, help="pairs (default: 15 of latency, 3 of throughput)")
    parser.add_argument("--seconds", type=float, default=60.0, help="model time of each of two workers")
    parser.add_argument("--runners", nargs="+", choices=RUNNERS, default=RUNNERS, help="of the throughput")
    options = parser.parse_args()
    if options.what == "latency":
        latency(options.repeats or (3 if options.quick else 15), 2 if options.quick else 5)
    else:
        seconds = 5.0 if options.quick else options.seconds
        throughput(options.repeats or (1 if options.quick else 3), seconds, options.runners)

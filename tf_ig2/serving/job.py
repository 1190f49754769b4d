"""A batch job from beginning to end: plan the shards, have them explained by somebody, and account for every record."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

import tensorflow as tf

from tf_ig2 import files
from tf_ig2._version import __version__
from tf_ig2.serving import records
from tf_ig2.serving.served import ServedExplainer, read_manifest
from tf_ig2.serving.shards import Job, Report, Shard, explain_shard


def plan(patterns: list[str], shard_size: int = 64) -> list[Shard]:
    """Cuts input files into shards.

    Args:
      patterns: files or glob patterns, TFRecord of `tf.train.Example` or `.parquet`.
      shard_size: records in a shard; what is lost at most when a worker dies.

    Returns:
      The shards, in the order of the files.

    Raises:
      FileNotFoundError: a pattern matches no file.
      ValueError: a file is broken, or all are empty; `shard_size` is not positive.
    """
    if shard_size < 1:
        raise ValueError(f"`shard_size` must be at least 1, not {shard_size!r}.")
    shards = []
    for path, name in records.find(patterns).items():
        size = records.count(path)
        shards += [Shard(path, name, first, min(first + shard_size, size)) for first in range(0, size, shard_size)]
    if not shards:
        raise ValueError(f"There are no records in {', '.join(patterns)}.")
    return shards


def begin(job: Job) -> None:
    """Opens the output folder for a job, or for the same job again.

    Raises:
      ValueError: the folder holds the results of other settings or of another model.
      OSError: it cannot be written.
      FileNotFoundError: the model is not an exported explainer.
    """
    settings = job.settings(read_manifest(job.model))
    path = os.path.join(job.output, "job.json")
    there = files.read_json(path)
    if not isinstance(there, dict) and tf.io.gfile.exists(path):
        raise ValueError(f"{path!r} is damaged or something else: choose another output, or remove the file.")
    if there is not None and there != settings:
        different = sorted(key for key in {**settings, **there} if there.get(key) != settings.get(key))
        raise ValueError(
            f"{job.output!r} holds the results of a job with another {' and another '.join(different)}. "
            "Choose another output."
        )
    files.write_json(job.output, "job.json", settings)


def run(job: Job, shards: Iterable[Shard]) -> Iterator[Report]:
    """Explains shards one after another, in this process.

    Args:
      job: the job.
      shards: from `plan`.

    Yields:
      A report for each shard.
    """
    explainer = ServedExplainer(job.model)
    for shard in shards:
        yield explain_shard(job, explainer, shard)


def finish(job: Job, shards: list[Shard], reports: Iterable[Report], runner: str) -> dict[str, Any]:
    """Accounts for every record, and writes `manifest.json` and `rejected.jsonl`, the dead letters.

    Args:
      job: the job.
      shards: what was planned.
      reports: what became of each.
      runner: who ran it.

    Returns:
      The manifest: settings, input files, shards with checksums, counts, and how long it took.

    Raises:
      RuntimeError: a shard has no report or more than one, or its counts do not add up.
      OSError: a file cannot be written.
    """
    place = {shard: number for number, shard in enumerate(shards)}
    reports = sorted(reports, key=lambda report: place.get(report.shard, -1))
    _account(shards, reports)
    rejected = [bad for report in reports for bad in report.rejected]
    lines = "".join(json.dumps(bad, ensure_ascii=False, sort_keys=True) + "\n" for bad in rejected)
    files.write_whole(job.output, "rejected.jsonl", lines.encode())
    manifest = {
        "tf_ig2": __version__,
        "settings": job.settings(read_manifest(job.model)),
        "inputs": _sizes(shards),
        "records": sum(shard.stop - shard.start for shard in shards),
        "explained": sum(report.explained for report in reports),
        "rejected": len(rejected),
        "shards": [
            {
                "file": report.file,
                "sha256": report.sha256,
                "path": report.shard.path,
                "rows": [report.shard.start, report.shard.stop],
                "explained": report.explained,
                "rejected": len(report.rejected),
            }
            for report in reports
        ],
        "run": {
            "runner": runner,
            "shards_computed": sum(not report.resumed for report in reports),
            "shards_resumed": sum(report.resumed for report in reports),
            "worker_seconds": sum(report.seconds for report in reports if not report.resumed),
            "model_seconds": sum(report.model_seconds for report in reports if not report.resumed),
        },
    }
    files.write_json(job.output, "manifest.json", manifest)
    _tidy(job, reports)
    return manifest


def summary(job: Job, manifest: dict[str, Any]) -> str:
    """A manifest in a few lines, for people."""
    run_ = manifest["run"]
    reasons = Counter(
        json.loads(line)["reason"].split(":")[0].split("`", 1)[0].strip() or "other"
        for line in files.read(os.path.join(job.output, "rejected.jsonl")).decode().splitlines()
    )
    lines = [
        f"{manifest['records']} records: {manifest['explained']} explained, {manifest['rejected']} rejected",
        f"{len(manifest['shards'])} shards: {run_['shards_computed']} computed, {run_['shards_resumed']} from before",
        f"{run_['worker_seconds']:.1f} worker seconds, {run_['model_seconds']:.1f} of them in the model",
    ]
    lines += [f"  rejected {number} × {reason}" for reason, number in reasons.most_common(5)]
    lines.append(f"rows in {os.path.join(job.output, 'shards')}, dead letters in rejected.jsonl, sums in manifest.json")
    return "\n".join(lines)


def _sizes(shards: list[Shard]) -> dict[str, int]:
    sizes: Counter[str] = Counter()
    for shard in shards:
        sizes[shard.path] += shard.stop - shard.start
    return dict(sizes)


def _account(shards: list[Shard], reports: list[Report]) -> None:
    seen = Counter(report.shard for report in reports)
    missing = [shard for shard in shards if seen[shard] != 1]
    if missing or len(reports) != len(shards):
        raise RuntimeError(
            f"{len(missing)} shards have no report or several, the first is {missing[:1]}. Run it again."
        )
    for report in reports:
        if report.explained + len(report.rejected) != report.shard.stop - report.shard.start:
            raise RuntimeError(f"The counts of {report.shard} do not add up: {report}.")


def _tidy(job: Job, reports: list[Report]) -> None:
    """What belongs to records that are no longer in the input moves out of the way of who reads all files."""
    kept = {name for report in reports for name in (report.file, f"reports/{report.name}.json")}
    for folder in ("shards", "reports"):
        path = os.path.join(job.output, folder)
        for file in tf.io.gfile.listdir(path) if tf.io.gfile.isdir(path) else []:
            if f"{folder}/{file}" not in kept:
                aside = os.path.join(job.output, "superseded", folder)
                tf.io.gfile.makedirs(aside)
                tf.io.gfile.rename(os.path.join(path, file), os.path.join(aside, file), overwrite=True)
    written = {os.path.basename(name) for name in kept if name} | {"manifest.json", "rejected.jsonl", "job.json"}
    files.remove_partial(job.output, written)

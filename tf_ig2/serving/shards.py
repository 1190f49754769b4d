"""The core of every batch job: explain one shard of inputs into one file, whole or not at all.

A shard's files are named by what went in: the records, the model, the settings. So a job that is killed, on one machine
or on many, is simply run again: what is there under its name is right and is not computed again. A shard is finished
when its report is there, which is written after its rows.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import time
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from tf_ig2 import extras, files
from tf_ig2.serving import records, rows
from tf_ig2.serving.records import Decoder, Record, RejectedError
from tf_ig2.serving.served import Explanations, ServedExplainer

FORMATS = ("parquet", "tfrecord")
_CHECKSUM = "checksum"


@dataclass(frozen=True)
class Shard:
    """Records `start` … `stop - 1` of the file `path`; keys of records without one begin with `name`."""

    path: str
    name: str
    start: int
    stop: int


@dataclass(frozen=True)
class Job:
    """What all shards of a job have in common; small, and can be sent to workers.

    Attributes:
      model: an exported explainer, the directory named by the version.
      output: the folder of results.
      format: of the rows, `"parquet"` or `"tfrecord"`.
      target: class index for records without a `target` feature; -1 is the predicted class.
      pixel_range: what black and white of encoded images become.
      resume: whether shards that are finished are left as they are.

    Raises:
      ValueError: unknown format.
      MissingExtraError: Parquet, and pyarrow is not installed.
    """

    model: str
    output: str
    format: str = "parquet"
    target: int = -1
    pixel_range: tuple[float, float] = (0.0, 255.0)
    resume: bool = True

    def __post_init__(self) -> None:
        if self.format not in FORMATS:
            raise ValueError(f"Unknown format: {self.format!r}. Choose one of {FORMATS}.")
        if self.format == "parquet":
            extras.need("pyarrow", "beam", 'format="parquet"')

    def settings(self, manifest: dict[str, Any]) -> dict[str, Any]:
        """Everything that the results depend on, beside the records.

        Args:
          manifest: the exported model's.
        """
        return {
            "explainer": manifest["content_sha256"],
            "format": self.format,
            "target": self.target,
            "pixel_range": list(self.pixel_range),
        }


@dataclass(frozen=True)
class Report:
    """What became of a shard.

    Attributes:
      name: of its files.
      shard: the shard.
      file: the rows' file in the output folder, None if no record was good.
      sha256: of that file.
      explained: number of rows in it.
      rejected: of each bad record its `key`, `path`, `row` and `reason`.
      seconds: what it took, and of that `model_seconds` in the model.
      resumed: whether it was finished before.
    """

    name: str
    shard: Shard
    file: str | None
    sha256: str | None
    explained: int
    rejected: list[dict[str, Any]]
    seconds: float
    model_seconds: float
    resumed: bool = False

    def to_json(self) -> dict[str, Any]:
        """The report as JSON, with a checksum of all that it says."""
        content = dataclasses.asdict(self)
        return {**content, _CHECKSUM: _checksum(content)}

    @classmethod
    def from_json(cls, content: Any) -> Report:
        """The report that `to_json` made, or an earlier version without a checksum.

        Raises:
          ValueError: it is something else, or damaged.
        """
        try:
            plain = {key: value for key, value in content.items() if key != _CHECKSUM}
            if content.get(_CHECKSUM, _checksum(plain)) != _checksum(plain):
                raise ValueError("its checksum is another")
            report = cls(**{**plain, "shard": Shard(**plain["shard"])})
            _check(report)
        except (TypeError, ValueError, KeyError, AttributeError) as error:
            raise ValueError(f"This is no report of a shard, or a damaged one: {error}") from error
        return report


def explain_shard(job: Job, explainer: ServedExplainer, shard: Shard) -> Report:
    """Explains one shard, unless it is finished already.

    Args:
      job: what is common to all shards.
      explainer: the job's model, loaded.
      shard: which records.

    Returns:
      The report. Good rows are in `shards/<name>.<format>`, bad ones in the report, `reports/<name>.json`.

    Raises:
      OSError: the input cannot be read or the output cannot be written.
    """
    began = time.perf_counter()
    found = list(records.read(shard.path, shard.name, shard.start, shard.stop))
    name = _name(job, explainer, found)
    if job.resume:
        finished = _finished(job, name, len(found))
        if finished is not None:
            return dataclasses.replace(finished, shard=shard, resumed=True)

    decoder = Decoder(explainer.inputs, explainer.classes, job.target, job.pixel_range)
    good: list[tuple[Record, dict[str, np.ndarray], int]] = []
    rejected: list[dict[str, Any]] = []

    def reject(record: Record, reason: str) -> None:
        rejected.append({"key": record.key, "path": shard.path, "row": row_number[id(record)], "reason": reason})

    row_number = {id(record): number for number, record in enumerate(found, shard.start)}
    for record in found:
        row = decoder.row_or_reason(record)
        if isinstance(row, RejectedError):
            reject(record, str(row))
        else:
            good.append((record, *row))

    explained: list[tuple[Record, Explanations]] = []
    model_began = time.perf_counter()
    for first in range(0, len(good), explainer.batch_size):
        batch = good[first : first + explainer.batch_size]
        for record, result in _explain_batch(explainer, batch):
            if isinstance(result, str):
                reject(record, result)
            else:
                explained.append((record, result))
    model_seconds = time.perf_counter() - model_began

    file, sha256 = None, None
    if explained:
        data = rows.encode(job.format, [record.key for record, _ in explained], [row for _, row in explained])
        file, sha256 = f"shards/{name}.{job.format}", hashlib.sha256(data).hexdigest()
        files.write_whole(job.output, file, data)
    rejected.sort(key=lambda bad: bad["row"])
    seconds = time.perf_counter() - began
    report = Report(name, shard, file, sha256, len(explained), rejected, seconds, model_seconds)
    files.write_json(job.output, f"reports/{name}.json", report.to_json())
    return report


def explain_rows(
    explainer: ServedExplainer, batch: list[tuple[dict[str, np.ndarray], int]]
) -> list[Explanations | str]:
    """Explains rows together; a row on which the model fails gets the reason in the place of an explanation.

    Args:
      explainer: the model.
      batch: of each row its arrays `[...]` by input name, and its target.

    Returns:
      For each row its explanation, without the axis N, or why there is none.
    """
    inputs = {name: np.stack([arrays[name] for arrays, _ in batch]) for name in explainer.inputs}
    try:
        answer = explainer.explain(inputs, np.array([target for _, target in batch], np.int32))
    except tf.errors.InvalidArgumentError as error:
        if len(batch) > 1:  # one of them is the cause: which?
            return [result for row in batch for result in explain_rows(explainer, [row])]
        return [_reason(error)]
    return [_row(answer, number) for number in range(len(batch))]


def _explain_batch(explainer: ServedExplainer, batch: list[tuple[Record, dict[str, np.ndarray], int]]) -> Any:
    results = explain_rows(explainer, [(arrays, target) for _, arrays, target in batch])
    return zip([record for record, _, _ in batch], results, strict=True)


def _row(answer: Explanations, number: int) -> Explanations:
    return Explanations(
        attributions={name: values[number] for name, values in answer.attributions.items()},
        output=answer.output[number],
        counterfactual_output=answer.counterfactual_output[number],
        completeness_gap=answer.completeness_gap[number],
        target=None if answer.target is None else answer.target[number],
    )


def _reason(error: tf.errors.InvalidArgumentError) -> str:
    """The sentence in an error from inside a graph."""
    message = str(error.message)
    _, found, sentence = message.partition("assertion failed: ")
    return sentence.splitlines()[0].strip() if found else message.strip().splitlines()[0]


def _name(job: Job, explainer: ServedExplainer, found: list[Record]) -> str:
    digest = hashlib.sha256(json.dumps(job.settings(explainer.manifest), sort_keys=True).encode())
    for record in found:
        digest.update(record.key.encode() + b"\0" + record.sha256)
    return digest.hexdigest()[:32]


def _finished(job: Job, name: str, count: int) -> Report | None:
    """The report of a shard of so many records that is finished, and whose rows are there as they were written."""
    try:
        report = Report.from_json(files.read_json(os.path.join(job.output, "reports", f"{name}.json")))
    except ValueError:  # there is none yet, or something else: the shard is computed, and the report written
        return None
    if report.name != name or report.explained + len(report.rejected) != count:
        return None
    if report.file is not None:
        path = os.path.join(job.output, "shards", f"{name}.{job.format}")
        if report.file != f"shards/{name}.{job.format}" or not tf.io.gfile.exists(path):
            return None
        if hashlib.sha256(files.read(path)).hexdigest() != report.sha256:
            return None
    return report


def _is_dead_letter(bad: Any) -> bool:
    kinds = {"key": str, "path": str, "row": int, "reason": str}
    return isinstance(bad, dict) and bad.keys() == kinds.keys() and all(isinstance(bad[k], kinds[k]) for k in kinds)


def _checksum(content: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _check(report: Report) -> None:
    """Whether a report's parts are of the types that they should be."""
    numbers = (report.shard.start, report.shard.stop, report.explained)
    words = (report.name, report.shard.path, report.shard.name)
    if not all(type(number) is int and number >= 0 for number in numbers):
        raise ValueError("a number is none")
    if not all(isinstance(word, str) for word in words) or not isinstance(report.resumed, bool):
        raise ValueError("a word is none")
    if not all(isinstance(number, (int, float)) for number in (report.seconds, report.model_seconds)):
        raise ValueError("a duration is none")
    if not isinstance(report.rejected, list) or not all(_is_dead_letter(bad) for bad in report.rejected):
        raise ValueError("a dead letter is none")
    if (report.file is None) != (report.explained == 0):
        raise ValueError("rows without a file, or a file without rows")

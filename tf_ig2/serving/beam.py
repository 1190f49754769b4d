"""Explanations in Apache Beam: resumable shards as a transform, and a model handler for pipelines of one's own."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import apache_beam as beam
import numpy as np
from apache_beam.metrics import Metrics
from apache_beam.ml.inference.base import ModelHandler, PredictionResult
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.utils.shared import Shared

from tf_ig2 import files
from tf_ig2.serving import job as jobs
from tf_ig2.serving.records import Decoder, Record, RejectedError
from tf_ig2.serving.served import ServedExplainer
from tf_ig2.serving.shards import Job, Report, Shard, explain_rows, explain_shard

NAMESPACE = "tf_ig2"
"""Of the metrics: `explained` and `rejected` records, `milliseconds` (a distribution, of a shard or a batch)."""

REJECTED = "rejected"
"""The tag of the dead letters."""


class ExplainShards(beam.PTransform):
    """Shards → reports, with the dead letters beside them.

    The model is loaded once per worker process and shared by its threads. A shard that is finished is not computed
    again.

    Args:
      job: the job.

    Returns:
      On expansion, a dict: `"reports"`, a PCollection of `tf_ig2.serving.shards.Report`, and `"rejected"`, one of dicts
      `key`, `path`, `row`, `reason`.

    Example:
      >>> with beam.Pipeline() as pipeline:  # doctest: +SKIP
      ...     explained = pipeline | beam.Create(plan(["rows-*.tfrecord"])) | beam.Reshuffle() | ExplainShards(job)
      ...     explained["rejected"] | beam.Map(print)
    """

    def __init__(self, job: Job):
        super().__init__()
        self._job = job

    def expand(self, shards: beam.PCollection[Shard]) -> dict[str, beam.PCollection]:
        done = shards | beam.ParDo(_Explain(self._job)).with_outputs(REJECTED, main="reports")
        return {"reports": done["reports"], REJECTED: done[REJECTED]}


class _Explain(beam.DoFn):
    def __init__(self, job: Job):
        self._job, self._shared = job, Shared()

    def setup(self) -> None:
        self._explainer = self._shared.acquire(lambda: ServedExplainer(self._job.model), tag=self._job.model)

    def process(self, shard: Shard) -> Iterator[Any]:
        report = explain_shard(self._job, self._explainer, shard)
        Metrics.counter(NAMESPACE, "explained").inc(report.explained)
        Metrics.counter(NAMESPACE, "rejected").inc(len(report.rejected))
        if not report.resumed:
            Metrics.distribution(NAMESPACE, "milliseconds").update(round(1000 * report.seconds))
        for bad in report.rejected:
            yield beam.pvalue.TaggedOutput(REJECTED, bad)
        yield report


def run(job: Job, shards: list[Shard], options: Sequence[str] = ()) -> dict[str, Any]:
    """Runs a job as a Beam pipeline, to its end.

    Args:
      job: the job; its model, inputs and output must be where workers find them.
      shards: from `tf_ig2.serving.job.plan`.
      options: of the pipeline, as on a command line: `["--runner=FlinkRunner", …]`. The default is the direct runner in
        this process; `["--direct_num_workers=2", "--direct_running_mode=multi_processing"]` uses two processes.

    Returns:
      The manifest.

    Raises:
      ValueError: the output holds another job's results.
      BusyError: another job is writing to it.
      RuntimeError: the pipeline failed; run it again, and what is finished is not computed again.
    """

    def finish(reports: list[Report]) -> dict[str, Any]:
        return jobs.finish(job, shards, reports, "beam")

    with files.alone(job.output):
        jobs.begin(job)
        with beam.Pipeline(options=PipelineOptions(list(options))) as pipeline:
            explained = pipeline | beam.Create(shards) | beam.Reshuffle() | ExplainShards(job)
            explained["reports"] | beam.combiners.ToList() | beam.Map(finish)
    return json.loads(files.read(os.path.join(job.output, "manifest.json")))


class ExplainerModelHandler(ModelHandler[Record, PredictionResult, ServedExplainer]):
    """For `RunInference`: records in, explanations out, a bad record answered with the reason.

    The inference of each result is a `tf_ig2.serving.served.Explanations` of one row, or a `RejectedError`: branch on
    it to make a dead letter queue.

    Args:
      model: an exported explainer, the directory named by the version.
      target: class index for records without a `target` feature; -1 is the predicted class.
      pixel_range: what black and white of encoded images become.
      batch_size: explicands in a batch; None: what fills one pass of the exported model.

    Example:
      >>> from apache_beam.ml.inference.base import RunInference  # doctest: +SKIP
      >>> records | RunInference(ExplainerModelHandler("explainers/digits/1"))  # doctest: +SKIP
    """

    def __init__(
        self,
        model: str,
        target: int = -1,
        pixel_range: tuple[float, float] = (0.0, 255.0),
        batch_size: int | None = None,
    ):
        from tf_ig2.serving.served import read_manifest

        manifest = read_manifest(model)
        self._model, self._target, self._pixel_range = model, target, pixel_range
        self._batch_size = batch_size or max(1, manifest["batch_size"] // max(1, manifest["references"] or 1))
        super().__init__()

    def load_model(self) -> ServedExplainer:
        return ServedExplainer(self._model)

    def run_inference(
        self, batch: Sequence[Record], model: ServedExplainer, inference_args: dict[str, Any] | None = None
    ) -> Iterable[PredictionResult]:
        decoder = Decoder(model.inputs, model.classes, self._target, self._pixel_range)
        results: list[Any] = []
        good: list[tuple[int, tuple[dict[str, np.ndarray], int]]] = []
        for number, record in enumerate(batch):
            row = decoder.row_or_reason(record)
            results.append(row if isinstance(row, RejectedError) else None)
            if not isinstance(row, RejectedError):
                good.append((number, row))
        if good:
            explained = explain_rows(model, [row for _, row in good])
            for (number, _), result in zip(good, explained, strict=True):
                results[number] = RejectedError(result) if isinstance(result, str) else result
        rejected = sum(isinstance(result, RejectedError) for result in results)
        Metrics.counter(NAMESPACE, "explained").inc(len(results) - rejected)
        Metrics.counter(NAMESPACE, "rejected").inc(rejected)
        return [PredictionResult(record, result) for record, result in zip(batch, results, strict=True)]

    def batch_elements_kwargs(self) -> dict[str, Any]:
        return {"min_batch_size": self._batch_size, "max_batch_size": self._batch_size}

    def get_metrics_namespace(self) -> str:
        return NAMESPACE

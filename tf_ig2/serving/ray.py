"""The same job as a Ray Data `map_batches` over a pool of actors, for one's own machines and GPUs."""

from __future__ import annotations

import dataclasses
import json
import os
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import ray
import ray.data

from tf_ig2 import files
from tf_ig2.serving import job as jobs
from tf_ig2.serving.served import ServedExplainer
from tf_ig2.serving.shards import Job, Report, Shard, explain_shard


class _Explainer:
    """An actor: the model is loaded once, when it starts."""

    def __init__(self, job: Job):
        self._job, self._explainer = job, ServedExplainer(job.model)

    def __call__(self, batch: dict[str, Any]) -> dict[str, list[str]]:
        # As JSON: Ray would make object arrays of what has no fixed shape.
        shards = [Shard(**json.loads(shard)) for shard in batch["shard"]]
        reports = [explain_shard(self._job, self._explainer, shard) for shard in shards]
        return {"report": [json.dumps(report.to_json()) for report in reports]}


def run(
    job: Job,
    shards: list[Shard],
    *,
    actors: int = 2,
    num_gpus: float = 0,
    on_report: Callable[[Report], None] | None = None,
    **actor_options: Any,
) -> dict[str, Any]:
    """Runs a job on Ray, to its end; an actor that dies is replaced, and its shard is computed by another.

    Args:
      job: the job; its model, inputs and output must be where actors find them.
      shards: from `tf_ig2.serving.job.plan`.
      actors: how many hold the model, each on a processor of its own; with fewer processors, so many (with a warning).
      num_gpus: of each actor; may be a fraction.
      on_report: called with each report as it arrives.
      **actor_options: of `ray.data.Dataset.map_batches`, for example `num_cpus` or `runtime_env`.

    Returns:
      The manifest.

    Raises:
      ValueError: the output holds another job's results.
      BusyError: another job is writing to it.
      ray.exceptions.RayError: Ray gave up; run it again, and what is finished is not computed again.
    """
    with files.alone(job.output):
        jobs.begin(job)
        reports = []
        for report in _explained(job, shards, actors, num_gpus, actor_options):
            reports.append(report)
            if on_report is not None:
                on_report(report)
        return jobs.finish(job, shards, reports, "ray")


def _explained(
    job: Job, shards: list[Shard], actors: int, num_gpus: float, actor_options: dict[str, Any]
) -> Iterator[Report]:
    if not ray.is_initialized():
        # What later jobs of this process find, too; so not just as many processors as this one needs.
        ray.init(num_cpus=max(actors, os.cpu_count() or 1), include_dashboard=False, log_to_driver=False)
    needed, there = actors * actor_options.get("num_cpus", 1), ray.cluster_resources().get("CPU", 0)
    if needed > there:
        warnings.warn(
            f"{actors} actors need {needed:g} processors, and Ray has {there:g}: the job goes on with fewer actors.",
            stacklevel=3,
        )
    ray.data.DataContext.get_current().enable_progress_bars = False
    items = [{"shard": json.dumps(dataclasses.asdict(shard))} for shard in shards]
    # A block for each shard, or all go to one actor. Not by `repartition`: that is a task, which needs a processor, and
    # where actors hold all there are it waits for ever.
    done = ray.data.from_items(items, override_num_blocks=len(items)).map_batches(
        _Explainer,
        fn_constructor_args=[job],
        batch_size=1,
        compute=ray.data.ActorPoolStrategy(size=actors),
        num_gpus=num_gpus or None,
        **actor_options,
    )
    for row in done.iter_rows():
        yield Report.from_json(json.loads(row["report"]))

"""The commands `tf-ig2 export` and `tf-ig2 batch`."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Annotated, Any

import typer

from tf_ig2 import extras

ModelFile = Annotated[Path, typer.Argument(help="A Keras model, .keras file.")]
References = Annotated[
    list[Path] | None,
    typer.Option(help="Samples of other classes: images, folders of images, or one .npy array [R, ...]."),
]
Layer = Annotated[str | None, typer.Option(help="Representation layer; the penultimate one by default.")]
Steps = Annotated[
    int | None, typer.Option(help="Steps of GradPath: the limit, 3, of calibrated ones, or the number, 10, of others.")
]
StepSize = Annotated[float | None, typer.Option(help="Step size in the model's input units; auto by default.")]
RuleName = Annotated[
    str | None,
    typer.Option(help="idgi, idgi-both, explicand, counterfactual, trapezoid or segment; goes with the step size."),
]
PixelRange = Annotated[tuple[float, float], typer.Option(help="What black and white are in the model's input.")]
Inside = Annotated[
    bool, typer.Option(help="Allow references to be in the export where no layer with weights hides them.")
]
BatchSize = Annotated[int, typer.Option(help="(explicand, reference) pairs in one pass.")]


def add_commands(app: typer.Typer) -> None:
    """Registers `export` and `batch`.

    Args:
      app: the command line.
    """
    app.command()(export)
    # What is not ours goes to the runner.
    app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})(batch)


def export(
    model: ModelFile,
    references: References = None,
    out: Annotated[
        str, typer.Option(help="Folder of the exported model's versions; any tf.io.gfile path.")
    ] = "exported",
    version: Annotated[int, typer.Option(help="Version of the exported model.")] = 1,
    layer: Layer = None,
    steps: Steps = None,
    step_size: StepSize = None,
    rule: RuleName = None,
    pixel_range: PixelRange = (0.0, 255.0),
    batch_size: BatchSize = 32,
    max_steps: Annotated[int | None, typer.Option(help="Let requests choose up to so many steps.")] = None,
    counterfactuals: Annotated[bool, typer.Option(help="Answer with GradCF too.")] = True,
    references_inside: Inside = False,
) -> None:
    """Export a model with IG², for TensorFlow Serving: signatures serving_default, explain, explain_against."""
    from tf_ig2 import serving

    explainer = _explainer(model, layer, steps, step_size, rule)
    path = serving.export(
        explainer,
        out,
        None if not references else _read_references(references, explainer.view.inputs_spec, pixel_range),
        version,
        batch_size=batch_size,
        max_steps=max_steps,
        counterfactuals=counterfactuals,
        references_inside=references_inside,
    )
    manifest = serving.read_manifest(path)
    for name, signature in manifest["signatures"].items():
        typer.echo(f"{name}: {', '.join(signature['inputs'])} → {', '.join(sorted(signature['outputs']))}")
    how = " as they are" if manifest["references_inside"] else ""
    typer.echo(f"{manifest['references'] or 'no'} references baked in{how}; written to {path}")


def batch(
    context: typer.Context,
    model: Annotated[str, typer.Argument(help="A Keras model, .keras file, or a directory that `export` wrote.")],
    input: Annotated[list[str], typer.Option(help="TFRecord or .parquet files, or patterns; any tf.io.gfile path.")],
    output: Annotated[str, typer.Option(help="Folder of the results; any tf.io.gfile path.")],
    references: References = None,
    runner: Annotated[str, typer.Option(help="local, ray, beam, or a runner of Beam such as FlinkRunner.")] = "local",
    workers: Annotated[int, typer.Option(help="Worker processes of beam, actors of ray.")] = 1,
    num_gpus: Annotated[float, typer.Option(help="GPUs of each ray actor.")] = 0,
    format: Annotated[str, typer.Option(help="Of the results: parquet or tfrecord.")] = "parquet",
    shard_size: Annotated[int, typer.Option(help="Records in a file of results.")] = 64,
    target: Annotated[int | None, typer.Option(help="Class index to explain; the predicted class by default.")] = None,
    resume: Annotated[bool, typer.Option(help="Leave finished shards as they are.")] = True,
    layer: Layer = None,
    steps: Steps = None,
    step_size: StepSize = None,
    rule: RuleName = None,
    pixel_range: PixelRange = (0.0, 255.0),
    batch_size: BatchSize = 32,
    references_inside: Inside = False,
) -> None:
    """Explain files of records; run the same command again after a crash. Other options go to the Beam runner."""
    import tensorflow as tf

    from tf_ig2.serving import job as jobs
    from tf_ig2.serving.shards import Job

    on_beam = runner == "beam" or runner.endswith("Runner")
    if runner not in ("local", "ray") and not on_beam:
        raise ValueError(
            f"Unknown runner: {runner!r}. Choose local, ray, beam, or a runner of Beam such as FlinkRunner."
        )
    if runner != "local":
        extra, module = ("beam", "apache_beam") if on_beam else ("ray", "ray")
        extras.need(module, extra, f"--runner {runner}")
    if workers < 1:
        raise ValueError(f"`workers` must be at least 1, not {workers}.")
    if runner == "local" and workers > 1:
        raise ValueError("The local runner is one process: choose --runner beam or --runner ray for more.")
    if context.args and not on_beam:
        raise ValueError(f"Unknown options: {' '.join(context.args)}.")
    job = Job("", output, format, -1 if target is None else target, pixel_range, resume)
    shards = jobs.plan(input, shard_size)
    if tf.io.gfile.isdir(model):
        if references:
            raise ValueError("An exported model carries its references: leave --references out.")
        exported = model
    else:
        explainer = _explainer(Path(model), layer, steps, step_size, rule)
        if not references:
            raise ValueError("Pass --references: samples of other classes.")
        samples = _read_references(references, explainer.view.inputs_spec, pixel_range)
        exported = _exported_once(explainer, output, samples, batch_size, references_inside)
    job = dataclasses.replace(job, model=exported)
    manifest = _run(job, shards, runner, workers, num_gpus, context.args)
    typer.echo(jobs.summary(job, manifest))


def _run(job: Any, shards: list[Any], runner: str, workers: int, num_gpus: float, options: list[str]) -> dict[str, Any]:
    from tf_ig2 import files
    from tf_ig2.progress_bar import tqdm
    from tf_ig2.serving import job as jobs

    if runner not in ("local", "ray"):
        from tf_ig2.serving import beam, progress

        if runner != "beam":
            options = [f"--runner={runner}", *options]
        elif workers > 1:
            options = [f"--direct_num_workers={workers}", "--direct_running_mode=multi_processing", *options]
        with progress.watch(job.output, len(shards)):
            return beam.run(job, shards, options)
    with tqdm(total=sum(shard.stop - shard.start for shard in shards), unit="record", disable=None) as bar:
        if runner == "ray":
            from tf_ig2.serving import ray

            return ray.run(
                job,
                shards,
                actors=workers,
                num_gpus=num_gpus,
                on_report=lambda report: bar.update(report.explained + len(report.rejected)),
            )
        with files.alone(job.output):
            jobs.begin(job)
            reports = []
            for report in jobs.run(job, shards):
                reports.append(report)
                bar.update(report.explained + len(report.rejected))
            return jobs.finish(job, shards, reports, "local")


def _explainer(model: Path, layer: str | None, steps: int | None, step_size: float | None, rule: str | None) -> Any:
    from tf_ig2.explainers.ig2 import IG2Explainer
    from tf_ig2.models import model_files

    step = "auto" if step_size is None else step_size
    return IG2Explainer(model_files.load(model), layer=layer, steps=steps, step_size=step, rule=rule)


def _read_references(paths: list[Path], spec: Any, pixel_range: tuple[float, float]) -> Any:
    import numpy as np

    from tf_ig2 import images, npz

    if len(paths) == 1 and paths[0].suffix == ".npy":
        return npz.read_one(paths[0])
    shape = getattr(spec, "shape", ())
    if len(shape) != 4 or None in tuple(shape[1:]):
        raise ValueError(f"The model takes {spec}, not one image of fixed size: pass the references as one .npy file.")
    height, width, channels = (int(size) for size in shape[1:])
    return np.stack([images.read(file, height, width, channels, pixel_range) for file in images.find(paths)])


def _exported_once(explainer: Any, output: str, samples: Any, batch_size: int, inside: bool) -> str:
    """The model exported into the output, under the name of its content, so that the same job finds it again."""
    import os
    import tempfile

    import tensorflow as tf

    from tf_ig2 import files, serving
    from tf_ig2.serving.served import SAVED_MODEL

    with tempfile.TemporaryDirectory() as folder:
        local = serving.export(
            explainer, folder, samples, batch_size=batch_size, counterfactuals=False, references_inside=inside
        )
        path = os.path.join(output, "models", serving.read_manifest(local)["content_sha256"][:32], "1")
        if not tf.io.gfile.exists(os.path.join(path, SAVED_MODEL)):
            try:
                files.publish_folder(local, path, last=SAVED_MODEL)
            except OSError:
                if not tf.io.gfile.exists(os.path.join(path, SAVED_MODEL)):  # else another command was faster
                    raise
    return path

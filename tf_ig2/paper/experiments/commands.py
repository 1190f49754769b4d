"""The command `tf-ig2 reproduce`."""

from __future__ import annotations

import importlib
import runpy
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from tf_ig2.metrics.metric import Metric

EXPERIMENTS = {
    "study": "which settings IG² should have",
    "calibration": "which defaults calibrated steps should have, on three ImageNet networks",
    "defaults": "methods with nothing named, on three ImageNet networks",
    "photographs_study": "the settings of every method, chosen on two networks with one budget of trials",
    "photographs": "every method at its defaults and its best, at four scales, on three networks",
    "grid": "the grid pointing game on three networks",
    "pic": "PAIR's performance information curves of the maps of photographs",
    "table2": "XAI-BENCH: five metrics on synthetic data",
    "table3": "all methods on real data",
    "table4": "three paths × three baselines",
    "table5": "relevant and irrelevant references",
    "tableA2": "distances between representations",
    "tableA3": "time per sample",
    "xai_tris": "tetrominoes in noise, where it is known which pixels matter",
    "stability": "what moves a map, and what should",
    "celeba": "methods and references on faces with forty attributes",
    "calibrated": "defaults on words, wafers and digits",
    "fig1": "attributions along the path",
    "fig4b": "the prediction along three paths",
    "fig5": "a toy function",
    "fig6": "shifted digits, and references of several classes",
    "fig13": "metrics and the distance of the references' labels",
}
"""Name → what it shows; the module of the same name, in lower case, has `run(options) -> files`."""

COMPARISONS = ("study", "calibration", "defaults", "table3", "table4", "table5", "tableA2", "photographs", "calibrated")
"""Those that measure maps, and can be asked for another metric."""

RESUMED = ("photographs", "grid")
"""Those that can make a page of what is finished so far."""

Name = Enum("Name", {name: name for name in EXPERIMENTS}, type=str)  # type: ignore[misc]  # what the command line takes


def add_commands(app: typer.Typer) -> None:
    """Registers `reproduce`.

    Args:
      app: the command line.
    """
    app.command(epilog="Experiments: " + "; ".join(f"{name}, {what}" for name, what in EXPERIMENTS.items()) + ".")(
        reproduce
    )


def reproduce(
    experiment: Annotated[Name, typer.Argument(help="The table or figure.")],
    out: Annotated[Path, typer.Option(file_okay=False, help="Of results; a killed run goes on there.")] = Path(
        "results"
    ),
    samples: Annotated[int | None, typer.Option(min=1, help="Explicands per task; as published by default.")] = None,
    references: Annotated[int | None, typer.Option(min=1, help="References per explicand.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of everything that is drawn.")] = 0,
    task: Annotated[list[str] | None, typer.Option(help="Only this data set; may be repeated.")] = None,
    metric: Annotated[
        list[str] | None,
        typer.Option(help="One more column: FILE.py:NAME or MODULE:NAME of a tf_ig2.metrics.metric.Metric."),
    ] = None,
    cache: Annotated[
        Path | None,
        typer.Option(file_okay=False, help="Of maps that experiments share; default: `maps` in --out."),
    ] = None,
    finished: Annotated[
        bool, typer.Option("--finished", help="Compute nothing: results of what a killed run has finished.")
    ] = False,
) -> None:
    """Reproduce a table or figure of the paper: CSV, Markdown and a picture, with confidence intervals."""
    from tf_ig2.paper.experiments.options import Options
    from tf_ig2.paper.experiments.task import METRICS

    if finished and experiment.value not in RESUMED:
        raise typer.BadParameter(f"Only {', '.join(RESUMED)} can do with what is finished.", param_hint="--finished")
    if metric and experiment.value not in COMPARISONS:
        raise typer.BadParameter(f"Only {', '.join(COMPARISONS)} can have one more.", param_hint="--metric")
    metrics = (*METRICS, *map(named_metric, metric or ()))
    module = importlib.import_module(f"tf_ig2.paper.experiments.{experiment.value.lower()}")
    for path in module.run(
        Options(out, samples, references, seed, tuple(task or ()), metrics=metrics, cache=cache, finished=finished)
    ):
        typer.echo(path)


def named_metric(place: str) -> Metric[Any]:
    """Loads a metric.

    Args:
      place: "FILE.py:NAME" or "MODULE:NAME"; the file or module is run.

    Raises:
      typer.BadParameter: there is no such metric.
    """
    from tf_ig2.metrics.metric import Metric

    home, _, name = place.rpartition(":")
    try:
        found = runpy.run_path(home)[name] if home.endswith(".py") else getattr(importlib.import_module(home), name)
    except (ImportError, OSError, AttributeError, KeyError, ValueError) as error:
        raise typer.BadParameter(f"{place!r} cannot be loaded: {error!r}.", param_hint="--metric") from error
    if not isinstance(found, Metric):
        raise typer.BadParameter(f"{place!r} is a {type(found).__name__}, not a Metric.", param_hint="--metric")
    return found

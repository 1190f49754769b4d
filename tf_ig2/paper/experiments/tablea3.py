"""Table A.3: the time that an explanation takes, in units of what the gradient takes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import tensorflow as tf

from tf_ig2._version import __version__
from tf_ig2.paper.experiments import figures, tasks
from tf_ig2.paper.experiments.methods import GRADIENTS, IG2, Method, ig2_explainer, ig2_settings, methods
from tf_ig2.paper.experiments.options import Options
from tf_ig2.paper.experiments.records import Record, Records
from tf_ig2.paper.experiments.task import Task

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TITLE = "Table A.3: time per explicand"
SAMPLES = 8
UNIT = "Gradient"

_ARMS = (UNIT, "Vanilla IG", "Guided IG", "Expected IG", "DeepSHAP", "KernelSHAP", IG2)
_SECONDS = {
    "imagenet": (0.13, 8.14, 37.0, 8.34, 111.0, 3150.2, 108.2),
    "trec": (0.003, 0.26, 4.48, 0.49, 0.32, 1.8, 9.80),
    "planted": (0.03, 0.89, 6.39, 1.25, 0.95, 75.0, 18.3),
}
PAPER = {
    task: {arm: number / seconds[0] for arm, number in zip(_ARMS, seconds, strict=True)}
    for task, seconds in _SECONDS.items()
}
"""Task → method → the paper's time divided by its time for the gradient."""


def run(options: Options) -> list[Path]:
    """Times every method on every task.

    Args:
      options: see `Options`; tasks are "imagenet", "trec" and "planted", samples are 8 if not given.

    Returns:
      The files of results.
    """
    files = []
    for name in options.chosen(PAPER):
        task = tasks.load(name, options)
        task = task.take(np.arange(min(options.samples or SAMPLES, len(task))))
        settings = {
            "task": task.name,
            "references": int(task.references.shape[1]),
            "gradients": GRADIENTS,
            "ig2": ig2_settings(ig2_explainer(task)),
            "options": repr(task.options),
            "seed": options.seed,
            "device": _device(),
            "tf_ig2": __version__,
        }
        records = Records(options.out / "records", "tablea3", settings)
        time_rounds(task, methods(task), records)
        files += _write(name, task, records, options)
    return files


def time_rounds(
    task: Task, made: Mapping[str, Method], records: Records, clock: Callable[[], float] = time.perf_counter
) -> None:
    """Times methods, one after the other, on each explicand alone; every explicand is one round.

    All methods are called once before, and these calls, in which networks are compiled, do not count. In a round the
    gradient is timed before each method, and their median is the round's unit: what slows the machine for a while slows
    both.

    Args:
      task: the explicands.
      made: the methods; one of them is `UNIT`.
      records: grows by a record for each method and round, with "seconds" and "ratio"; rounds that it has are not run.
      clock: in seconds.
    """
    finished = set.intersection(*(records.finished(name) for name in made))
    rows = [row for row, name in enumerate(task.names) if name not in finished]
    if not rows:
        return
    warm = task.take(np.array(rows[:1]))
    for method in made.values():
        method(warm)

    def seconds(method: Method, part: Task) -> float:
        start = clock()
        method(part)
        return clock() - start

    for row in rows:
        part = task.take(np.array([row]))
        units, found = [], {}
        for name, method in made.items():
            units.append(seconds(made[UNIT], part))
            if name != UNIT:
                found[name] = seconds(method, part)
        unit = float(np.median(units))
        found = {UNIT: unit, **found}
        records.append(
            Record(name, task.names[row], {"seconds": taken, "ratio": taken / unit}) for name, taken in found.items()
        )


def quartiles(records: Iterable[Record], metric: str) -> dict[str, tuple[float, float, float]]:
    """Arm → lower quartile, median and upper quartile of a metric over explicands."""
    values: dict[str, dict[str, float]] = {}
    for record in records:
        values.setdefault(record.arm, {})[record.explicand] = record.scores[metric]
    return {
        arm: tuple(float(part) for part in np.quantile(list(row.values()), (0.25, 0.5, 0.75)))  # type: ignore[misc]
        for arm, row in values.items()
    }


def _write(name: str, task: Task, records: Records, options: Options) -> list[Path]:
    ratios, seconds = quartiles(records, "ratio"), quartiles(records, "seconds")
    paper = PAPER[name]
    rounds = len({record.explicand for record in records})
    head = ["| | time / gradient's | the paper's | seconds |", "|---|---|---|---|"]
    lines = [
        f"| {arm} | {_text(ratios[arm], '.1f')} | {f'{paper[arm]:.1f}' if arm in paper else ''} | "
        f"{_text(seconds[arm], '.3g')} |"
        for arm in ratios
    ]
    rows = [[arm, *ratios[arm], paper.get(arm, ""), *seconds[arm]] for arm in ratios]
    columns = [f"{kind}_{part}" for kind in ("ratio", "seconds") for part in ("q1", "median", "q3")]
    return figures.write(
        options.out,
        f"tablea3_{name}",
        f"{TITLE}: {task.name}",
        _picture(ratios, paper, f"{TITLE}: {task.name}"),
        ["method", *columns[:3], "paper_ratio", *columns[3:]],
        rows,
        [
            "\n".join([*head, *lines]),
            f"Medians over {rounds} explicands on a {_device()}, explained one at a time, in brackets their quartiles. "
            "In a round all methods explain one explicand, one after the other in one process, after a call that does "
            "not count; the unit is the median of the gradients timed between them. The paper's seconds (one GTX 1080 "
            "Ti, other networks and step numbers) are divided by its gradient's.",
            f"{GRADIENTS} gradients per explicand wherever a method lets one choose; IG²: "
            f"{ig2_settings(ig2_explainer(task))['steps']} steps toward each of {task.references.shape[1]} references. "
            f"Seed {options.seed}.",
            *task.notes,
        ],
    )


def _device() -> str:
    return "GPU" if tf.config.list_physical_devices("GPU") else "CPU"


def _text(numbers: Sequence[float], form: str) -> str:
    low, middle, high = (format(number, form) for number in numbers)
    return f"{middle} [{low}, {high}]"


def _picture(ratios: Mapping[str, tuple[float, float, float]], paper: Mapping[str, float], title: str) -> Figure:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.5, 1.2 + 0.32 * len(ratios)), layout="constrained")
    axes = figure.subplots()
    places = np.arange(len(ratios))[::-1]
    for place, (arm, (low, middle, high)) in zip(places, ratios.items(), strict=True):
        colour = figures.COLOURS.get(arm, "0.3")
        axes.plot([low, high], [place, place], color=colour, linewidth=1.5)
        axes.plot(middle, place, "o", color=colour, markersize=4)
        if arm in paper:
            axes.plot(paper[arm], place, "x", color="0.5", markersize=5)
    axes.set_xscale("log")
    axes.set_yticks(places, list(ratios))
    figures.tidy(axes, f"{title}\nmedians and quartiles; ×: the paper", "time / gradient's time", "")
    return figure

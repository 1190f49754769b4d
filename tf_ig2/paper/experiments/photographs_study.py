"""The settings of every method, chosen on the study half of two networks; see docs/results/protocol.md."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from tf_ig2.paper.experiments import report, trials
from tf_ig2.paper.experiments.bench import BLOCK, INSIDE, PIXELS, SMOOTHED, Bench, Setting, data, open_records, rows
from tf_ig2.paper.experiments.choice import choose
from tf_ig2.paper.experiments.map_store import MapStore
from tf_ig2.paper.experiments.options import Options
from tf_ig2.paper.experiments.records import Record
from tf_ig2.paper.experiments.scales import SIGMAS
from tf_ig2.paper.experiments.table import Column, Table
from tf_ig2.paper.experiments.task import METRICS, Task
from tf_ig2.paper.experiments.tasks import imagenet

TITLE = "Settings of every method, chosen on two networks"
NETWORKS = ("MobileNetV2", "SqueezeNet")
REFERENCES, CURVE_STEPS = 4, 10
COLUMNS = tuple(Column.of(metric, "absolute") for metric in METRICS)
"""What is chosen by."""


def run(options: Options) -> list[Path]:
    """Tries the settings of every method at every scale, and chooses.

    Args:
      options: see `Options`; tasks are the networks. What is chosen needs both, so that of one alone only records are
        made, as two processes may.

    Returns:
      The files of results; the page says what was chosen.
    """
    count = options.references or REFERENCES
    networks = options.chosen(NETWORKS)
    halves = {network: _half(network, options, count) for network in networks}
    tasks = {network: half.take(np.arange(len(half))[: options.samples]) for network, half in halves.items()}
    store = MapStore(options.maps)
    benches = {name: Bench(task.view, trials.DEPTHS[name], store, count) for name, task in tasks.items()}
    some = next(iter(benches.values()))

    at_pixels = {method: [Setting(PIXELS, method, trial) for trial in tried] for method, tried in some.pixels.items()}
    inside = {method: [Setting(INSIDE, method, trial) for trial in tried] for method, tried in some.inside.items()}
    if len(networks) < len(NETWORKS):
        _scored(options, halves, tasks, benches, [*_flat(at_pixels), *_flat(inside)])
        return []
    records = _scored(options, halves, tasks, benches, _flat(at_pixels))
    chosen = {method: choose(records, tried, COLUMNS) for method, tried in at_pixels.items()}
    blurred = {
        method: [replace(setting, scale=SMOOTHED, sigma=sigma) for sigma in SIGMAS]
        for method, setting in chosen.items()
    }
    records = _scored(options, halves, tasks, benches, [*_flat(at_pixels), *_flat(blurred), *_flat(inside)])
    made = []
    lines = []
    for scale, tried in ((PIXELS, at_pixels), (SMOOTHED, blurred), (INSIDE, inside)):
        taken = {method: choose(records, settings, COLUMNS) for method, settings in tried.items()}
        lines.append(f"Chosen, {scale}: " + "; ".join(_said(setting) for setting in taken.values()) + ".")
        for network, own in records.items():
            shown = {setting: _said(setting, setting in taken.values()) for setting in _flat(tried)}
            task = tasks[network]
            notes = (*task.notes, f"{len(task)} photographs of the study half, curves of {CURVE_STEPS} steps.")
            made.append(
                Table(f"{network}, {scale}", COLUMNS, rows(own, shown, task.names), None, {}, notes, options.seed)
            )
    return report.write(made, options.out, "photographs_study", TITLE, (*_NOTES, *lines))


def _half(network: str, options: Options, count: int) -> Task:
    task = imagenet.load(None, "study", count, options.seed, network=network, pool="auto")
    return replace(task, channels=("absolute",), options={}, curve_steps=CURVE_STEPS)


def _scored(
    options: Options,
    halves: dict[str, Task],
    tasks: dict[str, Task],
    benches: dict[str, Bench],
    settings: Sequence[Setting],
) -> dict[str, list[Record]]:
    """The records of every network, block by block in turn."""
    opened = {
        name: open_records(
            options, "photographs_study", benches[name], settings, data(halves[name]), curve_steps=CURVE_STEPS
        )
        for name in tasks
    }
    for first in range(0, max(map(len, tasks.values())), BLOCK):
        for name, task in tasks.items():
            block = task.take(np.arange(first, min(first + BLOCK, len(task))))
            benches[name].score(block, settings, opened[name], METRICS, options.verbose)
    return {
        name: [record for record in records if record.explicand in tasks[name].names]
        for name, records in opened.items()
    }


def _flat(settings: dict[str, list[Setting]]) -> list[Setting]:
    return [setting for tried in settings.values() for setting in tried]


def _said(setting: Setting, chosen: bool = False) -> str:
    trial = setting.trial if setting.sigma is None else f"{setting.trial}, σ {setting.sigma:g}"
    return f"{setting.method}: {trial}{' ←' if chosen else ''}"


_NOTES = (
    "Every method with the trials of the [protocol](protocol.md), on the study half; nothing here is evidence for or "
    "against a method. An arrow marks what was chosen: the smallest mean rank over both networks and four metrics.",
)

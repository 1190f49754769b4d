"""Every method at its defaults and at its best, at four scales, on three networks; see docs/results/protocol.md."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from tf_ig2.paper.experiments import report, trials
from tf_ig2.paper.experiments.bench import (
    BLOCK,
    INSIDE,
    PIXELS,
    REGIONS,
    SMOOTHED,
    XRAI,
    Bench,
    Setting,
    data,
    finished,
    open_records,
    rows,
)
from tf_ig2.paper.experiments.choice import best
from tf_ig2.paper.experiments.map_store import MapStore
from tf_ig2.paper.experiments.methods import IG2
from tf_ig2.paper.experiments.options import Options
from tf_ig2.paper.experiments.records import Records
from tf_ig2.paper.experiments.table import Column, Table
from tf_ig2.paper.experiments.task import Task
from tf_ig2.paper.experiments.tasks import imagenet, photographs
from tf_ig2.paper.experiments.tasks.photographs import Photographs

TITLE = "Photographs: every method at its defaults and at its best"
SAMPLES, REFERENCES, CURVE_STEPS = 150, 4, 10
CONTROL = "squared SmoothGrad"
SCALES = (PIXELS, SMOOTHED, REGIONS, INSIDE)
_PREFIX = "photographs "


def defaults() -> dict[Setting, str]:
    """Pixels, nothing named but the number of gradients; the control is Gradient with noise and squares."""
    methods = ("Gradient", "Vanilla IG", "Guided IG", "Expected IG", "DeepSHAP", "Blur IG")
    found = {Setting(PIXELS, method): method for method in methods}
    found[Setting(PIXELS, "Gradient", trials.SQUARES)] = CONTROL
    found[Setting(PIXELS, IG2, trials.ON_PATH)] = IG2
    return found


def elsewhere() -> dict[Setting, str]:
    """Defaults in regions, and inside the network at the middle depth."""
    return {
        Setting(REGIONS, XRAI): XRAI,
        Setting(REGIONS, IG2, trials.ON_PATH): f"{IG2}, regions",
        Setting(INSIDE, trials.GRAD_CAM, trials.LAST): trials.GRAD_CAM,
        Setting(INSIDE, trials.FROM_ZERO, f"middle, {trials.PUBLISHED}"): f"{trials.FROM_ZERO}, inside",
        Setting(INSIDE, trials.EXPECTED, f"middle, {trials.PUBLISHED}"): f"{trials.EXPECTED}, inside",
        Setting(INSIDE, IG2, f"middle, {trials.IDGI}"): f"{IG2}, inside",
    }


def at_best(scale: str) -> dict[Setting, str]:
    """What was chosen at a scale; XRAI is there where there are regions."""
    found = {setting: setting.method for setting in best(scale)}
    return {Setting(REGIONS, XRAI): XRAI, **found} if scale == REGIONS else found


def scales() -> dict[Setting, str]:
    """IG² at its best at every scale, XRAI, and Grad-CAM."""
    found = {Setting(REGIONS, XRAI): XRAI}
    found |= {setting: trials.GRAD_CAM for setting in best(INSIDE) if setting.method == trials.GRAD_CAM}
    for scale in SCALES:
        found |= {setting: f"{IG2}, {scale}" for setting in best(scale) if setting.method == IG2}
    return found


def shown() -> list[tuple[str, dict[Setting, str], str]]:
    """The tables of a network: title, setting → row, and the row that others are compared with."""
    return [
        ("defaults, pixels", defaults(), IG2),
        ("defaults, regions and inside", elsewhere(), f"{IG2}, inside"),
        *((f"at its best, {scale}", at_best(scale), IG2) for scale in SCALES),
        ("at its best, scales", scales(), f"{IG2}, {INSIDE}"),
    ]


@dataclass(frozen=True)
class World:
    """A network, and what it is shown.

    Attributes:
      bench: its methods.
      masked: the report half of the masked photographs.
      photographs: those without masks.
    """

    bench: Bench
    masked: Task
    photographs: Photographs

    def block(self, first: int, last: int) -> tuple[Task, Task]:
        """Some masked photographs, as far as there are any, and as many without masks."""
        masked = self.masked.take(np.arange(first, min(last, len(self.masked))))
        found = self.photographs.task(np.arange(first, min(last, len(self.photographs))))
        return masked, replace(found, channels=("absolute",), curve_steps=self.masked.curve_steps)

    def records(self, options: Options, settings: Iterable[Setting]) -> tuple[Records, Records]:
        """What is known of both."""
        settings, seen = list(settings), self.photographs
        steps = self.masked.curve_steps
        return (
            open_records(options, "photographs", self.bench, settings, data(self.masked), curve_steps=steps),
            open_records(
                options, "photographs", self.bench, settings, [seen.inputs, seen.target, seen.chosen], curve_steps=steps
            ),
        )


def world(network: str, options: Options) -> World:
    """A network with its photographs."""
    count = options.references or REFERENCES
    masked = imagenet.load(None, "report", count, options.seed, network=network, pool="auto")
    masked = replace(masked, channels=("absolute",), options={}, curve_steps=CURVE_STEPS)
    bench = Bench(masked.view, trials.DEPTHS[network], MapStore(options.maps), count)
    return World(bench, masked, photographs.load(masked.view, None, count, options.seed))


def score(worlds: Mapping[str, World], options: Options, settings: Sequence[Setting], samples: int) -> None:
    """Scores settings, block by block, every network in turn; what is finished is not scored again."""
    opened = {network: own.records(options, settings) for network, own in worlds.items()}
    for kind in (0, 1):  # those with masks first: they have all metrics
        for first in range(0, samples, BLOCK):
            for network, own in worlds.items():
                part = own.block(first, min(first + BLOCK, samples))[kind]
                own.bench.score(part, settings, opened[network][kind], options.metrics, options.verbose)


def run(options: Options) -> list[Path]:
    """Measures every method at its defaults and at its best.

    Args:
      options: see `Options`; tasks are the networks, samples the photographs of either kind.

    Returns:
      The files of results.
    """
    samples = options.samples or SAMPLES
    worlds = {network: world(network, options) for network in options.chosen(trials.DEPTHS)}
    every = list(dict.fromkeys(setting for _, names, _ in shown() for setting in names))
    if not options.finished:
        score(worlds, options, every, samples)
    made = {}
    for network, own in worlds.items():
        known = list(zip(own.block(0, samples), own.records(options, every), strict=True))
        for title, names, champion in shown():
            found = [
                (records, finished(records, names, part.names, part.keys(options.metrics))) for part, records in known
            ]
            if any(explicands for _, explicands in found):
                made[network, title] = _table(options, network, title, names, champion, found)
    return report.write(list(made.values()), options.out, "photographs", TITLE, (*_NOTES, standing(made), *_settings()))


def standing(tables: Mapping[tuple[str, str], Table]) -> str:
    """Where IG² stands: of how many rows it is ahead, not told apart, behind, by table and metric, as Markdown.

    Args:
      tables: (network, title) → table, all with the same columns.
    """
    columns = list(dict.fromkeys(column for table in tables.values() for column in table.columns))
    lines = ["| | | " + " | ".join(column.heading for column in columns) + " |", "|---" * (len(columns) + 2) + "|"]
    for (network, title), table in tables.items():
        cells = []
        for column in columns:
            others = [arm for arm in table.arms if arm != table.champion]
            stands = [table.ahead_of(arm, column) for arm in others]
            cells.append(f"{stands.count(1)} / {stands.count(0)} / {stands.count(-1)}")
        lines.append(f"| {title} | {network} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _table(
    options: Options,
    network: str,
    title: str,
    names: dict[Setting, str],
    champion: str,
    found: Sequence[tuple[Records, list[str]]],
) -> Table:
    (masked, with_masks), (rest, without) = found
    records = [*rows(masked, names, with_masks), *rows(rest, names, without, _PREFIX)]
    columns = [Column.of(metric, "absolute") for metric in options.metrics]
    columns += [replace(column, key=_PREFIX + column.key, label=f"{column.label}, no masks") for column in columns]
    more = f"; in the columns “no masks” {len(without)} of the 400 photographs without" if without else ""
    note = f"{network}: {len(with_masks)} photographs of the report half with masks{more}. Seed {options.seed}."
    return Table(f"{network}, {title}", columns, records, champion, {}, (note,), options.seed, corrected=True)


def _settings() -> list[str]:
    """What was chosen, as lines."""
    return [
        f"At its best, {scale}: "
        + "; ".join(
            f"{setting.method}, {setting.trial}{'' if setting.sigma is None else f', σ {setting.sigma:g}'}"
            for setting in best(scale)
        )
        + "."
        for scale in SCALES
    ]


_NOTES = (
    "**What was won and what was not**, on 150 photographs of each network: the 39 of the report half with masks, "
    "and 111 of the 400 without. At the pixels, with defaults, IG² is ahead of all six published methods by GT-AUC "
    "(.883, .884, .834 on MobileNetV2, MobileNetV1, SqueezeNet; the best of the six .723, .707, .712), by GT-SUM "
    "(.627, .579, .621; .455, .471, .489) and by SIC ADD with masks (.541, .535, .489; .418, .434, .380) and "
    "without, on every network; by SIC DEL it is behind none of them, and with masks Blur IG, on SqueezeNet others "
    "too, are not told apart (.099, .121, .068 against .090, .113, .077); without masks all six are worse on "
    "MobileNetV1, Blur IG is not told apart on the other two (.093, .063 against .090, .062), nor DeepSHAP on "
    "SqueezeNet. It is **behind a control without any path**: squared gradients at noisy copies of the photograph, "
    "24 of them, have .016 to .018 more GT-AUC and .027 to .035 more ADD on every network with masks, .016 to .031 "
    "without; by GT-SUM and DEL the two are not told apart. Noise, squares and IDGI lift every rival (DeepSHAP's "
    "GT-AUC from .721, .623, .688 to .794, .770, .737), none to IG².",
    "Inside the network, at a layer in the middle, IG² with defaults has the largest GT-AUC but XRAI's on SqueezeNet "
    "(.930, .957, .877; XRAI .909, .852, .889): ahead of XRAI by GT-AUC on MobileNetV1 alone, by GT-SUM on every "
    "network (.652, .605, .598 against .478, .437, .464), by DEL on MobileNetV1 and SqueezeNet; by ADD it is level "
    "with it on two and **behind XRAI and Grad-CAM on SqueezeNet** (.461; .514, .518). Without masks it is ahead of "
    "XRAI by ADD on MobileNetV1, level on MobileNetV2, behind on SqueezeNet (.517, .480, .326; XRAI .474, .481, "
    ".387), and behind IG from zero and Expected IG there by DEL on every network, which add worse but for IG from "
    "zero on MobileNetV1. Ahead of XRAI by AUC and DEL on every network it is not.",
    "**What was tried** for more: three depths, two sums, σ of 4, 8 and 16 pixels, regions. The depth chosen on "
    "eight study photographs of two networks, the late one, is better than the middle one on those two (GT-AUC .950 "
    "and .930, .888 and .877) and worse on the third (.922 and .957): a layer does not carry over by its depth. "
    "There IG² is level with XRAI by ADD on every network, ahead of it by GT-SUM, by GT-AUC on two of three, by DEL "
    "on one. IG from zero with IDGI at the same layer is a cheap rival: .911, .913, .880 by GT-AUC. At the pixels "
    "XRAI's regions, ranked by IG², do as well as XRAI by ADD and DEL with .12 to .14 more GT-SUM. Where everything "
    "is smoothed or ranked in regions, most methods are not told apart from IG².",
    "By the [protocol](protocol.md); settings were chosen on other photographs of two of the networks "
    "([study](photographs_study.md)). With fewer than about 50 photographs bootstrap p-values are a little too "
    "small. The first table counts, for each table below and each metric, the rows that IG² is ahead of / not told "
    "apart from / behind.",
)

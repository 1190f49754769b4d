"""PAIR's performance information curves of maps of photographs: how early does what a map reveals tell the class?"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tf_ig2.metrics import pic
from tf_ig2.metrics.predict import Predictor
from tf_ig2.paper.experiments import arms, photographs, report, trials
from tf_ig2.paper.experiments.arms import Arm
from tf_ig2.paper.experiments.bench import BLOCK, Bench, Setting, data, open_records, rows
from tf_ig2.paper.experiments.options import Options
from tf_ig2.paper.experiments.records import Records
from tf_ig2.paper.experiments.table import Column, Table
from tf_ig2.paper.experiments.task import Task

TITLE = "Performance information curves of photographs"
SAMPLES = 10
COLUMN = Column("pic", "PIC (SIC)")


def run(options: Options) -> list[Path]:
    """Draws the curves of the maps that `photographs` makes with defaults; kept maps are not made again.

    Args:
      options: see `Options`; tasks are the networks, samples the photographs of each.

    Returns:
      The files of results.
    """
    made = []
    shown = [photographs.shown()[0], photographs.shown()[1]]
    settings = list(dict.fromkeys(setting for _, names, _ in shown for setting in names))
    for network in options.chosen(trials.DEPTHS):
        own = photographs.world(network, options)
        task, looked_at = first_defined(own.masked, options.samples or SAMPLES)
        records = open_records(options, "pic", own.bench, settings, data(task), thresholds=list(pic.THRESHOLDS))
        score(own.bench, task, settings, records, options.verbose)
        note = (
            f"{network}: {len(task)} photographs of the report half with masks, the first of {looked_at} of which the "
            f"curve is defined: the network gives the class at least 0.8. Seed {options.seed}."
        )
        for title, names, champion in shown:
            found = rows(records, names, task.names)
            made.append(
                Table(f"{network}, {title}", [COLUMN], found, champion, {}, (note,), options.seed, corrected=True)
            )
    return report.write(made, options.out, "pic", TITLE, _NOTES)


def first_defined(task: Task, samples: int) -> tuple[Task, int]:
    """The first explicands of which there is a curve, and how many were looked at for them."""
    chosen: list[int] = []
    looked_at = 0
    for row in range(len(task)):
        if len(chosen) == samples:
            break
        looked_at += 1
        part = task.take(np.array([row]))
        try:
            curve(part, np.zeros(part.inputs.shape[1:3]), thresholds=(1.0,))
        except pic.PICError:
            continue
        chosen.append(row)
    return task.take(np.array(chosen, np.int64)), looked_at


def score(bench: Bench, task: Task, settings: Sequence[Setting], records: Records, verbose: bool = False) -> None:
    """Draws what is not drawn yet.

    Args:
      bench: of the network.
      task: explicands of which there is a curve.
      settings: see `Setting`.
      records: what is finished; grows.
      verbose: show a progress bar.
    """

    def arm(setting: Setting) -> Arm:
        maps = bench.maps(setting)

        def areas(chosen: np.ndarray) -> list[dict[str, float]]:
            made = maps(task.take(chosen))
            return [
                {COLUMN.key: curve(task.take(np.array([row])), one).auc} for row, one in zip(chosen, made, strict=True)
            ]

        return Arm(str(setting), task.names, areas, BLOCK, [COLUMN.key])

    arms.run([arm(setting) for setting in settings], records, verbose)


def curve(part: Task, values: np.ndarray, thresholds: Sequence[float] = pic.THRESHOLDS) -> pic.PIC:
    """The curve of one explicand and its map `[H, W]`.

    Raises:
      PICError: there is none for this explicand, whatever the map.
    """
    image = np.clip(np.round(part.inputs[0]), 0, 255).astype(np.uint8)
    run = Predictor(part.view, batch_size=32, activation="softmax")

    def predict(images: np.ndarray) -> np.ndarray:
        return run(images.astype(np.float32))[:, part.target[0]]

    height, width = image.shape[:2]
    seed = zlib.crc32(part.names[0].encode())  # another mask for each image, the same for all maps
    mask = pic.random_mask(height, width, seed=seed)
    return pic.performance_information_curve(image, values, mask, predict, thresholds)


_NOTES = (
    "**Found**, on ten photographs of each network: at the pixels IG² with defaults has the largest area of the "
    "published methods on all three (.540, .543, .571; the best of the six .500, .466, .450, told apart but for "
    "Guided IG on MobileNetV2), and is not told apart from the control without a path (.566, .549, .571). Inside the "
    "network and in regions it is level with XRAI (.616, .625, .559; XRAI .601, .564, .594, told apart on "
    "MobileNetV1); Grad-CAM has the largest means (.687, .685, .640), told apart on MobileNetV1. The same order as by "
    "[SIC ADD](photographs.md), by another measure of how much is shown: the size of the compressed picture.",
    "The maps are those of the page of photographs, which are kept and were not made again. Thresholds, blurring and "
    "compression are PAIR's (Kapishnikov et al., XRAI, ICCV 2019); every photograph has a random mask of its own, the "
    "same for all methods.",
)

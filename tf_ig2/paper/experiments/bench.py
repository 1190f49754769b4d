"""Settings of methods on one network, each scored on explicands from maps that are computed once.

A setting is a scale, a method and one of its trials, see `tf_ig2.paper.experiments.trials` and `scales`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tf_ig2._version import __version__
from tf_ig2.contrasts import baselines
from tf_ig2.metrics.metric import Explicands, Metric
from tf_ig2.models.model_view import ModelView
from tf_ig2.paper.experiments import trials
from tf_ig2.paper.experiments.arms import Arm, run
from tf_ig2.paper.experiments.map_store import Mapped, Maps, MapStore, kept, network_fingerprint
from tf_ig2.paper.experiments.options import Options
from tf_ig2.paper.experiments.records import Record, Records
from tf_ig2.paper.experiments.scales import Regions, smoothed
from tf_ig2.paper.experiments.task import Task

PIXELS, SMOOTHED, REGIONS, INSIDE = "pixels", "smoothed", "regions", "inside"
XRAI = "XRAI"

BLOCK = 10
"""Explicands that are explained together; the next network has its turn after them."""


@dataclass(frozen=True)
class Setting:
    """What one map is made by.

    Attributes:
      scale: `PIXELS`, `SMOOTHED`, `REGIONS` or `INSIDE`.
      method: its name.
      trial: of `trials.at_pixels`, or of `trials.inside`.
      sigma: in pixels, of smoothed maps.
    """

    scale: str
    method: str
    trial: str = trials.PUBLISHED
    sigma: float | None = None

    def __str__(self) -> str:
        scale = self.scale if self.sigma is None else f"{self.scale} {self.sigma:g}"
        return f"{scale} | {self.method} | {self.trial}"


class Bench:
    """The methods of one network.

    Args:
      view: the network.
      depths: depth → inner layer.
      store: where maps are kept.
      references: R of the tasks.
      value_range: of the points.
    """

    def __init__(
        self,
        view: ModelView,
        depths: Mapping[str, str],
        store: MapStore,
        references: int,
        value_range: tuple[float, float] = (0.0, 255.0),
    ):
        self.view = view
        self.pixels = trials.at_pixels(view, references)
        self.inside = trials.inside(view, depths, references)
        self._xrai = trials.xrai_base(view, value_range)
        self._store, self._network, self._regions = store, network_fingerprint(view), Regions()
        self.known = {"network": self._network, "references": references, "tf_ig2": __version__}

    def score(
        self,
        task: Task,
        settings: Iterable[Setting],
        records: Records,
        metrics: Sequence[Metric[Explicands]],
        verbose: bool = False,
    ) -> None:
        """Scores what is not scored yet, explicand by explicand, so that no score depends on the company.

        Args:
          task: a block of explicands.
          settings: see `Setting`.
          records: what is finished; grows.
          metrics: by which.
          verbose: show a progress bar.
        """
        keys = task.keys(metrics)
        low, high = (np.full([len(task)] + [1] * (task.inputs.ndim - 1), end, np.float32) for end in task.value_range)
        if len(task) and isinstance(task.background, str) and task.background == "blurred":  # once for all settings
            task = replace(task, background=baselines.Blurred()(task.points, low, high, 0, 0))

        def arm(setting: Setting) -> Arm:
            maps = self.maps(setting)

            def score(rows: np.ndarray) -> list[dict[str, float]]:
                part = task.take(rows)
                made = maps(part)
                return [part.take(np.array([i])).scores(made[i : i + 1], metrics)[0] for i in range(len(part))]

            return Arm(str(setting), task.names, score, BLOCK, keys)

        run([arm(setting) for setting in settings], records, verbose)
        self._regions.forget()

    def maps(self, setting: Setting) -> Maps:
        """What makes the maps of a setting.

        Raises:
          KeyError: there is no such method or trial.
        """
        maps = self._kept(self._mapped(setting))
        if setting.scale == SMOOTHED and setting.sigma is not None:
            return smoothed(maps, setting.sigma)
        return self._regions(maps) if setting.scale == REGIONS else maps

    def about(self, settings: Iterable[Setting]) -> dict[str, Any]:
        """What the scores of each setting depend on, for `Records`."""
        return {str(setting): dict(self._mapped(setting).settings) for setting in settings}

    def _mapped(self, setting: Setting) -> Mapped:
        if setting.method == XRAI:
            return self._xrai
        return (self.inside if setting.scale == INSIDE else self.pixels)[setting.method][setting.trial]

    def _kept(self, mapped: Mapped) -> Maps:
        return kept(mapped, self._store, self._network)


def data(task: Task) -> list[np.ndarray]:
    """The arrays of a task that scores depend on."""
    return [task.inputs, task.target, task.references, *([] if task.masks is None else [task.masks])]


def open_records(
    options: Options, name: str, bench: Bench, settings: Iterable[Setting], arrays: Iterable[Any], **known: Any
) -> Records:
    """The records of an experiment on one network and one set of explicands.

    Args:
      options: where to, and the seed.
      name: of the experiment.
      bench: of the network.
      settings: those that are going to be scored.
      arrays: all that scores depend on beside the network.
      **known: what else.
    """
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(np.ascontiguousarray(array).tobytes())
    about = {**bench.known, "data": digest.hexdigest()[:12], "seed": options.seed, **known}
    return Records(options.out / "records", name, about, bench.about(settings))


def finished(
    records: Records, settings: Iterable[Setting], explicands: Sequence[str], keys: Iterable[str]
) -> list[str]:
    """The explicands that have all scores by all settings, in their order."""
    wanted = list(keys)
    whole = [records.finished(str(setting), wanted) for setting in settings]
    return [name for name in explicands if all(name in known for known in whole)]


def rows(
    records: Iterable[Record],
    names: Mapping[Setting, str],
    explicands: Iterable[str],
    prefix: str = "",
) -> list[Record]:
    """Records under the names that a table shows.

    Args:
      records: the scores.
      names: setting → row of the table.
      explicands: those that are shown.
      prefix: put before the names of metrics, to show scores of other explicands in columns of their own.
    """
    found = {(record.arm, record.explicand): record.scores for record in records}
    explicands = list(explicands)
    return [
        Record(name, explicand, {f"{prefix}{key}": score for key, score in found[str(setting), explicand].items()})
        for setting, name in names.items()
        for explicand in explicands
        if (str(setting), explicand) in found
    ]

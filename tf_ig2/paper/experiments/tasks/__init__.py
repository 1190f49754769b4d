"""The data sets of the experiments as tasks, by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tf_ig2.paper.experiments.options import Options
from tf_ig2.paper.experiments.task import Task
from tf_ig2.paper.experiments.tasks import imagenet, trec, wafers

LOADERS: dict[str, Callable[..., Task]] = {
    "imagenet": imagenet.load,
    "trec": trec.load,
    "planted": wafers.planted,
    "wafers": wafers.real,
}


def load(name: str, options: Options, **more: Any) -> Task:
    """A task, with as many samples and references as the options ask for.

    Args:
      name: one of `LOADERS`.
      options: samples and references where they are given, and the seed.
      **more: other arguments of the loader.
    """
    wanted = {"samples": options.samples, "references": options.references}
    return LOADERS[name](**{key: value for key, value in wanted.items() if value}, seed=options.seed, **more)

"""What every experiment can be asked for."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tf_ig2.metrics.metric import Explicands, Metric
from tf_ig2.paper.experiments.task import METRICS


@dataclass(frozen=True)
class Options:
    """What every experiment can be asked for.

    Attributes:
      out: folder for the results, and for the records that a later run goes on from.
      samples: explicands per task; None: the experiment's own number.
      references: R, references per explicand; None: the experiment's own number.
      seed: of everything that is drawn.
      tasks: names of those to do; empty: all that the experiment has.
      verbose: show progress bars.
      metrics: what maps are measured by, where methods are compared: the columns of the tables.
      cache: folder of maps that are computed once and scored often, where an experiment keeps them; None: the folder
        `maps` in `out`.
      finished: make results of the explicands that records have whole, and compute nothing, where an experiment can.

    Raises:
      ValueError: a number is not positive, or the seed negative; there are no metrics, or two share a key.
    """

    out: Path
    samples: int | None = None
    references: int | None = None
    seed: int = 0
    tasks: tuple[str, ...] = ()
    verbose: bool = True
    metrics: tuple[Metric[Explicands], ...] = METRICS
    cache: Path | None = None
    finished: bool = False

    def __post_init__(self) -> None:
        for name in ("samples", "references"):
            number = getattr(self, name)
            if number is not None and number < 1:
                raise ValueError(f"`{name}` must be positive, not {number}.")
        if self.seed < 0:
            raise ValueError(f"`seed` must not be negative: {self.seed}.")
        keys = [metric.key for metric in self.metrics]
        if not keys or len(set(keys)) < len(keys):
            raise ValueError(f"`metrics` must be one or more, each with a key of its own, not {keys}.")

    @property
    def maps(self) -> Path:
        """The folder of maps."""
        return self.out / "maps" if self.cache is None else self.cache

    def chosen(self, tasks: Iterable[str]) -> list[str]:
        """Those of an experiment's tasks that are to be done, in the experiment's order.

        Raises:
          ValueError: one that is asked for is not among them.
        """
        known = list(tasks)
        unknown = [task for task in self.tasks if task not in known]
        if unknown:
            raise ValueError(f"No task named {' or '.join(map(repr, unknown))} here: choose from {', '.join(known)}.")
        return [task for task in known if not self.tasks or task in self.tasks]

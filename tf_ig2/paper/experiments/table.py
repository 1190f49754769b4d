"""A table of results: means with intervals, the paper's numbers beside ours; as CSV, Markdown and a picture."""

from __future__ import annotations

import csv
import functools
import io
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from tf_ig2.metrics.metric import Metric
from tf_ig2.paper.experiments import statistics
from tf_ig2.paper.experiments.records import Record
from tf_ig2.paper.experiments.statistics import Estimate

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Column:
    """What a table shows of a metric.

    Attributes:
      key: its name in the records.
      label: its heading.
      higher_is_better: or lower.
    """

    key: str
    label: str
    higher_is_better: bool = True

    @classmethod
    def of(cls, metric: Metric[Any], channels: str | None = None) -> Column:
        """Of a metric; `channels` is the way to make one number of a feature's channels, where there are several."""
        key = metric.key if channels is None else f"{metric.key}/{channels}"
        return cls(key, metric.label, metric.higher_is_better)

    @property
    def heading(self) -> str:
        """The label with an arrow to where better is."""
        return f"{self.label} {'↑' if self.higher_is_better else '↓'}"


@dataclass
class Table:
    """Results of an experiment, ready to be written.

    Attributes:
      title: one line.
      columns: the metrics; those of which no record has a number are left out.
      records: the scores; arms in the order in which they appear.
      champion: the arm that the others are compared with, pair by pair; None: no comparison.
      paper: (arm, column key) → the paper's number.
      notes: lines below the table: data, seed, what is missing.
      seed: of the bootstrap.
      corrected: whether marks are set by p-values that are corrected for the number of comparisons of the table.

    Raises:
      ValueError: no record has a number for any column.
    """

    title: str
    columns: Sequence[Column]
    records: Iterable[Record]
    champion: str | None = None
    paper: Mapping[tuple[str, str], float] = field(default_factory=dict)
    notes: Sequence[str] = ()
    seed: int = 0
    corrected: bool = False

    def __post_init__(self) -> None:
        self._scores: dict[str, dict[str, Mapping[str, float]]] = {}
        for record in self.records:
            self._scores.setdefault(record.arm, {})[record.explicand] = record.scores
        self.arms = list(self._scores)
        self._estimates: dict[tuple[str, str], Estimate | None] = {}
        self._leads: dict[tuple[str, str], Estimate | None] = {}
        defined = {key for scores in self._scores.values() for score in scores.values() for key in score}
        self.columns = [column for column in self.columns if column.key in defined]
        if not self.columns:
            raise ValueError(f"{self.title!r}: there are no records to make a table of.")

    def estimate(self, arm: str, column: Column) -> Estimate | None:
        """The mean of a cell with its interval; None where the metric is not defined."""
        if (arm, column.key) not in self._estimates:
            values = [scores[column.key] for scores in self._scores[arm].values() if column.key in scores]
            self._estimates[arm, column.key] = statistics.mean(np.array(values), self.seed) if values else None
        return self._estimates[arm, column.key]

    def lead(self, arm: str, column: Column) -> Estimate | None:
        """By how much the champion is better than this arm on the same explicands (positive: better)."""
        if (arm, column.key) not in self._leads:
            ahead = self._ahead(arm, column)
            self._leads[arm, column.key] = None if ahead is None else statistics.mean(ahead, self.seed)
        return self._leads[arm, column.key]

    def corrected_p(self, arm: str, column: Column) -> float | None:
        """The p-value of the difference to the champion, by Holm's correction over all comparisons of the table."""
        return self._corrected.get((arm, column.key))

    def ahead_of(self, arm: str, column: Column) -> int:
        """Where the champion stands: 1, better than this arm, -1, worse, 0, not told apart or not compared."""
        lead = self.lead(arm, column)
        if lead is None:
            return 0
        p = self.corrected_p(arm, column) if self.corrected else None
        told_apart = lead.excludes_zero() if not self.corrected else p is not None and p < 1 - statistics.CONFIDENCE
        return int(np.sign(lead.mean)) if told_apart else 0

    def csv(self) -> str:
        """Comma-separated values, one line per cell."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        heading = ["arm", "metric", "mean", "low", "high", "explicands", "paper"]
        heading += ["lead_of_champion", "lead_low", "lead_high", *(["corrected_p"] if self.corrected else [])]
        writer.writerow(heading)
        for arm in self.arms:
            for column in self.columns:
                cell, lead = self.estimate(arm, column), self.lead(arm, column)
                if cell is None:
                    continue
                numbers = _numbers(cell)
                paper = self.paper.get((arm, column.key))
                ahead = ["", "", ""] if lead is None else _numbers(lead)
                if self.corrected:
                    p = self.corrected_p(arm, column)
                    ahead = [*ahead, "" if p is None else f"{p:.6g}"]
                writer.writerow([arm, column.key, *numbers, cell.count, "" if paper is None else paper, *ahead])
        return text.getvalue()

    def markdown(self) -> str:
        """A Markdown section: means, intervals, the paper's numbers in parentheses, and who is ahead."""
        lines = [f"## {self.title}", ""]
        lines.append("| | " + " | ".join(_escaped(column.heading) for column in self.columns) + " |")
        lines.append("|---" * (len(self.columns) + 1) + "|")
        best = {column.key: self._best(column) for column in self.columns}
        for arm in self.arms:
            cells = [self._cell(arm, column, best[column.key]) for column in self.columns]
            lines.append(f"| {_escaped(arm)} | " + " | ".join(cells) + " |")
        lines += ["", *self._legend(), *(f"* {note}" for note in self.notes), ""]
        return "\n".join(lines)

    def picture(self) -> Figure:
        """A dot and its interval for every cell."""
        from matplotlib.figure import Figure

        figure = Figure(figsize=(2.2 + 2.3 * len(self.columns), 1.1 + 0.3 * len(self.arms)), layout="constrained")
        all_axes = figure.subplots(1, len(self.columns), sharey=True, squeeze=False)[0]
        places = np.arange(len(self.arms))[::-1]
        for axes, column in zip(all_axes, self.columns, strict=True):
            for place, arm in zip(places, self.arms, strict=True):
                cell = self.estimate(arm, column)
                if cell is None:
                    continue
                colour = "tab:red" if arm == self.champion else "tab:blue"
                axes.plot([cell.low, cell.high], [place, place], color=colour, linewidth=1.5)
                axes.plot(cell.mean, place, "o", color=colour, markersize=4)
                paper = self.paper.get((arm, column.key))
                if paper is not None:
                    axes.plot(paper, place, "x", color="0.5", markersize=5)
            axes.set_title(column.heading, fontsize=9)
            axes.tick_params(labelsize=8)
            axes.locator_params(axis="x", nbins=4)
            axes.grid(axis="x", linewidth=0.3)
        all_axes[0].set_yticks(places, self.arms)
        note = "95 % bootstrap intervals" + ("; ×: the paper" if self.paper else "")
        figure.suptitle(f"{self.title}\n{note}", fontsize=9)
        return figure

    def files(self) -> dict[str, bytes]:
        """The contents of a CSV file and a PNG picture, by their suffixes."""
        image = io.BytesIO()
        self.picture().savefig(image, dpi=110, format="png")
        return {"csv": self.csv().encode(), "png": image.getvalue()}

    @functools.cached_property
    def _corrected(self) -> dict[tuple[str, str], float]:
        by_count: dict[int, dict[tuple[str, str], np.ndarray]] = {}
        for arm in self.arms:
            for column in self.columns:
                ahead = self._ahead(arm, column)
                if ahead is not None and len(ahead) > 1:
                    by_count.setdefault(len(ahead), {})[arm, column.key] = ahead
        made: dict[tuple[str, str], float] = {}
        for alike in by_count.values():  # the same resamples for all of them
            found = statistics.p_values(np.stack(list(alike.values()), axis=1), self.seed)
            made.update(zip(alike, found.tolist(), strict=True))
        return dict(zip(made, statistics.holm(np.array(list(made.values()))).tolist(), strict=True))

    def _ahead(self, arm: str, column: Column) -> np.ndarray | None:
        """By how much the champion is better on each explicand that both have."""
        if self.champion not in self._scores or arm == self.champion:
            return None
        own, other = self._scores[self.champion], self._scores[arm]
        shared = [name for name in own if name in other and column.key in own[name] and column.key in other[name]]
        if not shared:
            return None
        a, b = (np.array([scores[name][column.key] for name in shared]) for scores in (own, other))
        return a - b if column.higher_is_better else b - a

    def _best(self, column: Column) -> float | None:
        means = [cell.mean for arm in self.arms if (cell := self.estimate(arm, column)) is not None]
        return (max if column.higher_is_better else min)(means, default=None)

    def _cell(self, arm: str, column: Column, best: float | None) -> str:
        cell = self.estimate(arm, column)
        if cell is None:
            return "–"
        text = f"**{cell.mean:.3f}**" if cell.mean == best else f"{cell.mean:.3f}"
        mark = {1: "▾", -1: "▴", 0: ""}[self.ahead_of(arm, column)]
        text += mark if math.isnan(cell.low) else f"{mark} [{cell.low:.3f}, {cell.high:.3f}]"
        paper = self.paper.get((arm, column.key))
        return text if paper is None else f"{text} ({paper:.3f})"

    def _legend(self) -> list[str]:
        counts = {cell.count for arm in self.arms for column in self.columns if (cell := self.estimate(arm, column))}
        number = f"{min(counts)}" if len(counts) == 1 else f"{min(counts)}–{max(counts)}"
        lines = [f"* Mean over {number} explicands, in brackets its 95 % bootstrap interval; the best in bold."]
        if self.champion in self._scores and self.corrected:
            lines.append(
                f"* ▾ worse than {self.champion} on the same explicands, ▴ better: paired bootstrap, p < 0.05 after "
                f"Holm's correction over the {len(self._corrected)} comparisons of this table; no mark: not told apart."
            )
        elif self.champion in self._scores:
            lines.append(
                f"* ▾ worse than {self.champion} on the same explicands, ▴ better, where the 95 % interval of the "
                "paired difference excludes zero; no mark: not told apart."
            )
        if self.paper:
            lines.append("* In parentheses the paper's number, for its own models and samples.")
        return lines


def _numbers(estimate: Estimate) -> list[str]:
    """Mean, low and high for a CSV file; an end that is not defined is empty."""
    return ["" if math.isnan(number) else f"{number:.6g}" for number in estimate[:3]]


def _escaped(text: str) -> str:
    """Text that does not end a Markdown cell."""
    return " ".join(text.split()).replace("|", "\\|")

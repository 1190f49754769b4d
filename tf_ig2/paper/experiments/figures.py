"""What figures share: means with bands, and the files: picture, numbers, and a page that says what is seen."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tf_ig2.paper.experiments import statistics
from tf_ig2.paper.experiments.report import write_whole
from tf_ig2.paper.experiments.statistics import Estimate

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLOURS = {
    "Vanilla IG": "tab:blue",
    "Guided IG": "tab:green",
    "Expected IG": "tab:orange",
    "IG²": "tab:red",
}
"""One colour for a method in all figures."""


def band(axes: Axes, x: np.ndarray, samples: np.ndarray, label: str, colour: str, seed: int = 0) -> list[Estimate]:
    """Draws a mean over explicands with its 95 % bootstrap interval.

    Args:
      axes: where to.
      x: float array `[K]`.
      samples: float array `[N, K]`, one curve per explicand.
      label: for the legend.
      colour: any of matplotlib's.
      seed: of the bootstrap.

    Returns:
      The K means with their intervals, which are NaN, and not drawn, for one explicand.
    """
    estimates = [statistics.mean(column, seed) for column in np.asarray(samples).T]
    mean, low, high = (np.array([estimate[i] for estimate in estimates]) for i in range(3))
    axes.plot(x, mean, color=colour, label=label, marker="o" if len(x) < 12 else None, markersize=3.5, linewidth=1.5)
    if np.isfinite(low).all():
        axes.fill_between(x, low, high, color=colour, alpha=0.18, linewidth=0)
    return estimates


def tidy(axes: Axes, title: str, x_label: str, y_label: str) -> None:
    """Gives a plot its title and labels, in the sizes and with the grid of all figures."""
    axes.set_title(title, fontsize=10)
    axes.set_xlabel(x_label, fontsize=9)
    axes.set_ylabel(y_label, fontsize=9)
    axes.tick_params(labelsize=8)
    axes.grid(linewidth=0.3)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)


def write(
    folder: Path,
    name: str,
    title: str,
    figure: Figure,
    header: Sequence[str],
    rows: Iterable[Sequence[object]],
    paragraphs: Iterable[str],
) -> list[Path]:
    """Writes NAME.md, NAME.png and NAME.csv, each whole or not at all.

    Args:
      folder: where to; made if it is not there.
      name: of the files, without suffix.
      title: the heading of the page.
      figure: the picture.
      header: the columns of the CSV file.
      rows: the numbers that are drawn; floats are written with six digits.
      paragraphs: of the page, below the picture: what is seen; data, seed, number of samples.

    Returns:
      The files, the page first.
    """
    image, text = io.BytesIO(), io.StringIO()
    figure.savefig(image, dpi=130, format="png")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows([f"{cell:.6g}" if isinstance(cell, float) else cell for cell in row] for row in rows)
    page = "\n\n".join([f"# {title}", f"![{title}]({name}.png)", *paragraphs, f"Numbers: [{name}.csv]({name}.csv)."])
    return [
        write_whole(folder / f"{name}.md", f"{page}\n".encode()),
        write_whole(folder / f"{name}.png", image.getvalue()),
        write_whole(folder / f"{name}.csv", text.getvalue().encode()),
    ]

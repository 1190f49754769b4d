"""Writes the table of photographs into README.md from docs/results: `python docs/readme_table.py`.

Three numbers in a cell are the three networks. The tests hold README to it.
"""

from __future__ import annotations

import csv
import re
from pathlib import Path

from tf_ig2.paper.experiments import photographs, statistics, trials

ROOT = Path(__file__).parents[1]
NETWORKS = len(trials.DEPTHS)
TABLES = len(photographs.shown())
"""Tables of each network on the page; the first has the defaults at pixels, the second those elsewhere."""

METRICS = {
    "auc/absolute": "GT-AUC ↑",
    "sum/absolute": "GT-SUM ↑",
    "add/absolute": "ADD ↑",
    "del/absolute": "DEL ↓",
    "photographs add/absolute": "ADD, no masks ↑",
    "photographs del/absolute": "DEL, no masks ↓",
}
ROWS = {
    "squared SmoothGrad": "squared SmoothGrad, a control",
    "IG²": "**IG²**",
    "XRAI": "*regions and inside:* XRAI",
    "IG², inside": "**IG²**, at a layer in the middle",
    "IG from zero, inside": "IG from zero there",
    "Expected IG, inside": "Expected IG there",
    "IG², regions": "XRAI's regions, ranked by IG²",
}
"""Names of the page → what README calls them, where it calls them otherwise."""

_TABLE = re.compile(r"(?<=\n)\| \| GT-AUC ↑ \|.*?\n\n", re.DOTALL)


def table(results: Path) -> str:
    """The table, as Markdown, from the folder of results."""
    parts = []
    for place in (1, 2):
        files = [results / f"photographs_{TABLES * network + place}.csv" for network in range(NETWORKS)]
        parts.append([_cells(file) for file in files])
    lines = [f"| | {' | '.join(METRICS.values())} |", "|---" * (len(METRICS) + 1) + "|"]
    for networks in parts:
        for arm in dict.fromkeys(arm for arm, _ in networks[0]):
            cells = (" ".join(cells[arm, metric] for cells in networks) for metric in METRICS)
            lines.append(f"| {ROWS.get(arm, arm)} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def counts(results: Path) -> dict[str, list[int]]:
    """With masks and without: how many photographs each network was shown."""
    found: dict[str, list[int]] = {"with": [], "without": []}
    for network in range(NETWORKS):
        with open(results / f"photographs_{TABLES * network + 1}.csv", encoding="utf-8") as file:
            seen = {row["metric"]: int(row["explicands"]) for row in csv.DictReader(file)}
        found["with"].append(seen["auc/absolute"])
        found["without"].append(seen["photographs add/absolute"])
    return found


def written(readme: str, results: Path) -> str:
    """README with the table of these results."""
    return _TABLE.sub(lambda _: table(results) + "\n", readme)


def _cells(path: Path) -> dict[tuple[str, str], str]:
    with open(path, encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["metric"] in METRICS]
    best = {}
    for metric, heading in METRICS.items():
        means = [float(row["mean"]) for row in rows if row["metric"] == metric]
        best[metric] = max(means) if "↑" in heading else min(means)
    return {(row["arm"], row["metric"]): _cell(row, float(row["mean"]) == best[row["metric"]]) for row in rows}


def _cell(row: dict[str, str], best: bool) -> str:
    number = f"{float(row['mean']):.3f}".removeprefix("0")
    mark = ""
    if row["corrected_p"] and float(row["corrected_p"]) < 1 - statistics.CONFIDENCE:
        mark = "▾" if float(row["lead_of_champion"]) > 0 else "▴"
    return (f"**{number}**" if best else number) + mark


if __name__ == "__main__":
    page = ROOT / "README.md"
    page.write_text(written(page.read_text(encoding="utf-8"), ROOT / "docs" / "results"), encoding="utf-8")

"""The counts of a long run, as a section of a page."""

from __future__ import annotations

from pathlib import Path

from tests.differential.runs import Tally

PAGE = Path(__file__).parents[2] / "docs" / "results" / "robustness.md"
TITLE, SECTION = "# Robustness", "## Random models"

INTRODUCTION = """Random Keras models, drawn from a grammar of layers, activations, dtype policies, inputs, outputs and
packagings, each explained by one of all explainers in turn, and held against oracles that need no second
implementation: Keras's own `predict`, what is promised, and the explainer itself asked in another way.
`python -m tests.differential --minutes 60 --seed 0` runs it again and writes this section.
"""


def section(tally: Tally, minutes: float, busy: float, seed: int, versions: str) -> str:
    """The section's text, with its heading, after some minutes, some of them of a processor's time."""
    trials, checks = sum(tally.methods.values()), sum(tally.checked.values())
    failed = f"{len(tally.failures)} failed" + (f", {sum(tally.known.values())} of known kinds" if tally.known else "")
    summary = (
        f"{minutes:.0f} minutes, {busy:.0f} of them of a processor's time, one thread, seed {seed}, {versions}: "
        f"{tally.models['all']} models, {trials} explainers, {checks} checks, {failed}.\n"
    )
    parts = [SECTION, INTRODUCTION, summary, _methods(tally), _oracles(tally), _models(tally)]
    if tally.known:
        rows = [f"| {reason} | {count} |" for reason, count in tally.known.most_common()]
        parts.append("\n".join(["| known and open | failures |", "|---|---|", *rows, ""]))
    if tally.failures:
        rows = [f"* {failure.oracle}, {failure.method}: `{failure.description}`" for failure in tally.failures]
        parts.append("\n".join(["Failures:", "", *rows, ""]))
    return "\n".join(parts)


def write(text: str, page: Path = PAGE) -> None:
    """Puts a section, from its heading on, into the page; what else stands there stays as it is."""
    old = page.read_text(encoding="utf-8") if page.exists() else TITLE + "\n"
    heading = text.partition("\n")[0]
    blocks = old.split("\n## ")
    others = [blocks[0], *(f"## {block}" for block in blocks[1:])]
    kept = [block.rstrip("\n") for block in others if block.partition("\n")[0] != heading]
    page.write_text("\n\n".join([*kept, text.rstrip("\n")]) + "\n", encoding="utf-8")


def _methods(tally: Tally) -> str:
    rows = [f"| {name} | {count} |" for name, count in tally.methods.most_common()]
    return "\n".join(["| explainer | models |", "|---|---|", *rows, ""])


def _oracles(tally: Tally) -> str:
    failed = {name: sum(failure.oracle == name for failure in tally.failures) for name in tally.checked}
    rows = [
        f"| {name.replace('_', ' ')} | {count} | {tally.passed_over[name]} | {failed[name]} |"
        for name, count in tally.checked.most_common()
    ]
    return "\n".join(["| oracle | held | does not apply | failed |", "|---|---|---|---|", *rows, ""])


def _models(tally: Tally) -> str:
    kinds = [f"{kind.replace('_', ' ')} {count}" for kind, count in tally.models.most_common() if kind != "all"]
    return "Models by what is in them: " + ", ".join(kinds) + ".\n"

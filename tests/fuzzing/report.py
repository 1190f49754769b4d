"""The counts of long runs, as the rows of a table in a page."""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from tests.fuzzing.run import ERROR, FEWER, OTHER, SAME

PAGE = Path(__file__).parents[2] / "docs" / "results" / "robustness.md"
HEAD = "| file | mutations | error by name | the same content | records missing | other content | slowest, s |"


def row(name: str, counts: Counter[str], slowest: float) -> str:
    """A kind of file: what came of its mutations."""
    cells = [f"{count:,}" for count in (counts.total(), *(counts[outcome] for outcome in (ERROR, SAME, FEWER, OTHER)))]
    return f"| {name} | {' | '.join(cells)} | {slowest:.2f} |"


def write(line: str, kinds: Iterable[str], page: Path = PAGE) -> None:
    """Puts a row into the page's table, in the place of its kind; other rows, and what else stands there, stay."""
    lines = page.read_text(encoding="utf-8").splitlines()
    first = lines.index(HEAD) + 2
    last = next((number for number in range(first, len(lines)) if not lines[number].startswith("|")), len(lines))
    rows = {_kind(old): old for old in (*lines[first:last], line)}
    lines[first:last] = [rows[kind] for kind in kinds if kind in rows]
    page.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _kind(line: str) -> str:
    return line.split("|")[1].strip()

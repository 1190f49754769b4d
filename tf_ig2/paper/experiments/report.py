"""Writing results: each file whole, or not at all."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from tf_ig2 import files
from tf_ig2.paper.experiments.table import Table


def write(tables: Sequence[Table], folder: Path, name: str, title: str, notes: Iterable[str] = ()) -> list[Path]:
    """Writes NAME.md with all tables, and a CSV file and a picture of each.

    Args:
      tables: in order.
      folder: where to; made if it is not there.
      name: of the files, without suffix.
      title: the heading of NAME.md.
      notes: paragraphs below it.

    Returns:
      The files.

    Raises:
      OSError: one of them cannot be written; what was there before is still good.
    """
    paths, sections = [], [f"# {title}", "", *(f"{note}\n" for note in notes)]
    for number, table in enumerate(tables, 1):
        own = f"{name}_{number}" if len(tables) > 1 else name
        contents = table.files()
        paths += [write_whole(folder / f"{own}.{kind}", contents[kind]) for kind in ("csv", "png")]
        sections += [table.markdown(), f"![{table.title}]({own}.png)", ""]
    return [write_whole(folder / f"{name}.md", "\n".join(sections).encode()), *paths]


def write_whole(path: Path, content: bytes) -> Path:
    """Writes a file, see `tf_ig2.files.whole`; its folder is made if it is not there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with files.whole(path) as file:
        file.write(content)
    return path

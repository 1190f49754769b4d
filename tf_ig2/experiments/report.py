"""Writing results: each file whole, or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from tf_ig2.experiments.table import Table


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
    """
    paths, sections = [], [f"# {title}", "", *(f"{note}\n" for note in notes)]
    for number, table in enumerate(tables, 1):
        own = f"{name}_{number}" if len(tables) > 1 else name
        files = table.files()
        paths += [write_whole(folder / f"{own}.{kind}", files[kind]) for kind in ("csv", "png")]
        sections += [table.markdown(), f"![{table.title}]({own}.png)", ""]
    return [write_whole(folder / f"{name}.md", "\n".join(sections).encode()), *paths]


def write_whole(path: Path, content: bytes) -> Path:
    """Writes a file under a temporary name beside it, then renames it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.partial")
    try:
        partial.write_bytes(content)
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)
    return path

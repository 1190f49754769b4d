"""What explanations, explainers and views say of themselves: a few lines of text, or a table for notebooks."""

from __future__ import annotations

import html
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np
import tensorflow as tf

ROWS = 10
"""How many explicands a table shows."""

_UNSAID = ("method", "tf_ig2", "end", "adds_up")


class Explained(Protocol):
    """What is asked of an explanation: these attributes of an `Attribution`."""

    @property
    def values(self) -> Any: ...
    @property
    def explicand(self) -> Any: ...
    @property
    def outputs(self) -> np.ndarray: ...
    @property
    def output(self) -> np.ndarray: ...
    @property
    def target(self) -> Any: ...
    @property
    def settings(self) -> dict[str, Any]: ...
    @property
    def completeness_gap(self) -> Any: ...
    @property
    def relative_completeness_gap(self) -> Any: ...
    def flat(self) -> Any: ...
    def __getitem__(self, index: Any) -> Any: ...


def settings(given: Mapping[str, Any]) -> str:
    """Settings in one line, as arguments."""
    said = {name: value for name, value in given.items() if name not in _UNSAID}
    return ", ".join(f"{name}={_short(value)}" for name, value in said.items())


def gap(explanation: Explained) -> str | None:
    """The completeness gap of one explicand with its scale; None where it means nothing."""
    if explanation.completeness_gap is None:
        return None
    missed = float(explanation.completeness_gap)
    share = float(explanation.relative_completeness_gap)
    of = f"{share:.1%} of what it explains" if np.isfinite(share) else "of nothing"
    return f"{missed:.2g} ({of})"


def explanation_text(name: str, explanation: Explained) -> str:
    """The `repr` of an explanation."""
    head = f"{name} by {explanation.settings.get('method', 'an unnamed method')}: values {_shapes(explanation.values)}"
    references = explanation.outputs.shape[-2]
    if explanation.output.ndim:
        targets = f" × {explanation.output.shape[1]} target(s)" if explanation.output.ndim > 1 else ""
        many = f"{len(explanation.output)} explicand(s){targets}, {references} path(s) each"
        return f"<{head}, {many}>"
    facts = [f"output {float(explanation.output):.4g}", f"{references} path(s)"]
    if explanation.target is not None:
        facts.insert(0, f"target {int(explanation.target)}")
    missed = gap(explanation)
    return f"<{head}\n {', '.join(facts)}" + (f"; completeness gap {missed}>" if missed else ">")


def explanation_html(
    name: str, explanation: Explained, picture: Callable[[str, Any, Any], str | None] | None = None
) -> str:
    """An explanation for notebooks: a row for each explicand, with pictures where there are some.

    Args:
      name: the class's.
      explanation: of one explicand or several; the first ten are shown.
      picture: from "input" or "values", one explicand's, and the whole's, to HTML, or None where there is none.
    """
    values, single = explanation.values, not explanation.output.ndim
    explanation = explanation if single else explanation.flat()
    count = 1 if single else len(explanation.output)
    rows = [explanation] if single else [explanation[i] for i in range(min(count, ROWS))]
    cells = []
    for number, row in enumerate(rows):
        pictures = ["", ""] if picture is None else [picture(k, v, single) or "" for k, v in _parts(row)]
        facts = {
            "": "" if single else str(number),
            "explicand": _Raw(pictures[0]),
            "attributions": _Raw(pictures[1]),
            "target": "" if row.target is None else str(int(row.target)),
            "output": f"{float(row.output):.4g}",
            "completeness gap": gap(row) or "",
        }
        cells.append(facts)
    shown = [key for key in cells[0] if any(row[key] for row in cells)] if cells else []
    more = f"<p>… and {count - len(rows)} more</p>" if count > len(rows) else ""
    title = f"{name} by {explanation.settings.get('method', 'an unnamed method')}"
    caption = f"values {_shapes(values)}; {settings(explanation.settings)}"
    return f"<div><b>{html.escape(title)}</b>{table(shown, [[row[key] for key in shown] for row in cells])}{more}" + (
        f"<small>{html.escape(caption)}</small></div>"
    )


def object_html(title: str, facts: Mapping[str, Any]) -> str:
    """A named thing with its facts, a row each; all is escaped."""
    rows = [[key, value if isinstance(value, str) else _short(value)] for key, value in facts.items()]
    return f"<div><b>{html.escape(title)}</b>{table([], rows)}</div>"


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table in HTML; text is escaped."""
    head = "".join(f"<th>{html.escape(name)}</th>" for name in header)
    body = "".join("<tr>" + "".join(f"<td>{_escaped(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table>{f'<thead><tr>{head}</tr></thead>' if header else ''}<tbody>{body}</tbody></table>"


def specs(structure: Any) -> str:
    """Shapes of a structure of arrays or `tf.TensorSpec`, for people."""
    return _shapes(structure)


class _Raw(str):
    """HTML of our own making."""


def _escaped(cell: str) -> str:
    return cell if isinstance(cell, _Raw) else html.escape(cell)


def _parts(row: Explained) -> list[tuple[str, Any]]:
    return [("input", row.explicand), ("values", row.values)]


def _shapes(structure: Any) -> str:
    if isinstance(structure, Mapping):
        return "{" + ", ".join(f"{key}: {_shapes(part)}" for key, part in structure.items()) + "}"
    if isinstance(structure, (list, tuple)) and not isinstance(structure, tf.TensorShape):
        return "(" + ", ".join(map(_shapes, structure)) + ")"
    return "[" + ", ".join("N" if size is None else str(size) for size in structure.shape) + "]"


def _short(value: Any, limit: int = 80) -> str:
    text = repr(value)
    return text if len(text) <= limit else f"{text[: limit - 1]}…"

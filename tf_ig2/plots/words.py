"""Words in the colour of their attribution: as HTML, in a terminal, as SVG, and in a figure."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from tf_ig2.plots import checked
from tf_ig2.plots.colours import fraction, hexadecimal, ink

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True)
class Words:
    """Words and their shares, as `words` makes them; a notebook shows them, and `str` is for terminals.

    Attributes:
      tokens: the words.
      values: float `[T]`, their attributions.
      shares: float `[T]` in [−1, 1], by the largest of them.
    """

    tokens: tuple[str, ...]
    values: np.ndarray
    shares: np.ndarray

    def html(self) -> str:
        """A paragraph; every word is escaped, and says its value when pointed at."""
        spans = " ".join(
            f'<span title="{value:+.3g}" style="background:{hexadecimal(share)};color:{ink(share)};padding:0 .2em;'
            f'border-radius:.2em">{html.escape(token)}</span>'
            for token, value, share in self._rows()
        )
        return f'<p style="line-height:1.9">{spans}</p>'

    _repr_html_ = html

    def terminal(self) -> str:
        """One line with the colours that terminals of 24 bits have; control characters in words are shown, not sent."""
        return " ".join(
            f"\x1b[48;2;{_rgb(hexadecimal(share))}m\x1b[38;2;{_rgb(ink(share))}m{_printable(token)}\x1b[0m"
            for token, _, share in self._rows()
        )

    __str__ = terminal

    def svg(self, width: int = 640) -> str:
        """A picture of its own, for papers and pages: SVG, `width` pixels wide, in a font of fixed width.

        Raises:
          ValueError: the width is not positive.
        """
        if width < 1:
            raise ValueError(f"`width` must be positive, not {width!r}.")
        x, y, parts = 4.0, 4.0, []
        for token, value, share in self._rows():
            text = _printable(token)
            long = 8.4 * max(len(text), 1) + 8
            if x > 4 and x + long > width - 4:
                x, y = 4.0, y + 28
            parts.append(
                f'<g><title>{value:+.3g}</title><rect x="{x:.1f}" y="{y:.1f}" width="{long:.1f}" height="22" rx="3" '
                f'fill="{hexadecimal(share)}"/><text x="{x + 4:.1f}" y="{y + 16:.1f}" fill="{ink(share)}" '
                f'textLength="{8.4 * max(len(text), 1):.1f}">{html.escape(text)}</text></g>'
            )
            x += long + 4
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{y + 26:.0f}" font-family="monospace" '
            f'font-size="14">{"".join(parts)}</svg>'
        )

    def _rows(self) -> list[tuple[str, float, float]]:
        return list(zip(self.tokens, self.values.tolist(), self.shares.tolist(), strict=True))


def words(tokens: Sequence[str], values: Any) -> Words:
    """Words in the colour of their attribution: red for, blue against.

    Args:
      tokens: T words.
      values: float `[T]`, or `[T, C]` at an embedding, which are summed over C with their signs.

    Returns:
      What a notebook shows, `print` writes, and `.html()`, `.terminal()` and `.svg()` give as text.

    Raises:
      TypeError, ValueError: words and values are not as many, or values not finite.

    Example:
      >>> words(["who", "wrote", "<it>"], [1.0, 0.0, -0.5]).html().count("<span")
      3
    """
    row, names = checked.row(values, tokens, "tokens")
    return Words(tuple(names), row, fraction(row))


def draw_words(axes: Axes, tokens: Sequence[str], values: Any, title: str = "", columns: int = 60) -> None:
    """Draws words into a figure, in lines.

    Args:
      axes: where to draw.
      tokens, values: see `words`.
      title: the title.
      columns: characters in a line.

    Raises:
      TypeError, ValueError: as `words`.
    """
    drawn = words(tokens, values)
    column, line = 0.0, 0
    for token, _, share in drawn._rows():
        text = _printable(token)
        if column and column + len(text) > columns:
            column, line = 0.0, line + 1
        axes.text(
            (column + len(text) / 2 + 0.5) / columns,
            -line,
            text.replace("$", r"\$"),
            ha="center",
            va="center",
            family="monospace",
            color=ink(share),
            fontsize=9,
            bbox={"facecolor": hexadecimal(share), "edgecolor": "none", "boxstyle": "round,pad=0.25"},
        )
        column += len(text) + 1.6
    axes.set(xlim=(0, 1), ylim=(-line - 1, 1), title=title)
    axes.axis("off")


def _printable(token: str) -> str:
    return "".join(letter if letter.isprintable() else f"\\x{ord(letter):02x}" for letter in token)


def _rgb(colour: str) -> str:
    return ";".join(str(int(colour[place : place + 2], 16)) for place in (1, 3, 5))

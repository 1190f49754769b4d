"""Figures that a notebook shows once: when they are drawn, and not again because they end a cell."""

from __future__ import annotations

import contextlib
import contextvars
import io
import sys
from collections.abc import Iterator
from typing import Any

from matplotlib.figure import Figure


class Picture(Figure):
    """A matplotlib figure that belongs to no window and no cell; a notebook shows it as a PNG."""

    _shown: tuple[int, bytes, str] | None = None
    """Where it was shown last: the cell's number, the bytes, and the output's id."""

    def _repr_png_(self) -> bytes:
        content = io.BytesIO()
        self.savefig(content, format="png", dpi=100)
        return content.getvalue()

    def _ipython_display_(self) -> None:
        """What the end of a cell and `display` call. What the same cell has shown already is brought up to date."""
        shell = notebook()
        if shell is None:
            print(repr(self))
            return
        from IPython.display import display

        bundle: dict[str, Any] = {"image/png": self._repr_png_(), "text/plain": repr(self)}
        cell = shell.execution_count
        if self._shown is None or self._shown[0] != cell:
            place = display(bundle, raw=True, display_id=True).display_id
        else:
            place = self._shown[2]
            if self._shown[1] != bundle["image/png"]:
                display(bundle, raw=True, display_id=place, update=True)
        self._shown = (cell, bundle["image/png"], place)

    def __getstate__(self) -> Any:
        return {**dict(super().__getstate__()), "_shown": None}  # type: ignore[call-overload]


def notebook() -> Any:
    """The shell of the notebook that this runs in (Jupyter, Colab …); None in scripts and terminals."""
    ipython = sys.modules.get("IPython")
    shell = None if ipython is None else ipython.get_ipython()
    return shell if getattr(shell, "kernel", None) is not None else None


_ASIDE = contextvars.ContextVar("aside", default=False)


@contextlib.contextmanager
def aside() -> Iterator[None]:
    """Within it, figures of `new` belong to nobody, also where there are windows: they are parts of something else."""
    before = _ASIDE.set(True)
    try:
        yield
    finally:
        _ASIDE.reset(before)


def new(width: float, height: float) -> Figure:
    """An empty figure.

    In a script that has a window for figures it is one of pyplot's, so that `plt.show()` shows it; everywhere else it
    belongs to nobody, and goes when nothing holds it.

    Args:
      width, height: in inches.
    """
    pyplot = sys.modules.get("matplotlib.pyplot")
    if pyplot is not None and not _ASIDE.get() and notebook() is None and _has_windows():
        return pyplot.figure(FigureClass=Picture, figsize=(width, height), layout="constrained")
    return Picture(figsize=(width, height), layout="constrained")


def show(figure: Figure) -> Figure:
    """Shows a figure of `new` where there is a notebook, and returns it."""
    if isinstance(figure, Picture) and notebook() is not None:
        figure._ipython_display_()
    return figure


def _has_windows() -> bool:
    import matplotlib

    name = matplotlib.get_backend().lower()
    return name not in ("agg", "cairo", "pdf", "pgf", "ps", "svg", "template") and not name.startswith("module://")

"""Progress bars of long walks, told from inside their graphs; threads may share a graph."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable, Iterator

import numpy as np
import tensorflow as tf

from tf_ig2.progress_bar import tqdm

_bars: dict[int, tqdm] = {}
_numbers = itertools.count(1)

SILENT = 0
"""The number of no bar."""


@contextlib.contextmanager
def bar(total: int, unit: str, description: str, verbose: bool) -> Iterator[int]:
    """Shows a progress bar, if `verbose`; yields its number, which a graph reports to."""
    if not verbose:
        yield SILENT
        return
    number = next(_numbers)
    with tqdm(total=total, unit=unit, desc=description) as shown:
        _bars[number] = shown
        try:
            yield number
        finally:
            del _bars[number]


def reporter(number: tf.Tensor) -> Callable[[tf.Tensor], None]:
    """A function to be called inside a graph with a count, int32 scalar, by which bar `number`, int64 scalar, goes on.

    A silent graph is the same graph.
    """

    def report(count: tf.Tensor) -> None:
        def told() -> tf.Tensor:
            tf.numpy_function(advance, [number, count], [])
            return number

        tf.cond(number == SILENT, lambda: number, told)

    return report


def advance(number: int | np.int64, count: int | np.int32) -> None:
    """Bar `number` goes on by a count; from Python, or from inside a graph by way of `reporter`."""
    shown = _bars.get(int(number))
    if shown is not None:
        shown.update(int(count))

"""Many rows through a model, as many at a time as its memory holds."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from typing import TypeVar

import numpy as np
import tensorflow as tf

Result = TypeVar("Result")


def micro_batches(
    total: int, batch_size: int, run: Callable[[np.ndarray, int], Result], stacklevel: int = 1, passes_of: int = 1
) -> Iterator[tuple[np.ndarray, Result]]:
    """Runs a function on rows 0 … total − 1, `batch_size` at a time, and half as many once memory was exhausted.

    Args:
      total: number of rows.
      batch_size: how many go through the model at a time, to begin with.
      run: `(rows, batch_size) -> result`, of the rows with these numbers, int64 `[B]`.
      stacklevel: whom the warning points at; 1 is the caller.
      passes_of: how many go through the model for each row: B · passes_of ≤ `batch_size`, but for B = 1.

    Yields:
      The numbers of the rows, and their result.

    Raises:
      tf.errors.ResourceExhaustedError: memory does not hold a batch of one either.

    Example:
      >>> for rows, total in micro_batches(5, 2, lambda rows, batch_size: rows.sum()):
      ...     print(rows, total)
      [0 1] 1
      [2 3] 5
      [4] 4
    """
    row = 0
    while row < total:
        rows = np.arange(row, min(row + max(1, batch_size // passes_of), total))
        try:
            result = run(rows, batch_size)
        except tf.errors.ResourceExhaustedError:
            if batch_size == 1:
                raise
            batch_size //= 2
            warnings.warn(f"Out of memory: continuing with batch_size={batch_size}.", stacklevel=stacklevel + 1)
            continue
        yield rows, result
        row += len(rows)

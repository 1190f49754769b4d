"""The 8 × 8 handwritten digits that scikit-learn ships: real data that is always there."""

from __future__ import annotations

from typing import Any

import numpy as np

Split = tuple[np.ndarray, np.ndarray]


def load_digits() -> tuple[Split, Split]:
    """The handwritten digits that scikit-learn ships.

    Returns:
      `(x, y)` for training and for testing (one fifth, stratified): float32 `[N, 8, 8, 1]` with values 0 … 16, and
      int labels `[N]`.
    """
    from sklearn.datasets import load_digits as load
    from sklearn.model_selection import train_test_split

    digits: Any = load()
    images = digits.images[..., None].astype(np.float32)
    x_train, x_test, y_train, y_test = train_test_split(
        images, digits.target, test_size=0.2, random_state=0, stratify=digits.target
    )
    return (x_train, y_train), (x_test, y_test)

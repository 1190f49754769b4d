"""MNIST: handwritten digits of 28 × 28 pixels (Fig. 6).

Reference: LeCun, Bottou, Bengio & Haffner, Gradient-Based Learning Applied to Document Recognition, 1998.
"""

from __future__ import annotations

import os

import numpy as np

from tf_ig2 import extras
from tf_ig2.paper.datasets import folder

_FILES = {"train": "mnist_60k_train.npz", "test": "mnist_10k.npz"}
_HOW_TO_GET = (
    'It is an .npz file with `x`, uint8 [N, 28, 28], and `y`, the digits [N]; pass source="tfds" to have TensorFlow '
    "Datasets download MNIST instead."
)


def load(split: str = "test", source: str | os.PathLike[str] | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Loads MNIST.

    Args:
      split: "train" (60,000) or "test" (10,000).
      source: an `.npz` file with `x` and `y`; "tfds" for TensorFlow Datasets; None: mnist/mnist_60k_train.npz or
        mnist/mnist_10k.npz in TF_IG2_DATA_DIR.

    Returns:
      (images, uint8 `[N, 28, 28, 1]`; digits, int64 `[N]`).

    Raises:
      MissingDataError: the file is not there.
      CorruptDataError: the file is damaged, or holds something else.
      ValueError: unknown split.

    Example:
      >>> load("test")[0].shape  # doctest: +SKIP
      (10000, 28, 28, 1)
    """
    folder.choice("split", split, tuple(_FILES))
    if source == "tfds":
        extras.need("tensorflow_datasets", "datasets", 'source="tfds"')
        import tensorflow_datasets as tfds

        data = tfds.load("mnist", split=split, as_supervised=True, shuffle_files=False).batch(1024)
        batches = list(data.as_numpy_iterator())
        images, digits = (np.concatenate([batch[i] for batch in batches]) for i in (0, 1))
        return images, digits.astype(np.int64)
    path = folder.find(f"mnist/{_FILES[split]}", _HOW_TO_GET, source)
    images, digits = folder.read_npz(path, "x", "y")
    if images.dtype != np.uint8 or images.shape[1:] != (28, 28) or digits.shape != images.shape[:1]:
        raise folder.CorruptDataError(
            f"{str(path)!r} holds x {images.dtype} {images.shape} and y {digits.shape}, not uint8 [N, 28, 28] and [N]."
        )
    return images[..., None], digits.astype(np.int64)

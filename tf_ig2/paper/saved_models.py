"""The small trained models that come with the package: from the checkout, or from where pip put them."""

from __future__ import annotations

import sysconfig
from pathlib import Path

import keras


def path(name: str) -> Path:
    """The file of a trained model.

    Args:
      name: file name without `.keras`, for example `"digits_cnn"`.

    Raises:
      FileNotFoundError: no such model came with the package.
    """
    folders = [
        Path(__file__).parents[2] / "saved_models",
        Path(sysconfig.get_path("data")) / "share" / "tf_ig2" / "saved_models",
    ]
    for folder in folders:
        if (folder / f"{name}.keras").is_file():
            return folder / f"{name}.keras"
    raise FileNotFoundError(f"No trained model {name!r} in {' or '.join(map(str, folders))}: reinstall the package.")


def load(name: str) -> keras.Model:
    """Loads a trained model.

    Example:
      >>> load("digits_cnn").output_shape
      (None, 10)
    """
    return keras.models.load_model(path(name), compile=False)

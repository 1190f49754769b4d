"""The small trained models: the demo's comes with the package, the others are in a checkout."""

from __future__ import annotations

from pathlib import Path

import keras


def path(name: str) -> Path:
    """The file of a trained model.

    Args:
      name: file name without `.keras`, for example `"digits_cnn"`.

    Raises:
      FileNotFoundError: there is no such model: an installed package has the demo's alone.
    """
    folders = [Path(__file__).parent / "trained", Path(__file__).parents[2] / "saved_models"]
    for folder in folders:
        if (folder / f"{name}.keras").is_file():
            return folder / f"{name}.keras"
    raise FileNotFoundError(
        f"No trained model {name!r} in {' or '.join(map(str, folders))}. A wheel has the demo's alone; a checkout "
        "of the repository has them all: install from there with pip install -e ."
    )


def load(name: str) -> keras.Model:
    """Loads a trained model.

    Example:
      >>> load("digits_cnn").output_shape
      (None, 10)
    """
    return keras.models.load_model(path(name), compile=False)

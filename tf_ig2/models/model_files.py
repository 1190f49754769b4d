"""Reading a user's Keras model from a file, safely, with an error of one line."""

from __future__ import annotations

from pathlib import Path

import keras


def load(path: Path) -> keras.Model:
    """Loads a `.keras` file, uncompiled and with `safe_mode` on.

    Raises:
      FileNotFoundError: there is no such file.
      ValueError: the file is not a Keras model, is corrupt, or would run code.
    """
    if not path.exists():
        raise FileNotFoundError(f"There is no model file {str(path)!r}.")
    try:
        return keras.models.load_model(path, compile=False, safe_mode=True)
    except Exception as error:
        first_line = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise ValueError(f"{str(path)!r} cannot be loaded as a Keras model: {first_line}") from error

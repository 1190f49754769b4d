"""Image files in, image files out."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff")


def find(paths: Iterable[str | os.PathLike[str]]) -> list[Path]:
    """Lists image files: files as they are given, folders with the images in them, sorted by name.

    Raises:
      FileNotFoundError: a path does not exist.
      ValueError: a folder holds no image.
    """
    files: list[Path] = []
    for path in map(Path, paths):
        if path.is_dir():
            inside = sorted(file for file in path.iterdir() if file.suffix.lower() in SUFFIXES)
            if not inside:
                raise ValueError(f"The folder {str(path)!r} holds no image ({', '.join(SUFFIXES)}).")
            files.extend(inside)
        elif path.exists():
            files.append(path)
        else:
            raise FileNotFoundError(f"There is no file or folder {str(path)!r}.")
    return files


def read(
    path: str | os.PathLike[str],
    height: int,
    width: int,
    channels: int,
    value_range: tuple[float, float] = (0.0, 255.0),
) -> np.ndarray:
    """Reads an image for a model.

    Args:
      path: a file that Pillow can read.
      height, width: size in pixels it is resized to (bilinear).
      channels: 3 for RGB, 1 for grey.
      value_range: what black and white become.

    Returns:
      float32 array `[height, width, channels]`.

    Raises:
      ValueError: the file is not an image, is corrupt, or `channels` is neither 1 nor 3.

    Example:
      >>> read("cat.png", 224, 224, 3).shape  # doctest: +SKIP
      (224, 224, 3)
    """
    if channels not in (1, 3):
        raise ValueError(f"`channels` must be 1 (grey) or 3 (RGB), not {channels!r}.")
    try:
        with Image.open(path) as image:
            converted = image.convert("L" if channels == 1 else "RGB")
            pixels = np.asarray(converted.resize((width, height), Image.Resampling.BILINEAR), np.float32)
    except (UnidentifiedImageError, OSError, SyntaxError) as error:
        raise ValueError(f"{os.fspath(path)!r} cannot be read as an image: {error}") from error
    low, high = value_range
    return pixels.reshape(height, width, channels) / np.float32(255) * np.float32(high - low) + np.float32(low)

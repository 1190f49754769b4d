"""Image files in, image files out."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

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
    """Reads an image for a model, as a viewer shows it: turned as its camera says, what is transparent on white.

    Args:
      path: a file that Pillow can read.
      height, width: size in pixels it is resized to (bilinear).
      channels: 3 for RGB, 1 for grey.
      value_range: what black and white become.

    Returns:
      float32 array `[height, width, channels]`.

    Raises:
      ValueError: the file is not an image, is corrupt, has more pixels than Pillow takes for harmless, or grey values
        of which one cannot know what is white; `channels` is neither 1 nor 3.

    Example:
      >>> read("cat.png", 224, 224, 3).shape  # doctest: +SKIP
      (224, 224, 3)
    """
    if channels not in (1, 3):
        raise ValueError(f"`channels` must be 1 (grey) or 3 (RGB), not {channels!r}.")
    try:
        with Image.open(path) as image:
            return as_array(image, height, width, channels, value_range)
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise ValueError(f"{os.fspath(path)!r} cannot be read as an image: {error}") from error


def as_array(
    image: Image.Image, height: int, width: int, channels: int, value_range: tuple[float, float] = (0.0, 255.0)
) -> np.ndarray:
    """An opened image as `read` gives it.

    Raises:
      ValueError: grey values of which one cannot know what is white; and what Pillow raises on broken data.
    """
    pixels = _pixels(image, channels, (width, height)).reshape(height, width, channels)
    low, high = value_range
    return pixels / np.float32(255) * np.float32(high - low) + np.float32(low)


def _pixels(image: Image.Image, channels: int, size: tuple[int, int]) -> np.ndarray:
    """float32, 0 … 255."""
    upright = ImageOps.exif_transpose(image)
    if upright.mode in ("F", "I") or upright.mode.startswith("I;16"):
        return _deep(upright, channels, size)
    if upright.has_transparency_data:
        seen = upright.convert("RGBA")
        upright = Image.alpha_composite(Image.new("RGBA", seen.size, "white"), seen)
    converted = upright.convert("L" if channels == 1 else "RGB")
    return np.asarray(converted.resize(size, Image.Resampling.BILINEAR), np.float32)


def _deep(image: Image.Image, channels: int, size: tuple[int, int]) -> np.ndarray:
    """A grey image of more than 8 bits: whole numbers of 16 bits, or fractions from 0 to 1."""
    values = np.asarray(image, np.float32)
    top = 1.0 if image.mode == "F" else 65535.0
    if not np.isfinite(values).all() or values.min() < 0 or values.max() > top:
        raise ValueError(
            f"its pixels lie in [{values.min():g}, {values.max():g}], and grey images of mode {image.mode!r} are read "
            f"from 0, black, to {top:g}, white; save it with 8 bits."
        )
    grey = Image.fromarray(values * np.float32(255 / top)).resize(size, Image.Resampling.BILINEAR)
    return np.repeat(np.asarray(grey, np.float32)[..., None], channels, axis=-1)

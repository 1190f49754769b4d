"""Image files in, as a person sees them."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from PIL import Image, ImageOps

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff")

BACKGROUND = (255, 255, 255)
"""What shines through transparent pixels where nothing else is asked for, as on a page: white."""

_ORIENTATION, _TURNED = 0x0112, (5, 6, 7, 8)
"""EXIF's tag of the orientation, and the orientations that swap height and width."""

_TRANSPARENT = ("RGBA", "RGBa", "LA", "La", "PA")


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
    source: str | os.PathLike[str] | BinaryIO,
    height: int,
    width: int,
    channels: int,
    value_range: tuple[float, float] = (0.0, 255.0),
    background: tuple[int, int, int] = BACKGROUND,
) -> np.ndarray:
    """Reads an image for a model, as a viewer shows it.

    It is turned as its EXIF orientation says; where it is transparent the background shines through. Pixels of 16 bits
    are 0 … 65535 from black to white, floating-point ones 0 … 1. Of an animation it is the first picture.

    Args:
      source: a file that Pillow can read, or an open one.
      height, width: size in pixels it is resized to (bilinear).
      channels: 3 for RGB, 1 for grey.
      value_range: what black and white become.
      background: red, green and blue, 0 … 255 each, behind transparent pixels.

    Returns:
      float32 array `[height, width, channels]`.

    Raises:
      ValueError: the file is not an image, is corrupt, has more pixels than Pillow takes for harmless, or pixels of
        which nobody can say what black and white are; or `channels` is neither 1 nor 3.

    Example:
      >>> read("cat.png", 224, 224, 3).shape  # doctest: +SKIP
      (224, 224, 3)
    """
    if channels not in (1, 3):
        raise ValueError(f"`channels` must be 1 (grey) or 3 (RGB), not {channels!r}.")
    with opened(source) as image:
        visible = _visible(ImageOps.exif_transpose(image), "L" if channels == 1 else "RGB", background)
        pixels = np.asarray(visible.resize((width, height), Image.Resampling.BILINEAR), np.float32)
    pixels = np.broadcast_to(pixels.reshape(height, width, -1), (height, width, channels))
    low, high = value_range
    return pixels / np.float32(255) * np.float32(high - low) + np.float32(low)


def size(image: Image.Image) -> tuple[int, int]:
    """Height and width in pixels of an open image as `read` sees it, turned as its EXIF orientation says."""
    turned = image.getexif().get(_ORIENTATION, 1) in _TURNED
    return (image.width, image.height) if turned else (image.height, image.width)


@contextlib.contextmanager
def opened(source: str | os.PathLike[str] | BinaryIO) -> Iterator[Image.Image]:
    """Opens an image; what goes wrong with it, also later, is one kind of error that names the file.

    Raises:
      ValueError: it cannot be read, or is too large.
    """
    name = repr(os.fspath(source)) if isinstance(source, (str, os.PathLike)) else "The file"
    try:
        with Image.open(source) as image:
            yield image
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise ValueError(
            f"{name} is refused as an image: {error} Scale it down, or raise PIL.Image.MAX_IMAGE_PIXELS if you trust "
            "it."
        ) from error
    except Exception as error:  # Pillow's decoders raise errors of many kinds on broken data
        raise ValueError(f"{name} cannot be read as an image: {error}") from error


def _visible(image: Image.Image, mode: str, background: tuple[int, int, int]) -> Image.Image:
    """What is seen, in the mode, or as floats 0 … 255 of a grey image with more than 8 bits."""
    if image.mode == "F" or image.mode.startswith("I"):
        return _deep(image, background)
    if image.mode in _TRANSPARENT or "transparency" in image.info:
        behind = Image.new("RGBA", image.size, (*background, 255))
        image = Image.alpha_composite(behind, image.convert("RGBA"))
    return image.convert(mode)


def _deep(image: Image.Image, background: tuple[int, int, int]) -> Image.Image:
    values: Any = np.asarray(image)
    white = 65535.0
    if image.mode == "F":
        white = 1.0
    elif image.mode == "I" and image.format != "PNG":
        raise ValueError("its pixels are 32-bit integers, of which nobody knows what is white: save it with 8 bits")
    low, high = float(values.min()), float(values.max())
    if not (low >= 0 and high <= white):
        raise ValueError(
            f"its pixels are {values.dtype} from {low:g} to {high:g}, not from 0 (black) to {white:g} (white): save it "
            "with 8 bits"
        )
    grey = values.astype(np.float32) * np.float32(255 / white)
    key = image.info.get("transparency")
    if isinstance(key, int):
        if len(set(background)) != 1:
            raise ValueError("it is grey with transparent pixels: choose a grey `background`")
        grey = np.where(values == key, np.float32(background[0]), grey)
    return Image.fromarray(grey)

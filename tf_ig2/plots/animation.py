"""A path as a moving picture: the explicand becomes what its path ends at, and the output says so."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from tf_ig2 import files
from tf_ig2.plots import checked

_BAR = 22
"""Height of what stands below the picture, in pixels."""


@dataclass(frozen=True, repr=False)
class Animation:
    """A GIF, as `animation` makes it; a notebook shows it.

    Attributes:
      content: the file's bytes.
      frames: how many pictures there are.
    """

    content: bytes
    frames: int

    def save(self, path: Any) -> None:
        """Writes the file: it is there whole, or not at all.

        Raises:
          OSError: it cannot be written.
        """
        with files.whole(path) as file:
            file.write(self.content)

    def _repr_html_(self) -> str:
        data = base64.b64encode(self.content).decode()
        return f'<img alt="a path, from explicand to its end" src="data:image/gif;base64,{data}"/>'

    def __repr__(self) -> str:
        return f"<Animation of {self.frames} frames, {len(self.content) / 1024:.0f} KiB>"


def animation(
    path: Any,
    outputs: Any = None,
    *,
    frames: int = 40,
    milliseconds: int = 120,
    pixels: int = 256,
    value_range: tuple[float, float] | None = None,
) -> Animation:
    """Points of a path, one after the other; below, a bar as long as the output is large, and the output.

    Args:
      path: `[K, H, W, C]` or `[K, H, W]`, one path: `explanation.path[0]` of one explicand with `keep=Keep(path=True)`.
      outputs: float `[K]`, the explained output at each point, or None.
      frames: at most so many, evenly over the path, both ends among them.
      milliseconds: how long each is shown; both ends are shown for a second.
      pixels: width of the picture, at least; pixels of the input become squares.
      value_range: what is black and what is white; None: the smallest and the largest value of the whole path.

    Returns:
      The animation; `save` writes it.

    Raises:
      TypeError, ValueError: the path is not one of images, is not finite, or an argument is out of range.

    Example:
      >>> animation(np.linspace(0, 1, 5)[:, None, None] * np.ones([5, 8, 8])).frames
      5
    """
    points = path_of_images(path)
    if frames < 2 or milliseconds < 20 or pixels < 1:
        raise ValueError(
            f"`frames` must be at least 2, `milliseconds` 20 and `pixels` 1, not {frames}, {milliseconds}, {pixels}."
        )
    along = None if outputs is None else checked.finite(outputs, "outputs").ravel()
    if along is not None and len(along) != len(points):
        raise ValueError(f"`outputs` are {len(along)} and the path has {len(points)} points: pass one for each.")
    chosen = np.unique(np.linspace(0, len(points) - 1, frames).round().astype(int))
    limits = value_range or (float(points.min()), float(points.max()))
    drawn = [_frame(points[number], limits, pixels, along, number) for number in chosen]
    content = io.BytesIO()
    long = [1000 if place in (0, len(drawn) - 1) else milliseconds for place in range(len(drawn))]
    drawn[0].save(content, "GIF", save_all=True, append_images=drawn[1:], duration=long, loop=0, disposal=1)
    return Animation(content.getvalue(), len(drawn))


def path_of_images(path: Any) -> np.ndarray:
    """One path of images, `[K, H, W, C]` or `[K, H, W]`.

    Raises:
      TypeError, ValueError: it is none.
    """
    points = checked.finite(path, "path")
    if points.ndim not in (3, 4) or (points.ndim == 3 and points.shape[-1] in (1, 3)):
        raise ValueError(
            f"`path` must be the points of one path of images, [K, H, W, C], not of shape {list(points.shape)}: pass "
            "explanation.path[0] of one explicand."
        )
    return points


def _frame(
    point: np.ndarray, limits: tuple[float, float], pixels: int, along: np.ndarray | None, number: int
) -> Image.Image:
    shown = (255 * checked.pixels(point, limits, "path")).round().astype(np.uint8)
    times = max(1, -(-pixels // shown.shape[1]))
    picture = Image.fromarray(shown).convert("RGB")
    picture = picture.resize((picture.width * times, picture.height * times), Image.Resampling.NEAREST)
    if along is None:
        return picture
    whole = Image.new("RGB", (picture.width, picture.height + _BAR), "white")
    whole.paste(picture, (0, 0))
    low, high = min(0.0, float(along.min())), float(along.max())
    share = (along[number] - low) / ((high - low) or 1.0)
    pen = ImageDraw.Draw(whole)
    pen.rectangle((0, picture.height, share * picture.width, whole.height), fill="#f4a582")
    pen.text((5, picture.height + 5), f"step {number}: {along[number]:.3g}", fill="black")
    return whole

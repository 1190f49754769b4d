"""ImageNet photographs with their classes and, where somebody drew them, object masks and boxes (section 6.3).

Reference: Russakovsky et al., ImageNet Large Scale Visual Recognition Challenge, IJCV 2015.
"""

from __future__ import annotations

import csv
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from PIL import Image, ImageOps

from tf_ig2 import extras, images, validation
from tf_ig2.paper.datasets import folder

_HOW_TO_GET = (
    "It is a folder with images/, labels.csv (file, class_index, class_name) and, if there are any, masks/ with "
    "masks.csv (file, mask) and boxes.csv (file, x0, y0, x1, y1). Or use `from_tfds`."
)
_TFDS = {"imagenet2012": "validation", "imagenet_v2": "test"}


@dataclass(frozen=True)
class Photographs:
    """Photographs at the size of a model's input.

    Attributes:
      x: float32 array `[N, height, width, 3]`, RGB in 0 … 255.
      labels: int64 array `[N]`, class indices, 0 … 999.
      names: of the files.
      class_names: of the classes; empty strings where they are not known.
      masks: bool array `[N, height, width]`, the object; all False where there is no mask.
      boxes: for each photograph an array `[B, 4]` of x0, y0, x1, y1 in pixels of the upright file, x1 and y1 exclusive.
      sizes: (height, width) of each upright file, in pixels.
    """

    x: np.ndarray
    labels: np.ndarray
    names: tuple[str, ...]
    class_names: tuple[str, ...]
    masks: np.ndarray
    boxes: tuple[np.ndarray, ...]
    sizes: tuple[tuple[int, int], ...]

    def __len__(self) -> int:
        return len(self.x)

    def take(self, rows: Any) -> Photographs:
        """Some of them, by int or bool array."""
        index = np.flatnonzero(rows) if np.asarray(rows).dtype == bool else np.asarray(rows)

        def of(values: tuple) -> tuple:
            return tuple(values[i] for i in index)

        return Photographs(
            self.x[index],
            self.labels[index],
            of(self.names),
            of(self.class_names),
            self.masks[index],
            of(self.boxes),
            of(self.sizes),
        )

    def masked(self) -> Photographs:
        """Those that have a mask."""
        return self.take(self.masks.any(axis=(1, 2)))


def load(height: int = 224, width: int = 224, source: str | os.PathLike[str] | None = None) -> Photographs:
    """Loads a folder of labelled photographs.

    Args:
      height, width: that photographs (bilinear) and masks (nearest neighbour) are resized to, in pixels.
      source: the folder; None: the folder `imagenet` in TF_IG2_DATA_DIR.

    Returns:
      The photographs, in the order of labels.csv.

    Raises:
      MissingDataError: the folder, labels.csv, or a file that it names is not there.
      CorruptDataError: a label that is no class index, an image that cannot be read, or a mask whose size is not that
        of its image.

    Example:
      >>> photographs = load().masked()  # doctest: +SKIP
      >>> photographs.x.shape  # doctest: +SKIP
      (77, 224, 224, 3)
    """
    validation.positive("height", height, integer=True)
    validation.positive("width", width, integer=True)
    home = folder.find("imagenet", _HOW_TO_GET, source)
    rows = _table(folder.find("labels.csv", _HOW_TO_GET, home / "labels.csv"), ("file", "class_index"))
    mask_files = {row["file"]: row["mask"] for row in _optional(home / "masks.csv", ("file", "mask"))}
    corners: dict[str, list[list[float]]] = {}
    for row in _optional(home / "boxes.csv", ("file", "x0", "y0", "x1", "y1")):
        corners.setdefault(row["file"], []).append(_numbers(home / "boxes.csv", row))
    x, masks, sizes = [], [], []
    for row in rows:
        path = folder.find(row["file"], _HOW_TO_GET, home / "images" / row["file"])
        try:
            x.append(images.read(path, height, width, 3))
            with images.opened(path) as image:
                sizes.append(images.size(image))
        except ValueError as error:
            raise folder.CorruptDataError(str(error)) from error
        name = mask_files.get(row["file"])
        masks.append(np.zeros([height, width], bool) if name is None else _mask(home / name, sizes[-1], height, width))
    names = tuple(row["file"] for row in rows)
    return Photographs(
        np.stack(x),
        np.array([_class(home / "labels.csv", row) for row in rows], np.int64),
        names,
        tuple(row.get("class_name", "") for row in rows),
        np.stack(masks),
        tuple(np.array(corners.get(name, []), np.float64).reshape(-1, 4) for name in names),
        tuple(sizes),
    )


def from_tfds(
    name: str = "imagenet_v2", height: int = 224, width: int = 224, data_dir: str | None = None
) -> tf.data.Dataset:
    """Labelled photographs from TensorFlow Datasets, one by one.

    Args:
      name: "imagenet_v2" (its test split, downloaded) or "imagenet2012" (its validation split; TensorFlow Datasets
        wants the archives of image-net.org in its manual folder).
      height, width: that they are resized to, in pixels (bilinear, antialiased).
      data_dir: of TensorFlow Datasets; None: its own default.

    Returns:
      A data set of (float32 `[height, width, 3]` in 0 … 255, int64 class index).

    Raises:
      MissingDataError: it could not be had; the message says how.
      ValueError: unknown name.
    """
    extras.need("tensorflow_datasets", "datasets", "from_tfds")
    import tensorflow_datasets as tfds

    folder.choice("name", name, tuple(_TFDS))
    try:
        data = tfds.load(name, split=_TFDS[name], data_dir=data_dir, shuffle_files=False)
    except (OSError, AssertionError, tfds.core.DatasetNotFoundError, tfds.download.DownloadError) as error:
        raise folder.MissingDataError(
            f"TensorFlow Datasets has no {name!r} and could not make it: {error}. See "
            f"https://www.tensorflow.org/datasets/catalog/{name}, or use `load` on a folder of images."
        ) from error

    def sample(row: dict[str, tf.Tensor]) -> tuple[tf.Tensor, tf.Tensor]:
        return tf.image.resize(row["image"], [height, width], antialias=True), row["label"]

    return data.map(sample, num_parallel_calls=tf.data.AUTOTUNE)


def _table(path: Path, columns: tuple[str, ...]) -> list[dict[str, str]]:
    with open(path, encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        missing = [name for name in columns if name not in (reader.fieldnames or [])]
        if missing:
            raise folder.CorruptDataError(f"{str(path)!r} lacks the column(s) {missing}.")
        rows = list(reader)
    if not rows:
        raise folder.CorruptDataError(f"{str(path)!r} names no image.")
    return rows


def _optional(path: Path, columns: tuple[str, ...]) -> list[dict[str, str]]:
    return _table(path, columns) if path.exists() else []


def _class(path: Path, row: dict[str, str]) -> int:
    value = row["class_index"] or ""
    if not value.isdigit() or int(value) > 999:
        raise folder.CorruptDataError(
            f"{str(path)!r}: the label of {row['file']!r} is missing or no class index 0 … 999: {value!r}."
        )
    return int(value)


def _numbers(path: Path, row: dict[str, str]) -> list[float]:
    try:
        return [float(row[corner]) for corner in ("x0", "y0", "x1", "y1")]
    except (TypeError, ValueError) as error:
        raise folder.CorruptDataError(f"{str(path)!r}: a box of {row['file']!r} is not four numbers.") from error


def _mask(path: Path, size: tuple[int, int], height: int, width: int) -> np.ndarray:
    folder.find(path.name, _HOW_TO_GET, path)
    try:
        with images.opened(path) as image:
            found = images.size(image)
            grey = ImageOps.exif_transpose(image).convert("L").resize((width, height), Image.Resampling.NEAREST)
    except ValueError as error:
        raise folder.CorruptDataError(f"The mask {str(path)!r} cannot be read: {error}") from error
    if found != size:
        raise folder.CorruptDataError(
            f"The mask {str(path)!r} is {found[0]} × {found[1]} pixels, its image {size[0]} × {size[1]}."
        )
    return np.asarray(grey) > 127

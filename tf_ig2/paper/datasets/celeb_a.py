"""CelebA: faces with forty attributes, from TensorFlow Datasets or from a folder (section 6.6).

CelebA is for research that is not commercial, and its faces must not be passed on: what is made public are numbers.

Reference: Liu, Luo, Wang & Tang, Deep Learning Face Attributes in the Wild, ICCV 2015.
"""

from __future__ import annotations

import csv
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from tf_ig2 import extras, images, validation
from tf_ig2.paper.datasets import folder

# fmt: off
ATTRIBUTES = (
    "5_o_Clock_Shadow", "Arched_Eyebrows", "Attractive", "Bags_Under_Eyes", "Bald", "Bangs", "Big_Lips", "Big_Nose",
    "Black_Hair", "Blond_Hair", "Blurry", "Brown_Hair", "Bushy_Eyebrows", "Chubby", "Double_Chin", "Eyeglasses",
    "Goatee", "Gray_Hair", "Heavy_Makeup", "High_Cheekbones", "Male", "Mouth_Slightly_Open", "Mustache",
    "Narrow_Eyes", "No_Beard", "Oval_Face", "Pale_Skin", "Pointy_Nose", "Receding_Hairline", "Rosy_Cheeks",
    "Sideburns", "Smiling", "Straight_Hair", "Wavy_Hair", "Wearing_Earrings", "Wearing_Hat", "Wearing_Lipstick",
    "Wearing_Necklace", "Wearing_Necktie", "Young",
)
# fmt: on
"""The attributes, in the order of the outputs."""

_HOW_TO_GET = (
    "It is a folder with images/ and attributes.csv (file, split, and the forty attributes as 0 or 1); CelebA is at "
    "http://mmlab.ie.cuhk.edu.hk/projects/CelebA.html, for research that is not commercial."
)

_SPLITS = ("train", "validation", "test")


def dataset(split: str = "train", size: int = 224, data_dir: str | None = None) -> tf.data.Dataset:
    """Faces and their attributes, one by one.

    The faces, 218 × 178 pixels, are cropped to their central square and resized. TensorFlow Datasets downloads them
    once, 1.4 GB, to `data_dir`.

    Args:
      split: "train", "validation" or "test".
      size: height and width of the result, in pixels.
      data_dir: of TensorFlow Datasets; None: its own default.

    Returns:
      A data set of (float32 `[size, size, 3]` in 0 … 255, float32 `[40]` of 0 and 1, in the order of `ATTRIBUTES`).

    Raises:
      MissingDataError: it could not be downloaded.
      ValueError: unknown split, or no positive size.

    Example:
      >>> faces = dataset("test").batch(8)  # doctest: +SKIP
    """
    extras.need("tensorflow_datasets", "datasets", "CelebA")
    import tensorflow_datasets as tfds

    folder.choice("split", split, _SPLITS)
    validation.positive("size", size, integer=True)
    try:
        data = tfds.load("celeb_a", split=split, data_dir=data_dir, shuffle_files=False)
    except (OSError, tfds.core.DatasetNotFoundError, tfds.download.DownloadError) as error:
        raise folder.MissingDataError(
            f"CelebA is not in the folder of TensorFlow Datasets and could not be downloaded: {error}. Download "
            "img_align_celeba.zip and the list_*.txt files from http://mmlab.ie.cuhk.edu.hk/projects/CelebA.html and "
            "run `tfds build celeb_a` on them where there is a network."
        ) from error

    def sample(row: Any) -> tuple[tf.Tensor, tf.Tensor]:
        image = tf.cast(row["image"], tf.float32)
        shape = tf.shape(image)
        side = tf.minimum(shape[0], shape[1])
        square = tf.image.resize_with_crop_or_pad(image, side, side)
        attributes = tf.stack([tf.cast(row["attributes"][name], tf.float32) for name in ATTRIBUTES])
        return tf.image.resize(square, [size, size], antialias=True), attributes

    return data.map(sample, num_parallel_calls=tf.data.AUTOTUNE)


def load(
    count: int, split: str = "test", size: int = 224, data_dir: str | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """The first faces of a split, as arrays.

    Args:
      count: N.
      split, size, data_dir: as for `dataset`.

    Returns:
      (float32 `[N, size, size, 3]` in 0 … 255, float32 `[N, 40]`).

    Raises:
      MissingDataError, ValueError: as for `dataset`.
    """
    validation.positive("count", count, integer=True)
    rows = list(dataset(split, size, data_dir).take(count).as_numpy_iterator())
    return np.stack([image for image, _ in rows]), np.stack([attributes for _, attributes in rows])


@dataclass(frozen=True)
class Faces:
    """Faces in a folder; their pictures are read when they are asked for.

    Attributes:
      files: of the pictures.
      labels: float32 array `[N, 40]` of 0 and 1, in the order of `ATTRIBUTES`.
      size: height and width that pictures are brought to, in pixels.
    """

    files: tuple[Path, ...]
    labels: np.ndarray
    size: int

    def __len__(self) -> int:
        return len(self.files)

    def pictures(self, rows: Any) -> np.ndarray:
        """float32 `[..., size, size, 3]` in 0 … 255 for int `[...]`: their central squares, resized as by `dataset`.

        Raises:
          CorruptDataError: a picture cannot be read.
        """
        index = np.asarray(rows, np.int64)
        found = {row: self._picture(self.files[row]) for row in np.unique(index)}
        stacked = np.stack([found[row] for row in index.ravel()])
        return stacked.reshape(*index.shape, *stacked.shape[1:])

    def _picture(self, path: Path) -> np.ndarray:
        try:
            with images.opened(path) as image:
                pixels = np.asarray(image.convert("RGB"), np.float32)
        except (OSError, ValueError) as error:
            raise folder.CorruptDataError(f"{str(path)!r} cannot be read: {error}") from error
        side = min(pixels.shape[:2])
        square = tf.image.resize_with_crop_or_pad(pixels, side, side)
        return tf.image.resize(square, [self.size, self.size], antialias=True).numpy()


def in_folder(split: str = "test", size: int = 224, source: str | os.PathLike[str] | None = None) -> Faces:
    """The faces of a split in a folder with images/ and attributes.csv (file, split, the forty attributes as 0 or 1).

    Args:
      split: "train", "validation" or "test"; in the file "validation" is called "valid".
      size: height and width of the pictures, in pixels.
      source: the folder; None: the folder `celeba` in TF_IG2_DATA_DIR.

    Returns:
      The faces, in the order of the file.

    Raises:
      MissingDataError: there is no such folder or file.
      CorruptDataError: the file lacks a column, has no face of the split, or an attribute that is not 0 or 1.
      ValueError: unknown split, or no positive size.
    """
    folder.choice("split", split, _SPLITS)
    validation.positive("size", size, integer=True)
    home = folder.find("celeba", _HOW_TO_GET, source)
    path = folder.find("attributes.csv", _HOW_TO_GET, home / "attributes.csv")
    with open(path, encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    missing = [name for name in ("file", "split", *ATTRIBUTES) if not rows or name not in rows[0]]
    if missing:
        raise folder.CorruptDataError(f"{str(path)!r} is empty or lacks the column(s) {missing[:3]}.")
    wanted = [row for row in rows if row["split"] == {"validation": "valid"}.get(split, split)]
    if not wanted:
        raise folder.CorruptDataError(f"{str(path)!r} has no face of the split {split!r}.")
    for row in wanted:
        if any(row[name] not in ("0", "1") for name in ATTRIBUTES):
            raise folder.CorruptDataError(f"{str(path)!r}: an attribute of {row['file']!r} is not 0 or 1.")
    labels = np.array([[int(row[name]) for name in ATTRIBUTES] for row in wanted], np.float32)
    return Faces(tuple(home / "images" / row["file"] for row in wanted), labels, size)


def closest_without(attributes: np.ndarray, explicand: np.ndarray, attribute: int, count: int) -> np.ndarray:
    """The faces that differ in one attribute and are closest in the others: the references of section 6.6.1.

    Args:
      attributes: `[M, 40]` of 0 and 1, of the faces to choose from.
      explicand: `[40]`, of the explained face.
      attribute: index of the explained attribute.
      count: R, how many.

    Returns:
      int array `[R]`, rows of `attributes`, the closest first (Hamming distance; ties in order).

    Raises:
      ValueError: fewer faces differ in the attribute than are wanted.

    Example:
      >>> faces = np.array([[1, 0, 0], [0, 0, 0], [0, 1, 1]])
      >>> closest_without(faces, np.array([1, 0, 0]), attribute=0, count=2)
      array([1, 2])
    """
    attributes, explicand = np.asarray(attributes), np.asarray(explicand)
    rows = np.flatnonzero(attributes[:, attribute] != explicand[attribute])
    if len(rows) < count:
        raise ValueError(f"{count} faces that differ in attribute {attribute} are wanted, and there are {len(rows)}.")
    distance = (attributes[rows] != explicand).sum(axis=1)
    return rows[np.argsort(distance, kind="stable")[:count]]

"""The grid pointing game: pictures composed of several classes, so that the ground truth needs no annotation.

References: Böhle, Fritz & Schiele, Convolutional Dynamic Alignment Networks for Interpretable Classifications, CVPR
2021; Rao, Böhle & Schiele, Towards Better Understanding Attribution Methods, CVPR 2022.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from tf_ig2.metrics.maps import feature_maps, finite
from tf_ig2.metrics.metric import Explicands, Metric


@dataclass(frozen=True)
class Grids:
    """Pictures of several classes each, one in every cell; each is to be explained for one of its cells.

    Attributes:
      x: float32 array `[N, H, W, C]`, the pictures.
      target: int64 array `[N]`, the class to explain.
      masks: bool array `[N, H, W]`, the cell that shows the target.
      members: int64 array `[N, cells]`, which image lies in each cell, row by row.
    """

    x: np.ndarray
    target: np.ndarray
    masks: np.ndarray
    members: np.ndarray


def compose_grids(images: Any, labels: Any, count: int, cells: int = 2, seed: int = 0) -> Grids:
    """Draws pictures of cells × cells images of different classes.

    Every image is shrunk (area average) so that the picture has the size that the model takes. Choose images that the
    model is sure of.

    Args:
      images: float array `[M, H, W, C]`.
      labels: int array `[M]`, their classes.
      count: N, the number of pictures.
      cells: along each side; H and W must be divisible by it.
      seed: of the draws.

    Returns:
      The pictures. The target's cell is drawn with the same chance for all.

    Raises:
      ValueError: shapes that do not fit, NaN, or fewer classes than cells.

    Example:
      >>> grids = compose_grids(np.ones([4, 8, 8, 3]), np.arange(4), count=2)
      >>> grids.x.shape, grids.masks.sum(axis=(1, 2))
      ((2, 8, 8, 3), array([16, 16]))
    """
    images, labels = np.asarray(images), np.asarray(labels)
    if images.ndim != 4 or labels.shape != images.shape[:1] or labels.dtype.kind not in "iu":
        raise ValueError(
            f"`images` has shape {images.shape} and `labels` {labels.shape} ({labels.dtype}); wanted are [M, H, W, C] "
            "and integers [M]."
        )
    finite("images", images.astype(np.float32))
    if count < 1 or cells < 2:
        raise ValueError(f"`count` must be at least 1 and `cells` at least 2, not {count!r} and {cells!r}.")
    height, width = images.shape[1:3]
    if height % cells or width % cells:
        raise ValueError(f"Images of {height} × {width} pixels cannot be parted into {cells} × {cells} equal cells.")
    classes = np.unique(labels)
    if len(classes) < cells**2:
        raise ValueError(f"A picture needs {cells**2} different classes, and `labels` has {len(classes)}.")
    rng = np.random.default_rng(seed)
    members = np.empty([count, cells**2], np.int64)
    for row in members:
        chosen = rng.permutation(classes)[: cells**2]
        row[:] = [rng.choice(np.flatnonzero(labels == name)) for name in chosen]
    cell = rng.integers(cells**2, size=count)
    h, w = height // cells, width // cells
    small = images.astype(np.float32).reshape(len(images), h, cells, w, cells, -1).mean(axis=(2, 4))
    tiles = small[members].reshape(count, cells, cells, h, w, -1)
    pictures = tiles.transpose(0, 1, 3, 2, 4, 5).reshape(count, height, width, -1)
    numbers = np.arange(cells**2).reshape(cells, cells).repeat(h, axis=0).repeat(w, axis=1)
    target = labels[members[np.arange(count), cell]].astype(np.int64)
    return Grids(pictures, target, numbers == cell[:, None, None], members)


def grid_pointing_game(attributions: Any, masks: Any, channels: str = "signed") -> np.ndarray:
    """The fraction of the positive attributions that lies in the target's cell.

    1 when all of it does, 1 / cells² for a map that knows nothing; a map without positive values scores as that map.

    Args:
      attributions: an `Attribution`, or an array `[N, H, W]` or `[N, H, W, C]`.
      masks: bool array `[N, H, W]`, the target's cell.
      channels: see `maps.feature_maps`; signed, as in the game's definition.

    Returns:
      float64 array `[N]` in 0 … 1.

    Raises:
      TypeError, ValueError: see `maps.feature_maps`; or masks that are not boolean or of another size.

    Example:
      >>> grid_pointing_game(np.array([[[3.0, 1.0]]]), np.array([[[True, False]]]))
      array([0.75])
    """
    masks = np.asarray(masks)
    if masks.dtype != bool or masks.ndim != 3:
        raise ValueError(f"`masks` must be boolean [N, H, W], not {masks.dtype} {masks.shape}.")
    maps = feature_maps(attributions, masks.shape[1:], channels)
    if len(maps) != len(masks):
        raise ValueError(f"There are {len(masks)} masks for {len(maps)} attributions.")
    positive = np.maximum(maps, 0)
    total = positive.sum(axis=(1, 2))
    share = (positive * masks).sum(axis=(1, 2)) / np.where(total > 0, total, 1)
    return np.where(total > 0, share, masks.mean(axis=(1, 2)))


GRID: Metric[Explicands] = Metric(
    "grid",
    "share in the cell",
    True,
    lambda maps, explicands: grid_pointing_game(maps, explicands.masks),
    needs=("masks",),
)

"""Blur IG's path: from the explicand to the blurred explicand, along the scale of a Gaussian."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import tensorflow as tf

from tf_ig2.paths.base import Move, Path, Points, Rows, Seen

TRUNCATE = 4.0
"""Kernels end this many standard deviations from their centre, as in scipy.ndimage."""


class _Filters(NamedTuple):
    """Matrices `[n, 1, 1, size, size]` at n scales: the blur, its derivative, and the blur at the next scale."""

    at: tf.Tensor
    slope: tf.Tensor
    next: tf.Tensor


@dataclass(frozen=True)
class Blur(Path):
    """The path γ(σ) = G(σ) x G(σ)ᵀ from σ = 0 to `max_sigma`, in pixels, on images `[B, H, W]` or `[B, H, W, C]`.

    The filter is separable and the same for all rows, so blurring is a product with one matrix for the height and one
    for the width, and so is its derivative by σ. The points depend on nothing but the explicand, so one segment whose
    rule holds all nodes is the whole path: they are evaluated together. There is no contrast.

    Attributes:
      max_sigma: standard deviation of the Gaussian at the end of the path, in pixels.
      padding: `"zero"`, the image is black beyond its edges, as in PAIR's code; `"reflect"`, it is mirrored there.
      grad_step: dγ/dσ is the finite difference (γ(σ + grad_step) − γ(σ)) / grad_step, as in PAIR's code; None: the
        analytic derivative of the truncated kernel.

    Reference: Xu, Venugopalan & Sundararajan, Attribution in Scale and Space, CVPR 2020, Section 3.
    """

    max_sigma: float
    padding: str
    grad_step: float | None

    def step(self, point: Points, seen: Seen, rows: Rows, state: Any) -> Move:
        def curve(positions: tf.Tensor) -> tuple[Points, Points]:
            sigmas = tf.cast(positions, tf.float64) * self.max_sigma
            both = [self._blurred(x, sigmas) for x in tf.nest.flatten(rows.explicand)]
            points, slopes = zip(*both, strict=True)
            return (
                tf.nest.pack_sequence_as(rows.explicand, points),
                tf.nest.pack_sequence_as(rows.explicand, [slope * self.max_sigma for slope in slopes]),
            )

        ends, _ = curve(tf.ones([1], tf.float64))
        to = tf.nest.map_structure(lambda x: x[0], ends)
        return Move(to, tf.nest.map_structure(tf.subtract, to, point), curve)

    def _blurred(self, x: tf.Tensor, sigmas: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """The images `[n, B, H, W(, C)]` at n scales, and their derivatives by σ."""
        channels_last = x.shape.rank == 4
        planes = tf.transpose(x, [0, 3, 1, 2]) if channels_last else x[:, None]
        planes = planes[None]
        rows = self._filters(sigmas, tf.shape(planes)[3], x.dtype)
        square = x.shape[1] is not None and x.shape[1] == x.shape[2]
        columns = rows if square else self._filters(sigmas, tf.shape(planes)[4], x.dtype)
        half = tf.matmul(rows.at, planes)
        point = tf.matmul(half, columns.at, transpose_b=True)
        # (G + hD) x (G + hD)ᵀ − G x Gᵀ = h (D x (G + hD)ᵀ + G x Dᵀ): nothing cancels, whatever h.
        slope = tf.matmul(tf.matmul(rows.slope, planes), columns.next, transpose_b=True)
        slope += tf.matmul(half, columns.slope, transpose_b=True)

        def images(planes: tf.Tensor) -> tf.Tensor:
            result = tf.transpose(planes, [0, 1, 3, 4, 2]) if channels_last else planes[:, :, 0]
            return tf.ensure_shape(result, [None, *x.shape])

        return images(point), images(slope)

    def _filters(self, sigmas: tf.Tensor, size: tf.Tensor, dtype: tf.DType) -> _Filters:
        at = self._matrix(sigmas, size)
        if self.grad_step is None:
            slope = self._matrix(sigmas, size, derivative=True)
            following = at
        else:
            following = self._matrix(sigmas + self.grad_step, size)
            slope = (following - at) / self.grad_step
        return _Filters(*(tf.cast(m, dtype)[:, None, None] for m in (at, slope, following)))

    def _matrix(self, sigmas: tf.Tensor, size: tf.Tensor, derivative: bool = False) -> tf.Tensor:
        """Float64 `[n, size, size]`: row i holds what pixel i is made of."""
        radius = tf.floor(TRUNCATE * sigmas + 0.5)
        reach = tf.cast(tf.reduce_max(radius), tf.int32)
        offsets = tf.cast(tf.range(-reach, reach + 1), tf.float64)
        squares = tf.square(offsets)
        within = tf.abs(offsets) <= radius[:, None]
        variance = tf.square(tf.maximum(sigmas, 1e-3))[:, None]
        kernel = tf.where(within, tf.exp(-squares / (2 * variance)), tf.zeros([], tf.float64))
        kernel /= tf.reduce_sum(kernel, axis=-1, keepdims=True)
        if derivative:
            mean = tf.reduce_sum(kernel * squares, axis=-1, keepdims=True)
            kernel *= (squares - mean) / variance**1.5
        pixel = tf.range(size)
        if self.padding == "zero":
            kernel = tf.pad(kernel, [[0, 0], [size, size]])
            return tf.gather(kernel, pixel[None, :] - pixel[:, None] + reach + size, axis=1)
        # Image and mirror image follow each other with period 2·size: pixel j is met at j and at -1 - j.
        period = 2 * size
        folded = tf.math.unsorted_segment_sum(tf.transpose(kernel), tf.range(-reach, reach + 1) % period, period)
        direct = tf.gather(folded, (pixel[None, :] - pixel[:, None]) % period)
        mirrored = tf.gather(folded, (-1 - pixel[None, :] - pixel[:, None]) % period)
        return tf.transpose(direct + mirrored, [2, 0, 1])

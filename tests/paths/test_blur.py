"""The blur path is SciPy's Gaussian filter, with its derivative."""

import numpy as np
import pytest
import tensorflow as tf
from scipy import ndimage

from tf_ig2.paths.base import Rows
from tf_ig2.paths.blur import Blur

MODES = {"zero": "constant", "reflect": "reflect"}


def curve(images, positions, max_sigma, padding="zero", grad_step=None):
    """Points and derivatives `[n, B, ...]` on the path, as NumPy arrays."""
    images = tf.constant(images)
    rows = Rows(images, (), (), ())
    move = Blur(max_sigma, padding, grad_step).step(images, None, rows, ())
    points, derivatives = move.curve(tf.constant(positions, tf.float64))
    return points.numpy(), derivatives.numpy(), move.point.numpy()


def scipy_blur(images, sigma, padding):
    return ndimage.gaussian_filter(images, sigma, axes=(1, 2), mode=MODES[padding])


@pytest.mark.parametrize("padding", MODES)
@pytest.mark.parametrize("shape", [(2, 9, 7, 3), (2, 9, 7), (1, 1, 1, 1), (1, 1, 12, 2), (1, 5, 5, 1)])
@pytest.mark.parametrize("max_sigma", [0.1, 3.0, 11.0])
def test_points_are_scipys(rng, padding, shape, max_sigma):
    images = rng.random(shape)
    points, _, end = curve(images, [0.0, 0.3, 1.0], max_sigma, padding)
    for point, position in zip(points, [0.0, 0.3, 1.0], strict=True):
        assert np.allclose(point, scipy_blur(images, position * max_sigma, padding), atol=1e-13)
    assert np.allclose(end, points[-1], atol=1e-13)


@pytest.mark.parametrize("padding", MODES)
def test_the_finite_difference_is_that_of_the_filter(rng, padding):
    images = rng.random([2, 9, 7, 3])
    _, derivatives, _ = curve(images, [0.0, 0.4], 5.0, padding, grad_step=0.01)
    for derivative, sigma in zip(derivatives, [0.0, 2.0], strict=True):
        difference = scipy_blur(images, sigma + 0.01, padding) - scipy_blur(images, sigma, padding)
        assert np.allclose(derivative, difference / 0.01 * 5.0, atol=1e-9)


@pytest.mark.parametrize("padding", MODES)
def test_the_analytic_derivative_is_the_limit(rng, padding):
    images = rng.random([2, 9, 7, 3])
    _, derivatives, _ = curve(images, [0.4], 5.0, padding)
    sigma, step = 2.0, 1e-5  # the radius of the kernel is the same on both sides
    difference = scipy_blur(images, sigma + step, padding) - scipy_blur(images, sigma - step, padding)
    assert np.allclose(derivatives[0], difference / (2 * step) * 5.0, atol=1e-8)


def test_nothing_moves_at_scale_zero(rng):
    _, derivatives, _ = curve(rng.random([1, 5, 5, 1]), [0.0], 5.0)
    assert not derivatives.any()


def test_reflection_keeps_a_constant_image():
    points, derivatives, _ = curve(np.full([1, 6, 4, 1], 7.0), [0.0, 0.5, 1.0], 9.0, "reflect")
    assert np.allclose(points, 7.0)
    assert np.allclose(derivatives, 0.0, atol=1e-12)


def test_small_steps_do_not_cancel_in_float32(rng):
    images = rng.uniform(0, 255, [1, 20, 20, 1])
    fine = curve(images, [0.5], 10.0, grad_step=0.01)[1]
    single = curve(images.astype(np.float32), [0.5], 10.0, grad_step=0.01)[1]
    assert np.linalg.norm(single - fine) < 1e-5 * np.linalg.norm(fine)

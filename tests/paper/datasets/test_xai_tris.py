"""Tetrominoes are where they should be, and backgrounds what they are called."""

import numpy as np
import pytest

from tf_ig2.paper.datasets import xai_tris


@pytest.mark.parametrize("scenario", xai_tris.SCENARIOS)
@pytest.mark.parametrize("background", xai_tris.BACKGROUNDS)
def test_images_of_both_classes_with_masks(scenario, background):
    images = xai_tris.load(scenario, background, count=20)
    assert (images.x.shape, images.x.dtype, len(images)) == ((20, 8, 8, 1), np.float32, 20)
    assert images.y.sum() == 10
    assert (images.masks.sum(axis=(1, 2)) == (4 if scenario == "rigid" else 8)).all()


def test_they_are_seeded():
    one, two = (xai_tris.load("rigid", count=6, seed=3) for _ in range(2))
    np.testing.assert_array_equal(one.x, two.x)
    assert not np.array_equal(one.x, xai_tris.load("rigid", count=6, seed=4).x)


def test_without_noise_only_the_pattern_is_left():
    images = xai_tris.load("linear", count=6, alpha=1.0)
    np.testing.assert_allclose(np.sort(np.unique(images.x)), [0, 4])  # 8 · ½: four pixels of norm 1
    tee, ell = (images.x[images.y == label][0, ..., 0] for label in (0, 1))
    assert np.argwhere(tee).tolist() == [[1, 1], [2, 1], [2, 2], [3, 1]]
    assert np.argwhere(ell).tolist() == [[4, 5], [5, 5], [6, 5], [6, 6]]


def test_rigid_patterns_are_turned_and_moved_within_the_image():
    images = xai_tris.load("rigid", count=300, alpha=1.0)
    np.testing.assert_array_equal(images.x[..., 0] != 0, images.masks)
    assert images.masks.any(axis=0).all()


def test_xor_is_about_signs_alone():
    images = xai_tris.load("xor", count=40, alpha=1.0)
    signs = np.sign(images.x[:, 1, 1, 0] * images.x[:, 4, 5, 0])
    np.testing.assert_array_equal(signs > 0, images.y == 0)
    assert abs(images.x.mean(axis=0)).max() < 1.5  # either sign of either pattern: no pixel tells alone


def test_multiplied_patterns_leave_no_trace_in_the_mean():
    images = xai_tris.load("multiplicative", count=4000)
    means = [images.x[images.y == label].mean(axis=0) for label in (0, 1)]
    assert np.abs(means[0] - means[1]).max() < 0.15
    spreads = [images.x[images.y == label].std(axis=0)[1, 1, 0] for label in (0, 1)]
    assert spreads[0] < 0.8 * spreads[1]  # T damps the noise at its own place


def test_correlated_neighbours_and_white_ones():
    for background, low, high in (("white", -0.1, 0.1), ("correlated", 0.8, 1.0)):
        x = xai_tris.load("linear", background, count=500, alpha=0.0).x[..., 0]
        assert low < np.corrcoef(x[:, 4, 4], x[:, 4, 5])[0, 1] < high, background


def test_the_large_variant_has_smooth_patterns():
    images = xai_tris.load("xor", count=4, size=64, alpha=1.0)
    assert images.x.shape == (4, 64, 64, 1)
    assert len(np.unique(images.x[0])) > 20


def test_bad_arguments():
    with pytest.raises(ValueError, match="Unknown scenario"):
        xai_tris.load("cubic")
    with pytest.raises(ValueError, match="`size`"):
        xai_tris.load("xor", size=16)
    with pytest.raises(ValueError, match="`alpha`"):
        xai_tris.load("xor", alpha=1.5)

"""Pictures composed of several classes, and who finds the right cell."""

from types import SimpleNamespace

import numpy as np
import pytest

from tf_ig2.metrics.grid_pointing_game import GRID, compose_grids, grid_pointing_game


@pytest.fixture
def grids(rng):
    images = np.arange(10)[:, None, None, None] * np.ones([10, 8, 12, 3])
    return compose_grids(images, np.arange(10) // 2, count=50, cells=2, seed=3)


def test_every_picture_shows_its_target_in_its_cell_and_nowhere_else(grids):
    classes = grids.x[..., 0].astype(int) // 2
    assert ((classes == grids.target[:, None, None]) == grids.masks).all()
    assert (grids.masks.sum(axis=(1, 2)) == 24).all()


def test_images_are_shrunk_by_area():
    images = np.zeros([4, 4, 4, 1])
    images[:, ::2] = 8
    assert (compose_grids(images, np.arange(4), 1).x == 4).all()


def test_every_cell_is_asked_for(grids):
    cells = grids.masks[:, ::4, ::6].reshape(50, 4).argmax(axis=1)
    assert set(cells) == {0, 1, 2, 3}


def test_pictures_are_seeded():
    images = np.random.default_rng(0).random([9, 6, 6, 1])
    a, b, c = (compose_grids(images, np.arange(9), 5, cells=3, seed=seed).x for seed in (0, 0, 1))
    np.testing.assert_array_equal(a, b)
    assert not np.array_equal(a, c)


def test_known_scores(grids):
    np.testing.assert_array_equal(grid_pointing_game(grids.masks.astype(float), grids.masks), 1)
    np.testing.assert_array_equal(grid_pointing_game(1.0 - grids.masks, grids.masks), 0)
    np.testing.assert_allclose(grid_pointing_game(np.ones(grids.masks.shape), grids.masks), 0.25)
    np.testing.assert_allclose(grid_pointing_game(-np.ones(grids.masks.shape), grids.masks), 0.25)


def test_negative_attributions_do_not_count():
    masks = np.array([[[True, False], [False, False]]])
    assert grid_pointing_game(np.array([[[1.0, -5], [-5, 1]]]), masks)[0] == 0.5


@pytest.mark.parametrize(
    ("images", "labels", "cells", "match"),
    [
        (np.ones([4, 8, 8]), np.arange(4), 2, r"wanted are \[M, H, W, C\]"),
        (np.ones([4, 8, 8, 1]), np.arange(3), 2, r"wanted are \[M, H, W, C\]"),
        (np.ones([4, 7, 8, 1]), np.arange(4), 2, "equal cells"),
        (np.ones([4, 8, 8, 1]), np.zeros(4, int), 2, "4 different classes, and `labels` has 1"),
        (np.full([4, 8, 8, 1], np.nan), np.arange(4), 2, "NaN"),
        (np.ones([4, 8, 8, 1]), np.arange(4), 1, "`cells` at least 2"),
    ],
)
def test_bad_input(images, labels, cells, match):
    with pytest.raises(ValueError, match=match):
        compose_grids(images, labels, 1, cells)


def test_masks_of_another_kind():
    with pytest.raises(ValueError, match="must be boolean"):
        grid_pointing_game(np.ones([1, 2, 2]), np.ones([1, 2, 2]))
    with pytest.raises(ValueError, match="2 masks for 1"):
        grid_pointing_game(np.ones([1, 2, 2]), np.ones([2, 2, 2], bool))


def test_the_metric_of_a_table_is_the_game():
    masks = np.array([[[True, False]]])
    assert GRID(np.array([[[3.0, 1.0]]]), SimpleNamespace(masks=masks)).tolist() == [0.75]
    assert not GRID.applies(SimpleNamespace(masks=None))

"""Guided IG's path keeps its promises at every step."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from tf_ig2.paths.base import Rows, Seen
from tf_ig2.paths.guided import Guided

FEATURES, STEPS = 12, 6


def walk(end, start, gradients, fraction, max_dist):
    """The points `[STEPS + 1, B, D]` when the model gives `gradients[step]`, `[B, D]`."""
    rows = Rows(tf.constant(end), (), (), tf.constant(start))
    path = Guided(fraction, max_dist)
    point, state, points = tf.constant(start), path.init(rows, tf.constant(STEPS)), [start]
    for gradient in gradients:
        point, _, _, state, _ = path.step(point, Seen(None, None, tf.constant(gradient)), rows, state)
        points.append(point.numpy())
    return np.stack(points)


def draw(seed, rows=2):
    rng = np.random.default_rng(seed)
    end, start = rng.normal(size=[2, rows, FEATURES])
    end[:, 0] = start[:, 0]  # a feature that has nowhere to go
    return end, start, np.round(rng.normal(size=[STEPS, rows, FEATURES]), 1)  # with ties


fractions = st.sampled_from([0.05, 0.25, 0.5, 1.0])
distances = st.sampled_from([0.0, 0.02, 0.3, 1.0])


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), fractions, distances)
def test_every_step_brings_the_explicand_nearer_by_the_same_amount(seed, fraction, max_dist):
    end, start, gradients = draw(seed)
    left = np.abs(walk(end, start, gradients, fraction, max_dist) - end).sum(axis=-1)
    whole = np.abs(end - start).sum(axis=-1)
    assert np.allclose(left, np.linspace(1, 0, STEPS + 1)[:, None] * whole)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), fractions, distances)
def test_no_feature_strays_further_than_max_dist(seed, fraction, max_dist):
    end, start, gradients = draw(seed)
    points = walk(end, start, gradients, fraction, max_dist)
    moving = end != start
    part = ((points - start) / np.where(moving, end - start, 1))[:, moving]
    straight = np.linspace(0, 1, STEPS + 1)[:, None]
    assert (np.abs(part - straight) <= max_dist + 1e-9).all()


def test_without_freedom_it_is_the_straight_line():
    end, start, gradients = draw(3)
    line = start + np.linspace(0, 1, STEPS + 1)[:, None, None] * (end - start)
    assert np.allclose(walk(end, start, gradients, 0.25, 0.0), line)


def test_the_smallest_gradients_move_first():
    end, start = np.ones([1, 4]), np.zeros([1, 4])
    gradients = np.tile([[[3.0, -0.1, 0.2, 5.0]]], [STEPS, 1, 1])
    points = walk(end, start, gradients, 0.25, 1.0)[:, 0]
    order = np.argmax(points == 1.0, axis=0)  # when each arrives
    assert order[1] < order[2] < order[0] <= order[3]
    assert np.allclose(points[1], [0, 4 / STEPS, 0, 0])


def test_features_that_tie_move_together():
    end, start = np.ones([1, 4]), np.zeros([1, 4])
    points = walk(end, start, np.zeros([STEPS, 1, 4]), 0.25, 1.0)
    assert np.allclose(points, points[..., :1])


def test_rows_do_not_know_of_each_other():
    end, start, gradients = draw(5, rows=4)
    together = walk(end, start, gradients, 0.25, 0.1)
    for row in range(4):
        alone = walk(end[[row]], start[[row]], gradients[:, [row]], 0.25, 0.1)
        assert np.array_equal(together[:, [row]], alone)


def test_infinite_gradients_do_not_hold_it_up():
    end, start, gradients = draw(6)
    gradients[:] = np.nan
    points = walk(end, start, gradients, 0.25, 0.1)
    assert np.array_equal(points[-1], end)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_it_arrives_exactly(dtype):
    end, start, gradients = (part.astype(dtype) for part in draw(7))
    assert np.array_equal(walk(end, start, gradients, 0.25, 0.02)[-1], end)

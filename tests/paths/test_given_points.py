"""A path of given points takes them all, or every so many of them."""

import numpy as np
import pytest
import tensorflow as tf

from tf_ig2.paths.base import Rows, Seen
from tf_ig2.paths.given_points import GivenPoints

POINTS = np.arange(2 * 7 * 3, dtype=np.float32).reshape(2, 7, 3) ** 2


def walked(steps, points=POINTS):
    """The points `[steps + 1, B, ...]`, and the sum of the displacements."""
    path = GivenPoints()
    rows = Rows(tf.constant(points[:, -1]), (), (), tf.constant(points))
    state, found, moved = path.init(rows, tf.constant(steps)), [path.start(rows)], 0
    for _ in range(steps):
        to, displacement, curve, state, stop = path.step(found[-1], Seen(0, 0), rows, state)
        assert (curve, stop) == (None, ())
        found.append(to)
        moved += displacement
    return np.stack(found), np.asarray(moved)


@pytest.mark.parametrize(("steps", "taken"), [(6, range(7)), (3, [0, 2, 4, 6]), (4, [0, 1, 3, 4, 6]), (1, [0, 6])])
def test_a_walk_takes_as_many_points_as_it_has_segments(steps, taken):
    points, moved = walked(steps)
    np.testing.assert_array_equal(points, POINTS[:, list(taken)].swapaxes(0, 1))
    np.testing.assert_array_equal(moved, POINTS[:, -1] - POINTS[:, 0])

"""The straight line, in one segment or in many."""

import numpy as np
import pytest
import tensorflow as tf

from tf_ig2.paths.base import Rows
from tf_ig2.paths.straight_line import StraightLine


@pytest.mark.parametrize("steps", [1, 3, 7])
def test_points_are_evenly_spaced_and_arrive_exactly(rng, steps):
    end, start = rng.normal(size=[2, 2, 5]).astype(np.float32)
    rows, path = Rows(tf.constant(end), (), (), tf.constant(start)), StraightLine()
    points, state = [path.start(rows)], path.init(rows, tf.constant(steps))
    for _ in range(steps):
        point, _, _, state, _ = path.step(points[-1], None, rows, state)
        points.append(point)
    line = start + np.linspace(0, 1, steps + 1)[:, None, None] * (end - start)
    assert np.allclose(points, line, atol=1e-6)
    assert np.array_equal(points[-1], end)

"""The loop itself: eager and compiled alike, no more evaluations than needed, streamed."""

import numpy as np
import pytest
import tensorflow as tf

from tf_ig2.paths.base import Path, Progress, Rows, Seen, Stop, move
from tf_ig2.paths.rules import END, START, TRAPEZOID, gauss_legendre
from tf_ig2.paths.walk import Keep, Tableau, walk


class Line(Path):
    """From the explicand to the contrast in equal steps."""

    def init(self, rows, steps):
        return Progress.begin(rows, steps)

    def step(self, point, seen, rows, state):
        part = (rows.contrast - rows.explicand) / tf.cast(state.steps, point.dtype)[:, None]
        return move(point, point + part, state.next())


class Cubic:
    """f(x) = Σ x³, counting what it is asked for when run eagerly."""

    def __init__(self):
        self.gradients = self.forwards = 0

    def evaluate(self, point, rows, path, *, output_gradient, objective_gradient):
        self.gradients += bool(output_gradient)
        self.forwards += not output_gradient
        output = tf.reduce_sum(point**3, axis=-1)
        return Seen(output, tf.zeros_like(output), 3 * point**2 if output_gradient else ())


ROWS = Rows(
    tf.constant([[1.0, 2.0], [0.5, -1.0]], tf.float64), (), (), tf.constant([[0.0, 1.0], [2.0, 1.0]], tf.float64)
)
RULES = {"start": START, "end": END, "trapezoid": TRAPEZOID, "segment": gauss_legendre(2)}


def run(rule, steps, keep=None, rows_per_pass=4, view=None, compiled=False):
    tableau = Tableau(tf.constant(rule.nodes, tf.float64), tf.constant(rule.weights, tf.float64))

    def call(rows, steps):
        return walk(
            view or Cubic(),
            Line(),
            rule,
            rows,
            steps=steps,
            tableau=tableau,
            rows_per_pass=tf.constant(rows_per_pass),
            keep=keep or Keep(),
        )

    return (tf.function(call, autograph=False) if compiled else call)(ROWS, tf.constant(steps))


@pytest.mark.parametrize("compiled", [False, True])
def test_gauss_legendre_with_two_nodes_integrates_a_cubic_exactly(compiled):
    walked = run(RULES["segment"], 3, compiled=compiled)
    np.testing.assert_allclose(walked.values, ROWS.explicand**3 - ROWS.contrast**3, rtol=1e-12)


@pytest.mark.parametrize("name", RULES)
def test_eager_and_compiled_walks_are_the_same(name):
    eager, compiled = (run(RULES[name], 5, Keep(path=True), compiled=flag) for flag in (False, True))
    for a, b in zip(tf.nest.flatten(eager), tf.nest.flatten(compiled), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12)


@pytest.mark.parametrize(("name", "gradients", "forwards"), [("start", 6, 1), ("end", 7, 0), ("trapezoid", 7, 0)])
def test_endpoint_rules_cost_one_gradient_a_step(name, gradients, forwards):
    view = Cubic()
    run(RULES[name], 6, view=view)
    assert (view.gradients, view.forwards) == (gradients, forwards)


@pytest.mark.parametrize(("rows_per_pass", "passes"), [(1, 5), (4, 3), (100, 1)])
def test_interior_nodes_share_passes_that_fit(rows_per_pass, passes):
    view = Cubic()
    walked = run(gauss_legendre(5), 1, rows_per_pass=rows_per_pass, view=view)
    assert view.gradients == passes
    np.testing.assert_allclose(walked.values, ROWS.explicand**3 - ROWS.contrast**3, rtol=1e-12)


def test_nodes_can_differ_between_rows():
    tableau = Tableau(tf.constant([[0.0, 1.0]], tf.float64), tf.constant([1.0], tf.float64))
    walked = walk(
        Cubic(),
        Line(),
        gauss_legendre(1),
        ROWS,
        steps=tf.constant(1),
        tableau=tableau,
        rows_per_pass=tf.constant(1),
        keep=Keep(),
    )
    difference = ROWS.explicand - ROWS.contrast
    expected = np.stack([3 * ROWS.explicand[0] ** 2 * difference[0], 3 * ROWS.contrast[1] ** 2 * difference[1]])
    np.testing.assert_allclose(walked.values, expected)


@pytest.mark.parametrize(
    ("steps", "every", "kept"), [(6, 1, range(7)), (6, 3, [0, 3, 6]), (7, 3, [0, 3, 6, 7]), (2, 5, [0, 2])]
)
def test_kept_points(steps, every, kept):
    path = run(START, steps, Keep(path=True, every=every)).path
    fractions = np.array(list(kept)) / steps
    expected = ROWS.explicand + fractions[:, None, None] * (ROWS.contrast - ROWS.explicand)
    np.testing.assert_allclose(path, expected, atol=1e-12)
    assert Keep(path=True, every=every).kept(steps) == len(expected)


def test_the_path_is_not_kept_unless_asked_for():
    assert run(START, 4).path == ()


def test_a_walk_stops_where_something_is_not_finite():
    class Pole(Cubic):
        def evaluate(self, point, rows, path, *, output_gradient, objective_gradient):
            here = super().evaluate(
                point, rows, path, output_gradient=output_gradient, objective_gradient=objective_gradient
            )
            pole = here.output_gradient / tf.cast(point[:, :1] > 0.55, point.dtype)
            return here._replace(output_gradient=pole)

    walked = run(START, 10, view=Pole())
    np.testing.assert_array_equal(walked.steps_taken, [1, 1])
    np.testing.assert_array_equal(walked.stop == Stop.NOT_FINITE, [False, True])

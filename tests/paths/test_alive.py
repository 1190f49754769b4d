"""Rows that have ended stay what they were, and are not looked at again."""

import numpy as np
import pytest
import tensorflow as tf

from tf_ig2.paths import rules, sums
from tf_ig2.paths.alive import Alive, where
from tf_ig2.paths.base import Rows, Stop
from tf_ig2.paths.keep import Keep
from tf_ig2.paths.walk import walk

from .smooth import Goal, Recorder, Rolling, Sine

VALUES = {"a": tf.constant([1.0, 2.0, 3.0]), "b": tf.constant([[1, 1], [2, 2], [3, 3]])}


def test_only_living_rows_are_taken():
    alive = Alive(tf.constant([False, True, True]), stops=True)
    some = alive.take(VALUES)
    np.testing.assert_array_equal(some["a"], [2, 3])
    np.testing.assert_array_equal(some["b"], [[2, 2], [3, 3]])
    np.testing.assert_array_equal(alive.index, [1, 2])


@pytest.mark.parametrize("static", [False, True])
@pytest.mark.parametrize("living", [[False, True, True], [True, True, True], [False, False, False]])
def test_only_living_rows_change(living, static):
    alive = Alive(tf.constant(living), stops=True, static=static)
    doubled = tf.nest.map_structure(lambda x: 2 * x, alive.take(VALUES))
    found = alive.put(VALUES, doubled)
    np.testing.assert_array_equal(found["a"], np.where(living, [2, 4, 6], [1, 2, 3]))
    np.testing.assert_array_equal(found["b"][:, 0], np.where(living, [2, 4, 6], [1, 2, 3]))


def test_where_no_row_stops_nothing_is_gathered():
    alive = Alive(tf.constant([False, True, True]), stops=False)
    assert alive.take(VALUES) is VALUES
    assert alive.put((), VALUES) is VALUES


def test_a_structure_without_tensors_is_taken_as_it_is():
    assert Alive(tf.constant([False, True]), stops=True).take(()) == ()


def test_rows_of_one_structure_or_another():
    found = where(tf.constant([True, False]), tf.constant([[1, 1], [1, 1]]), tf.constant([[0, 0], [0, 0]]))
    np.testing.assert_array_equal(found, [[1, 1], [0, 0]])


START = np.array([[0.0, 1.0], [0.5, -1.0], [2.0, 0.3], [1.0, 1.0]])
GOAL = np.array([[1.0, 2.0], [0.0, 0.0], [-1.0, 0.3], [3.0, -1.0]])
LIMITS = np.array([3, 0, 9, 1])
STEPS = 5
ROWS = Rows(tf.constant(START), (), (), Goal(tf.constant(GOAL), tf.constant(LIMITS, tf.int32)))
RULES = {
    "start": rules.START,
    "end": rules.END,
    "trapezoid": rules.TRAPEZOID,
    "inside": rules.gauss_legendre(6),
    "refined": rules.segment(3, 1e-9),
    "idgi": rules.IDGI,
    "idgi-both": rules.IDGI_BOTH,
}


def roll(rule, rows=ROWS, model=None, compiled=False, **options):
    def call(rows):
        return walk(
            model or Sine(),
            Rolling(),
            rule,
            rows,
            steps=tf.constant(STEPS),
            tableau=sums.Tableau(*(tf.constant(part) for part in rule.tableau(1))),
            rows_per_pass=tf.constant(7),
            **{"keep": Keep(path=True), **options},
        )

    return (tf.function(call, autograph=False) if compiled else call)(rows)


def expected(rule):
    """Attributions of a polyline, in NumPy."""
    results = []
    for start, goal, limit in zip(START, GOAL, LIMITS, strict=True):
        points = Rolling().points(start, goal, min(limit, STEPS))
        before, after = points[:-1], points[1:]
        if rule == "start":
            gradient = np.cos(before)
        elif rule == "end":
            gradient = np.cos(after)
        elif rule == "trapezoid":
            gradient = (np.cos(before) + np.cos(after)) / 2
        else:  # the integral of cos along a straight segment
            moved = after - before
            safe = np.where(moved == 0, 1, moved)
            gradient = np.where(moved == 0, np.cos(before), (np.sin(after) - np.sin(before)) / safe)
        results.append(((before - after) * gradient).sum(axis=0))
    return np.stack(results)


@pytest.mark.parametrize("rule", ["start", "end", "trapezoid", "inside", "refined"])
def test_a_path_with_momentum_whose_rows_stop(rule):
    walked = roll(RULES[rule])
    np.testing.assert_array_equal(walked.steps_taken, np.minimum(LIMITS, STEPS))
    np.testing.assert_array_equal(walked.stop, [Stop.ARRIVED, Stop.ARRIVED, Stop.STEPS, Stop.ARRIVED])
    np.testing.assert_allclose(walked.values, expected(rule), atol=1e-8)
    ends = [Rolling().points(s, g, min(n, STEPS))[-1] for s, g, n in zip(START, GOAL, LIMITS, strict=True)]
    np.testing.assert_allclose(walked.end, ends, atol=1e-14)


@pytest.mark.parametrize("rule", ["idgi", "idgi-both"])
def test_idgi_adds_up_whenever_rows_stop(rule):
    walked = roll(RULES[rule])
    difference = np.sin(START).sum(axis=1) - np.sin(walked.end).sum(axis=1)
    np.testing.assert_allclose(np.sum(walked.values, axis=1), difference, atol=1e-14)


@pytest.mark.parametrize("rule", RULES)
def test_compiled_walks_are_eager_ones(rule):
    for a, b in zip(tf.nest.flatten(roll(RULES[rule])), tf.nest.flatten(roll(RULES[rule], compiled=True)), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-13)


@pytest.mark.parametrize("rule", sorted(set(RULES) - {"refined"}))
def test_walks_of_static_shapes_are_the_same(rule):
    plain, static = roll(RULES[rule]), roll(RULES[rule], static=True)
    for a, b in zip(tf.nest.flatten(plain), tf.nest.flatten(static), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-13)


def test_rows_do_not_know_when_others_stop():
    together = roll(RULES["trapezoid"])
    for row in range(len(START)):
        alone = roll(RULES["trapezoid"], tf.nest.map_structure(lambda x, row=row: x[row : row + 1], ROWS))
        np.testing.assert_allclose(alone.values[0], together.values[row], atol=1e-14)
        np.testing.assert_allclose(alone.path[:, 0], together.path[:, row], atol=1e-14)
        np.testing.assert_allclose(alone.outputs[:, 0], together.outputs[:, row], atol=1e-14)


def test_rows_that_have_ended_are_not_evaluated_again():
    recorder = Recorder(Sine())
    roll(RULES["start"], model=recorder)
    # All four at first; the row with no steps ends there, and so on; one is left for the end of its last step.
    assert recorder.rows == [4, 3, 2, 2, 1, 1]


@pytest.mark.parametrize("every", [1, 2, 3, 10])
def test_kept_points_of_a_row_that_ended_stay_at_its_end(every):
    path = roll(RULES["start"], keep=Keep(path=True, every=every)).path.numpy()
    for row, limit in enumerate(LIMITS):
        points = Rolling().points(START[row], GOAL[row], min(limit, STEPS))
        wanted = [min(number, STEPS, limit) for number in range(0, STEPS + every, every)]
        np.testing.assert_allclose(path[:, row], points[wanted], atol=1e-14)


def test_curves_stay_where_a_row_ended():
    walked = roll(RULES["start"])
    for row, limit in enumerate(LIMITS):
        points = Rolling().points(START[row], GOAL[row], min(limit, STEPS))
        steps = np.minimum(np.arange(STEPS + 1), limit)
        np.testing.assert_allclose(walked.outputs[:, row], np.sin(points[steps]).sum(axis=1), atol=1e-14)


def test_progress_counts_the_steps_that_are_not_taken_too():
    told = []
    roll(RULES["start"], on_step=lambda count: told.append(int(count)))
    assert told[:-1] == [3, 2, 2, 1, 1]
    assert sum(told) == STEPS * len(START)


def test_a_step_that_is_not_finite_is_counted():
    class Pole(Sine):
        def evaluate(self, point, rows, path, **wanted):
            here = super().evaluate(point, rows, path, **wanted)
            return here._replace(output=here.output / tf.cast(point[:, 0] < 2.2, point.dtype))

    walked = roll(RULES["start"], model=Pole())
    np.testing.assert_array_equal(walked.stop == Stop.NOT_FINITE, [False] * 4)
    broken = Rows(ROWS.explicand, (), (), Goal(tf.constant(GOAL + 3), ROWS.contrast.limit))
    walked = roll(RULES["start"], broken, model=Pole())
    beyond = [
        Rolling().points(start, goal, min(limit, STEPS))[:, 0] >= 2.2
        for start, goal, limit in zip(START, GOAL + 3, LIMITS, strict=True)
    ]
    row = min((part.argmax(), number) for number, part in enumerate(beyond) if part.any())[1]
    assert int(walked.stop[row]) == Stop.NOT_FINITE
    assert walked.steps_taken[row] == beyond[row].argmax() + 1
    assert int(walked.steps_taken.numpy().max()) == beyond[row].argmax() + 1  # the others go no further

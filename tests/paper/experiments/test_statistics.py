"""Bootstrap intervals: known answers, coverage, pairs."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from tf_ig2.paper.experiments.statistics import Estimate, mean, mean_difference


def test_nineteen_of_twenty_intervals_hold_the_mean():
    rng = np.random.default_rng(0)
    found = [mean(rng.exponential(2.0, 60), seed) for seed in range(200)]
    coverage = np.mean([estimate.low <= 2.0 <= estimate.high for estimate in found])
    assert 0.88 <= coverage <= 0.98


def test_the_interval_of_many_normal_numbers_is_two_standard_errors():
    values = np.random.default_rng(1).normal(5.0, 3.0, 900)
    estimate = mean(values)
    error = values.std() / 30
    assert estimate.mean == pytest.approx(values.mean())
    assert (estimate.high - estimate.low) / 2 == pytest.approx(1.96 * error, rel=0.1)


def test_constant_values_have_an_interval_of_no_width():
    assert mean(np.full(7, 0.25)) == Estimate(0.25, 0.25, 0.25, 7)


def test_one_value_has_no_interval():
    estimate = mean(np.array([0.25]))
    assert (estimate.mean, estimate.count) == (0.25, 1)
    assert math.isnan(estimate.low)
    assert math.isnan(estimate.high)
    assert not estimate.excludes_zero()


def test_seeds_make_it_reproducible():
    values = np.random.default_rng(2).random(20)
    assert mean(values, 3) == mean(values, 3)
    assert mean(values, 3) != mean(values, 4)


@settings(max_examples=30, deadline=None)
@given(arrays.arrays(np.float64, st.integers(2, 30), elements=st.floats(-1e6, 1e6)))
def test_the_interval_lies_within_the_values_and_holds_their_mean(values):
    estimate = mean(values)
    slack = 1e-9 * (1 + np.abs(values).max())
    assert values.min() - slack <= estimate.low <= estimate.high <= values.max() + slack


@pytest.mark.parametrize("values", [[], [[1.0]], 1.0])
def test_no_samples_or_another_shape_are_refused(values):
    with pytest.raises(ValueError, match=r"numbers \[N\]"):
        mean(np.array(values))


def test_nan_does_not_travel():
    with pytest.raises(ValueError, match="number 1 is not"):
        mean(np.array([0.0, np.nan]))


def test_pairs_cancel_what_explicands_have_in_common():
    rng = np.random.default_rng(5)
    easy = rng.normal(0, 10, 40)
    a, b = easy + 0.1 + rng.normal(0, 0.01, 40), easy
    assert mean_difference(a, b).excludes_zero()
    assert mean_difference(a, b).mean == pytest.approx(0.1, abs=0.01)
    assert mean_difference(b, a).high < 0
    assert not mean_difference(rng.permutation(a), b).excludes_zero()


def test_a_difference_of_other_lengths_is_refused():
    with pytest.raises(ValueError, match=r"\(3,\) and \(1,\)"):
        mean_difference(np.zeros(3), np.zeros(1))


@pytest.mark.parametrize(("low", "high", "excludes"), [(0.1, 1, True), (-1, -0.1, True), (-1, 1, False), (0, 1, False)])
def test_which_intervals_exclude_zero(low, high, excludes):
    assert Estimate(0.0, low, high, 5).excludes_zero() == excludes

"""Bootstrap intervals: known answers, coverage, pairs."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from tf_ig2.paper.experiments.statistics import Estimate, holm, mean, mean_difference, p_values


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


def test_p_values_under_the_null_hypothesis_are_uniform():
    differences = np.random.default_rng(0).normal(size=[80, 400])
    assert np.quantile(p_values(differences, resamples=2000), [0.1, 0.5]) == pytest.approx([0.1, 0.5], abs=0.05)


def test_p_values_are_those_of_the_normal_distribution_where_there_are_many():
    values = np.random.default_rng(1).normal(size=400)
    values = (values - values.mean()) / values.std() + 0.1  # two standard errors above zero
    assert p_values(values[:, None])[0] == pytest.approx(0.0455, abs=0.006)


def test_a_p_value_knows_its_limits_and_no_difference_is_none():
    assert p_values(np.stack([np.ones(9), np.zeros(9)], axis=1), resamples=99).tolist() == [0.02, 1.0]


def test_holm_by_hand():
    # Holm 1979: the smallest times 4, the next times 3, …, never falling, at most 1.
    assert holm(np.array([0.03, 0.005, 0.6, 0.02])).tolist() == pytest.approx([0.06, 0.02, 0.6, 0.06])
    assert holm(np.array([0.4, 0.9])).tolist() == pytest.approx([0.8, 0.9])
    assert holm(np.zeros(0)).tolist() == []

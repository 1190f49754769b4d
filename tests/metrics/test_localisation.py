"""Precision and the earth mover's distance, on maps whose scores can be told by hand."""

import numpy as np
import pytest

from tf_ig2.metrics.localisation import EARTH_MOVER, PRECISION, earth_movers_score, mask_precision


@pytest.fixture
def mask():
    mask = np.zeros([1, 3, 4], bool)
    mask[0, 0, :2] = True
    return mask


def test_all_on_the_mask_is_one(mask):
    assert mask_precision(mask * 2.0, mask) == 1
    assert earth_movers_score(mask * 2.0, mask) == pytest.approx(1)


def test_precision_counts_the_largest(mask):
    values = np.arange(12.0)[::-1].reshape(1, 3, 4)
    assert mask_precision(values, mask) == 1
    assert mask_precision(-values, mask) == 0


def test_ties_are_the_expectation_of_a_choice(mask):
    assert mask_precision(np.zeros([1, 3, 4]), mask) == pytest.approx(2 / 12)
    values = np.zeros([1, 3, 4])
    values[0, 2, 2] = 1
    assert mask_precision(values, mask) == pytest.approx((2 / 11) / 2)


def test_the_distance_is_the_way_that_mass_has_to_go(mask):
    values = np.zeros([1, 3, 4])
    values[0, 2, 0] = 5
    far = (np.hypot(2, 0) + np.hypot(2, 1)) / 2 / np.hypot(2, 3)
    assert earth_movers_score(values, mask) == pytest.approx(1 - far)


def test_signs_do_not_matter_to_the_distance_and_zeros_are_uniform(mask):
    values = np.random.default_rng(0).normal(size=[1, 3, 4])
    assert earth_movers_score(values, mask) == pytest.approx(earth_movers_score(np.abs(values), mask))
    assert earth_movers_score(np.zeros([1, 3, 4]), mask) == pytest.approx(earth_movers_score(np.ones([1, 3, 4]), mask))


def test_as_metrics_they_want_masks():
    assert (PRECISION.needs, EARTH_MOVER.needs) == (("masks",), ("masks",))
    with pytest.raises(ValueError, match="empty"):
        mask_precision(np.ones([1, 3, 4]), np.zeros([1, 3, 4]))

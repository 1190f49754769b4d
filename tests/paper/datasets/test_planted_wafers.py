"""Planted patterns: what was changed is known to the die."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.networks import needs_data
from tf_ig2.paper.datasets import planted_wafers, wm811k


def wafer(seed=0, size=56, failing=0.1):
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:size, :size] - (size - 1) / 2
    dies = np.where(rng.random([size, size]) < failing, 2, 1)
    return np.where(np.hypot(x, y) <= size / 2, dies, 0).astype(np.uint8)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**6))
def test_the_ground_truth_is_what_changed_and_only_passing_dies_do(seed):
    maps = np.stack([wafer(seed + i) for i in range(6)])
    found = planted_wafers.plant(maps, list(planted_wafers.PATTERNS), seed)
    np.testing.assert_array_equal(found.masks, found.maps != found.clean)
    np.testing.assert_array_equal(found.clean, maps)
    assert (found.clean[found.masks] == wm811k.PASS).all()
    assert (found.maps[found.masks] == wm811k.FAIL).all()
    assert (found.masks <= found.regions).all()
    assert (found.masks.sum(axis=(1, 2)) >= 1).all()
    assert [wm811k.CLASSES[i] for i in found.labels] == list(planted_wafers.PATTERNS)


def test_patterns_lie_where_their_names_say():
    maps = np.stack([wafer()] * 60)
    found = planted_wafers.plant(maps, [planted_wafers.PATTERNS[i % 6] for i in range(60)])
    y, x = np.mgrid[:56, :56] - 27.5
    radius = np.hypot(x, y) / 28
    for mask, name in zip(found.masks, list(planted_wafers.PATTERNS) * 10, strict=True):
        at = radius[mask]
        if name == "Center":
            assert at.max() < 0.7
        elif name == "Donut":
            assert 0.1 < at.min() < at.max() < 0.95
        elif name == "Edge-Ring":
            assert at.min() > 0.8
            assert mask[28:].any()
            assert mask[:28].any()
        elif name == "Edge-Loc":
            assert at.min() > 0.65
            assert mask.sum() < 400
        elif name == "Loc":
            assert mask.sum() < 300
        else:
            assert 10 < mask.sum() < 250


def test_planting_is_seeded():
    maps = np.stack([wafer()] * 2)
    a, b, c = (planted_wafers.plant(maps, ["Loc", "Loc"], seed).maps for seed in (0, 0, 1))
    np.testing.assert_array_equal(a, b)
    assert not np.array_equal(a, c)
    assert not np.array_equal(a[0], a[1])


@needs_data
def test_real_wafers_are_planted():
    found = planted_wafers.load(12)
    assert len(found) == 12
    assert len(np.unique(found.clean, axis=0)) == 12
    assert np.bincount(found.labels, minlength=9).tolist() == [2, 2, 2, 2, 2, 0, 0, 2, 0]


@needs_data
def test_no_more_wafers_than_there_are():
    with pytest.raises(ValueError, match="201 wafers are wanted, and 200"):
        planted_wafers.load(201)


def test_bad_arguments():
    with pytest.raises(ValueError, match="Unknown pattern: 'Random'"):
        planted_wafers.plant(wafer()[None], ["Random"])
    with pytest.raises(ValueError, match="for 2 patterns"):
        planted_wafers.plant(wafer()[None], ["Loc", "Loc"])
    with pytest.raises(ValueError, match="no passing die"):
        planted_wafers.plant(np.full([1, 56, 56], 2), ["Loc"])

"""Radix selection finds what sorting finds."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from tf_ig2.paths.selection import SORTED, nth_smallest, radix_select, sort_keys

SHAPE = (3, 40)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_keys_are_in_the_order_of_the_numbers(dtype):
    numbers = np.array([[0, 1e-7, 0.5, 1, 1, 1.5, 65000, np.inf]], dtype)
    keys = sort_keys(tf.constant(numbers)).numpy()[0]
    assert np.array_equal(np.diff(keys.astype(float)) > 0, np.diff(numbers[0]) > 0)
    assert (keys >= 0).all()


floats = st.floats(0, allow_nan=False, width=32) | st.sampled_from([0.0, 0.5])


@settings(max_examples=40, deadline=None)
@given(arrays.arrays(np.float32, SHAPE, elements=floats), st.lists(st.integers(0, 39), min_size=3, max_size=3))
def test_the_nth_smallest_is_the_nth_of_the_sorted(numbers, ranks):
    keys = sort_keys(tf.constant(numbers))
    expected = np.sort(keys.numpy(), axis=1)[range(3), ranks]
    for select in (nth_smallest, radix_select):
        assert np.array_equal(select(keys, tf.constant(ranks, tf.int32)).numpy(), expected)


@pytest.mark.parametrize("features", [SORTED, SORTED + 1])
def test_few_and_many_features(rng, features):
    keys = sort_keys(tf.constant(rng.random([2, features]), tf.float32))
    found = nth_smallest(keys, tf.constant([7, features - 1])).numpy()
    assert np.array_equal(found, np.sort(keys.numpy(), axis=1)[[0, 1], [7, features - 1]])


def test_64_bits_count_to_the_last():
    keys = tf.constant([[2**62 + 1, 2**62, 5, 2**62 + 3]], tf.int64)
    assert radix_select(keys, tf.constant([2])).numpy().tolist() == [2**62 + 1]


def test_the_largest_key_can_be_found():
    keys = tf.constant([[tf.int32.max, 0]])
    assert radix_select(keys, tf.constant([1])).numpy().tolist() == [tf.int32.max]

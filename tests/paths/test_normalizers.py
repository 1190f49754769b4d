"""Eq. 20 and 21, against NumPy."""

import numpy as np
import pytest
import tensorflow as tf

from tf_ig2.paths import normalizers
from tf_ig2.paths.normalizers import L2, SparseL1


def test_l2_is_the_gradient_over_its_length(rng):
    gradient = rng.normal(size=[3, 7]).astype(np.float32)
    np.testing.assert_allclose(
        L2()(tf.constant(gradient)), gradient / np.linalg.norm(gradient, axis=1)[:, None], rtol=1e-6
    )


@pytest.mark.parametrize("scale", [1e-30, 1e30])
def test_l2_neither_under_nor_overflows(scale):
    step = L2()(tf.constant([[3.0, 4.0]]) * scale)
    np.testing.assert_allclose(step, [[0.6, 0.8]], rtol=1e-6)


def test_sparse_l1_moves_the_largest_equally():
    step = SparseL1(60)(tf.constant([[0.1, -5.0, 2.0, 0.0, 1.0]]))
    np.testing.assert_allclose(step, [[0, -0.5, 0.5, 0, 0]])


def test_sparse_l1_treats_ties_equally():
    step = SparseL1(60)(tf.constant([[1.0, -1.0, 1.0, 0.5, 2.0]]))
    np.testing.assert_allclose(step, [[0.25, -0.25, 0.25, 0, 0.25]])


@pytest.mark.parametrize("normalizer", [L2(), SparseL1(50)])
def test_a_zero_gradient_is_a_zero_step(normalizer):
    np.testing.assert_array_equal(normalizer(tf.zeros([2, 4])), np.zeros([2, 4]))


@pytest.mark.parametrize("percentile", [0, 50, 90, 99.9])
def test_the_unit_length_is_the_l2_length_of_a_step(rng, percentile):
    normalizer = SparseL1(percentile)
    step = normalizer(tf.constant(rng.normal(size=[1, 200])))
    np.testing.assert_allclose(np.linalg.norm(step), normalizer.unit_length(200))


def test_a_normalizer_of_ones_own_is_passed_on():
    own = SparseL1(10)
    assert normalizers.get(own) is own

"""Known answers for Shapley values: linear and additive functions, for which they are closed forms."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from tf_ig2.metrics import xai_bench
from tf_ig2.paper.datasets.xai_bench import Gaussian, load, mean_psi, psi

from .functions import INDEPENDENT, W, exact, linear


def test_shapley_values_of_a_linear_function_of_independent_features(x):
    assert_allclose(xai_bench.shapley_values(linear, x, exact(x), draws=1), W * x, atol=1e-5)


def test_shapley_values_of_the_benchmark_are_psi_less_its_mean():
    data = load(6, seed=2)
    found = xai_bench.shapley_values(lambda x: psi(x).sum(axis=1), data.x, INDEPENDENT, draws=4000)
    assert_allclose(found, data.psi - mean_psi(INDEPENDENT), atol=0.15)


def test_shapley_values_of_a_product_are_shared_alike():
    x = np.array([[2.0, 3.0]])
    found = xai_bench.shapley_values(lambda x: x[:, 0] * x[:, 1], x, exact(x).__class__(features=2), draws=1)
    assert_allclose(found, [[3.0, 3.0]])


def test_shapley_values_of_correlated_features():
    """f = x₁ with correlation ρ: v({2}) = ρ x₂, so φ = (x₁ − ρ x₂ / 2, ρ x₂ / 2)."""
    rho, x = 0.8, np.array([[1.0, -1.0]])
    found = xai_bench.shapley_values(lambda x: x[:, 0], x, Gaussian([0, 0], [[1, rho], [rho, 1]]), draws=50_000)
    assert_allclose(found, [[1 + rho / 2, -rho / 2]], atol=0.02)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10**6))
def test_shapley_values_add_up(seed):
    rng = np.random.default_rng(seed)
    weights, x = rng.normal(size=[4, 6]), rng.normal(size=[2, 4])
    mean = exact(x).__class__(features=4)

    def f(x):
        return np.tanh(x @ weights).prod(axis=1) + np.sin(x).sum(axis=1)

    values = xai_bench.shapley_values(f, x, mean, draws=1)
    assert_allclose(values.sum(axis=1), f(x.astype(np.float32)) - f(np.zeros([1, 4])), atol=1e-5)


def test_gt_shapley_is_a_correlation(x):
    truth = W * x
    assert_allclose(xai_bench.gt_shapley(2 * truth + 1, truth), 1.0)
    assert_allclose(xai_bench.gt_shapley(-truth, truth), -1.0)
    assert_allclose(xai_bench.gt_shapley(np.ones(x.shape), truth), 0.0)
    noise = np.random.default_rng(0).normal(size=x.shape)
    assert_allclose(
        xai_bench.gt_shapley(noise, truth), [np.corrcoef(a, b)[0, 1] for a, b in zip(noise, truth, strict=True)]
    )


class TestBadInput:
    def test_a_target_out_of_range(self, x):
        with pytest.raises(ValueError, match="`target` 3"):
            xai_bench.shapley_values(lambda x: x[:, :2], x, INDEPENDENT, target=3)

    def test_too_many_features(self):
        with pytest.raises(ValueError, match="at most 12"):
            xai_bench.shapley_values(linear, np.ones([1, 13]), Gaussian(features=13))

    def test_shapley_of_another_shape(self):
        with pytest.raises(ValueError, match=r"not \[N, D\]"):
            xai_bench.gt_shapley(np.ones(3), np.ones(3))
        with pytest.raises(ValueError, match=r"`shapley` \(1, 3\)"):
            xai_bench.gt_shapley(np.ones([2, 3]), np.ones([1, 3]))

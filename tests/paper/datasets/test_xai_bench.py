"""The synthetic benchmark: Eq. 22 and 23, and Gaussians that can be conditioned."""

from itertools import pairwise

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import integrate, stats

from tf_ig2.paper.datasets.xai_bench import Gaussian, label, load, mean_psi, psi


@pytest.mark.parametrize(
    ("feature", "value", "expected"),
    [
        *[(0, -1e-9, -1), (0, 0, 1), (1, -0.6, -2), (1, -0.5, -1), (1, -0.1, -1), (1, 0, 1), (1, 0.49, 1), (1, 0.5, 2)],
        *[(2, 0, 2), (2, 0.3, 1), (2, 0.4, 0), (2, 0.6, -1), (2, 0.9, -2), (2, -0.6, -1), (3, 5, 0), (4, -5, 0)],
    ],
)
def test_the_terms_of_equation_22(feature, value, expected):
    x = np.zeros([1, 5])
    x[0, feature] = value
    assert psi(x)[0, feature] == expected


@pytest.mark.parametrize("distribution", [Gaussian(), Gaussian([0.3, -1, 2, 0, 0], np.diag([1, 4, 0.25, 1, 1.0]))])
def test_the_means_are_exact(distribution):
    for feature, edges in [(0, [0]), (1, [-0.5, 0, 0.5]), (2, np.arange(-60, 61) / 6)]:
        normal = stats.norm(distribution.mean[feature], np.sqrt(distribution.covariance[feature, feature]))

        def integrand(value, feature=feature, normal=normal):
            x = np.zeros([1, 5])
            x[0, feature] = value
            return psi(x)[0, feature] * normal.pdf(value)

        bounds = [-30, *edges, 30]
        parts = [integrate.quad(integrand, a, b, limit=200)[0] for a, b in pairwise(bounds)]
        assert mean_psi(distribution)[feature] == pytest.approx(sum(parts), abs=1e-6)


def test_labels_lie_above_and_below_the_mean():
    data = load(4000)
    assert_allclose(data.y, data.psi.sum(axis=1) > -0.48749)
    assert 0.3 < data.y.mean() < 0.7
    assert (data.x.dtype, data.y.dtype) == (np.float32, np.float32)
    assert_allclose(label(data.psi), data.y)


def test_samples_are_seeded():
    np.testing.assert_array_equal(load(5, 3).x, load(5, 3).x)
    assert not np.array_equal(load(5, 3).x, load(5, 4).x)


def test_conditional_draws_have_the_mean_and_covariance_of_theory():
    mean, covariance = np.array([1.0, 2, 3]), np.array([[2.0, 0.8, 0.3], [0.8, 1, 0.5], [0.3, 0.5, 1.5]])
    gaussian = Gaussian(mean, covariance)
    drawn = gaussian.conditional([2.0, 9, 9], [True, False, False], 200_000, np.random.default_rng(0))
    assert (drawn[:, 0] == 2).all()
    assert_allclose(drawn[:, 1:].mean(axis=0), [2 + 0.8 / 2, 3 + 0.3 / 2], atol=0.01)
    rest = covariance[1:, 1:] - np.outer(covariance[0, 1:], covariance[0, 1:]) / 2
    assert_allclose(np.cov(drawn[:, 1:].T), rest, atol=0.02)


def test_conditional_draws_of_nothing_and_everything():
    gaussian, rng = Gaussian(features=3), np.random.default_rng(0)
    assert_allclose(gaussian.conditional([1, 2, 3], [True] * 3, 2, rng), [[1, 2, 3]] * 2)
    assert_allclose(gaussian.conditional([9, 9, 9], [False] * 3, 50_000, rng).mean(axis=0), 0, atol=0.02)
    rows = gaussian.conditional([[1, 0, 0], [2, 0, 0]], [True, False, False], 2, rng)
    assert rows[:, 0].tolist() == [1, 2]


def test_bad_arguments():
    for covariance in ([[1, 2], [2, 1]], [[1, 0.5], [0, 1]]):
        with pytest.raises(ValueError, match="symmetric and positive definite"):
            Gaussian(covariance=covariance)
    with pytest.raises(ValueError, match="`mean` has shape"):
        Gaussian([0, 0], np.eye(3))
    with pytest.raises(ValueError, match="not \\[N, 5\\]"):
        psi(np.ones([2, 4]))
    with pytest.raises(ValueError, match="`count`"):
        load(0)
    with pytest.raises(ValueError, match="has 3 features"):
        load(5, distribution=Gaussian(features=3))

"""Known answers for faithfulness, monotonicity and infidelity: linear functions."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from tf_ig2.metrics import xai_bench
from tf_ig2.paper.datasets.xai_bench import Gaussian

from .functions import INDEPENDENT, W, exact, linear


def test_the_faithfulness_of_a_linear_model_is_one(x):
    """With draws: |w_j (x_j − mean of draws)| against |w_j x_j|; without their noise exactly 1."""
    assert_allclose(xai_bench.faithfulness(linear, x, W * x, exact(x)), 1.0)
    assert xai_bench.faithfulness(linear, x, W * x, INDEPENDENT, draws=4000).mean() > 0.999


def test_faithfulness_takes_absolute_attributions_and_constant_ones_as_zero(x):
    assert_allclose(xai_bench.faithfulness(linear, x, -W * x, exact(x)), 1.0)
    assert_allclose(xai_bench.faithfulness(linear, x, np.ones(x.shape), exact(x)), 0.0)


def test_the_faithfulness_of_random_attributions_is_zero(rng):
    x = rng.normal(size=[800, 5])
    assert abs(xai_bench.faithfulness(linear, x, rng.normal(size=x.shape), exact(x)).mean()) < 0.06


def test_the_monotonicity_of_a_linear_model_is_one_and_reversed_zero(x):
    assert_allclose(xai_bench.monotonicity(linear, x, W * x, exact(x)), 1.0)
    reverse = 1 / (np.abs(W * x) + 1e-3)
    assert_allclose(xai_bench.monotonicity(linear, x, reverse, exact(x)), 0.0)


def test_monotonicity_is_counted_by_rank_not_by_index():
    weights = np.array([4.0, 1, 3, 2])
    mean = exact(None).__class__(features=4)
    assert xai_bench.monotonicity(lambda x: x @ weights, np.ones([1, 4]), weights[None], mean)[0] == 1
    assert xai_bench.monotonicity(lambda x: x @ weights, np.ones([1, 4]), [[4.0, 3, 1, 2]], mean)[0] == pytest.approx(
        1 / 3
    )


@pytest.mark.parametrize("perturbation", ["noisy_baseline", "conditional"])
class TestInfidelity:
    def test_a_linear_model_with_its_gradient_has_none(self, x, perturbation):
        found = xai_bench.infidelity(linear, x, np.tile(W, (20, 1)), INDEPENDENT, perturbation=perturbation, draws=100)
        assert_allclose(found, 0.0, atol=1e-9)

    def test_the_scale_does_not_matter(self, x, perturbation):
        phi = np.random.default_rng(0).normal(size=x.shape)
        one, ten = (
            xai_bench.infidelity(linear, x, scale * phi, INDEPENDENT, perturbation=perturbation, draws=100)
            for scale in (1, 10)
        )
        assert_allclose(one, ten, rtol=1e-6)
        assert one.min() > 1e-6

    def test_attributions_of_zero_leave_the_whole_effect(self, x, perturbation):
        options = {"perturbation": perturbation, "draws": 50}
        nothing = xai_bench.infidelity(linear, x, np.zeros(x.shape), INDEPENDENT, **options)
        assert (nothing > xai_bench.infidelity(linear, x, W * np.ones(x.shape), INDEPENDENT, **options)).all()


def test_everything_is_seeded(x):
    for metric in (xai_bench.faithfulness, xai_bench.monotonicity, xai_bench.infidelity):
        a, b, c = (metric(linear, x, np.cos(x), INDEPENDENT, draws=5, seed=seed) for seed in (0, 0, 1))
        assert_allclose(a, b, rtol=0)
        assert not np.array_equal(a, c)


class TestBadInput:
    @pytest.mark.parametrize("metric", [xai_bench.faithfulness, xai_bench.monotonicity, xai_bench.infidelity])
    def test_shapes_and_nan(self, metric, x):
        with pytest.raises(ValueError, match=r"the distribution is of \[N, 5\]"):
            metric(linear, x[:, :4], x[:, :4], INDEPENDENT)
        with pytest.raises(ValueError, match="19 attributions for 20"):
            metric(linear, x, x[:19], INDEPENDENT)
        with pytest.raises(ValueError, match="`attributions` contains NaN"):
            metric(linear, x, x * np.nan, INDEPENDENT)
        with pytest.raises(ValueError, match="`draws` must be positive"):
            metric(linear, x, x, INDEPENDENT, draws=0)

    def test_one_feature_is_not_monotonous(self):
        with pytest.raises(ValueError, match="only one"):
            xai_bench.monotonicity(linear, [[1.0]], [[1.0]], Gaussian(features=1))

    def test_unknown_words(self, x):
        with pytest.raises(ValueError, match="Unknown `perturbation`"):
            xai_bench.infidelity(linear, x, x, INDEPENDENT, perturbation="none")

"""Known answers for XAI-BENCH's metrics: linear and additive functions, whose Shapley values are closed forms."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from tf_ig2.datasets.xai_bench import Gaussian, load, mean_psi, psi
from tf_ig2.metrics import xai_bench

W = np.array([3.0, -2.0, 1.0, 0.5, 0.0])
INDEPENDENT = Gaussian()


def linear(x):
    return x @ W


def exact(x):
    """The expectation is known without sampling: the free features are at their mean."""

    class Mean(Gaussian):
        def conditional(self, x, fixed, count, rng):
            return np.tile(np.where(fixed, x, self.mean), (count, 1))

    return Mean()


@pytest.fixture
def x():
    return load(20, seed=1).x.astype(float)


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


def least_squares(x, y):
    design = np.c_[x, np.ones(len(x))]
    solution = np.linalg.lstsq(design, y, rcond=None)[0]
    return lambda x: np.c_[x, np.ones(len(x))] @ solution


def test_roar_is_larger_for_the_features_that_matter():
    x = INDEPENDENT.sample(2000, np.random.default_rng(0))
    y = linear(x)
    good = xai_bench.roar(least_squares, x, y, np.tile(np.abs(W), (2000, 1)), INDEPENDENT)
    bad = xai_bench.roar(least_squares, x, y, np.tile(1 / (np.abs(W) + 0.1), (2000, 1)), INDEPENDENT)
    assert good > bad


def test_roar_is_the_area_under_known_scores():
    """f = x₁; once x₁ is gone (⌊c · 5⌋ ≥ 1 from c = .3 on) the error is E|x₁| = √(2/π): area (.1 … .3)/2 + .6."""
    x = INDEPENDENT.sample(5000, np.random.default_rng(0))
    weights = np.tile([5.0, 4, 3, 2, 1], (5000, 1))
    expected = (0.2 / 2 + 0.6) * np.sqrt(2 / np.pi)
    assert xai_bench.roar(least_squares, x, x[:, 0], weights, INDEPENDENT) == pytest.approx(expected, rel=0.05)


def test_roar_can_take_the_roc_auc():
    data = load(1000)
    weights = np.tile([5.0, 4, 3, 2, 1], (1000, 1))
    area = xai_bench.roar(least_squares, data.x, data.y, weights, INDEPENDENT, score="roc_auc")
    assert 0.4 < area < 0.9


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

    def test_a_target_out_of_range(self, x):
        with pytest.raises(ValueError, match="`target` 3"):
            xai_bench.shapley_values(lambda x: x[:, :2], x, INDEPENDENT, target=3)

    def test_too_many_features(self):
        with pytest.raises(ValueError, match="at most 12"):
            xai_bench.shapley_values(linear, np.ones([1, 13]), Gaussian(features=13))

    def test_one_feature_is_not_monotonous(self):
        with pytest.raises(ValueError, match="only one"):
            xai_bench.monotonicity(linear, [[1.0]], [[1.0]], Gaussian(features=1))

    def test_roar_without_labels(self, x):
        with pytest.raises(ValueError, match="`y` must hold one label"):
            xai_bench.roar(least_squares, x, None, x, INDEPENDENT)
        with pytest.raises(ValueError, match="`y` contains NaN"):
            xai_bench.roar(least_squares, x, np.full(20, np.nan), x, INDEPENDENT)

    def test_roar_options(self, x):
        y = linear(x)
        for options, match in [
            ({"score": "f1"}, "Unknown `score`"),
            ({"train_fraction": 1.0}, "leaves none"),
            ({"cutoffs": (0.5, 0.1)}, "ascend"),
        ]:
            with pytest.raises(ValueError, match=match):
                xai_bench.roar(least_squares, x, y, x, INDEPENDENT, **options)

    def test_unknown_words(self, x):
        with pytest.raises(ValueError, match="Unknown `perturbation`"):
            xai_bench.infidelity(linear, x, x, INDEPENDENT, perturbation="none")

    def test_shapley_of_another_shape(self):
        with pytest.raises(ValueError, match=r"not \[N, D\]"):
            xai_bench.gt_shapley(np.ones(3), np.ones(3))
        with pytest.raises(ValueError, match=r"`shapley` \(1, 3\)"):
            xai_bench.gt_shapley(np.ones([2, 3]), np.ones([1, 3]))

"""Known answers for what one expects of any attribution."""

import keras
import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.stats import spearmanr

from tf_ig2 import IG2Explainer, IntegratedGradientsExplainer
from tf_ig2.metrics.axioms import agreement, completeness_gap, sensitivity


def test_the_gap_of_arrays():
    values = np.array([[[1.0, 2.0]], [[1.0, -1.0]]])
    assert_allclose(completeness_gap(values, [2.5, 0.0]), [0.5, 0.0])
    assert_allclose(completeness_gap(values, [2.5, 0.0], relative=True), [0.2, 0.0])
    assert completeness_gap(values, [0.0, 0.0], relative=True)[0] == np.inf


def test_the_gap_of_an_attribution(relu_net, x, references):
    explanation = IG2Explainer(relu_net, steps=5).explain(x, references)
    assert_allclose(completeness_gap(explanation), explanation.completeness_gap)
    difference = explanation.output - explanation.counterfactual_output.mean(axis=1)
    assert_allclose(completeness_gap(explanation.values, difference), explanation.completeness_gap, atol=1e-5)
    assert completeness_gap(explanation[0], relative=True).shape == (1,)


def test_integrated_gradients_of_a_linear_model_have_no_gap():
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input([4]), keras.layers.Dense(3)])
    assert_allclose(completeness_gap(IntegratedGradientsExplainer(model).explain(np.ones([2, 4]))), 0, atol=1e-5)


def test_agreement_of_equal_and_opposite_attributions(rng):
    values = rng.normal(size=[3, 4, 5])
    same, opposite = agreement([values, 7 * values]), agreement([values, -values])
    for field in ("cosine", "rank_correlation", "top"):
        assert_allclose(getattr(same, field), 1.0)
    assert_allclose(opposite.cosine, -1)
    assert_allclose(opposite.rank_correlation, -1)
    assert_allclose(opposite.top, 1)  # by absolute value


def test_agreement_of_independent_attributions_is_that_of_chance(rng):
    found = agreement([rng.normal(size=[200, 100]) for _ in range(3)], top=0.2)
    assert abs(found.cosine.mean()) < 0.02
    assert abs(found.rank_correlation.mean()) < 0.02
    assert found.top.mean() == pytest.approx(0.2, abs=0.02)


def test_ranks_are_scipys_with_ties(rng):
    a, b = rng.integers(0, 4, [2, 5, 12]).astype(float)
    expected = [spearmanr(left, right).statistic for left, right in zip(a, b, strict=True)]
    assert_allclose(agreement([a, b]).rank_correlation, expected)


def test_zero_attributions_agree_only_with_themselves():
    zero, one = np.zeros([1, 3]), np.array([[1.0, 2, 3]])
    assert agreement([zero, zero]).cosine[0] == 1
    assert agreement([zero, one]).cosine[0] == 0
    assert agreement([zero, one]).rank_correlation[0] == 0


def test_the_sensitivity_of_a_linear_map_is_bounded_by_the_noise(rng):
    x = rng.random([3, 50])
    found = sensitivity(lambda x: 2 * x, x, radius=0.1, samples=20, value_range=(-1, 2))
    bound = 0.3 * np.sqrt(50) / np.linalg.norm(x, axis=1)
    assert (found.largest <= bound).all()
    assert (found.largest > bound / 3).all()


def test_a_constant_explanation_is_not_sensitive_and_zero_becomes_infinite(rng):
    x = rng.random([2, 6])
    constant = sensitivity(lambda x: np.arange(12.0).reshape(2, 6), x)
    assert_allclose(constant.largest, 0)
    assert_allclose(constant.agreement.cosine, 1)
    calls = iter([np.zeros([2, 6]), np.ones([2, 6])])
    assert (sensitivity(lambda x: next(calls), x, samples=1).largest == np.inf).all()


def test_noise_is_seeded_and_stays_in_range(rng):
    x, seen = rng.random([2, 30]), []
    a, b, c = (sensitivity(np.sin, x, seed=seed).largest for seed in (0, 0, 1))
    assert_allclose(a, b, rtol=0)
    assert not np.array_equal(a, c)
    sensitivity(lambda x: seen.append(x) or x, x, radius=0.5, value_range=(0, 1))
    assert 0 <= np.min(seen) < np.max(seen) <= 1
    assert seen[0].dtype == x.dtype


class TestBadInput:
    def test_the_difference(self):
        with pytest.raises(TypeError, match="`difference`"):
            completeness_gap(np.ones([1, 2]))
        with pytest.raises(ValueError, match=r"shape \(2,\) for 1"):
            completeness_gap(np.ones([1, 2]), [1.0, 2.0])

    def test_an_attribution_knows_its_difference(self, relu_net, x):
        with pytest.raises(TypeError, match="do not pass one"):
            completeness_gap(IntegratedGradientsExplainer(relu_net, steps=2).explain(x), np.ones(3))

    def test_runs(self):
        with pytest.raises(ValueError, match="Two or more runs"):
            agreement([np.ones([1, 2])])
        with pytest.raises(ValueError, match="of one shape"):
            agreement([np.ones([1, 2]), np.ones([1, 3])])
        with pytest.raises(ValueError, match="NaN"):
            agreement([np.ones([1, 2]), np.full([1, 2], np.nan)])
        with pytest.raises(ValueError, match="no batch"):
            agreement([np.ones(2), np.ones(2)])
        with pytest.raises(ValueError, match="`top`"):
            agreement([np.ones([1, 2])] * 2, top=0)
        with pytest.raises(TypeError, match="several inputs"):
            agreement([{"a": np.ones([1, 2])}] * 2)
        with pytest.raises(TypeError, match="must be numbers"):
            agreement([np.array([["a"]])] * 2)

    def test_explicands(self):
        with pytest.raises(ValueError, match="float batch"):
            sensitivity(lambda x: x, np.ones([2, 2], int))
        with pytest.raises(ValueError, match="NaN"):
            sensitivity(lambda x: x, np.full([2, 2], np.nan))
        with pytest.raises(ValueError, match="`radius`"):
            sensitivity(lambda x: x, np.ones([2, 2]), radius=0)

    def test_an_explanation_that_changes_its_shape(self):
        calls = iter([np.ones([1, 2]), np.ones([1, 3])])
        with pytest.raises(ValueError, match=r"gave shape \(1, 3\)"):
            sensitivity(lambda x: next(calls), np.ones([1, 2]))

"""Known answers for ROAR: least squares on linear functions."""

import numpy as np
import pytest

from tf_ig2.metrics import xai_bench
from tf_ig2.paper.datasets.xai_bench import load

from .functions import INDEPENDENT, W, least_squares, linear


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


class TestBadInput:
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

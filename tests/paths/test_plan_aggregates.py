"""A walk as a whole: what its parts decide about the values of several references."""

import numpy as np
import tensorflow as tf

from tests.numpy_tanh import TanhNet
from tf_ig2 import Attribution, IntegratedGradientsExplainer
from tf_ig2.contrasts.baselines import FromBaselines
from tf_ig2.explainers.baseline_explainer import BaselineExplainer
from tf_ig2.paths.plan import Walk
from tf_ig2.paths.rules import gauss_legendre
from tf_ig2.paths.straight_line import StraightLine
from tf_ig2.serving import export

NET = TanhNet()
X, BASELINES = np.random.default_rng(1).uniform(-1, 1, [2, 3, 5])


class Summed(BaselineExplainer):
    """IG, summed over baselines."""

    def __init__(self, model, jit_compile=False):
        walk = Walk(StraightLine(), gauss_legendre(8), 1, FromBaselines(), summed=True)
        super().__init__(model, walk=walk, own={}, jit_compile=jit_compile)


def test_a_summed_walk_is_the_sum_over_references_and_so_is_what_its_gap_compares_with(tmp_path):
    mean = IntegratedGradientsExplainer(NET.view, steps=8).explain(X, BASELINES)
    for jit_compile in (False, True):
        explanation = Summed(NET.view, jit_compile).explain(X, BASELINES)
        np.testing.assert_allclose(explanation.values, 3 * mean.values, rtol=1e-12)
        np.testing.assert_allclose(explanation.completeness_gap, 3 * mean.completeness_gap, atol=1e-12)
    np.testing.assert_allclose(explanation[1].completeness_gap, explanation.completeness_gap[1], atol=1e-12)
    explanation.save(tmp_path / "summed.npz")
    loaded = Attribution.load(tmp_path / "summed.npz")
    np.testing.assert_array_equal(loaded.completeness_gap, explanation.completeness_gap)
    explain = tf.saved_model.load(export(Summed(NET.view), tmp_path, BASELINES)).signatures["explain"]
    answer = explain(x=tf.constant(X), target=tf.constant(-1))
    np.testing.assert_allclose(answer["attributions"], explanation.values)
    np.testing.assert_allclose(answer["completeness_gap"], explanation.completeness_gap, atol=1e-12)

"""A walk that XLA compiles is the same walk."""

import numpy as np
import pytest

from tests.numpy_tanh import TanhNet
from tf_ig2 import ExpectedIGExplainer, GuidedIGExplainer, IntegratedGradientsExplainer

NET = TanhNet()
X, BASELINES = np.random.default_rng(1).uniform(-1, 1, [2, 3, 5])


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        (IntegratedGradientsExplainer, {"steps": 8}),
        (IntegratedGradientsExplainer, {"steps": 8, "rule": "idgi"}),
        (ExpectedIGExplainer, {"steps": 8}),
        (GuidedIGExplainer, {"steps": 3, "rule": "segment", "nodes": 5}),
    ],
)
def test_nodes_that_do_not_fit_into_a_pass_are_all_counted(kind, options):
    plain, compiled = (
        kind(NET.view, jit_compile=flag, **options).explain(X, BASELINES, batch_size=9).values for flag in (False, True)
    )
    np.testing.assert_allclose(compiled, plain, atol=1e-12)

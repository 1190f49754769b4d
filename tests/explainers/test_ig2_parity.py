"""IG² against a plain NumPy reading of the algorithm.

On ReLU networks the path is chaotic, so long walks of two correct programs part: they are compared step by step. On
smooth networks in float64 whole walks are compared.
"""

import itertools

import numpy as np
import pytest

from tests import numpy_ig2
from tf_ig2 import IG2Explainer, Keep

RULES = ["explicand", "counterfactual", "trapezoid", "segment"]
DISTANCES = ["euclidean", "squared_euclidean", "cosine", "l1"]


def cosine(a, b):
    return np.sum(a * b) / np.linalg.norm(a) / np.linalg.norm(b)


@pytest.mark.parametrize("norm", ["l2", "l1"])
@pytest.mark.parametrize("distance", DISTANCES)
@pytest.mark.parametrize("rule", RULES)
def test_whole_walks_agree_on_a_smooth_network(tanh_net, x, references, rule, distance, norm):
    explainer = IG2Explainer(
        tanh_net, steps=120, step_size=0.02, clip_min_max=(-1, 1), rule=rule, distance=distance, norm=norm
    )
    explanation = explainer.explain(x[:2], references, target=1)
    model = numpy_ig2.Mlp(tanh_net, 1, "tanh")
    for i in range(2):
        results = [
            numpy_ig2.ig2(model, x[i], model.representation(r), 120, 0.02, -1, 1, rule, distance, norm)
            for r in references
        ]
        assert cosine(explanation.values[i], np.mean([values for values, _ in results], axis=0)) >= 0.99999
        np.testing.assert_allclose(explanation.counterfactuals[i], [path[-1] for _, path in results], atol=1e-6)


@pytest.mark.parametrize("norm", ["l2", "l1"])
@pytest.mark.parametrize("distance", DISTANCES)
def test_every_step_agrees_on_a_relu_network(relu_net, x, references, distance, norm):
    explainer = IG2Explainer(relu_net, steps=12, step_size=0.1, clip_min_max=(-1, 1), distance=distance, norm=norm)
    explanation = explainer.explain(x, references, target=2, keep=Keep(path=True))
    model = numpy_ig2.Mlp(relu_net, 2, "relu")
    for i in range(len(x)):
        for r, reference in enumerate(references):
            path = explanation.path[i, r]
            goal = model.representation(reference)
            expected = [numpy_ig2.next_point(model, p, goal, 0.1, -1, 1, distance, norm) for p in path[:-1]]
            np.testing.assert_allclose(path[1:], expected, atol=2e-5)


@pytest.mark.parametrize("rule", RULES)
def test_every_contribution_agrees_on_a_relu_network(relu_net, x, references, rule):
    explanation = IG2Explainer(relu_net, steps=12, step_size=0.1, rule=rule).explain(
        x, references, target=2, keep=Keep(path=True)
    )
    model = numpy_ig2.Mlp(relu_net, 2, "relu")
    for i in range(len(x)):
        paths = explanation.path[i].astype(np.float64)
        expected = [sum(numpy_ig2.contribution(model, a, b, rule) for a, b in itertools.pairwise(p)) for p in paths]
        np.testing.assert_allclose(explanation.values[i], np.mean(expected, axis=0), atol=2e-5)


def test_squared_and_plain_euclidean_distance_walk_the_same_path(relu_net, x, references):
    plain, squared = (
        IG2Explainer(relu_net, step_size=0.1, distance=name).explain(x, references, target=0)
        for name in ("euclidean", "squared_euclidean")
    )
    np.testing.assert_array_equal(plain.counterfactuals, squared.counterfactuals)
    np.testing.assert_allclose(plain.distances**2, squared.distances, rtol=1e-5)

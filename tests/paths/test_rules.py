"""Quadrature rules integrate what they must."""

import numpy as np
import pytest

from tf_ig2.paths.rules import END, START, TRAPEZOID, gauss_legendre


def integrate(rule, f):
    inner = sum(weight * f(node) for node, weight in zip(rule.nodes, rule.weights, strict=True))
    return rule.start * f(0.0) + rule.end * f(1.0) + inner


@pytest.mark.parametrize("rule", [START, END, TRAPEZOID, *(gauss_legendre(n) for n in (1, 2, 5, 16))])
def test_constants_are_exact(rule):
    assert np.isclose(integrate(rule, lambda t: 3.0), 3.0)


@pytest.mark.parametrize("nodes", [1, 2, 3, 8])
def test_gauss_legendre_is_exact_to_twice_its_nodes(nodes):
    degree = 2 * nodes - 1
    assert np.isclose(integrate(gauss_legendre(nodes), lambda t: t**degree), 1 / (degree + 1))


def test_only_endpoint_rules_need_the_paths_own_points():
    assert START.uses_endpoints
    assert END.uses_endpoints
    assert not gauss_legendre(3).uses_endpoints

"""Rules that hold all nodes of a path."""

import numpy as np
import pytest

from tf_ig2.paths.rules import RIEMANN, by_name, riemann

EDGES = [0.0, 0.1, 0.4, 1.0]


@pytest.mark.parametrize("name", [*RIEMANN, "gauss-legendre", "pair"])
@pytest.mark.parametrize("steps", [1, 2, 9])
def test_weights_add_up_to_one(name, steps):
    rule = by_name(name, steps)
    assert np.isclose(sum(rule.weights), 1)
    assert len(rule.weights) == len(rule.nodes) == steps + (name == "trapezoid")
    assert not rule.uses_endpoints


@pytest.mark.parametrize("name", ["midpoint", "trapezoid"])
def test_centred_sums_are_exact_for_lines_on_uneven_edges(name):
    rule = riemann(name, EDGES)
    assert np.isclose(np.dot(rule.nodes, rule.weights), 0.5)


def test_left_and_right_take_the_ends_of_the_cells():
    assert riemann("left", EDGES).nodes == (0.0, 0.1, 0.4)
    assert riemann("right", EDGES).nodes == (0.1, 0.4, 1.0)
    assert np.allclose(riemann("left", EDGES).weights, [0.1, 0.3, 0.6])


def test_pair_counts_both_ends_fully():
    assert by_name("pair", 5).nodes == (0.0, 0.25, 0.5, 0.75, 1.0)
    assert by_name("pair", 5).weights == (0.2,) * 5


@pytest.mark.parametrize("edges", [[0.0], [0.0, 0.5], [0.1, 1.0], [0.0, 0.6, 0.5, 1.0], [0.0, 0.5, 0.5, 1.0]])
def test_edges_must_increase_from_0_to_1(edges):
    with pytest.raises(ValueError, match="`edges` must increase from 0 to 1"):
        riemann("left", edges)


def test_unknown_names_are_refused():
    with pytest.raises(ValueError, match=r"Unknown rule: 'simpson'.*gauss-legendre"):
        by_name("simpson", 5)
    with pytest.raises(ValueError, match=r"Unknown rule: 'pair'"):
        riemann("pair", EDGES)
    with pytest.raises(ValueError, match="`nodes` must be at least 1"):
        by_name("pair", 0)

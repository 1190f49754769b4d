"""Where on a segment of a path the gradient is taken, and with what weight: quadrature tableaus as data.

A path is a polyline γ₀, γ₁, …, γ_K. On the segment from γ_k to γ_{k+1} a rule approximates
∫ ∇f(γ(t)) ⊙ γ'(t) dt, t ∈ [0, 1], by Σ wᵢ ∇f(γ_k + cᵢ·Δγ_k) ⊙ Δγ_k. A node at t = 0 or t = 1 is kept apart as `start`
or `end`, because its gradient is shared with the walk itself (one forward pass) or with the neighbouring segment.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Rule:
    """A quadrature rule on [0, 1], in the direction of the walk.

    Attributes:
      start: weight of the gradient at the segment's first point.
      end: weight of the gradient at the segment's last point.
      nodes: positions of the other nodes, in [0, 1].
      weights: their weights, one per node.
    """

    start: float = 0.0
    end: float = 0.0
    nodes: tuple[float, ...] = ()
    weights: tuple[float, ...] = ()

    @property
    def uses_endpoints(self) -> bool:
        """Whether the gradient is needed at the path's own points."""
        return bool(self.start or self.end)


START = Rule(start=1.0)
END = Rule(end=1.0)
TRAPEZOID = Rule(start=0.5, end=0.5)

RIEMANN = ("left", "right", "midpoint", "trapezoid")


def gauss_legendre(nodes: int) -> Rule:
    """Gauss–Legendre with that many nodes: exact for polynomials of degree 2·nodes − 1; one node is the midpoint.

    Raises:
      ValueError: fewer than one node.

    Example:
      >>> gauss_legendre(1)
      Rule(start=0.0, end=0.0, nodes=(0.5,), weights=(1.0,))
    """
    if nodes < 1:
        raise ValueError(f"`nodes` must be at least 1, not {nodes!r}.")
    positions, weights = np.polynomial.legendre.leggauss(nodes)
    return Rule(nodes=tuple(((positions + 1) / 2).tolist()), weights=tuple((weights / 2).tolist()))


def riemann(name: str, edges: Sequence[float]) -> Rule:
    """A Riemann sum over the cells between consecutive edges, with all its nodes evaluated together.

    Args:
      name: `"left"`, `"right"`, `"midpoint"` (one node per cell), or `"trapezoid"` (a node on every edge).
      edges: n + 1 increasing numbers from 0 to 1.

    Raises:
      ValueError: the name is unknown, or the edges are not as said.

    Example:
      >>> riemann("right", [0.0, 0.5, 1.0])
      Rule(start=0.0, end=0.0, nodes=(0.5, 1.0), weights=(0.5, 0.5))
    """
    edge = np.asarray(edges, np.float64)
    if edge.ndim != 1 or len(edge) < 2 or edge[0] != 0 or edge[-1] != 1 or (np.diff(edge) <= 0).any():
        raise ValueError(f"`edges` must increase from 0 to 1, not {edges!r}.")
    width = np.diff(edge)
    tableaus = {
        "left": (edge[:-1], width),
        "right": (edge[1:], width),
        "midpoint": ((edge[:-1] + edge[1:]) / 2, width),
        "trapezoid": (edge, (np.append(width, 0.0) + np.append(0.0, width)) / 2),
    }
    if name not in tableaus:
        raise ValueError(f"Unknown rule: {name!r}. Choose one of {list(tableaus)}.")
    nodes, weights = tableaus[name]
    return Rule(nodes=tuple(nodes.tolist()), weights=tuple(weights.tolist()))


def pair(nodes: int) -> Rule:
    """The sum of PAIR's `IntegratedGradients`: nodes at linspace(0, 1, n), both ends with full weight 1/n.

    It is off by O(1/n) even for smooth functions, and is here to compare with.

    Raises:
      ValueError: fewer than one node.

    Example:
      >>> pair(2)
      Rule(start=0.0, end=0.0, nodes=(0.0, 1.0), weights=(0.5, 0.5))
    """
    if nodes < 1:
        raise ValueError(f"`nodes` must be at least 1, not {nodes!r}.")
    return Rule(nodes=tuple(np.linspace(0, 1, nodes).tolist()), weights=(1.0 / nodes,) * nodes)


def by_name(name: str, steps: int) -> Rule:
    """The rule for a whole path in one segment, all nodes of which are known beforehand.

    Args:
      name: `"left"`, `"right"`, `"midpoint"`, `"trapezoid"` (which takes steps + 1 gradients), `"gauss-legendre"`, or
        `"pair"`.
      steps: number of cells of the Riemann sums, number of nodes of the others.

    Raises:
      ValueError: the name is unknown, or there are no steps.

    Example:
      >>> by_name("midpoint", 2)
      Rule(start=0.0, end=0.0, nodes=(0.25, 0.75), weights=(0.5, 0.5))
    """
    if name == "gauss-legendre":
        return gauss_legendre(steps)
    if name == "pair":
        return pair(steps)
    if name not in RIEMANN:
        raise ValueError(f"Unknown rule: {name!r}. Choose one of {[*RIEMANN, 'gauss-legendre', 'pair']}.")
    return riemann(name, np.linspace(0, 1, steps + 1).tolist())

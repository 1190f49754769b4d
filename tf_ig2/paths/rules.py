"""Where on a segment of a path the gradient is taken, and with what weight: quadrature tableaus as data.

A path is a polyline γ₀, γ₁, …, γ_K. On the segment from γ_k to γ_{k+1} a rule approximates
∫ ∇f(γ(t)) ⊙ γ'(t) dt, t ∈ [0, 1], by Σ wᵢ ∇f(γ_k + cᵢ·Δγ_k) ⊙ Δγ_k. A node at t = 0 or t = 1 is kept apart as `start`
or `end`, because its gradient is shared with the walk itself (one forward pass) or with the neighbouring segment.
"""

from __future__ import annotations

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

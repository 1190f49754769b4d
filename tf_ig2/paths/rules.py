"""Where on a segment of a path the gradient is taken, and what is made of it: sums as data.

A path is a polyline γ₀, γ₁, …, γ_K. On the segment from γ_k to γ_{k+1} a rule approximates
∫ ∇f(γ(t)) ⊙ γ'(t) dt, t ∈ [0, 1], by Σ wᵢ ∇f(γ_k + cᵢ·Δγ_k) ⊙ Δγ_k. A node at t = 0 or t = 1 is kept apart as `start`
or `end`, because its gradient is shared with the walk itself (one forward pass) or with the neighbouring segment.

IDGI puts (∇f)² / ‖∇f‖² times the difference of f in the place of ∇f ⊙ Δγ, so that the sum telescopes: it adds up to the
difference between the path's ends whatever the path, to rounding.

Reference: Yang, Wang & Bilgic, IDGI: A Framework to Eliminate Explanation Noise from Integrated Gradients, CVPR 2023.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
import scipy.special


@dataclass(frozen=True)
class Rule:
    """A sum over a segment [0, 1], in the direction of the walk.

    Attributes:
      start: weight of the gradient at the segment's first point.
      end: weight of the gradient at the segment's last point.
      nodes: positions of the other nodes, in [0, 1].
      weights: their weights, one per node; of no meaning for IDGI, which cuts the segment at its nodes.
      idgi: whether f's differences are shared out by the squares of the gradient; `start` and `end` then weigh the two
        ends of each piece.
      tolerance: the largest gap of a row that is left, as a fraction of |f(x) − f(x′)|; nodes are added where the gap
        comes from until it is met. None: the nodes are what they are.
      refinements: how many times a segment is halved at most to meet it.
      noise: standard deviation of Gaussian noise on the points where IDGI's gradients are taken, as a fraction of the
        range of values; the shares of a segment are then the mean over its nodes, which do not cut it.
      seed: of what is drawn. Where it is not None and there is no noise, the nodes' positions are drawn uniformly, anew
        for each reference; IDGI takes them in order.
    """

    start: float = 0.0
    end: float = 0.0
    nodes: tuple[float, ...] = ()
    weights: tuple[float, ...] = ()
    idgi: bool = False
    tolerance: float | None = None
    refinements: int = 8
    noise: float = 0.0
    seed: int | None = None

    def __repr__(self) -> str:
        """What is not the default, and how many nodes there are."""
        own = {field.name: getattr(self, field.name) for field in fields(self)}
        said = {f.name: own[f.name] for f in fields(self) if f.name != "weights" and own[f.name] != f.default}
        if self.nodes:
            said["nodes"] = len(self.nodes)
        return f"Rule({', '.join(f'{name}={value!r}' for name, value in said.items())})"

    def tableau(self, references: int) -> tuple[np.ndarray, np.ndarray]:
        """Positions `[n]`, or `[n, R]` for R references where they are drawn, and weights `[n]`; float64."""
        weights = np.asarray(self.weights, np.float64)
        if self.seed is None or self.noise:
            return np.asarray(self.nodes, np.float64), weights
        draws = [np.random.default_rng([self.seed, r]).random(len(weights)) for r in range(references)]
        return np.stack([np.sort(draw) if self.idgi else draw for draw in draws], axis=1), weights

    @property
    def needs_outputs(self) -> bool:
        """Whether f itself is needed, and not only its gradient."""
        return self.idgi or self.tolerance is not None

    @property
    def uses_endpoints(self) -> bool:
        """Whether the gradient is needed at the path's own points."""
        return bool(self.start or self.end)


START = Rule(start=1.0)
END = Rule(end=1.0)
TRAPEZOID = Rule(start=0.5, end=0.5)

IDGI = Rule(start=1.0, idgi=True)
IDGI_BOTH = Rule(start=0.5, end=0.5, idgi=True)

IDGI_ENDS = {"idgi": IDGI, "idgi-both": IDGI_BOTH}
"""IDGI by name: with the gradient at the start of each piece, or the mean over both of its ends."""

FROM_EXPLICAND = {"explicand": START, "counterfactual": END, "trapezoid": TRAPEZOID, **IDGI_ENDS}
"""The rules of paths that start at the explicand, by the end of a step that the gradient is taken at."""

RIEMANN = ("left", "right", "midpoint", "trapezoid")


def gauss_legendre(nodes: int) -> Rule:
    """Gauss–Legendre with that many nodes: exact for polynomials of degree 2·nodes − 1; one node is the midpoint.

    Raises:
      ValueError: fewer than one node.

    Example:
      >>> gauss_legendre(1).nodes, gauss_legendre(1).weights
      ((0.5,), (1.0,))
    """
    if nodes < 1:
        raise ValueError(f"`nodes` must be at least 1, not {nodes!r}.")
    positions, weights = scipy.special.roots_legendre(nodes)  # NumPy's leggauss takes seconds for a thousand
    return Rule(nodes=tuple(((positions + 1) / 2).tolist()), weights=tuple((weights / 2).tolist()))


def segment(nodes: int, tolerance: float | None = None) -> Rule:
    """Gauss–Legendre on each segment; with a tolerance, an odd number of nodes, one of them in the middle, is halved.

    Raises:
      ValueError: fewer than one node.

    Example:
      >>> len(segment(4).nodes), len(segment(4, tolerance=0.01).nodes)
      (4, 5)
    """
    if tolerance is None:
        return gauss_legendre(nodes)
    return dataclasses.replace(gauss_legendre(nodes | 1), tolerance=float(tolerance))


def riemann(name: str, edges: Sequence[float]) -> Rule:
    """A Riemann sum over the cells between consecutive edges, with all its nodes evaluated together.

    Args:
      name: `"left"`, `"right"`, `"midpoint"` (one node per cell), or `"trapezoid"` (a node on every edge).
      edges: n + 1 increasing numbers from 0 to 1.

    Raises:
      ValueError: the name is unknown, or the edges are not as said.

    Example:
      >>> rule = riemann("right", [0.0, 0.5, 1.0])
      >>> rule.nodes, rule.weights
      ((0.5, 1.0), (0.5, 0.5))
    """
    edge = _checked(edges)
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


def noisy_idgi(noise: float, seed: int = 0) -> Rule:
    """IDGI whose gradients are taken at the start of each segment, with Gaussian noise added to the point.

    f is taken at the walk's own points, so that the sum telescopes as ever. The noise averages over the neighbourhood
    of the path what changes from one pixel to the next, as SmoothGrad does (Smilkov et al., 2017).

    Args:
      noise: standard deviation, as a fraction of the range of values.
      seed: every reference and step has draws of its own, the same for all explicands.

    Example:
      >>> noisy_idgi(0.1).uses_endpoints
      False
    """
    return Rule(nodes=(0.0,), weights=(1.0,), idgi=True, noise=float(noise), seed=seed)


def _checked(edges: Sequence[float]) -> np.ndarray:
    edge = np.asarray(edges, np.float64)
    if edge.ndim != 1 or len(edge) < 2 or edge[0] != 0 or edge[-1] != 1 or (np.diff(edge) <= 0).any():
        raise ValueError(f"`edges` must increase from 0 to 1, not {edges!r}.")
    return edge


def idgi(name: str, edges: Sequence[float]) -> Rule:
    """IDGI over the cells between consecutive edges, with all its nodes evaluated together.

    A feature that does not move gets a share where its gradient is not zero: on a linear model w·x the attributions are
    in proportion to w², not to w·Δx, and they are not linear in the model.

    Args:
      name: `"idgi"`, the gradient at the start of each cell, or `"idgi-both"`, the mean over both its ends.
      edges: n + 1 increasing numbers from 0 to 1.

    Raises:
      ValueError: the name is unknown, or the edges are not as said.

    Example:
      >>> idgi("idgi", [0.0, 0.5, 1.0]).nodes
      (0.5,)
    """
    if name not in IDGI_ENDS:
        raise ValueError(f"Unknown rule: {name!r}. Choose one of {list(IDGI_ENDS)}.")
    inner = tuple(_checked(edges)[1:-1].tolist())
    return dataclasses.replace(IDGI_ENDS[name], nodes=inner, weights=(0.0,) * len(inner))


def pair(nodes: int) -> Rule:
    """The sum of PAIR's `IntegratedGradients`: nodes at linspace(0, 1, n), both ends with full weight 1/n.

    It is off by O(1/n) even for smooth functions, and is here to compare with.

    Raises:
      ValueError: fewer than one node.

    Example:
      >>> pair(2).nodes, pair(2).weights
      ((0.0, 1.0), (0.5, 0.5))
    """
    if nodes < 1:
        raise ValueError(f"`nodes` must be at least 1, not {nodes!r}.")
    return Rule(nodes=tuple(np.linspace(0, 1, nodes).tolist()), weights=(1.0 / nodes,) * nodes)


def by_name(name: str, steps: int) -> Rule:
    """The rule for a whole path in one segment, all nodes of which are known beforehand.

    Args:
      name: `"left"`, `"right"`, `"midpoint"`, `"trapezoid"` (which takes steps + 1 gradients), `"gauss-legendre"`,
        `"pair"`, `"idgi"`, or `"idgi-both"` (steps + 1 gradients).
      steps: number of cells of the Riemann sums, number of nodes of the others.

    Raises:
      ValueError: the name is unknown, or there are no steps.

    Example:
      >>> by_name("midpoint", 2).nodes
      (0.25, 0.75)
    """
    if name == "gauss-legendre":
        return gauss_legendre(steps)
    if name == "pair":
        return pair(steps)
    return cells(name, np.linspace(0, 1, steps + 1).tolist())


def cells(name: str, edges: Sequence[float]) -> Rule:
    """`riemann` or `idgi`, by name.

    Raises:
      ValueError: the name is unknown, or the edges are not as `riemann` says.
    """
    if name not in RIEMANN and name not in IDGI_ENDS:
        raise ValueError(f"Unknown rule: {name!r}. Choose one of {[*RIEMANN, 'gauss-legendre', 'pair', *IDGI_ENDS]}.")
    return (idgi if name in IDGI_ENDS else riemann)(name, edges)

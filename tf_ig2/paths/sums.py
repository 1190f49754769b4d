"""What is added up along a walk: gradients times displacements, or IDGI's shares of the output's differences."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

import tensorflow as tf

from tf_ig2.paths.alive import where
from tf_ig2.paths.base import Curve, Points, Seen, flat_rows, per_row
from tf_ig2.paths.rules import Rule


class Tableau(NamedTuple):
    """The interior nodes of a rule as tensors: positions `[n]` or, different for every row, `[n, B]`; weights `[n]`."""

    positions: tf.Tensor
    weights: tf.Tensor


Look = Callable[[Points, tf.Tensor], Seen]
"""`(points [n·B, ...], n) -> Seen` of n·B rows, with the output's gradient: n nodes of each of B rows."""


class Sum(Protocol):
    """How segments are added up.

    What a segment needs to keep until its end is reached is `held`: a structure like the points, if the sum `holds`
    anything, otherwise `()`.
    """

    @property
    def holds(self) -> bool: ...

    def depart(self, seen: Seen, displacement: Points) -> tuple[Points | None, Any]:
        """At the start of a segment: what is added at once (None: nothing), and what is held."""
        ...

    def between(
        self, held: Any, output: tf.Tensor, curve: Curve, tableau: Tableau, look: Look, together: tf.Tensor | None
    ) -> tuple[Points | None, Any, tf.Tensor]:
        """The nodes inside a segment, `together` at a time (None: all): what is added and held, and the last output."""
        ...

    def arrive(self, held: Any, output: tf.Tensor, seen: Seen) -> Points | None:
        """At the end of a segment that came from a point with this output."""
        ...


class RiemannSum:
    """Σ wᵢ ∇f(γ(cᵢ)) ⊙ γ'(cᵢ)."""

    def __init__(self, rule: Rule):
        self._rule = rule
        self.holds = bool(rule.end)

    def depart(self, seen: Seen, displacement: Points) -> tuple[Points | None, Any]:
        added = _product(seen.output_gradient, displacement, self._rule.start) if self._rule.start else None
        return added, displacement if self._rule.end else ()

    def between(
        self, held: Any, output: tf.Tensor, curve: Curve, tableau: Tableau, look: Look, together: tf.Tensor | None
    ) -> tuple[Points, Any, tf.Tensor]:
        def some(positions: tf.Tensor, weights: tf.Tensor, total: Points) -> Points:
            points, derivatives = curve(positions)
            gradient = by_node(look(joined(points), tf.size(weights)).output_gradient, total)

            def add(sum_: tf.Tensor, g: tf.Tensor, d: tf.Tensor) -> tf.Tensor:
                if d.shape[0] == 1:  # straight: one derivative for all nodes
                    return sum_ + tf.tensordot(weights, g, axes=1) * d[0]
                return sum_ + tf.tensordot(weights, g * d, axes=1)

            return tf.nest.map_structure(add, total, gradient, derivatives)

        def body(node: tf.Tensor, total: Points) -> Any:
            upto = node + together
            return upto, some(tableau.positions[node:upto], tableau.weights[node:upto], total)

        zeros = tf.nest.map_structure(lambda d: tf.zeros_like(d[0]), curve(tableau.positions[:1])[1])
        if together is None:
            return some(tableau.positions, tableau.weights, zeros), held, output
        added = tf.while_loop(
            lambda node, _: node < tf.size(tableau.weights), body, (tf.constant(0), zeros), parallel_iterations=1
        )[1]
        return added, held, output

    def arrive(self, held: Any, output: tf.Tensor, seen: Seen) -> Points | None:
        return _product(seen.output_gradient, held, self._rule.end) if self._rule.end else None


class IDGISum:
    """Σ (∇f)² / ‖∇f‖² · Δf over the pieces between consecutive nodes: it telescopes to f's difference between the ends.

    Where the gradient at one end of a piece is zero the other end counts alone. Where it is zero at both, or was not
    computed at the other (the end of a walk), the difference is given to nobody and stays in the completeness gap.
    """

    def __init__(self, rule: Rule):
        self._rule = rule
        self.holds = bool(rule.start)

    def depart(self, seen: Seen, displacement: Points) -> tuple[Points | None, Any]:
        return None, _shares(seen.output_gradient, self._rule.start) if self._rule.start else ()

    def between(
        self, held: Any, output: tf.Tensor, curve: Curve, tableau: Tableau, look: Look, together: tf.Tensor | None
    ) -> tuple[Points, Any, tf.Tensor]:
        """Node by node of those that were evaluated together, since each piece needs both of its ends."""

        def some(positions: tf.Tensor, total: Points, held: Any, output: tf.Tensor) -> Any:
            count = tf.shape(positions)[0]
            seen = look(joined(curve(positions)[0]), count)
            gradients = by_node(seen.output_gradient, total)
            outputs = tf.reshape(seen.output, [count, -1])

            def piece(node: tf.Tensor, total: Points, held: Any, output: tf.Tensor) -> Any:
                here = Seen(outputs[node], output, tf.nest.map_structure(lambda g: g[node], gradients))
                total = tf.nest.map_structure(tf.add, total, self.arrive(held, output, here))
                return node + 1, total, self.depart(here, ())[1], here.output

            return tf.while_loop(
                lambda node, *_: node < count, piece, (tf.constant(0), total, held, output), parallel_iterations=1
            )[1:]

        def body(node: tf.Tensor, total: Points, held: Any, output: tf.Tensor) -> Any:
            upto = node + together
            return upto, *some(tableau.positions[node:upto], total, held, output)

        zeros = tf.nest.map_structure(lambda d: tf.zeros_like(d[0]), curve(tableau.positions[:1])[1])
        if together is None:
            return some(tableau.positions, zeros, held, output)
        return tf.while_loop(
            lambda node, *_: node < tf.size(tableau.weights),
            body,
            (tf.constant(0), zeros, held, output),
            parallel_iterations=1,
        )[1:]

    def arrive(self, held: Any, output: tf.Tensor, seen: Seen) -> Points:
        shares = held
        if self._rule.end:
            ours = _shares(seen.output_gradient, self._rule.end)
            shares = ours if not self._rule.start else tf.nest.map_structure(tf.add, held, ours)
        mass = _mass(shares)
        if not self._rule.end and not isinstance(seen.output_gradient, tuple):

            def with_this_end() -> tuple[Points, tf.Tensor]:
                found = where(mass > 0, shares, _shares(seen.output_gradient, 1.0))
                return found, _mass(found)

            shares, mass = tf.cond(tf.reduce_all(mass > 0), lambda: (shares, mass), with_this_end)
        factor = tf.math.divide_no_nan(seen.output - output, mass)
        return tf.nest.map_structure(lambda s: s * per_row(factor, s), shares)


class NoisyIDGISum:
    """Σ (mean of (∇f)² / ‖∇f‖² over a segment's noisy nodes) · Δf over the segments, f at the walk's own points."""

    holds = True

    def depart(self, seen: Seen, displacement: Points) -> tuple[Points | None, Any]:
        return None, ()

    def between(
        self, held: Any, output: tf.Tensor, curve: Curve, tableau: Tableau, look: Look, together: tf.Tensor | None
    ) -> tuple[Points | None, Any, tf.Tensor]:
        def body(node: tf.Tensor, total: Points) -> Any:
            points, _ = curve(tableau.positions[node][None])
            shares = _shares(look(joined(points), tf.constant(1)).output_gradient, tableau.weights[node])
            return node + 1, tf.nest.map_structure(tf.add, total, shares)

        zeros = tf.nest.map_structure(lambda d: tf.zeros_like(d[0]), curve(tableau.positions[:1])[1])
        mean = tf.while_loop(
            lambda node, _: node < tf.size(tableau.weights), body, (tf.constant(0), zeros), parallel_iterations=1
        )[1]
        return None, mean, output

    def arrive(self, held: Any, output: tf.Tensor, seen: Seen) -> Points:
        factor = tf.math.divide_no_nan(seen.output - output, _mass(held))
        return tf.nest.map_structure(lambda s: s * per_row(factor, s), held)


def of(rule: Rule) -> Sum:
    """The sum of a rule."""
    if not rule.idgi:
        return RiemannSum(rule)
    return NoisyIDGISum() if rule.noise else IDGISum(rule)


def _product(gradient: Points, displacement: Points, weight: float) -> Points:
    def product(g: tf.Tensor, d: tf.Tensor) -> tf.Tensor:
        return g * d if weight == 1.0 else g * weight * d

    return tf.nest.map_structure(product, gradient, displacement)


def _shares(gradient: Points, weight: float | tf.Tensor) -> Points:
    """weight · (∇f)² / ‖∇f‖²: the parts of a structure of `[B, ...]` sum to `weight`, or to zero with the gradient."""
    # Scaled by its largest entry first: the square of a tiny float32 gradient would underflow to zero.
    largest = tf.reduce_max(tf.abs(flat_rows(gradient)), axis=-1)
    squares = tf.nest.map_structure(lambda g: tf.square(tf.math.divide_no_nan(g, per_row(largest, g))), gradient)
    total = tf.reduce_sum(flat_rows(squares), axis=-1)
    factor = tf.math.divide_no_nan(tf.cast(weight, total.dtype), total)
    return tf.nest.map_structure(lambda s: s * per_row(factor, s), squares)


def _mass(shares: Points) -> tf.Tensor:
    """`[B]`, the sum over all features."""
    return tf.add_n([tf.reduce_sum(tf.reshape(s, [tf.shape(s)[0], -1]), axis=-1) for s in tf.nest.flatten(shares)])


def joined(points: Points) -> Points:
    """`[n, B, ...]` as `[n·B, ...]`."""
    return tf.nest.map_structure(
        lambda x: tf.ensure_shape(tf.reshape(x, tf.concat([[-1], tf.shape(x)[2:]], axis=0)), [None, *x.shape[2:]]),
        points,
    )


def by_node(points: Points, like: Points) -> Points:
    """`[n·B, ...]` as `[n, B, ...]`, where `like` is `[B, ...]`."""
    return tf.nest.map_structure(lambda x, one: tf.reshape(x, tf.concat([[-1], tf.shape(one)], axis=0)), points, like)

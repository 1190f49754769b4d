"""DeepLIFT's rules: an operation's output, with multipliers in the place of its gradient."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

Function = Callable[[list[tf.Tensor]], tf.Tensor]
"""An operation as a function of its floating-point tensors."""

Rule = Callable[[Function, list[tf.Tensor], list[tf.Tensor]], tf.Tensor]
"""`(function, inputs, reference inputs) -> output`, the output's gradient being the multipliers."""

_CLOSE = 3e-4
"""By how much of what it is to be an integral may miss, before the line is divided further."""

_TINY = 1e-6
"""Input differences up to this size have the gradient for their multiplier: Δout/Δin would be rounding noise."""


def linked(value: tf.Tensor, inputs: Sequence[tf.Tensor], multiply: Callable[[tf.Tensor], Any]) -> tf.Tensor:
    """A value whose gradient with respect to some inputs is as one says.

    Args:
      value: `[B, ...]`.
      inputs: the tensors that it came from.
      multiply: maps the gradient of `value` to the list of gradients of `inputs`.
    """

    @tf.custom_gradient
    def link(value: tf.Tensor, *inputs: tf.Tensor) -> Any:
        return tf.identity(value), lambda upstream: (tf.zeros_like(value), *multiply(upstream))

    return link(tf.stop_gradient(value), *inputs)


def rescale(function: Function, inputs: list[tf.Tensor], references: list[tf.Tensor]) -> tf.Tensor:
    """The rescale rule for an elementwise function of one tensor."""
    (x,), (reference,) = inputs, references
    value, slope = _value_and_gradient(function, x)
    difference = x - reference
    tiny = tf.abs(difference) <= _TINY
    quotient = (value - function([reference])) / tf.where(tiny, tf.ones_like(x), difference)
    multiplier = tf.stop_gradient(tf.where(tiny, slope, quotient))
    return linked(value, [x], lambda upstream: [upstream * multiplier])


def maximum(function: Function, inputs: list[tf.Tensor], references: list[tf.Tensor]) -> tf.Tensor:
    """The rule for the maximum of groups of elements of one tensor.

    Where the output increases, what increased it is the explicand's maximum; where it decreases, what did is that the
    reference's maximum is gone.
    """
    (x,), (reference,) = inputs, references
    value, reference_value = function([x]), function([reference])
    change = tf.stop_gradient(value - reference_value)

    def multiply(upstream: tf.Tensor) -> list[tf.Tensor]:
        gained = _vjp(function, [x], upstream * tf.nn.relu(change))[0]
        lost = _vjp(function, [reference], -upstream * tf.nn.relu(-change))[0]
        return [tf.math.divide_no_nan(gained + lost, x - reference)]

    return linked(value, [x], multiply)


def integrated(nodes: int, panels: int = 1) -> Rule:
    """The rule for any differentiable function: its gradient's mean on the straight line between its two inputs.

    Args:
      nodes: number of Gauss–Legendre nodes; one is exact for products of two factors.
      panels: into how many parts, each with these nodes, the line is divided at most: four times as many until what is
        handed back adds up, to `_CLOSE` of the change.
    """
    positions, weights = np.polynomial.legendre.leggauss(nodes)

    def rule(function: Function, inputs: list[tf.Tensor], references: list[tf.Tensor]) -> tf.Tensor:
        where = tf.constant((positions + 1) / 2, inputs[0].dtype)
        shares = tf.constant(weights / 2, inputs[0].dtype)
        value = function(inputs)

        def multiply(upstream: tf.Tensor) -> list[tf.Tensor]:
            def mean(parts: tf.Tensor) -> list[tf.Tensor]:
                divisor = tf.cast(parts, where.dtype)

                def add(number: tf.Tensor, total: list[tf.Tensor]) -> tuple[tf.Tensor, list[tf.Tensor]]:
                    part, node = number // nodes, number % nodes
                    position, share = (tf.cast(part, where.dtype) + where[node]) / divisor, shares[node] / divisor
                    points = [r + tf.cast(position, x.dtype) * (x - r) for x, r in zip(inputs, references, strict=True)]
                    gradients = _vjp(function, points, upstream)
                    added = [t + tf.cast(share, t.dtype) * g for t, g in zip(total, gradients, strict=True)]
                    return number + 1, added

                zeros = [tf.zeros_like(x) for x in inputs]
                return tf.while_loop(lambda number, total: number < nodes * parts, add, [tf.constant(0), zeros])[1]

            one = tf.constant(1)
            if panels == 1:
                return mean(one)
            change = upstream * (value - function(references))
            wanted, scale = _by_row(change), _by_row(tf.abs(change))

            def misses(gradients: list[tf.Tensor]) -> tf.Tensor:
                given = [_by_row(g * (x - r)) for g, x, r in zip(gradients, inputs, references, strict=True)]
                gap = tf.abs(sum(given[1:], given[0]) - wanted)
                return gap > _CLOSE * scale

            def go_on(parts: tf.Tensor, gradients: list[tf.Tensor]) -> tf.Tensor:
                return (parts < panels) & tf.reduce_any(misses(gradients))

            def closer(parts: tf.Tensor, gradients: list[tf.Tensor]) -> tuple[tf.Tensor, list[tf.Tensor]]:
                # Rows that are close enough stay as they are: what a row gets must not depend on the others.
                rows = misses(gradients)
                finer = zip(gradients, mean(4 * parts), strict=True)
                return 4 * parts, [tf.where(_along(rows, after), after, before) for before, after in finer]

            return tf.while_loop(go_on, closer, [one, mean(one)])[1]

        return linked(value, inputs, multiply)

    return rule


def _by_row(x: tf.Tensor) -> tf.Tensor:
    """The sum of each row `[B]`; of all, `[]`, where there are no rows, or, run eagerly, nobody knows."""
    return tf.reduce_sum(x, axis=list(range(1, x.shape.rank))) if _has_rows(x) else tf.reduce_sum(x)


def _has_rows(x: tf.Tensor) -> bool:
    return bool(x.shape.rank) and x.shape[0] is None


def _along(rows: tf.Tensor, x: tf.Tensor) -> tf.Tensor:
    """What is known of each row, to go with the elements of a tensor; of any row, where it has none."""
    if not (_has_rows(rows) and _has_rows(x)):
        return tf.reduce_any(rows)
    return tf.reshape(rows, [-1] + [1] * (x.shape.rank - 1))


def _value_and_gradient(function: Function, x: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(x)
        value = function([x])
    return value, tape.gradient(value, x, unconnected_gradients=tf.UnconnectedGradients.ZERO)


def _vjp(function: Function, inputs: list[tf.Tensor], upstream: tf.Tensor) -> list[tf.Tensor]:
    inputs = [tf.identity(x) for x in inputs]
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(inputs)
        value = function(inputs)
    return tape.gradient(value, inputs, output_gradients=upstream, unconnected_gradients=tf.UnconnectedGradients.ZERO)

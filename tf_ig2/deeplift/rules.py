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

_CLOSE = 3e-5
"""By how much of what it is to be the integral of a whole line may miss; of a part of the line, by its part of it."""

_NARROW = 1 / 16
"""Parts of the line that are narrower than this may miss by as much: there are few of them."""

_NARROWEST = 2**-12
"""Parts of the line that are narrower than this are taken as they are: of float32 points little more is told apart."""

_ROUNDINGS = 16
"""How many roundings of the function's values are no miss."""

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

    With several panels each row marches along its line by itself, in steps that shrink where a step's integral is not
    the difference of the function at its two ends, and grow where it is: what changes within a small part of the line,
    a softmax of large scores or a normalisation near a vector without variance, is resolved there alone.

    Args:
      nodes: number of Gauss–Legendre nodes in a panel; one is exact for products of two factors.
      panels: how many panels are tried at most; the last one takes all that is left of the line.
    """
    positions, weights = np.polynomial.legendre.leggauss(nodes)

    def rule(function: Function, inputs: list[tf.Tensor], references: list[tf.Tensor]) -> tf.Tensor:
        value = function(inputs)
        kinds = {x.dtype for x in (value, *inputs)}  # of several where an operation casts
        dtype = tf.float64 if tf.float64 in kinds else tf.float32
        where, shares = tf.constant((positions + 1) / 2, dtype), tf.constant(weights / 2, dtype)

        def at(position: tf.Tensor) -> list[tf.Tensor]:
            return [r + _along(position, x) * (x - r) for x, r in zip(inputs, references, strict=True)]

        def multiply(upstream: tf.Tensor) -> list[tf.Tensor]:
            zeros = [tf.zeros_like(x) for x in inputs]

            def integral(start: tf.Tensor, width: tf.Tensor) -> list[tf.Tensor]:
                def add(node: tf.Tensor, total: list[tf.Tensor]) -> tuple[tf.Tensor, list[tf.Tensor]]:
                    gradients = _vjp(function, at(start + width * where[node]), upstream)
                    share = shares[node] * width
                    return node + 1, [t + _along(share, g) * g for t, g in zip(total, gradients, strict=True)]

                return tf.while_loop(lambda node, total: node < nodes, add, [tf.constant(0), zeros])[1]

            if panels == 1:
                return integral(tf.zeros([], dtype), tf.ones([], dtype))
            # Rows that nobody can tell apart march together.
            sum_up = _sum_of_rows if all(map(_has_rows, (value, *inputs))) else tf.reduce_sum

            def by_row(x: tf.Tensor) -> tf.Tensor:
                return sum_up(tf.cast(x, dtype))

            end = function(references)
            change = by_row(tf.abs(upstream * (value - end)))
            rounding = _ROUNDINGS * max(float(np.spacing(kind.as_numpy_dtype(1))) for kind in kinds)
            noise = rounding * by_row(tf.abs(upstream) * (tf.abs(value) + tf.abs(end)))

            def march(tried: tf.Tensor, start: tf.Tensor, width: tf.Tensor, total: list[tf.Tensor]) -> Any:
                found = integral(start, width)
                given = [by_row(g * (x - r)) for g, x, r in zip(found, inputs, references, strict=True)]
                wanted = by_row(upstream * (function(at(start + width)) - function(at(start))))
                allowed = tf.maximum(_CLOSE * change * tf.maximum(width, _NARROW), noise)
                last = tf.equal(tried, panels - 1)
                taken = (
                    ~(tf.abs(sum(given[1:], given[0]) - wanted) > allowed) | last | (width <= _NARROWEST)
                )  # what is not finite goes on too
                share = tf.cast(taken, dtype)
                total = [tf.where(_along(taken, g), t + g, t) for t, g in zip(total, found, strict=True)]
                start, width = start + share * width, tf.where(taken, 2 * width, width / 4)
                left = tf.where(tf.equal(tried, panels - 2), 1 - start, tf.minimum(width, 1 - start))
                return tried + 1, start, left, total

            def go_on(tried: tf.Tensor, start: tf.Tensor, width: tf.Tensor, total: list[tf.Tensor]) -> tf.Tensor:
                return (tried < panels) & tf.reduce_any(width > 0)

            begin = [tf.constant(0), tf.zeros_like(change), tf.ones_like(change), zeros]
            return tf.while_loop(go_on, march, begin)[3]

        return linked(value, inputs, multiply)

    return rule


def _sum_of_rows(x: tf.Tensor) -> tf.Tensor:
    return tf.reduce_sum(x, axis=list(range(1, x.shape.rank)))


def _has_rows(x: tf.Tensor) -> bool:
    """Whether the first axis is the batch; run eagerly, nobody knows."""
    return bool(x.shape.rank) and x.shape[0] is None


def _along(rows: tf.Tensor, x: tf.Tensor) -> tf.Tensor:
    """What is known of each row `[B]`, or of all `[]`, to go with the elements of a tensor."""
    rows = rows if rows.dtype == tf.bool else tf.cast(rows, x.dtype)
    return tf.reshape(rows, [-1] + [1] * (x.shape.rank - 1)) if rows.shape.rank else rows


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

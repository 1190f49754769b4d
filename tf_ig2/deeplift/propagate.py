"""Multipliers of a whole model: the rules, joined by the chain rule."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

import tensorflow as tf

from tf_ig2.deeplift.layers import Ruled
from tf_ig2.models.model_view import ModelView
from tf_ig2.paths.base import Points


def propagate(
    view: ModelView,
    found: dict[int, Ruled],
    explained: Callable[[tf.Tensor], tf.Tensor],
    points: Points,
    references: Points,
    pairs: tf.Tensor,
    inside: Points = (),
) -> tuple[Points, tf.Tensor, tf.Tensor]:
    """Multipliers of a batch of (explicand, reference) pairs: a reference that is shared goes forward once.

    Args:
      view: the model.
      found: what `tf_ig2.deeplift.layers.rules` found.
      explained: maps the model's output `[B, ...]` to the explained output `[B]`.
      points: structure of `[B, ...]`, the explicands.
      references: structure of `[U, ...]`, each different reference once.
      pairs: int32 `[B]`, the reference of each explicand; with an `input_layer`, 0 … B - 1, because what goes
        around a reference is the explicand's own.
      inside: what `ModelView.enter` gave beside the explicands; `()` without an `input_layer`.

    Returns:
      The multipliers m, structure of `[B, ...]`, and the explained outputs `[B]` of explicands and of references:
      Σ m·(x − x′) = f(x) − f(x′).
    """
    seen: dict[int, deque[list[tf.Tensor]]] = {key: deque() for key in found}

    def paired(x: tf.Tensor) -> tf.Tensor:
        """A reference's tensor for each explicand; what has no batch axis, a constant, stays."""
        constant = x.shape.rank == 0 or (x.shape.rank is not None and x.shape[0] is not None)
        return x if constant else tf.gather(x, pairs)

    def record(operation: Any, *args: Any, **kwargs: Any) -> Any:
        first = found[id(operation)].linear
        if first is not None:
            args, kwargs = (first(*args, **kwargs),), {}
        seen[id(operation)].append([paired(x) for x in _floats((args, kwargs))])
        return operation(*args, **kwargs) if first is None else operation.activation(*args)

    def apply(operation: Any, *args: Any, **kwargs: Any) -> Any:
        first, rule = found[id(operation)]
        call: Any = operation
        if first is not None:
            args, kwargs, call = (first(*args, **kwargs),), {}, operation.activation

        def function(tensors: list[tf.Tensor]) -> tf.Tensor:
            given = iter(tensors)
            filled = tf.nest.map_structure(lambda x: next(given) if _is_float(x) else x, (args, kwargs))
            return call(*filled[0], **filled[1])

        return rule(function, _floats((args, kwargs)), seen[id(operation)].popleft())

    def output_of(x: Points, call: Any) -> tf.Tensor:
        return view.forward(x, inside, dict.fromkeys(found, call), representation=False)[1]

    reference_output = explained(tf.gather(output_of(references, record), pairs))
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(tf.nest.flatten(points))
        output = explained(output_of(points, apply))
    multipliers = tape.gradient(output, points, unconnected_gradients=tf.UnconnectedGradients.ZERO)
    return tf.nest.map_structure(tf.convert_to_tensor, multipliers), output, reference_output


def _is_float(x: Any) -> bool:
    return tf.is_tensor(x) and x.dtype.is_floating


def _floats(structure: Any) -> list[tf.Tensor]:
    return [x for x in tf.nest.flatten(structure) if _is_float(x)]

"""The one loop of the package: walk a path, and sum ∇f ⊙ Δγ along it.

Everything here is TensorFlow: it compiles to one `tf.while_loop` inside a `tf.function`, and it also runs eagerly, step
by step, with a model behind a Python callback. The number of steps, the step size and the quadrature nodes are tensors,
so that changing them traces nothing anew. The path is streamed: memory does not depend on the number of steps unless
the path is asked for.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import tensorflow as tf

from tf_ig2.paths.base import Curve, Evaluation, Path, Points, Rows, View
from tf_ig2.paths.rules import Rule


@dataclass(frozen=True)
class Keep:
    """What an explanation keeps beside its values, since it costs memory.

    Attributes:
      counterfactuals: keep the end point of every path (GradCF), `[N, R, ...]`.
      path: keep points of every path, `[N, R, K', ...]`.
      every: of the path keep every so many steps, and always the last point.

    Raises:
      ValueError: `every` is less than 1.

    Example:
      >>> Keep(path=True, every=10).kept(steps=25)
      4
    """

    counterfactuals: bool = True
    path: bool = False
    every: int = 1

    def __post_init__(self) -> None:
        if self.every < 1:
            raise ValueError(f"`every` must be at least 1, not {self.every!r}.")

    def kept(self, steps: Any) -> Any:
        """How many points of a path with `steps` steps are kept (an int, or an int32 tensor)."""
        return -(-steps // self.every) + 1


class Tableau(NamedTuple):
    """The interior nodes of a rule as tensors: positions `[n]` or, different for every row, `[n, B]`; weights `[n]`."""

    positions: tf.Tensor
    weights: tf.Tensor


class Walked(NamedTuple):
    """The result of a walk for B rows of K steps.

    Attributes:
      values: structure of `[B, ...]`, the attributions: they sum to about f(explicand) − f(baseline).
      start, end: structure of `[B, ...]`, the first and the last point.
      outputs: `[K + 1, B]`, the explained output along the path.
      objectives: `[K + 1, B]`, the path's objective along it.
      path: structure of `[K', B, ...]`, the points that were kept, or `()`.
      steps_taken: int32 scalar, less than K when something was not finite.
      finite: bool `[B]`, whether all values and gradients of the last step taken were finite.
    """

    values: Points
    start: Points
    end: Points
    outputs: tf.Tensor
    objectives: tf.Tensor
    path: Any
    steps_taken: tf.Tensor
    finite: tf.Tensor


def walk(
    view: View,
    path: Path,
    rule: Rule,
    rows: Rows,
    *,
    steps: tf.Tensor,
    tableau: Tableau,
    rows_per_pass: tf.Tensor,
    keep: Keep,
    on_step: Callable[[tf.Tensor], None] | None = None,
) -> Walked:
    """Walks all rows at once and integrates.

    Args:
      view: the model.
      path: where to walk.
      rule: how to integrate on each segment; its interior nodes are given as `tableau`.
      rows: the batch.
      steps: int32 scalar, the number K of segments.
      tableau: positions and weights of the rule's interior nodes.
      rows_per_pass: int32 scalar; interior nodes are evaluated together as long as a pass has no more rows than this.
      keep: what to keep of the path.
      on_step: called after each step with the number of rows, for progress.

    Returns:
      The walk's result.
    """

    def evaluate(point: Points, last: bool = False) -> Evaluation:
        return view.evaluate(
            point,
            rows,
            path.objective,
            output_gradient=bool(rule.end) if last else rule.uses_endpoints or path.needs_output_gradient,
            objective_gradient=not last and path.needs_objective_gradient,
        )

    start = path.start(rows)
    leaf = tf.nest.flatten(start)[0]
    size, dtype = tf.shape(leaf)[0], leaf.dtype
    zeros = tf.nest.map_structure(tf.zeros_like, start)
    curve = tf.zeros([steps + 1, size], dtype)
    trail: Any = ()
    if keep.path:
        shape = [keep.kept(steps)]
        trail = tf.nest.map_structure(
            lambda x: _write(tf.zeros([*shape, *tf.unstack(tf.shape(x))], x.dtype), 0, x), start
        )

    def unfinished(step: tf.Tensor, point: Points, arrived: Points, values: Points, log: Any) -> tf.Tensor:
        return (step < steps) & tf.reduce_all(log[3])

    def body(step: tf.Tensor, point: Points, arrived: Points, values: Points, log: Any) -> Any:
        outputs, objectives, trail, _ = log
        here = evaluate(point)
        to, displacement, curve = path.step(point, here, rows, step, steps)
        if rule.uses_endpoints:
            values = tf.nest.map_structure(
                lambda value, gradient, leaving, arriving: (
                    value
                    + gradient * (rule.start * leaving + rule.end * arriving if rule.end else leaving * rule.start)
                ),
                values,
                here.output_gradient,
                displacement,
                arrived,
            )
        if rule.nodes:
            inner = _integrate_interior(view, rows, curve or _line(point, displacement), zeros, tableau, rows_per_pass)
            values = tf.nest.map_structure(tf.add, values, inner)
        if keep.path:
            slot = (step + keep.every) // keep.every  # overwritten until the step that is kept, or the last one
            trail = tf.nest.map_structure(lambda kept, x: _write(kept, slot, x), trail, to)
        if on_step is not None:
            on_step(size)
        finite = _finite(here) & _all_finite(values, size)
        log = (_write(outputs, step, here.output), _write(objectives, step, here.objective), trail, finite)
        return step + 1, to, displacement, values, log

    steps_taken, end, arrived, values, log = tf.while_loop(
        unfinished,
        body,
        (tf.constant(0), start, zeros, zeros, (curve, curve, trail, tf.ones([size], tf.bool))),
        parallel_iterations=1,
        maximum_iterations=steps,
    )
    outputs, objectives, trail, finite = log
    last = evaluate(end, last=True)
    if rule.end:
        values = tf.nest.map_structure(
            lambda value, gradient, arriving: value + gradient * rule.end * arriving,
            values,
            last.output_gradient,
            arrived,
        )
    if path.starts_at_explicand:
        values = tf.nest.map_structure(tf.negative, values)
    return Walked(
        values=values,
        start=start,
        end=end,
        outputs=_write(outputs, steps_taken, last.output),
        objectives=_write(objectives, steps_taken, last.objective),
        path=trail,
        steps_taken=steps_taken,
        finite=finite & _finite(last) & _all_finite(values, size),
    )


def _integrate_interior(
    view: View, rows: Rows, curve: Curve, zeros: Points, tableau: Tableau, rows_per_pass: tf.Tensor
) -> Points:
    """Σ wᵢ ∇f(γ(cᵢ)) ⊙ γ'(cᵢ) on the segment γ, as many nodes in one forward pass as fit."""
    size = tf.shape(tf.nest.flatten(zeros)[0])[0]
    nodes = tf.size(tableau.weights)
    rows = rows._replace(explicand=(), contrast=())  # the output needs neither
    together = tf.maximum(1, rows_per_pass // tf.maximum(size, 1))

    def tile(x: tf.Tensor, times: tf.Tensor) -> tf.Tensor:
        return tf.tile(x, tf.concat([[times], tf.ones([tf.rank(x) - 1], tf.int32)], axis=0))

    def body(node: tf.Tensor, total: Points) -> Any:
        positions = tableau.positions[node : node + together]
        weights = tableau.weights[node : node + together]
        count = tf.size(weights)
        points, derivatives = curve(positions)
        gradient = view.evaluate(
            tf.nest.map_structure(lambda x: tf.reshape(x, tf.concat([[-1], tf.shape(x)[2:]], axis=0)), points),
            tf.nest.map_structure(lambda x: tile(x, count), rows),
            None,
            output_gradient=True,
            objective_gradient=False,
        ).output_gradient

        def add(sum_: tf.Tensor, g: tf.Tensor, d: tf.Tensor) -> tf.Tensor:
            by_node = tf.reshape(g, tf.concat([[count], tf.shape(sum_)], axis=0))
            if d.shape[0] == 1:  # straight: one derivative for all nodes
                return sum_ + tf.tensordot(weights, by_node, axes=1) * d[0]
            return sum_ + tf.tensordot(weights, by_node * d, axes=1)

        return node + together, tf.nest.map_structure(add, total, gradient, derivatives)

    return tf.while_loop(
        lambda node, _: node < nodes,
        body,
        (tf.constant(0), zeros),
        parallel_iterations=1,
    )[1]


def _line(point: Points, displacement: Points) -> Curve:
    """The straight segment; positions may differ from row to row, `[n, B]`."""

    def between(positions: tf.Tensor) -> tuple[Points, Points]:
        def at(x: tf.Tensor, d: tf.Tensor) -> tf.Tensor:
            leading = tf.shape(positions) if positions.shape.rank == 2 else [tf.size(positions), 1]
            position = tf.reshape(positions, tf.concat([leading, tf.ones([tf.rank(x) - 1], tf.int32)], axis=0))
            return tf.ensure_shape(x + position * d, [None, *x.shape])

        points = tf.nest.map_structure(at, point, displacement)
        return points, tf.nest.map_structure(lambda d: d[None], displacement)

    return between


def _write(buffer: tf.Tensor, index: tf.Tensor, value: tf.Tensor) -> tf.Tensor:
    return tf.tensor_scatter_nd_update(buffer, [[index]], value[None])


def _finite(here: Evaluation) -> tf.Tensor:
    size = tf.size(here.output)
    return _all_finite((here.output, here.objective, here.output_gradient, here.objective_gradient), size)


def _all_finite(structure: Any, size: tf.Tensor) -> tf.Tensor:
    """Bool `[B]`: whether every value of a row is finite."""
    finite = tf.ones([size], tf.bool)
    for x in tf.nest.flatten(structure):
        # A sum is finite unless a term is not (or it overflows, which is no better), and costs one pass.
        finite &= tf.math.is_finite(tf.reduce_sum(tf.reshape(x, [size, -1]), axis=-1))
    return finite

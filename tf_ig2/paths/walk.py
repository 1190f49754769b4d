"""The one loop of the package: walk a path, and add up along it what its sum makes of the gradients.

Everything here is TensorFlow: it compiles to one `tf.while_loop` inside a `tf.function`, and it also runs eagerly, step
by step, with a model behind a Python callback. The number of steps, the step size and the quadrature nodes are tensors,
so that changing them traces nothing anew. The path is streamed: memory does not depend on the number of steps unless
the path is asked for. Rows end one by one, and those that have ended are no longer evaluated.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import tensorflow as tf

from tf_ig2.paths import sums, trail
from tf_ig2.paths.alive import Alive, where
from tf_ig2.paths.base import Evaluator, Path, Points, Rows, Seen, Stop
from tf_ig2.paths.keep import Keep
from tf_ig2.paths.nodes import line, look_with, shaken, together
from tf_ig2.paths.refine import refine
from tf_ig2.paths.rules import Rule
from tf_ig2.paths.sums import Tableau

__all__ = ["Keep", "Tableau", "Walked", "walk"]


class Walked(NamedTuple):
    """The result of a walk for B rows of at most K steps.

    Attributes:
      values: structure of `[B, ...]`, the attributions: they sum to about f(explicand) − f(baseline).
      start, end: structure of `[B, ...]`, the first and the last point.
      outputs: `[K + 1, B]`, the explained output along the path; where a row has ended, that at its end.
      objectives: `[K + 1, B]`, the path's objective along it, likewise.
      path: structure of `[K', B, ...]`, the points that were kept, or `()`.
      steps_taken: int32 `[B]`.
      stop: int32 `[B]`, why each row ended, a `Stop` or a reason of the path's own.
      gradients: int32 `[B]`, how many gradients a rule with a tolerance took; zero for others.
    """

    values: Points
    start: Points
    end: Points
    outputs: tf.Tensor
    objectives: tf.Tensor
    path: Any
    steps_taken: tf.Tensor
    stop: tf.Tensor
    gradients: tf.Tensor


class _Walking(NamedTuple):
    """What changes along a walk, one row each.

    Attributes:
      point, state: where the row is, and what its path remembers.
      held: what the sum holds of the segment that ends at the point.
      values: what has been added up before.
      output: the explained output at the last point, or node, of that segment that was evaluated.
      steps_taken, stop: as in `Walked`; `Stop.RUNNING` for rows that still walk.
    """

    point: Points
    state: Any
    held: Any
    values: Points
    output: tf.Tensor
    steps_taken: tf.Tensor
    stop: tf.Tensor


def walk(
    model: Evaluator,
    path: Path,
    rule: Rule,
    rows: Rows,
    *,
    steps: tf.Tensor,
    tableau: Tableau,
    rows_per_pass: tf.Tensor,
    keep: Keep,
    static: bool = False,
    on_step: Callable[[tf.Tensor], None] | None = None,
) -> Walked:
    """Walks all rows at once and integrates.

    Args:
      model: what is explained.
      path: where to walk.
      rule: what is added up on each segment; its interior nodes are given as `tableau`.
      rows: the batch.
      steps: int32 scalar, the limit K of segments.
      tableau: positions and weights of the rule's interior nodes.
      rows_per_pass: int32 scalar; interior nodes are evaluated together as long as a pass has no more rows than this.
      keep: what to keep of the path.
      static: keep all shapes as they are, as XLA wants it: rows that have ended are evaluated on, to no effect.
      on_step: called with the number of steps that were taken, or that will not be, for progress.

    Returns:
      The walk's result.
    """
    refined = rule.tolerance is not None  # then the sum is made afterwards, over the points
    sum_ = sums.of(rule)
    points_kept = Keep(path=True) if refined else keep

    def evaluate(point: Points, here: Rows, last: bool = False) -> Seen:
        for_the_sum = not refined and bool(rule.end if last else rule.uses_endpoints)
        return model.evaluate(
            point,
            here,
            path,
            output_gradient=for_the_sum or (path.needs_output_gradient and not last),
            objective_gradient=path.needs_objective_gradient and not last,
        )

    def arrive(at: _Walking, seen: Seen, first: tf.Tensor | bool = False) -> _Walking:
        """What the segment that ends here adds; before the first step there is none."""
        values = at.values
        if not refined:
            values = _plus(values, sum_.arrive(at.held, tf.where(first, seen.output, at.output), seen))
        stop = tf.where(_finite(seen), at.stop, int(Stop.NOT_FINITE))
        return at._replace(values=values, output=seen.output, stop=stop)

    def go(at: _Walking, here: Rows, seen: Seen) -> _Walking:
        """A step of the rows that take one."""
        to, displacement, curve, state, stop = path.step(at.point, seen, here, at.state)
        if path.stops:
            at = at._replace(stop=tf.where(at.stop == Stop.RUNNING, stop, at.stop))
        moved = at._replace(point=to, state=state, steps_taken=at.steps_taken + 1)
        if not refined:
            added, held = sum_.depart(seen, displacement)
            values, output = _plus(at.values, added), at.output
            if rule.nodes:
                segment = curve or line(at.point, displacement)
                if rule.noise:
                    segment = shaken(segment, rule, path.bounds(here), here.number, at.steps_taken)
                fitting = None if static else together(rows_per_pass, here)  # XLA cannot cut pieces of unequal size
                inner, held, output = sum_.between(held, output, segment, tableau, look_with(model, here), fitting)
                values = _plus(values, inner)
            moved = moved._replace(values=values, held=held, output=output)
        if not path.stops:
            return moved
        # A step that is not finite counts as taken, as it does where rows do not stop: errors name it.
        goes = (at.stop == Stop.RUNNING) | (at.stop == Stop.NOT_FINITE)
        if static:
            return where(goes, moved, at)
        return tf.cond(tf.reduce_all(goes), lambda: moved, lambda: where(goes, moved, at))

    def body(step: tf.Tensor, walking: _Walking, curves: Any, points: Any) -> Any:
        alive = Alive(walking.stop == Stop.RUNNING, stops=path.stops, static=static)
        here, at = alive.take(rows), alive.take(walking)
        seen = evaluate(at.point, here)
        curves = _record(curves, step, alive, seen)
        after = alive.put(walking, go(arrive(at, seen, first=step == 0), here, seen))
        points = trail.write(points, points_kept, step, after.point)
        if on_step is not None:
            on_step(tf.reduce_sum(after.steps_taken) - tf.reduce_sum(walking.steps_taken))
        return step + 1, after, curves, points

    def unfinished(step: tf.Tensor, walking: _Walking, *_: Any) -> tf.Tensor:
        sound = tf.reduce_all(walking.stop != Stop.NOT_FINITE)
        return (step < steps) & sound & tf.reduce_any(walking.stop == Stop.RUNNING)

    def arrive_at_last(step: tf.Tensor, walking: _Walking, curves: Any) -> tuple[_Walking, Any]:
        """The end of the rows that went as far as the limit."""
        alive = Alive(walking.stop == Stop.RUNNING, stops=path.stops, static=static)
        here, at = alive.take(rows), alive.take(walking)
        seen = evaluate(at.point, here, last=True)
        at = arrive(at, seen)
        at = at._replace(stop=tf.where(at.stop == Stop.RUNNING, path.at_the_limit(here, at.state), at.stop))
        return alive.put(walking, at), _record(curves, step, alive, seen)

    start = path.start(rows)
    leaf = tf.nest.flatten(start)[0]
    size, dtype = tf.shape(leaf)[0], leaf.dtype
    zeros, none = tf.nest.map_structure(tf.zeros_like, start), tf.zeros([size], tf.int32)
    walking = _Walking(
        point=start,
        state=path.init(rows, steps),
        held=() if refined or not sum_.holds else zeros,
        values=zeros,
        output=tf.zeros([size], dtype),
        steps_taken=none,
        stop=none,
    )
    curve = tf.zeros([steps + 1, size], dtype)
    step, walking, curves, points = tf.while_loop(
        unfinished,
        body,
        (tf.constant(0), walking, (curve, curve), trail.begin(points_kept, steps, start)),
        parallel_iterations=1,
        maximum_iterations=steps,
    )
    if path.stops and not static:
        walking, curves = tf.cond(
            tf.reduce_any(walking.stop == Stop.RUNNING),
            lambda: arrive_at_last(step, walking, curves),
            lambda: (walking, curves),
        )
    else:
        walking, curves = arrive_at_last(step, walking, curves)
    if on_step is not None and path.stops:
        on_step(steps * size - tf.reduce_sum(walking.steps_taken))
    outputs, objectives = (_stays(curve, walking.steps_taken) for curve in curves)
    points = trail.end(points, points_kept, step, walking.point)
    values = walking.values
    gradients = none
    if refined:
        taken = walking.steps_taken
        values, gradients = refine(model, rule, rows, points, outputs, taken, tableau, rows_per_pass)
        points = trail.thin(points, keep, steps)
    if path.starts_at_explicand:
        values = tf.nest.map_structure(tf.negative, values)
    return Walked(
        values=values,
        start=start,
        end=walking.point,
        outputs=outputs,
        objectives=objectives,
        path=points,
        steps_taken=walking.steps_taken,
        stop=tf.where(_all_finite(values, size), walking.stop, int(Stop.NOT_FINITE)),
        gradients=gradients,
    )


def _plus(values: Points, added: Points | None) -> Points:
    return values if added is None else tf.nest.map_structure(tf.add, values, added)


def _record(curves: Any, step: tf.Tensor, alive: Alive, seen: Seen) -> Any:
    """Output and objective of the living rows at point number `step`."""
    index = alive.index
    at = tf.stack([tf.fill(tf.shape(index), step), index], axis=-1)
    outputs, objectives = curves
    return (
        tf.tensor_scatter_nd_update(outputs, at, seen.output),
        tf.tensor_scatter_nd_update(objectives, at, seen.objective),
    )


def _stays(curve: tf.Tensor, steps_taken: tf.Tensor) -> tf.Tensor:
    """A curve `[K + 1, B]` that stays what it was where the row ended."""
    at = tf.minimum(tf.range(tf.shape(curve)[0])[None], steps_taken[:, None])
    return tf.transpose(tf.gather(tf.transpose(curve), at, batch_dims=1))


def _finite(seen: Seen) -> tf.Tensor:
    everything = (seen.output, seen.objective, seen.output_gradient, seen.objective_gradient)
    return _all_finite(everything, tf.size(seen.output))


def _all_finite(structure: Any, size: tf.Tensor) -> tf.Tensor:
    """Bool `[B]`: whether every value of a row is finite."""
    finite = tf.ones([size], tf.bool)
    for x in tf.nest.flatten(structure):
        # A sum is finite unless a term is not (or it overflows, which is no better), and costs one pass.
        finite &= tf.math.is_finite(tf.reduce_sum(tf.reshape(x, [size, -1]), axis=-1))
    return finite

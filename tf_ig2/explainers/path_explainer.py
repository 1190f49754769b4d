"""What all explainers that walk a path share: a request, handed to a compiled `Walk`, some explicands at a time."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import keras
import numpy as np
import tensorflow as tf

from tf_ig2 import fingerprint, validation
from tf_ig2.attribution import Attribution
from tf_ig2.compiled import compiled
from tf_ig2.contrasts.contrast import Given
from tf_ig2.explainers import progress
from tf_ig2.explainers.base import Explainer
from tf_ig2.explainers.collector import Collector
from tf_ig2.explainers.graphs import Graphs
from tf_ig2.explainers.micro_batches import micro_batches
from tf_ig2.explainers.request import Request, take
from tf_ig2.models.explained_output import ExplainedOutput
from tf_ig2.models.model_view import ModelView
from tf_ig2.pair.callback_view import CallbackView, CallModelFunction, as_explicand
from tf_ig2.paths.base import Evaluator, Path, Stop
from tf_ig2.paths.keep import Keep, checked
from tf_ig2.paths.plan import Explained, Walk
from tf_ig2.paths.sums import Tableau

_MANY_STEPS = 50
"""From this many steps on, tracing a path's step is worth it, though the walk itself is eager."""

_EAGER_ROWS, _EAGER_VALUES = 128, 2**22
"""Rows, and values of them, that a walk with a callback takes together: its own work is eager, and row by row it would
cost more than a cheap callback."""

Run = Callable[[Any, Any, Any, Any, Tableau, int, int], Explained]
"""`(explicand, inside, target, given, tableau, batch_size, bar) -> Explained` of n explicands."""


class PathExplainer(Explainer):
    """A walk and a model: what is common to all explainers that walk. Subclasses give `explain` its signature.

    Args:
      model: a built `keras.Model`, a `ModelView`, or None to use `call_model_function` alone.
      walk: where to walk, what to add up, and what to contrast with; or what makes that of the model's view.
      own: the explainer's settings, by the names of its arguments; they can be given to `GetMask`, for one call.
      jit_compile: compile the walk with XLA, all references of an explicand in one pass. Measure before: it pays on
        some GPUs, and costs on CPUs.
      **model_options: see `Explainer`.

    Raises:
      TypeError: a part of the walk cannot be hashed.
      ValueError: `jit_compile` for a rule with a tolerance, whose number of nodes is not known beforehand.

    Attributes:
      walk: the walk; explainers, SavedModels and batch jobs share it.
    """

    _pair_names: ClassVar[Mapping[str, str]] = {}
    """PAIR's names of arguments of `GetMask`, and ours."""

    _keep: ClassVar[Keep] = Keep()
    """What is kept unless `keep` says otherwise."""

    _callback_batch: ClassVar[int] = 1
    """Rows that a callback gets unless `batch_size` says otherwise: as PAIR has it, who write callbacks for one."""

    def __init__(
        self,
        model: keras.Model | ModelView | None,
        *,
        walk: Walk | Callable[[ModelView | None], Walk],
        own: Mapping[str, Any],
        jit_compile: bool = False,
        **model_options: Any,
    ):
        super().__init__(model, **model_options)
        self.walk = walk if isinstance(walk, Walk) else walk(self._view)
        try:
            hash(self.walk)
        except TypeError as error:
            raise TypeError(
                f"Compiled graphs are kept by their walk, and a part of this one cannot be hashed ({error}): make "
                "paths, rules, contrasts, norms and distances of your own frozen dataclasses."
            ) from error
        if jit_compile and self.walk.rule.tolerance is not None:
            raise ValueError("`jit_compile` wants fixed shapes, and `completeness_tolerance` adds nodes as it goes.")
        self._own = dict(own)
        self._jit_compile = jit_compile
        self._graphs = Graphs()

    @property
    def steps(self) -> int:
        """What users call steps."""
        return self._own.get("steps", self.walk.segments)

    def _callback_walk(self) -> Walk:
        """The walk with a callback in the place of the model."""
        return self.walk

    def _within_bounds(self, x: np.ndarray) -> np.ndarray:
        bounds = self.walk.contrast.bounds
        return x if bounds is None else np.clip(x, *bounds)

    def _arguments(self) -> dict[str, Any]:
        return {**self._own, "jit_compile": self._jit_compile}

    def _settings(self) -> dict[str, Any]:
        own = {
            name: value if value is None or isinstance(value, (int, float, str)) else repr(value)
            for name, value in self._own.items()
        }
        return {**super()._settings(), "steps": self.steps, **own}

    def _understand(self, options: dict[str, Any]) -> tuple[PathExplainer, dict[str, Any]]:
        options = {self._pair_names.get(name, name): value for name, value in options.items()}
        changed = {name: options.pop(name) for name in self._own if name in options}
        if not changed:
            return self, options
        other = type(self)(self._view, **{**self._arguments(), **changed})
        other._graphs = self._graphs
        return other, options

    def _explain(
        self, x: Any, contrast: Any, target: Any, batch_size: int, keep: Keep | None, verbose: bool
    ) -> Attribution:
        """The line that every `explain` goes down: request, contrast, walk."""
        keep = checked(keep, self._keep)
        request = Request.of(self.view, x, target, batch_size)
        batch_size = request.batch_size
        given = self.walk.contrast.give(self.view, contrast, request.distinct, batch_size).repeated(request.each)
        run = self._compiled(request.model, keep, given.own)
        return request.shaped(self._collect(run, self.walk, request, given, batch_size, keep, verbose))

    def _explain_callback(
        self,
        x_value: Any,
        call_model_function: CallModelFunction,
        call_model_args: Any,
        batch_size: int | None = None,
        keep: Keep | None = None,
        verbose: bool = False,
        **contrast: Any,
    ) -> Attribution:
        """The same walk, eagerly, with the gradients of a callback."""
        walk = self._callback_walk()
        names = sorted({walk.contrast.argument, "references"}) if walk.contrast.argument else []
        if len(contrast) > 1 or set(contrast) - set(names) or (walk.contrast.required and not contrast):
            raise TypeError(
                f"With a callback {type(self).__name__} takes {names}, batch_size, keep and verbose, not "
                f"{sorted(contrast)}."
            )
        batch_size = self._callback_batch if batch_size is None else validation.batch_size(batch_size)
        x = as_explicand(x_value)
        needs_outputs = walk.rule.needs_outputs
        view = CallbackView(call_model_function, call_model_args, x, outputs=needs_outputs, batch_size=batch_size)
        rows = min(_EAGER_ROWS, _EAGER_VALUES // max(1, x.size))
        batch_size *= max(1, rows // batch_size)  # of the walk: the view asks for fewer at a time
        explicand, _ = validation.batch("x_value", x[None], view.inputs_spec)
        request = Request(explicand, explicand, (), None, None, True, batch_size, view)  # type: ignore[arg-type]
        given = walk.contrast.give(view, next(iter(contrast.values()), None), explicand, batch_size)
        keep = checked(keep, self._keep)
        if walk.segments >= _MANY_STEPS and not walk.rule.nodes:
            path = walk.path
            walk = walk.replace(path=self._graphs.get(("steps", path), lambda: _TracedSteps(path)))

        def run(*request: Any) -> Explained:
            return _run(walk, view, keep, given.own, False, *request)

        return self._collect(run, walk, request, given, batch_size, keep, verbose)[0]

    def _collect(
        self, run: Run, walk: Walk, request: Request, given: Given, batch_size: int, keep: Keep, verbose: bool
    ) -> Attribution:
        """Walks all (explicand, reference) pairs, about `batch_size` at a time."""
        explicand = request.explicand
        inputs = request.inputs if request.inputs is not explicand else None
        collector = Collector(explicand, inputs, given.count, walk.segments, keep, walk.summed)
        tableau = walk.tableau(given.count, tf.nest.flatten(explicand)[0].dtype)
        # What all explicands share goes to the device once.
        shared = () if given.own else tf.nest.map_structure(tf.constant, given.part(slice(None)))
        total = len(request) * given.count * walk.segments
        with progress.bar(total, "step", type(self).__name__, verbose) as bar:

            def some(rows: np.ndarray, batch_size: int) -> Explained:
                part = slice(int(rows[0]), int(rows[-1]) + 1)
                own = tf.nest.map_structure(tf.constant, given.part(part)) if given.own else shared
                here, inside = take(explicand, part), take(request.inside, part)
                return run(here, inside, request.index(part), own, tableau, batch_size, bar)

            groups = micro_batches(len(request), batch_size, some, stacklevel=4, passes_of=given.count)
            for rows, explained in groups:
                broken = (explained.stop.numpy() == Stop.NOT_FINITE).any(axis=1)
                if broken.any():
                    step = int(explained.steps_taken.numpy()[broken].max()) - 1
                    done = int(rows[0])
                    finished = collector.attribution(request.indices, self._settings())[:done] if done else None
                    raise request.failed(max(step, 0), rows[broken], finished)
                collector.add(rows, explained)
        return collector.attribution(request.indices, self._settings())

    def _compiled(self, model: ExplainedOutput, keep: Keep, own: bool) -> Run:
        """The compiled walk of a model, traced once: numbers of explicands and references, steps and nodes are free."""
        walk, static = self.walk, self._jit_compile
        # The nodes come with each call; that there are any is what a graph depends on.
        some = (0.0,) if walk.rule.nodes else ()
        rule = dataclasses.replace(walk.rule, nodes=some, weights=some)
        kind = (walk.replace(rule=rule, segments=1), model.target, keep, own)

        def run(*request: Any) -> Explained:
            explicand, inside, target, given, tableau, batch_size, bar = request
            numbers = (tf.constant(batch_size), tf.constant(bar, tf.int64), tf.constant(walk.segments))
            arguments = (explicand, inside, target, given, tableau, *numbers)
            specs = (
                *(_free(part, 1) for part in (explicand, inside, target)),
                _free(given, 2 if own else 1),
                _free(tableau, 2),
                *(_free(number, 0) for number in numbers),
            )

            def make() -> Any:
                return compiled(
                    lambda *request: _run(walk, model, keep, own, static, *request), specs, jit_compile=static or None
                )

            own_functions = _computed(walk, model, explicand)
            return self._graphs.get((kind, own_functions, tuple(tf.nest.flatten(specs))), make)(*arguments)

        return run


class _TracedSteps:
    """A path, for a walk with a callback, whose steps alone are compiled; for sums that need no curve in between."""

    def __init__(self, path: Path):
        self._path = path
        self.step = tf.function(
            lambda *here: path.step(*here)._replace(curve=None), autograph=False, reduce_retracing=True
        )

    def __getattr__(self, name: str) -> Any:
        return getattr(self._path, name)


def _computed(walk: Walk, model: ExplainedOutput, explicand: Any) -> tuple[fingerprint.Computed, ...]:
    """What the user's own functions compute that the path calls, as they are now."""
    parts = tf.nest.flatten(explicand)
    point = tf.TensorSpec([None, sum(math.prod(part.shape[1:]) for part in parts)], parts[0].dtype)
    representation = point
    if walk.path.needs_representation:
        spec = model.view.representation_spec
        sizes = spec.shape[1:]
        representation = tf.TensorSpec([None, math.prod(sizes) if sizes.is_fully_defined() else None], spec.dtype)
    return tuple(
        fingerprint.Computed(function, *specs) for function, specs in walk.path.functions(point, representation)
    )


def _free(structure: Any, axes: int) -> Any:
    """The specs of a structure of tensors whose first axes may have any size."""
    return tf.nest.map_structure(
        lambda x: tf.TensorSpec([None if axis < axes else size for axis, size in enumerate(x.shape)], x.dtype),
        structure,
    )


def _run(
    walk: Walk,
    model: Evaluator,
    keep: Keep,
    own: bool,
    static: bool,
    explicand: Any,
    inside: Any,
    target: Any,
    given: Any,
    tableau: Tableau,
    batch_size: Any,
    bar: Any,
    steps: Any = None,
) -> Explained:
    """One call of a walk, eager or traced."""
    return walk.explain(
        model,
        explicand,
        inside,
        target,
        given,
        own,
        steps=tf.constant(walk.segments) if steps is None else steps,
        tableau=tableau,
        batch_size=tf.convert_to_tensor(batch_size),
        keep=keep,
        static=static,
        on_step=None if static else progress.reporter(tf.convert_to_tensor(bar, tf.int64)),
    )

"""What all explainers that walk a path share: micro-batches and the compiled walk."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import keras
import numpy as np
import tensorflow as tf
from tqdm.auto import tqdm

from tf_ig2 import validation
from tf_ig2.attribution import Attribution
from tf_ig2.callback_view import CallbackView, CallModelFunction
from tf_ig2.errors import NonFiniteGradientError
from tf_ig2.explained_output import ExplainedOutput, Target
from tf_ig2.explainers.base import Explainer, take
from tf_ig2.explainers.collector import Collector
from tf_ig2.explainers.micro_batches import micro_batches
from tf_ig2.model_view import ModelView
from tf_ig2.paths.base import Path, Rows, View
from tf_ig2.paths.integrate import Keep, Tableau, Walked, walk
from tf_ig2.paths.rules import Rule


@dataclass(frozen=True)
class Contrasts:
    """What the explicands are contrasted with.

    Attributes:
      count: R, references per explicand; an int32 scalar tensor inside a graph.
      rows: `(i, r) -> contrast`, the path's contrast for the explicands and references with numbers i and r,
        int arrays or tensors `[B]`.
    """

    count: Any
    rows: Callable[[Any, Any], Any]


class PathExplainer(Explainer):
    """A path, a rule, and a model: what is common to all explainers that walk.

    Subclasses say what the explicand is contrasted with (`_contrasts`) and give `explain` its signature.

    Args:
      model: a built `keras.Model`, a `ModelView`, or None to use `call_model_function` alone.
      path: where to walk.
      rule: how to integrate on each segment.
      steps: what users call steps.
      segments: K, the number of segments; None: as many as steps. One, when the rule holds a node for every step.
      own: the explainer's other settings, by the names of its arguments; `steps` and these can be given to `GetMask`,
        for one call.
      jit_compile: compile the walk with XLA. Measure before: it pays on some GPUs, and costs on CPUs.
      **model_options: see `Explainer`.
    """

    _pair_names: ClassVar[Mapping[str, str]] = {}
    """PAIR's names of arguments of `GetMask`, and ours."""
    _contrast_names: ClassVar[tuple[str, ...]] = ()
    """The argument that says what to contrast with; none: the method needs nothing."""
    _needs_contrast: ClassVar[bool] = False

    def __init__(
        self,
        model: keras.Model | ModelView | None,
        *,
        path: Path,
        rule: Rule,
        steps: int,
        segments: int | None = None,
        own: Mapping[str, Any] | None = None,
        jit_compile: bool = False,
        **model_options: Any,
    ):
        self.steps = validation.positive("steps", steps, integer=True)
        self._segments = self.steps if segments is None else segments
        self._own = dict(own or {})
        self._path, self._rule, self._jit_compile = path, rule, jit_compile
        self._compiled: dict[Any, Any] = {}
        self._bar: list[Any] = []
        super().__init__(model, **model_options)

    def _contrasts(self, view: Any, explicand: Any, contrast: Any, batch_size: int) -> Contrasts:
        """Checks and prepares what the explicands, structure of arrays `[N, ...]`, are contrasted with."""
        raise NotImplementedError

    def _bake(self, contrast: Any) -> Any:
        """What of a contrast an exported explainer carries with it: a structure of arrays."""
        raise NotImplementedError(f"{type(self).__name__} has no compiled contrast, and cannot be exported.")

    @property
    def _received_spec(self) -> Any:
        """Structure of `tf.TensorSpec([None, ...])`: the contrast that may come with a request."""
        return self.view.inputs_spec

    def _receive(self, contrast: Any) -> Any:
        """What `_bake` gives, inside a graph, for tensors `[R, ...]` that come with a request."""
        raise NotImplementedError(f"{type(self).__name__} takes no contrast with a request.")

    def _contrasts_in_graph(self, explicand: Any, baked: Any) -> Contrasts:
        """`_contrasts` inside a graph, for an explicand `[N, ...]` and what `_bake` or `_receive` gave, as tensors."""
        raise NotImplementedError(f"{type(self).__name__} has no compiled contrast, and cannot be exported.")

    @property
    def _bounds(self) -> tuple[float, float] | None:
        """The range that explicands must lie in, if there is one."""
        return None

    def _tableau(self, references: np.ndarray, dtype: Any) -> Tableau:
        """The rule's interior nodes, for rows with these reference numbers, int `[B]`."""
        return Tableau(tf.constant(self._rule.nodes, dtype), tf.constant(self._rule.weights, dtype))

    def _settings(self) -> dict[str, Any]:
        own = {
            name: value if isinstance(value, (int, float, str)) else repr(value) for name, value in self._own.items()
        }
        return {**super()._settings(), "steps": self.steps, **own}

    def _understand(self, options: dict[str, Any]) -> tuple[PathExplainer, dict[str, Any]]:
        options = {self._pair_names.get(name, name): value for name, value in options.items()}
        changed = {name: options.pop(name) for name in ("steps", *self._own) if name in options}
        if not changed or not self._own:
            return self, {**options, **changed}
        settings = {"steps": self.steps, **self._own, **changed}
        other = type(self)(self._view, jit_compile=self._jit_compile, **settings)
        other._compiled, other._bar = self._compiled, self._bar
        return other, options

    def _explain(self, x: Any, contrast: Any, target: Any, batch_size: int, keep: Keep, verbose: bool) -> Attribution:
        """The line that every `explain` goes down: door, contrast, walk in micro-batches, average."""
        view = self.view
        inputs, single = self._door(x)
        validation.positive("batch_size", batch_size, integer=True)
        given = target if callable(target) else None
        indices = None if callable(target) else self._predicted(inputs, target, batch_size)
        explicand = inputs
        if view.attributes_inside:
            size = len(tf.nest.flatten(inputs)[0])
            parts = [
                view.points(take(inputs, slice(first, first + batch_size))) for first in range(0, size, batch_size)
            ]
            explicand = tf.nest.map_structure(lambda *part: np.concatenate([p.numpy() for p in part]), *parts)
        contrasts = self._contrasts(view, explicand, contrast, batch_size)

        def rows(i: np.ndarray, r: np.ndarray) -> Rows:
            return Rows(
                explicand=take(explicand, i),
                inputs=take(inputs, i) if view.attributes_inside else (),
                target=() if indices is None else tf.constant(indices[i]),
                contrast=contrasts.rows(i, r),
            )

        def walk_rows(batch: Rows, tableau: Tableau, rows_per_pass: int) -> Walked:
            function = self._function(given, keep, verbose and not self._jit_compile, batch, tableau)
            return function(batch, tf.constant(self._segments), tableau, tf.constant(rows_per_pass))

        explanation = self._collect(
            explicand, int(contrasts.count), rows, walk_rows, indices, batch_size, keep, verbose
        )
        return explanation[0] if single else explanation

    def _explain_callback(
        self,
        x_value: Any,
        call_model_function: CallModelFunction,
        call_model_args: dict | None,
        batch_size: int = 32,
        keep: Keep | None = None,
        verbose: bool = False,
        **contrast: Any,
    ) -> Attribution:
        """The same walk, eagerly, with the gradients of a callback."""
        unknown = sorted(set(contrast) - set(self._contrast_names))
        if unknown or len(contrast) > 1 or (self._needs_contrast and not contrast):
            raise TypeError(
                f"With a callback {type(self).__name__} takes {list(self._contrast_names)}, batch_size, keep and "
                f"verbose, not {sorted(contrast)}."
            )
        x = np.asarray(x_value)
        view = CallbackView(call_model_function, call_model_args, x)
        explicand, _ = validation.batch("x_value", x[None], view.inputs_spec)
        contrasts = self._contrasts(view, explicand, next(iter(contrast.values()), None), batch_size)

        def rows(i: np.ndarray, r: np.ndarray) -> Rows:
            return Rows(take(explicand, i), (), (), contrasts.rows(i, r))

        def walk_rows(batch: Rows, tableau: Tableau, rows_per_pass: int) -> Walked:
            return self._walk(
                view, keep or Keep(), verbose, batch, tf.constant(self._segments), tableau, tf.constant(rows_per_pass)
            )

        return self._collect(
            explicand, int(contrasts.count), rows, walk_rows, None, batch_size, keep or Keep(), verbose
        )[0]

    def _collect(
        self,
        explicand: Any,
        references: int,
        rows: Callable[[np.ndarray, np.ndarray], Rows],
        walk_rows: Callable[[Rows, Tableau, int], Walked],
        indices: np.ndarray | None,
        batch_size: int,
        keep: Keep,
        verbose: bool,
    ) -> Attribution:
        """Walks all (explicand, reference) pairs, `batch_size` at a time."""
        first = tf.nest.flatten(explicand)[0]
        collector = Collector(explicand, references, self._segments, keep, reverse=not self._path.starts_at_explicand)
        total = len(first) * references

        def run(pairs: np.ndarray, batch_size: int) -> Walked:
            explicands, numbers = pairs // references, pairs % references
            return walk_rows(rows(explicands, numbers), self._tableau(numbers, first.dtype), batch_size)

        with tqdm(total=total * self._segments, unit="step", desc=type(self).__name__, disable=not verbose) as bar:
            self._bar[:] = [bar]
            for pairs, walked in micro_batches(total, batch_size, run, stacklevel=4):
                finite = walked.finite.numpy()
                if not finite.all():
                    step = max(int(walked.steps_taken) - 1, 0)
                    done = pairs[0] // references
                    finished = collector.attribution(indices, self._settings())[:done] if done else None
                    raise NonFiniteGradientError(step, np.unique(pairs[~finite] // references), finished)
                collector.add(pairs[0], walked, self._path.distance_value(walked.objectives))
                if self._jit_compile:
                    self._tick(len(pairs) * self._segments)
        self._bar.clear()
        return collector.attribution(indices, self._settings())

    def _walk(
        self,
        view: View,
        keep: Keep,
        report: bool,
        rows: Rows,
        steps: tf.Tensor,
        tableau: Tableau,
        rows_per_pass: tf.Tensor,
    ) -> Walked:
        def on_step(size: tf.Tensor) -> None:
            tf.numpy_function(self._tick, [size], [])

        return walk(
            view,
            self._path,
            self._rule,
            rows,
            steps=steps,
            tableau=tableau,
            rows_per_pass=rows_per_pass,
            keep=keep,
            on_step=on_step if report else None,
        )

    def _function(self, target: Target | None, keep: Keep, report: bool, rows: Rows, tableau: Tableau) -> Any:
        """The compiled walk for rows of this kind, traced once: batch size, steps and nodes are free."""
        rows_spec = tf.nest.map_structure(lambda x: tf.TensorSpec([None, *x.shape[1:]], x.dtype), rows)
        dtype = tf.nest.flatten(rows.explicand)[0].dtype
        tableau_spec = Tableau(*(tf.TensorSpec([None] * part.shape.rank, dtype) for part in tableau))
        scalar = tf.TensorSpec([], tf.int32)
        rule = (self._rule.start, self._rule.end, bool(self._rule.nodes))
        key = (self._path, rule, target, keep, report, tuple(tf.nest.flatten(rows_spec)), tableau_spec)
        if key not in self._compiled:
            view = ExplainedOutput(self.view, target)
            self._compiled[key] = tf.function(
                functools.partial(self._walk, view, keep, report),
                input_signature=[rows_spec, scalar, tableau_spec, scalar],
                autograph=False,
                jit_compile=self._jit_compile or None,
            )
        return self._compiled[key]

    def _tick(self, count: int) -> None:
        for bar in self._bar:
            bar.update(int(count))

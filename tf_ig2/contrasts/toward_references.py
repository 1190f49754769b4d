"""The contrast of GradPath: the references' representations, and the range and the step of each explicand."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from tf_ig2 import validation
from tf_ig2.contrasts import value_range
from tf_ig2.contrasts.contrast import Contrast, Given, Prepared, count, gather
from tf_ig2.contrasts.references import Representations, represent
from tf_ig2.pair.callback_view import CallbackView
from tf_ig2.paths.base import Evaluator, Points
from tf_ig2.paths.gradpath import GradPathContrast
from tf_ig2.paths.normalizers import Normalizer

STEP_FRACTION = 0.04
"""A step made of the value range alone has this fraction of the diagonal of the box that clipping confines it to."""


@dataclass(frozen=True)
class TowardReferences(Contrast):
    """References, toward whose representations a path goes.

    Attributes:
      clip: `"auto"`, the range of the explicand and its references, input by input; (low, high); None: no clipping.
      step_size: in the units of the input, in the norm of the normalizer; `"range"`: `STEP_FRACTION` of the diagonal of
        the box of the range; None: the path knows.
      normalizer: the path's.
    """

    clip: str | tuple[float, float] | None
    step_size: float | str | None
    normalizer: Normalizer
    argument = "references"
    required = True

    @property
    def bounds(self) -> tuple[float, float] | None:
        return self.clip if isinstance(self.clip, tuple) else None

    def give(self, view: Any, value: Any, explicand: Any, batch_size: int) -> Given:
        explicands = len(tf.nest.flatten(explicand)[0])
        if isinstance(view, CallbackView):
            represented, own = self._represented_by(view, value), False
        else:
            represented = represent(view, value, explicands, batch_size)
            own = represented.values.ndim == view.representation_spec.shape.rank + 1
        self._check_bounds(explicand)
        return Given.of(represented.known, own)

    def bake(self, view: Any, value: Any) -> dict[str, Any]:
        return represent(view, value, 0, 32).known

    def received_spec(self, view: Any) -> Any:
        return view.inputs_spec

    def receive(self, view: Any, value: Points) -> dict[str, Any]:
        points, inside = view.enter(value)
        low, high = value_range.of_samples(points)
        representation, outputs = view.represent(points, inside)
        return {"representation": representation, "low": low, "high": high, "outputs": outputs}

    def prepare(
        self, model: Evaluator, explicand: Points, inside: Points, target: Any, given: dict[str, Any], own: bool
    ) -> Prepared:
        low, high = value_range.with_references(explicand, given.get("low"), given.get("high"))
        step_size = self._step_size(explicand, low, high)
        low, high = self._clip(low, high)
        outputs = given.get("outputs")

        def rows(i: tf.Tensor, r: tf.Tensor) -> GradPathContrast:
            index = () if isinstance(target, tuple) else tf.gather(target, i)
            return GradPathContrast(
                representation=gather(given["representation"], own, i, r),
                step_size=() if step_size is None else tf.gather(step_size, i),
                low=tf.nest.map_structure(lambda x: tf.gather(x, i), low),
                high=tf.nest.map_structure(lambda x: tf.gather(x, i), high),
                output=() if outputs is None else model.select(gather(outputs, own, i, r), index),
            )

        return Prepared(count(given["representation"], own), rows)

    def _represented_by(self, view: CallbackView, value: Any) -> Representations:
        """The callback keeps the representations; rows have their numbers."""
        references, _ = validation.contrasts("references", np.asarray(value), view.inputs_spec, 1)
        references = references.reshape(-1, *references.shape[-len(view.inputs_spec.shape) + 1 :])
        view.represent(references)
        flat = references.reshape(len(references), -1)
        return Representations(np.arange(len(references)), flat.min(axis=1), flat.max(axis=1))

    def _check_bounds(self, explicand: Any) -> None:
        if self.bounds is None:
            return
        for part in tf.nest.flatten(explicand):
            if part.min() < self.bounds[0] or part.max() > self.bounds[1]:
                raise ValueError(
                    f"`clip_min_max` {self.bounds} does not contain the explicand, whose values lie in "
                    f"[{part.min():g}, {part.max():g}]."
                )

    def _step_size(self, explicand: Any, low: Any, high: Any) -> tf.Tensor | None:
        """The step size of each explicand, `[N]`."""
        if self.step_size is None:
            return None
        parts = tf.nest.flatten(explicand)
        if not isinstance(self.step_size, str):
            # As a Python number, so that a float64 walk does not take a step that was rounded to float32.
            return tf.fill([tf.shape(parts[0])[0]], tf.constant(self.step_size, parts[0].dtype))
        low, high = self._clip(low, high) if self.bounds is not None else (low, high)
        sizes = [math.prod(part.shape[1:]) for part in parts]
        squares = tf.add_n(
            [
                size * tf.square(tf.cast(top, tf.float64) - tf.cast(bottom, tf.float64))
                for size, bottom, top in zip(sizes, tf.nest.flatten(low), tf.nest.flatten(high), strict=True)
            ]
        )
        return tf.cast(STEP_FRACTION * tf.sqrt(squares) / self.normalizer.unit_length(sum(sizes)), parts[0].dtype)

    def _clip(self, low: Any, high: Any) -> tuple[Any, Any]:
        """The clipping range of each explicand, two structures of `[N]`."""
        if self.clip == "auto":
            return low, high
        edges = self.bounds or (-np.inf, np.inf)
        # Constants, not casts: `tf.cast` takes a Python number through float32.
        return (
            tf.nest.map_structure(lambda x: tf.fill(tf.shape(x), tf.constant(edges[0], x.dtype)), low),
            tf.nest.map_structure(lambda x: tf.fill(tf.shape(x), tf.constant(edges[1], x.dtype)), high),
        )

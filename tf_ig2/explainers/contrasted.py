"""The second argument of every `explain`: what an explicand is contrasted with, which is never a target."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf


def needed(references: Any, spec: Any, method: str) -> Any:
    """References of a method that cannot do without, as they came.

    Args:
      references: what users pass.
      spec: structure of `tf.TensorSpec([None, ...])` of the model's inputs.
      method: the explainer's name, for messages.

    Raises:
      TypeError: there are none, or it is a target.
    """
    if references is None:
        raise missing(method)
    if looks_like_target(references) and not _one_reference(references, spec):
        raise _a_target(references)
    return references


def one(name: str, references: Any, other: Any) -> Any:
    """What was given under one of two names; None if under neither.

    Raises:
      TypeError: both were given.
    """
    if references is not None and other is not None:
        raise TypeError(f"`references` and `{name}` are two names of one thing: pass one of them.")
    return other if references is None else references


def missing(method: str) -> TypeError:
    """The error of a method that nothing was given to contrast with."""
    return TypeError(
        f"Pass `references`: {method} contrasts with samples, of other classes or of the data, explain(x, references)."
    )


def ignored(references: Any) -> None:
    """References of a method that contrasts with nothing: any may be passed, so that explainers can be called alike.

    Raises:
      TypeError: it is a target.
    """
    if looks_like_target(references):
        raise _a_target(references)


def baseline(references: Any, spec: Any, method: str) -> Any:
    """The same for a method that knows numbers and names, too: a single integer is one.

    Raises:
      TypeError: there is nothing, or it is a target.
    """
    return references if isinstance(references, (int, np.integer)) else needed(references, spec, method)


def looks_like_target(value: Any) -> bool:
    """Whether something is an index, a sequence of indices, or a callable that is no `Baseline`."""
    if callable(value):
        return not hasattr(value, "count")
    if isinstance(value, (list, tuple)):
        return bool(value) and all(isinstance(part, (int, np.integer)) for part in value)
    if isinstance(value, (int, np.ndarray, np.generic, tf.Tensor)):
        array = np.asarray(value)
        return array.dtype.kind in "iu" and array.ndim < 2
    return False


def _one_reference(value: Any, spec: Any) -> bool:
    """Whether numbers `[F]` may be one sample of a model that takes vectors."""
    vectors = isinstance(spec, tf.TensorSpec) and spec.shape.rank == 2
    return vectors and not callable(value) and spec.shape[1:].is_compatible_with(np.shape(value))


def _a_target(value: Any) -> TypeError:
    short = not callable(value) and len(repr(value)) <= 60
    said = repr(value) if short or callable(value) else f"{type(value).__name__} of shape {np.shape(value)}"
    written = repr(value) if short else "…"
    return TypeError(f"`references` = {said} looks like a target: write `target={written}`.")

"""References: the samples of other classes that IG² walks toward, and their representations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from tf_ig2 import describe, validation
from tf_ig2.contrasts import value_range
from tf_ig2.models.model_view import ModelView


@dataclass(frozen=True, repr=False)
class Representations:
    """References as the model represents them: what IG² needs of them, without their pixels.

    Attributes:
      values: float array `[R, ...]`, or `[N, R, ...]` when every explicand has its own.
      low, high: structure like the input's of arrays `[R]` or `[N, R]`, the smallest and largest value of each
        reference, from which `"auto"` settings take the value range; None if not known.
      outputs: float array `[R, ...]` or `[N, R, ...]`, the model's outputs at the references; None if not known.
      source: `ModelView.source` of the model that they come from; None if not known, and then nobody can check it.

    Example:
      >>> import keras, tf_ig2
      >>> model = keras.Sequential([keras.Input([2]), keras.layers.Dense(4, "tanh"), keras.layers.Dense(3)])
      >>> references = tf_ig2.IG2Explainer(model).represent(np.ones([5, 2]))
      >>> references.values.shape
      (5, 4)
    """

    values: np.ndarray
    low: Any = None
    high: Any = None
    outputs: Any = None
    source: str | None = None

    @property
    def known(self) -> dict[str, Any]:
        """What is known, by name."""
        parts = {"representation": self.values, "low": self.low, "high": self.high, "outputs": self.outputs}
        return {name: part for name, part in parts.items() if part is not None}

    def __repr__(self) -> str:
        return f"<Representations {describe.specs(self.values)}; known: {', '.join(self.known)}>"


def from_dataset(dataset: tf.data.Dataset, spec: Any) -> Any:
    """Reads references from a finite dataset, of samples or of batches, with or without labels.

    Args:
      dataset: elements in the structure of `spec`, samples or batches of them, which each element's own number of axes
        says; or pairs (element, label).
      spec: structure of `tf.TensorSpec([None, ...])`.

    Returns:
      Structure of arrays `[R, ...]`.

    Raises:
      ValueError: the dataset is infinite or empty, or its elements have another structure or number of axes.
    """
    if dataset.cardinality() == tf.data.INFINITE_CARDINALITY:
        raise ValueError("`references` is an infinite dataset: take as many as you want, references.take(8).")
    elements = dataset.element_spec
    labelled = isinstance(elements, tuple) and len(elements) == 2 and not (isinstance(spec, tuple) and len(spec) == 2)
    if labelled:
        dataset, elements = dataset.map(lambda sample, label: sample), elements[0]
    try:
        tf.nest.assert_same_structure(elements, spec)
    except (TypeError, ValueError) as error:
        raise ValueError(f"`references` is a dataset of {elements}, but the model takes {spec}.") from error
    batches = [_as_batch(element, spec) for element in dataset.as_numpy_iterator()]
    if not batches:
        raise ValueError("`references` is an empty dataset.")
    try:
        return tf.nest.map_structure(lambda *parts: np.concatenate(parts), *batches)
    except ValueError as error:
        raise ValueError(f"`references` is a dataset whose elements have different shapes: {error}") from error


def _as_batch(element: Any, spec: Any) -> Any:
    """An element of a dataset as structure of arrays `[B, ...]`."""
    parts, specs = tf.nest.flatten(element), tf.nest.flatten(spec)
    missing = {expected.shape.rank - np.ndim(part) for part, expected in zip(parts, specs, strict=True)}
    if missing not in ({0}, {1}):
        raise ValueError(
            f"`references` is a dataset with an element of shape {[np.shape(part) for part in parts]}, but the model "
            f"takes samples of {[part.shape[1:].as_list() for part in specs]}, or batches of them."
        )
    return element if missing == {0} else tf.nest.map_structure(lambda part: np.asarray(part)[None], element)


def represent(view: ModelView, references: Any, explicands: int, batch_size: int) -> Representations:
    """Computes the representations of references, once, in batches.

    Args:
      view: the model.
      references: structure of arrays `[R, ...]` or `[N, R, ...]`, a `tf.data.Dataset`, or `Representations`.
      explicands: N.
      batch_size: samples per forward pass.

    Returns:
      Their representations, without their source; `Representations` are checked and passed on.

    Raises:
      TypeError, ValueError: as `tf_ig2.validation.contrasts`; or the `Representations` are another model's.
    """
    if isinstance(references, Representations):
        return _checked(references, view, explicands)
    if isinstance(references, tf.data.Dataset):
        references = from_dataset(references, view.inputs_spec)
    arrays, per_explicand = validation.contrasts("references", references, view.inputs_spec, explicands)
    leading = tf.nest.flatten(arrays)[0].shape[: 2 if per_explicand else 1]
    flat = tf.nest.map_structure(lambda x: x.reshape(-1, *x.shape[len(leading) :]), arrays)
    values, outputs, low, high = [], [], [], []
    for first in range(0, int(np.prod(leading)), batch_size):
        inputs = tf.nest.map_structure(lambda x, first=first: tf.constant(x[first : first + batch_size]), flat)
        points, inside = view.enter(inputs)
        representation, output = view.represent(points, inside)
        values.append(representation.numpy())
        outputs.append(output.numpy())
        lowest, highest = value_range.of_samples(points)
        low.append(tf.nest.map_structure(lambda x: x.numpy(), lowest))
        high.append(tf.nest.map_structure(lambda x: x.numpy(), highest))

    def joined(*parts: np.ndarray) -> np.ndarray:
        whole = np.concatenate(parts)
        return whole.reshape(*leading, *whole.shape[1:])

    return Representations(
        joined(*values),
        tf.nest.map_structure(joined, *low),
        tf.nest.map_structure(joined, *high),
        joined(*outputs),
    )


def _checked(references: Representations, view: ModelView, explicands: int) -> Representations:
    values, _ = validation.contrasts("references", references.values, view.representation_spec, explicands)
    if references.source not in (None, view.source):
        raise ValueError(
            "`references` are representations of another model, layer or pool, or of the weights that the model had "
            "before: call `represent` again."
        )
    return Representations(values, references.low, references.high, references.outputs, references.source)

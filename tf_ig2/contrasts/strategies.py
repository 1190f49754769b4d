"""Which samples to take as references (section 7.1 of the paper).

A strategy looks at labels alone and returns indices `[N, R]`, R references for each of N explicands; `gather` fetches
the samples. Both take arrays or a `tf.data.Dataset`, which need not fit into memory.

Example:
  >>> import numpy as np
  >>> samples, labels = np.random.rand(30, 5), np.arange(30) % 3
  >>> indices = uniform(labels, explained=[0, 2], per_class=2, seed=1)
  >>> references = gather(samples, indices)
  >>> references.shape
  (2, 4, 5)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from tf_ig2 import validation


def uniform(
    labels: Any,
    explained: Any,
    *,
    per_class: int = 1,
    classes: int | None = None,
    seed: int | None = None,
) -> np.ndarray:
    """The paper's default: samples drawn uniformly from the other classes, a few of each.

    Args:
      labels: int array `[M]`, the classes of the samples to choose from, or a dataset of pairs (sample, class).
      explained: int array `[N]`, or one int, the class that is explained of each explicand.
      per_class: samples per class, drawn without replacement.
      classes: from how many other classes, drawn anew for every explicand; None: from all.
      seed: seed of the draws.

    Returns:
      Indices into the samples, int64 `[N, R]`; R = (number of other classes) × `per_class`, grouped by class.

    Raises:
      TypeError: labels are not integers.
      ValueError: there are too few samples of a class, or too few other classes.

    Reference: section 7.1, “General classification”.
    """
    labels, explained = _class_labels(labels), _explained(explained)
    validation.positive("per_class", per_class, integer=True)
    present = np.unique(labels)
    others = {int(c): present[present != c] for c in np.unique(explained)}
    wanted = (
        min(map(len, others.values())) if classes is None else validation.positive("classes", classes, integer=True)
    )
    for c, rest in others.items():
        if len(rest) < wanted or wanted == 0:
            raise ValueError(
                f"References for class {c} are wanted from {max(wanted, 1)} other classes; `labels` has {len(rest)}."
            )
        if classes is None and len(rest) != wanted:
            raise ValueError(
                f"`labels` has no sample of the explained class {_absent(explained, present)}, so that explicands have "
                f"different numbers of other classes: pass `classes`, at most {wanted}."
            )
    rng = np.random.default_rng(seed)
    draw = _Draw(labels, per_class, rng)
    rows = []
    for c in explained:
        chosen = others[int(c)] if classes is None else np.sort(rng.choice(others[int(c)], wanted, replace=False))
        rows.append([index for other in chosen for index in draw(int(other))])
    return np.array(rows, np.int64)


def of_class(
    labels: Any, reference_class: int, explicands: int, *, count: int = 8, seed: int | None = None
) -> np.ndarray:
    """The natural category, if there is one: the normal wafer, the healthy patient.

    Args:
      labels: int array `[M]`, the classes of the samples to choose from, or a dataset of pairs (sample, class).
      reference_class: the normal class.
      explicands: N.
      count: R, samples per explicand, drawn without replacement.
      seed: seed of the draws.

    Returns:
      Indices into the samples, int64 `[N, count]`.

    Raises:
      TypeError: labels are not integers.
      ValueError: there are too few samples of the class.

    Reference: section 7.1, “Classification with a natural reference category”.
    """
    labels = _class_labels(labels)
    validation.positive("count", count, integer=True)
    validation.positive("explicands", explicands, integer=True)
    draw = _Draw(labels, count, np.random.default_rng(seed))
    return np.stack([draw(int(reference_class)) for _ in range(explicands)])


def relevant(
    labels: Any, outputs: Any, explained: Any = None, *, top: int = 4, per_class: int = 1, seed: int | None = None
) -> np.ndarray:
    """Samples of the classes that the model confuses with the explained one: the others of its top predictions.

    Less noise, less completeness; for explicands with interfering objects.

    Args:
      labels: int array `[M]`, the classes of the samples to choose from, or a dataset of pairs (sample, class).
      outputs: float array `[N, C]`, the model's outputs for the explicands.
      explained: int array `[N]`, or one int; None: the predicted classes.
      top: how many of the top predictions; the explained class among them, so that `top - 1` classes remain.
      per_class: samples per class, drawn without replacement.
      seed: seed of the draws.

    Returns:
      Indices into the samples, int64 `[N, (top - 1) × per_class]`, the likeliest class first.

    Raises:
      TypeError: labels are not integers.
      ValueError: outputs are not `[N, C]` and finite, `top` is not in 2 … C, or a class has too few samples.

    Reference: section 7.1.2, Table 5 (top 4 predictions).
    """
    labels = _class_labels(labels)
    outputs = np.asarray(outputs)
    if outputs.ndim != 2 or outputs.dtype.kind not in "iuf" or not np.isfinite(outputs).all():
        raise ValueError(f"`outputs` must be finite numbers [N, C], not {outputs.dtype} of shape {outputs.shape}.")
    validation.positive("per_class", per_class, integer=True)
    if not 2 <= validation.positive("top", top, integer=True) <= outputs.shape[1]:
        raise ValueError(f"`top` must be at least 2 and at most the {outputs.shape[1]} classes, not {top}.")
    ranked = np.argsort(-outputs, axis=1, kind="stable")
    explained = ranked[:, 0] if explained is None else np.broadcast_to(_explained(explained), len(outputs))
    draw = _Draw(labels, per_class, np.random.default_rng(seed))
    rows = []
    for classes, own in zip(ranked, explained, strict=True):
        others = classes[classes != own][: top - 1]
        rows.append([index for other in others for index in draw(int(other))])
    return np.array(rows, np.int64)


def label_distance(
    labels: Any, explicand_labels: Any, explained: Any, *, count: int = 8, seed: int | None = None
) -> np.ndarray:
    """For multi-label data: samples that differ in the explained label and are nearest in all others.

    Args:
      labels: array `[M, L]` of 0 and 1 (or bool), the labels of the samples to choose from, or a dataset of pairs.
      explicand_labels: array `[N, L]`, or `[L]` for one explicand.
      explained: int array `[N]`, or one int, the label that is explained of each explicand.
      count: R, samples per explicand.
      seed: seed by which equally near samples are put in order.

    Returns:
      Indices into the samples, int64 `[N, count]`, the nearest (Hamming distance of the other labels) first.

    Raises:
      TypeError, ValueError: labels are not 0 and 1 or not `[·, L]`, `explained` is out of range, or too few samples
        differ in the explained label.

    Reference: section 7.1.4, Fig. 13.
    """
    table, own = _label_table("labels", labels), _label_table("explicand_labels", np.atleast_2d(explicand_labels))
    if table.shape[1] != own.shape[1]:
        raise ValueError(f"`explicand_labels` has {own.shape[1]} labels a sample; `labels` has {table.shape[1]}.")
    validation.positive("count", count, integer=True)
    wanted = np.broadcast_to(_explained(explained), len(own))
    if (wanted < 0).any() or (wanted >= table.shape[1]).any():
        raise ValueError(f"`explained` must be in 0 … {table.shape[1] - 1}, not {explained!r}.")
    rng = np.random.default_rng(seed)
    rows = []
    for mine, label in zip(own, wanted, strict=True):
        differs = np.flatnonzero(table[:, label] != mine[label])
        if len(differs) < count:
            raise ValueError(
                f"{count} references that differ in label {label} are wanted; `labels` has {len(differs)} samples with "
                f"it {'unset' if mine[label] else 'set'}."
            )
        distance = (table[differs] != mine).sum(axis=1)
        rows.append(differs[np.lexsort([rng.random(len(differs)), distance])[:count]])
    return np.stack(rows)


def labels_of(dataset: tf.data.Dataset) -> np.ndarray:
    """Reads the labels of a finite dataset of pairs (sample, label), not batched.

    Returns:
      Array `[M]`, or `[M, L]`.

    Raises:
      ValueError: the dataset is infinite, empty or batched, or has no labels.
    """
    _check_dataset(dataset)
    if not _is_labelled(dataset):
        raise ValueError(f"Labels are wanted, but the dataset's elements are {dataset.element_spec}.")
    labels = list(dataset.map(lambda sample, label: label).as_numpy_iterator())
    if not labels:
        raise ValueError("The dataset is empty.")
    return np.stack(labels)


def gather(samples: Any, indices: Any, labels: Any = None) -> Any:
    """Fetches the references that a strategy chose.

    Args:
      samples: array `[M, ...]`, a structure of them, or a finite `tf.data.Dataset` of samples, not batched, with
        or without labels, that gives the same order every time; only what is chosen is kept in memory.
      indices: int array `[N, R]`, or `[R]`.
      labels: what the strategy looked at; with a dataset, they are compared with those that come with the samples, and
        a dataset that shuffles anew is found out.

    Returns:
      Structure of arrays `[N, R, ...]`, or `[R, ...]`.

    Raises:
      TypeError: indices are not integers.
      ValueError: an index is out of range, or the dataset's order has changed.
    """
    indices = np.asarray(indices)
    if indices.dtype.kind not in "iu":
        raise TypeError(f"`indices` must be integers, not {indices.dtype}.")
    if isinstance(samples, tf.data.Dataset):
        return _gather_dataset(samples, indices, labels)
    arrays = tf.nest.map_structure(np.asarray, samples)
    size = len(tf.nest.flatten(arrays)[0])
    _check_range(indices, size)
    return tf.nest.map_structure(lambda array: array[indices], arrays)


def _gather_dataset(dataset: tf.data.Dataset, indices: np.ndarray, labels: Any) -> Any:
    _check_dataset(dataset)
    labelled = _is_labelled(dataset)
    if labels is not None and not labelled:
        raise ValueError("`labels` were given, but the dataset has none to compare them with.")
    wanted = set(indices.ravel().tolist())
    last = max(wanted, default=-1)
    kept: dict[int, Any] = {}
    for number, element in enumerate(dataset.as_numpy_iterator()):
        if number in wanted:
            kept[number] = element[0] if labelled else element
            if labels is not None and not np.array_equal(element[1], np.asarray(labels)[number]):
                raise ValueError(
                    f"The dataset's sample {number} has another label than before: its order changes from one reading "
                    "to the next. Shuffle with reshuffle_each_iteration=False, or not at all."
                )
        if number >= last:
            break
    if len(kept) < len(wanted):
        raise ValueError(f"An index is out of range: the dataset has no sample {max(wanted - set(kept))}.")
    return tf.nest.map_structure(
        lambda *parts: np.stack(parts).reshape(*indices.shape, *np.shape(parts[0])),
        *[kept[index] for index in indices.ravel().tolist()],
    )


class _Draw:
    """Draws a fixed number of samples of a class, without replacement."""

    def __init__(self, labels: np.ndarray, count: int, rng: np.random.Generator):
        self._labels, self._count, self._rng = labels, count, rng
        self._members: dict[int, np.ndarray] = {}

    def __call__(self, wanted: int) -> np.ndarray:
        if wanted not in self._members:
            self._members[wanted] = np.flatnonzero(self._labels == wanted)
        members = self._members[wanted]
        if len(members) < self._count:
            raise ValueError(
                f"{self._count} reference(s) of class {wanted} are wanted; `labels` has "
                f"{len(members) or 'no'} sample{'' if len(members) == 1 else 's'} of it."
            )
        return self._rng.choice(members, self._count, replace=False)


def _class_labels(labels: Any) -> np.ndarray:
    labels = labels_of(labels) if isinstance(labels, tf.data.Dataset) else np.asarray(labels)
    if labels.dtype.kind not in "iu":
        raise TypeError(f"`labels` must be class indices (integers), not {labels.dtype}.")
    if labels.ndim != 1 or not len(labels):
        raise ValueError(f"`labels` must be one class for each sample, [M], not of shape {labels.shape}.")
    return labels


def _explained(explained: Any) -> np.ndarray:
    explained = np.atleast_1d(np.asarray(explained))
    if explained.dtype.kind not in "iu":
        raise TypeError(f"`explained` must be class indices (integers), not {explained.dtype}.")
    if explained.ndim != 1 or not len(explained):
        raise ValueError(f"`explained` must be one class for each explicand, [N], not of shape {explained.shape}.")
    return explained


def _label_table(name: str, labels: Any) -> np.ndarray:
    table = labels_of(labels) if isinstance(labels, tf.data.Dataset) else np.asarray(labels)
    if table.dtype.kind not in "biuf":
        raise TypeError(f"`{name}` must be 0 and 1, not {table.dtype}.")
    if table.ndim != 2 or not table.size:
        raise ValueError(f"`{name}` must be a table of labels, [samples, L], not of shape {table.shape}.")
    if not np.isin(table, (0, 1)).all():
        raise ValueError(f"`{name}` must be 0 and 1 alone; it holds {np.setdiff1d(table, (0, 1))[0]!r}.")
    return table.astype(bool)


def _absent(explained: np.ndarray, present: np.ndarray) -> Sequence[int]:
    return np.setdiff1d(explained, present).tolist()


def _check_range(indices: np.ndarray, size: int) -> None:
    outside = indices[(indices < 0) | (indices >= size)]
    if outside.size:
        raise ValueError(f"Index {int(outside.flat[0])} is out of range: there are {size} samples.")


def _is_labelled(dataset: tf.data.Dataset) -> bool:
    return isinstance(dataset.element_spec, tuple) and len(dataset.element_spec) == 2


def _check_dataset(dataset: tf.data.Dataset) -> None:
    if dataset.cardinality() == tf.data.INFINITE_CARDINALITY:
        raise ValueError("The dataset is infinite: take as many samples as you want with dataset.take(...).")
    if any(spec.shape.rank and spec.shape[0] is None for spec in tf.nest.flatten(dataset.element_spec)):
        raise ValueError("The dataset is of batches: samples are wanted, dataset.unbatch().")

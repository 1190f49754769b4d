"""The door of an exported explainer: what is wrong with a request is said in a sentence, from inside the graph.

A signature knows the shape of its inputs, and TensorFlow relies on that: it would fold a check of the shape away before
the model runs, while a model server feeds what it is sent. So each tensor's shape is forgotten first, and then checked.
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from tf_ig2.paths.base import Stop

PREDICTED = -1
"""The target that stands for the class that the model predicts."""


def samples(name: str, value: tf.Tensor, spec: tf.TensorSpec, bounds: tuple[float, float] | None = None) -> tf.Tensor:
    """Checks samples that came with a request.

    Args:
      name: the input's name in the signature.
      value: the tensor.
      spec: `[None, ...]`, what it has to be.
      bounds: the range that its values must lie in.

    Returns:
      The tensor, of the shape of `spec`. When the graph runs, an InvalidArgumentError says what is wrong: another
      shape, no samples, NaN or infinite values, or values out of bounds.
    """
    value = tf.raw_ops.PlaceholderWithDefault(input=value, shape=tf.TensorShape(None))
    wanted = [None if size is None else int(size) for size in spec.shape[1:]]
    shape = tf.shape(value)
    # Shapes of different lengths cannot be compared size by size: cut, or fill with what fits nothing.
    sizes = tf.concat([shape, tf.fill([len(wanted) + 1], -1)], axis=0)[: len(wanted) + 1]
    fits = tf.equal(tf.size(shape), len(wanted) + 1) & (sizes[0] > 0)
    for axis, size in enumerate(wanted, start=1):
        fits &= sizes[axis] >= 0 if size is None else tf.equal(sizes[axis], size)
    sizes_wanted = ", ".join(["N", *("any" if size is None else str(size) for size in wanted)])
    value = _require(value, fits, f"`{name}` must have shape [{sizes_wanted}] with N at least 1, not", shape)
    value = tf.ensure_shape(value, [None, *wanted])
    if not spec.dtype.is_floating:
        return value
    finite = tf.reduce_all(tf.math.is_finite(value))
    value = _require(value, finite, f"`{name}` contains NaN or infinite values.")
    if bounds is None:
        return value
    low, high = (tf.cast(edge, value.dtype) for edge in bounds)
    within = tf.reduce_all((value >= low) & (value <= high))
    range_ = tf.stack([tf.reduce_min(value), tf.reduce_max(value)])
    return _require(value, within, f"`{name}` must lie in [{bounds[0]:g}, {bounds[1]:g}]; its values span", range_)


def same_count(parts: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
    """Checks that all inputs of a request have the same number of samples."""
    names, values = list(parts), list(parts.values())
    counts = tf.stack([tf.shape(value)[0] for value in values])
    same = tf.reduce_all(tf.equal(counts, counts[0]))
    message = f"{', '.join(f'`{name}`' for name in names)} must hold equally many samples, not"
    return {name: _require(value, same, message, counts) for name, value in parts.items()}


def at_most(parts: dict[str, tf.Tensor], most: int) -> dict[str, tf.Tensor]:
    """Checks that the inputs of a request have no more samples than so many."""
    return {
        name: _require(value, tf.shape(value)[0] <= most, f"`{name}` may hold at most {most}, not", tf.shape(value)[0])
        for name, value in parts.items()
    }


def targets(value: tf.Tensor, count: tf.Tensor, outputs: tf.Tensor) -> tf.Tensor:
    """Checks target indices, and puts the predicted class where none is given.

    Args:
      value: int32, one index for all, or one for each sample `[N]`; `PREDICTED` stands for the predicted class.
      count: int32 scalar, N.
      outputs: `[N, C]` or `[N]`, the model's outputs.

    Returns:
      int32 `[N]`, indices of outputs. When the graph runs, an InvalidArgumentError says what is wrong.
    """
    value = tf.raw_ops.PlaceholderWithDefault(input=value, shape=tf.TensorShape(None))
    fits = tf.equal(tf.size(value), 1) | (tf.equal(tf.rank(value), 1) & tf.equal(tf.size(value), count))
    value = _require(
        value, fits, "`target` must be one class index, or one for each sample: [N]; its shape is", tf.shape(value)
    )
    indices = tf.broadcast_to(tf.reshape(value, [-1]), [count])
    classes = tf.shape(outputs)[1] if outputs.shape.rank > 1 else tf.constant(1)
    message = (
        f"`target` must be a class index, or {PREDICTED} for the predicted class; the number of classes and `target`:"
    )
    within = tf.reduce_all((indices >= PREDICTED) & (indices < classes))
    indices = _require(indices, within, message, classes, indices)
    if outputs.shape.rank == 1:
        return tf.zeros_like(indices)
    return tf.where(tf.equal(indices, PREDICTED), tf.argmax(outputs, axis=-1, output_type=tf.int32), indices)


def steps(value: tf.Tensor, most: int) -> tf.Tensor:
    """Checks the number of steps of a request: int32 scalar, 1 … `most`."""
    value = tf.raw_ops.PlaceholderWithDefault(input=value, shape=tf.TensorShape(None))
    value = _require(value, tf.equal(tf.size(value), 1), "`steps` must be one number; its shape is", tf.shape(value))
    value = tf.reshape(value, [])
    return _require(value, (value >= 1) & (value <= most), f"`steps` must lie in 1 … {most}, not", value)


def finite_walk(values: Any, stop: tf.Tensor, steps_taken: tf.Tensor) -> Any:
    """Fails where a value or gradient on a path was NaN or infinite; `stop` and `steps_taken` are `[N, R]`."""
    finite = tf.reshape(stop != int(Stop.NOT_FINITE), [-1])
    message = (
        "The output or its gradient became NaN or infinite on the path, for these rows (explicand by explicand, "
        "all references of one after another) after this many steps:"
    )
    rows = tf.reshape(tf.where(~finite), [-1])
    return tf.nest.map_structure(
        lambda value: _require(value, tf.reduce_all(finite), message, rows, tf.reduce_max(steps_taken)), values
    )


def _require(value: tf.Tensor, condition: tf.Tensor, message: str, *data: tf.Tensor) -> tf.Tensor:
    """The value, which is there only if the condition holds."""
    with tf.control_dependencies([tf.debugging.Assert(condition, [message, *data], summarize=8)]):
        return tf.identity(value)

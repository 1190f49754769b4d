"""The door: what users pass in becomes arrays of known shape and type here, or an error that says what is wanted."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf


def batch(name: str, value: Any, spec: Any) -> tuple[Any, bool]:
    """Checks a batch of inputs, or one input without the batch axis.

    Args:
      name: the argument's name, for messages.
      value: arrays, tensors or nested lists of numbers, in the structure of `spec`.
      spec: structure of `tf.TensorSpec([None, ...])`.

    Returns:
      The structure of arrays `[N, ...]` of the spec's dtypes, and whether the batch axis was missing.

    Raises:
      TypeError: another structure, or not numbers, or numbers that the dtype cannot hold.
      ValueError: another shape, an empty batch, batches of different length, NaN or infinite values.
    """
    arrays = _arrays(name, value, spec)
    single = False
    for path, array, expected in _leaves(name, arrays, spec):
        rank = expected.shape.rank
        single = array.ndim == rank - 1
        if array.ndim not in (rank - 1, rank):
            raise ValueError(
                f"`{path}` has shape {array.shape}, but the model takes {_shape(expected)}: a batch of them has "
                f"{rank} axes, one alone {rank - 1}.{_channel_hint(array, expected)}"
            )
        _check_features(path, array.shape[array.ndim - rank + 1 :], expected, array.shape)
    if single:
        arrays = tf.nest.map_structure(lambda array: array[None], arrays)
    sizes = {array.shape[0] for array in tf.nest.flatten(arrays)}
    if len(sizes) > 1:
        raise ValueError(f"The parts of `{name}` have different batch sizes: {sorted(sizes)}.")
    if 0 in sizes:
        raise ValueError(f"`{name}` is empty: at least one is needed.")
    return arrays, single


def contrasts(name: str, value: Any, spec: Any, explicands: int) -> tuple[Any, bool]:
    """Checks references or baselines: `[R, ...]` shared by all explicands, `[N, R, ...]`, or a single one `[...]`.

    Args:
      name: the argument's name, for messages.
      value: arrays, tensors or nested lists, in the structure of `spec`.
      spec: structure of `tf.TensorSpec([None, ...])`.
      explicands: N.

    Returns:
      The structure of arrays, and whether every explicand has its own (`[N, R, ...]`).

    Raises:
      TypeError, ValueError: as for `batch`, or N differs from the number of explicands.
    """
    arrays = _arrays(name, value, spec)
    first, rank = tf.nest.flatten(arrays)[0], tf.nest.flatten(spec)[0].shape.rank
    if first.ndim != rank + 1:
        return batch(name, arrays, spec)[0], False
    for path, array, expected in _leaves(name, arrays, spec):
        if array.ndim != expected.shape.rank + 1 or array.shape[0] != explicands:
            raise ValueError(
                f"`{path}` has shape {array.shape}: one set of references for each explicand is "
                f"[{explicands}, R, {', '.join(map(str, expected.shape[1:]))}]."
            )
        _check_features(path, array.shape[2:], expected, array.shape)
        if array.shape[1] == 0:
            raise ValueError(f"`{name}` is empty: at least one is needed.")
    return arrays, True


def targets(target: Any, explicands: int, output_spec: tf.TensorSpec) -> np.ndarray | None:
    """Checks target indices and gives one per explicand; None if they are left to the prediction.

    Raises:
      TypeError: not integers.
      ValueError: out of range, another number than explicands, or the output needs a callable.
    """
    if output_spec.shape.rank > 2:
        raise ValueError(
            f"The model's output has shape {_shape(output_spec)} per sample: pass `target` as a callable that maps the "
            "output [B, ...] to one number per row, [B]."
        )
    classes = output_spec.shape[1] if output_spec.shape.rank == 2 else 1
    if target is None:
        return np.zeros(explicands, np.int32) if classes == 1 else None
    try:
        array = np.asarray(target)
    except (ValueError, TypeError):  # a ragged list
        array = np.array(None)
    if array.dtype.kind not in "iu":
        raise TypeError(f"`target` must be class indices (integers), a callable or None, not {target!r}.")
    if array.shape not in ((), (explicands,)):
        raise ValueError(
            f"`target` has shape {array.shape}: pass one index, one for each of {explicands} explicand(s), or several "
            f"for each, [{explicands}, T]."
        )
    outside = array[(array < 0) | (array >= classes)]
    if outside.size:
        raise ValueError(f"`target` {int(outside.flat[0])} is out of range: the model's outputs are 0 … {classes - 1}.")
    return np.broadcast_to(array, explicands).astype(np.int32)


def several_targets(target: Any, explicands: int, single: bool, output_spec: tf.TensorSpec) -> np.ndarray | None:
    """Several targets for each explicand, int32 `[N, T]`; None if one, or none, is asked for.

    Args:
      target: "all", or integers `[N, T]`; `[T]` with T > 1, if there is a single explicand.
      explicands: N.
      single: whether one explicand came without the axis N.
      output_spec: of the model's output.

    Raises:
      ValueError: another word, no target, an index out of range, or the output needs a callable.
    """
    if isinstance(target, str):
        if target != "all":
            raise TypeError(f'`target` must be class indices (integers), "all", a callable or None, not {target!r}.')
        classes = output_spec.shape[1] if output_spec.shape.rank == 2 else 1
        target = np.arange(classes)[None].repeat(explicands, axis=0)
    if not isinstance(target, (list, tuple, np.ndarray, tf.Tensor)):
        return None
    try:
        array = np.asarray(target)
    except (ValueError, TypeError):  # a ragged list
        return None
    if array.ndim == 1 and single and len(array) != 1:
        array = array[None]
    if array.ndim != 2 or array.dtype.kind not in "iu" or len(array) != explicands or not array.size:
        return None
    flat = targets(array.ravel(), array.size, output_spec)
    return None if flat is None else flat.reshape(array.shape)


def number(name: str, value: Any, *, integer: bool = False) -> Any:
    """Checks a finite number and gives it as Python's own, of which settings are made: int or float.

    Args:
      name: the argument's name, for messages.
      value: a number of Python's or NumPy's, or an array of one without axes.
      integer: whether it must be whole.

    Raises:
      TypeError: not a number, or not an integer where one is wanted.
      ValueError: not finite.
    """
    found = _number(name, value, integer)
    if not math.isfinite(found):
        raise ValueError(f"`{name}` must be finite, not {value!r}.")
    return found


def positive(name: str, value: Any, *, integer: bool = False) -> Any:
    """The same for a number that must be positive.

    Raises:
      TypeError, ValueError: as `number`, or it is not positive.
    """
    found = _number(name, value, integer)
    if not found > 0 or not math.isfinite(found):
        raise ValueError(f"`{name}` must be positive and finite, not {value!r}.")
    return found


def not_negative(name: str, value: Any, *, integer: bool = False) -> Any:
    """The same for a number that must not be negative.

    Raises:
      TypeError, ValueError: as `number`, or it is negative.
    """
    found = number(name, value, integer=integer)
    if found < 0:
        raise ValueError(f"`{name}` must not be negative, not {value!r}.")
    return found


def fraction(name: str, value: Any, *, zero: bool = False) -> float:
    """The same for a number in (0, 1], or [0, 1] if `zero` is one.

    Raises:
      TypeError, ValueError: as `number`, or it lies elsewhere.
    """
    found = number(name, value)
    if not 0 <= found <= 1 or (found == 0 and not zero):
        raise ValueError(f"`{name}` must lie in {'[' if zero else '('}0, 1], not {value!r}.")
    return float(found)


def batch_size(value: Any) -> int:
    """The same for `batch_size`, within what graphs count with.

    Raises:
      TypeError, ValueError: not an integer, or not positive.
    """
    return min(positive("batch_size", value, integer=True), 2**30)


def seed(value: Any) -> Any:
    """The same for a seed: an int, not negative; sequences of them and None are what NumPy makes of them.

    Raises:
      TypeError, ValueError: NumPy takes no such seed.
    """
    np.random.SeedSequence(value)
    return int(value) if isinstance(value, (np.integer, np.ndarray)) and np.ndim(value) == 0 else value


def tolerance(value: Any, rule: str, wanted: str) -> float:
    """Checks `completeness_tolerance`, which goes with one rule alone.

    Raises:
      TypeError, ValueError: not a positive number, or another rule.
    """
    found = positive("completeness_tolerance", value)
    if rule != wanted:
        raise ValueError(f"`completeness_tolerance` adds nodes to rule={wanted!r}; with rule={rule!r} there are none.")
    return float(found)


def image(name: str, features: Sequence[int | None]) -> None:
    """Checks that one explicand is an image, `[H, W]` or `[H, W, C]`.

    Raises:
      ValueError: it has another number of axes.
    """
    if len(features) not in (2, 3):
        raise ValueError(
            f"`{name}` must be images, [H, W] or [H, W, C]; one explicand has shape {list(features)}, which has no "
            "height and width to blur along."
        )


def value_range(name: str, value: Any) -> tuple[float, float]:
    """Checks a pair (low, high).

    Raises:
      TypeError: not a pair of numbers.
      ValueError: low is not below high.
    """
    pair = (isinstance(value, Sequence) and not isinstance(value, str)) or (
        isinstance(value, np.ndarray) and value.ndim == 1
    )
    if not pair or len(value) != 2:
        raise TypeError(f'`{name}` must be "auto", None or a pair (low, high), not {value!r}.')
    low, high = (float(edge) for edge in value)
    if not low < high:
        raise ValueError(f"`{name}` must be (low, high) with low < high, not {value!r}.")
    return low, high


def _number(name: str, value: Any, integer: bool) -> Any:
    kinds: Any = (int, np.integer) if integer else (int, float, np.integer, np.floating)
    plain = value[()] if isinstance(value, np.ndarray) and value.ndim == 0 else value
    if isinstance(plain, bool) or not isinstance(plain, kinds):
        raise TypeError(f"`{name}` must be {'an integer' if integer else 'a number'}, not {value!r}.")
    return plain.item() if isinstance(plain, np.generic) else plain


def _arrays(name: str, value: Any, spec: Any) -> Any:
    if isinstance(spec, tf.TensorSpec):
        return _converted(name, value, spec.dtype)
    if isinstance(spec, dict):
        if not isinstance(value, dict) or set(value) != set(spec):
            given = sorted(map(str, value)) if isinstance(value, dict) else type(value).__name__
            raise TypeError(f"`{name}` must be a dict with the keys {sorted(map(str, spec))}, not {given}.")
        return {key: _arrays(f"{name}[{key!r}]", value[key], spec[key]) for key in spec}
    if not isinstance(value, (list, tuple)) or len(value) != len(spec):
        given = f"{len(value)}" if isinstance(value, (list, tuple)) else type(value).__name__
        raise TypeError(f"`{name}` must be a list or tuple of {len(spec)} arrays, not {given}.")
    return type(spec)(_arrays(f"{name}[{i}]", part, sub) for i, (part, sub) in enumerate(zip(value, spec, strict=True)))


def _converted(name: str, value: Any, dtype: tf.DType) -> np.ndarray:
    if np.ma.isMaskedArray(value) or (isinstance(value, (list, tuple)) and any(map(np.ma.isMaskedArray, value))):
        raise TypeError(f"`{name}` is a masked array, and its mask would be lost: pass `filled(…)` with what is meant.")
    try:
        array = np.asarray(value)
    except (ValueError, TypeError) as error:
        raise TypeError(f"`{name}` cannot be read as an array of numbers: {error}") from error
    if dtype == tf.string:
        return _strings(name, array)
    if array.dtype.kind not in "biuf" and array.dtype.name != "bfloat16":
        raise TypeError(f"`{name}` must hold numbers, not {array.dtype} ({type(value).__name__}).")
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        where = tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0])
        raise ValueError(f"`{name}` contains NaN or infinite values, the first at index {where}.")
    with np.errstate(over="ignore", invalid="ignore"):
        converted = array.astype(dtype.as_numpy_dtype)
    exact = array.dtype.kind in "biu" or dtype.is_integer  # between floats, rounding is what everyone expects
    if (exact and not np.array_equal(converted.astype(array.dtype), array)) or not np.isfinite(converted).all():
        raise TypeError(f"`{name}` holds {array.dtype} values that the model's {dtype.name} input cannot represent.")
    return converted


def _strings(name: str, array: np.ndarray) -> np.ndarray:
    """Strings as UTF-8 bytes, which TensorFlow takes and files hold without pickling."""
    if array.dtype.kind == "O" and all(isinstance(x, (str, bytes)) for x in array.flat):
        texts = [x.encode() if isinstance(x, str) else x for x in array.flat]
        array = np.array(texts, dtype=bytes).reshape(array.shape)
    if array.dtype.kind not in "US":
        raise TypeError(f"`{name}` must hold strings, not {array.dtype}.")
    return np.char.encode(array, "utf-8") if array.dtype.kind == "U" else array


def _leaves(name: str, arrays: Any, spec: Any) -> list[tuple[str, np.ndarray, tf.TensorSpec]]:
    specs = tf.nest.flatten(spec)
    names = [name] if len(specs) == 1 else [f"{name}, part {i}" for i in range(len(specs))]
    return list(zip(names, tf.nest.flatten(arrays), specs, strict=True))


def _check_features(name: str, features: tuple[int, ...], spec: tf.TensorSpec, shape: tuple[int, ...]) -> None:
    if not spec.shape[1:].is_compatible_with(features):
        raise ValueError(f"`{name}` has shape {shape}, but the model takes {_shape(spec)} for each sample.")
    if 0 in features:
        raise ValueError(f"`{name}` has shape {shape}, which holds no features.")


def _shape(spec: tf.TensorSpec) -> str:
    return str([None if size is None else int(size) for size in spec.shape[1:]])


def _channel_hint(array: np.ndarray, spec: tf.TensorSpec) -> str:
    grey = spec.shape.rank == 4 and spec.shape[-1] == 1 and array.ndim == 2
    return " For a grey image add the channel axis: x[..., None]." if grey else ""

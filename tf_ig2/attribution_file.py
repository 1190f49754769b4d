"""The file of an explanation: what `Attribution.save` writes and `load` believes.

An `.npz` file, without pickle: one array for each part, and a `header`, JSON, that says which array is which part of
which structure. A file is believed only if its parts fit each other, whoever wrote it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from tf_ig2 import files, npz

_FORMAT = 1
_NUMBERS, _WORDS = "biuf", "SU"


class Saved(NamedTuple):
    """What is in a file.

    Attributes:
      kind: the name of the class of explanation.
      parts: name of the field → structure of arrays, or None.
      settings: how it was made.
    """

    kind: str
    parts: dict[str, Any]
    settings: dict[str, Any]


def write(path: str | os.PathLike[str], saved: Saved) -> None:
    """Writes the file, whole or not at all.

    Raises:
      OSError: it cannot be written.
      TypeError: a part holds objects other than words.
    """
    arrays: dict[str, np.ndarray] = {}
    structure = {name: _flatten(name, part, arrays) for name, part in saved.parts.items()}
    header = {"format": _FORMAT, "kind": saved.kind, "structure": structure, "settings": saved.settings}
    arrays["header"] = np.array(json.dumps(header))
    with files.whole(path) as file:
        np.savez_compressed(file, **arrays)  # type: ignore[arg-type]


def read(path: str | os.PathLike[str], max_bytes: int | None = None) -> Saved:
    """Reads the file; the parts that every explanation has fit each other.

    Args:
      path: the file.
      max_bytes: see `tf_ig2.npz.read`.

    Raises:
      FileNotFoundError: there is no such file.
      ValueError: it is no such file, is damaged or too large, or its parts do not fit each other.
    """
    arrays = npz.read(path, max_bytes)
    header = json.loads(str(arrays.pop("header")))
    if header["format"] != _FORMAT:
        raise ValueError(f"format {header['format']}")
    if not isinstance(header["settings"], dict) or not isinstance(header["structure"], dict):
        raise ValueError("its header is another")
    unused = dict(arrays)
    parts = {name: _unflatten(spec, arrays, unused) for name, spec in header["structure"].items()}
    if unused:
        raise ValueError(f"arrays that belong to nothing: {sorted(unused)[:5]}")
    check(parts)
    return Saved(str(header.get("kind", "Attribution")), parts, header["settings"])


def check(parts: dict[str, Any]) -> None:
    """Checks that the parts of an explanation have types and shapes that fit each other.

    Args:
      parts: name → structure of arrays; `outputs` says N, R and K, and T behind N where there are several targets. What
        is not of every path has N (and T) only.

    Raises:
      ValueError: a part is missing, or of another type or shape.
    """
    missing = [name for name in ("values", "explicand", "outputs", "distances") if parts.get(name) is None]
    if missing:
        raise ValueError(f"{missing} are missing")
    outputs = _one("outputs", parts["outputs"])
    if outputs.ndim not in (2, 3, 4) or not outputs.shape[-1]:
        raise ValueError(f"`outputs` has shape {outputs.shape}, not [N, R, K + 1]")
    lead, pairs, points = outputs.shape[:-2], outputs.shape[:-1], outputs.shape[-1]
    _shaped("distances", parts["distances"], outputs.shape, "f")
    _shaped("outputs", outputs, outputs.shape, "f")
    if parts.get("target") is not None:
        _shaped("target", parts["target"], lead, "iu")
    for name in ("steps_taken", "stop", "gradients"):
        if parts.get(name) is not None:
            _shaped(name, parts[name], pairs, "iu")
    if parts.get("summed") is not None:
        _shaped("summed", parts["summed"], (), "b")
    for name, part in parts.items():
        kinds = "f" if name == "values" else _NUMBERS + _WORDS
        for array in tf.nest.flatten(part) if name != "summed" and part is not None else ():
            if array.dtype.kind not in kinds or array.shape[: len(lead)] != lead:
                raise ValueError(f"`{name}` is {array.dtype} {array.shape}, and `outputs` {outputs.shape}")
    _same_structure("values", parts["values"], parts["explicand"])
    for name, before in (("counterfactuals", pairs), ("path", pairs)):
        if parts.get(name) is None:
            continue
        _same_structure(name, parts[name], parts["explicand"])
        for array, x in zip(tf.nest.flatten(parts[name]), tf.nest.flatten(parts["explicand"]), strict=True):
            after = array.shape[len(before) + (name == "path") :]
            kept = array.shape[len(before)] if name == "path" and array.ndim > len(before) else 1
            if array.shape[: len(before)] != before or after != x.shape[len(lead) :] or not 1 <= kept <= points:
                raise ValueError(f"`{name}` has shape {array.shape}, `outputs` {outputs.shape}, an explicand {x.shape}")


def _one(name: str, part: Any) -> np.ndarray:
    if not isinstance(part, np.ndarray):
        raise ValueError(f"`{name}` is a {type(part).__name__}, not one array")
    return part


def _shaped(name: str, part: Any, shape: Iterable[int], kinds: str) -> None:
    array = _one(name, part)
    if array.shape != tuple(shape) or array.dtype.kind not in kinds:
        raise ValueError(f"`{name}` is {array.dtype} {array.shape}, not {tuple(shape)}")


def _same_structure(name: str, part: Any, explicand: Any) -> None:
    try:
        tf.nest.assert_same_structure(part, explicand)
    except (TypeError, ValueError) as error:
        raise ValueError(f"`{name}` has another structure than `explicand`") from error


def _flatten(name: str, value: Any, arrays: dict[str, np.ndarray]) -> Any:
    """Puts the arrays of a structure into `arrays`, and returns the structure as JSON with their names."""
    if value is None:
        return None
    if isinstance(value, dict):
        return {"dict": [[key, _flatten(f"{name}.{key}", part, arrays)] for key, part in value.items()]}
    if isinstance(value, (list, tuple)):
        kind = "tuple" if isinstance(value, tuple) else "list"
        return {kind: [_flatten(f"{name}.{i}", part, arrays) for i, part in enumerate(value)]}
    array = np.asarray(value)
    if array.dtype.hasobject:  # words as TensorFlow gives them; a pickle is never written
        array = np.array(array.tolist())
        if array.dtype.kind not in _WORDS:
            raise TypeError(f"`{name}` holds objects, which are neither numbers nor words and cannot be saved.")
    arrays[name] = array
    return name


def _unflatten(spec: Any, arrays: dict[str, np.ndarray], unused: dict[str, np.ndarray]) -> Any:
    if spec is None:
        return None
    if isinstance(spec, str):
        unused.pop(spec, None)
        return arrays[spec]
    if "dict" in spec:
        return {key: _unflatten(part, arrays, unused) for key, part in spec["dict"]}
    parts = [_unflatten(part, arrays, unused) for part in spec["tuple" if "tuple" in spec else "list"]]
    return tuple(parts) if "tuple" in spec else parts

"""An exported explainer, loaded again: what a batch worker holds, without Keras and without the explainer."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from tf_ig2 import files

MANIFEST = "assets.extra/tf_ig2.json"
"""Where an exported model says what is in it."""

_CHECKSUM = "content_sha256"

SAVED_MODEL = "saved_model.pb"
"""The file that makes a folder a SavedModel."""


def with_checksum(content: dict[str, Any]) -> dict[str, Any]:
    """A manifest with the hash of all that it says, by which damage is found."""
    plain = {key: value for key, value in content.items() if key != _CHECKSUM}
    text = json.dumps(plain, indent=2, sort_keys=True) + "\n"
    return {**plain, _CHECKSUM: hashlib.sha256(text.encode()).hexdigest()}


def read_manifest(path: str | os.PathLike[str]) -> dict[str, Any]:
    """What is in an exported model.

    Args:
      path: the SavedModel, the directory named by the version.

    Raises:
      FileNotFoundError: it is not a model that `tf_ig2.serving.export` wrote.
      ValueError: its manifest is damaged.
    """
    file = os.path.join(os.fspath(path), MANIFEST)
    if not tf.io.gfile.exists(file):
        raise FileNotFoundError(
            f"{os.fspath(path)!r} is not an exported explainer: there is no {MANIFEST}. Give the directory named by "
            "the version, such as explainers/digits/1."
        )
    content = files.read_json(file)
    if not isinstance(content, dict) or with_checksum(content) != content:
        raise ValueError(f"{file!r} is damaged: it is not as `export` wrote it. Export the model again.")
    return content


@dataclass(frozen=True)
class Explanations:
    """What an exported explainer answers.

    Attributes:
      attributions: the signature's name, `attributions` or one for each input → float array `[N, ...]`.
      output: `[N]`, the explained output at the explicand.
      counterfactual_output: `[N, R]`, at the paths' ends.
      completeness_gap: `[N]`.
      target: int32 `[N]`, what was explained; None if the export fixed it by a callable.
    """

    attributions: dict[str, np.ndarray]
    output: np.ndarray
    counterfactual_output: np.ndarray
    completeness_gap: np.ndarray
    target: np.ndarray | None


class ServedExplainer:
    """An exported explainer in this process.

    Args:
      path: the SavedModel, the directory named by the version.

    Attributes:
      manifest: what is in it, as a dict.
      inputs: input name → `tf.TensorSpec([None, ...])`.
      batch_size: how many explicands make one full pass through the model, given the number of references.

    Raises:
      FileNotFoundError: it is not a model that `tf_ig2.serving.export` wrote.
      ValueError: it was exported without references.

    Example:
      >>> import keras, tempfile, tf_ig2
      >>> from tf_ig2.serving import export
      >>> model = keras.Sequential([keras.Input([4]), keras.layers.Dense(8, "tanh"), keras.layers.Dense(3)])
      >>> served = ServedExplainer(export(tf_ig2.IG2Explainer(model), tempfile.mkdtemp(), np.zeros([2, 4])))
      >>> served.explain({"x": np.ones([5, 4], np.float32)}).attributions["attributions"].shape
      (5, 4)
    """

    def __init__(self, path: str | os.PathLike[str]):
        self.manifest = read_manifest(path)
        if "explain" not in self.manifest["signatures"]:
            raise ValueError(f"{os.fspath(path)!r} was exported without references: export it with `references`.")
        self._loaded = tf.saved_model.load(os.fspath(path))  # holds the variables
        self._explain = self._loaded.signatures["explain"]
        self.inputs = {
            name: tf.TensorSpec(spec["shape"], spec["dtype"]) for name, spec in self.manifest["inputs"].items()
        }
        self.batch_size = max(1, self.manifest["batch_size"] // max(1, self.manifest["references"]))
        self._arguments = set(self.manifest["signatures"]["explain"]["inputs"])

    @property
    def classes(self) -> int | None:
        """How many class indices there are to explain; None if the export fixed what is explained."""
        if "target" not in self._arguments:
            return None
        return self.manifest["classes"][0] if self.manifest["classes"] else 1

    def explain(self, inputs: dict[str, np.ndarray], target: np.ndarray | int = -1) -> Explanations:
        """Explains a batch.

        Args:
          inputs: input name → array `[N, ...]`.
          target: class index, or one for each explicand `[N]`; -1 stands for the predicted class.

        Raises:
          tf.errors.InvalidArgumentError: the batch is not what the model takes; the message says why.
        """
        request = {name: tf.constant(inputs[name], spec.dtype) for name, spec in self.inputs.items()}
        if "target" in self._arguments:
            request["target"] = tf.constant(target, tf.int32)
        if "steps" in self._arguments:
            request["steps"] = tf.constant(min(self.manifest["explainer"]["steps"], self.manifest["max_steps"]))
        answer = {name: value.numpy() for name, value in self._explain(**request).items()}
        return Explanations(
            attributions={name: answer[name] for name in sorted(answer) if name.startswith("attributions")},
            output=answer["output"],
            counterfactual_output=answer["counterfactual_output"],
            completeness_gap=answer["completeness_gap"],
            target=answer.get("target"),
        )

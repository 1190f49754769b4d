"""Trains forty sigmoids on features of a frozen MobileNetV2: minutes instead of hours, from a folder of faces."""

from __future__ import annotations

import os
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from tf_ig2 import files
from tf_ig2.paper.datasets import celeb_a, folder
from tf_ig2.paper.datasets.celeb_a import ATTRIBUTES, Faces
from tf_ig2.paper.zoo.face_attributes import frozen_features, with_head
from tf_ig2.paper.zoo.imagenet import mobilenet_v2
from tf_ig2.paper.zoo.recipes.trained import Trained


def train(
    seed: int = 0,
    epochs: int = 6,
    source: str | os.PathLike[str] | None = None,
    weights: str | os.PathLike[str] | None = "local",
    cache: str | os.PathLike[str] | None = None,
    verbose: int = 0,
) -> Trained:
    """Computes the features once, and trains with dropout and weight decay from the frequencies of the attributes.

    The number of epochs was chosen on the validation faces; the test faces are looked at once, at the end.

    Args:
      seed: of the order and the dropout.
      epochs: passes over the training faces.
      source: see `celeb_a.in_folder`.
      weights: of the backbone; see `zoo.imagenet.mobilenet_v2`.
      cache: an `.npz` file of features, by split, that a later run takes them from; keep it where the faces are. None:
        they are not kept.
      verbose: as in Keras' `fit`.

    Returns:
      The network; its accuracy and balanced accuracy on the test faces, the means and by attribute, and what the more
      frequent value of each attribute would have.

    Raises:
      MissingDataError, CorruptDataError: see `celeb_a.in_folder` and `mobilenet_v2`, or the cache is damaged.
    """
    keras.utils.set_random_seed(seed)
    backbone = mobilenet_v2(weights)
    for layer in backbone.layers:
        layer.trainable = False
    features = frozen_features(backbone)
    splits = {split: celeb_a.in_folder(split, backbone.input_shape[1], source) for split in ("train", "test")}
    found = _features(features, splits, None if cache is None else Path(cache))
    known, labels = found["train"].astype(np.float32), splits["train"].labels
    mean, deviation = known.mean(axis=0), known.std(axis=0)
    deviation += 1e-3 * known.std() + 1e-6
    often = np.clip(labels.mean(axis=0), 1e-3, 1 - 1e-3)
    head = keras.layers.Dense(len(ATTRIBUTES), "sigmoid", kernel_initializer="zeros", name="attributes")
    trained = keras.Sequential([keras.Input([known.shape[1]]), keras.layers.Dropout(0.5), head])
    head.bias.assign(np.log(often / (1 - often)))
    trained.compile(keras.optimizers.AdamW(1e-4, weight_decay=0.1), "binary_crossentropy")
    trained.fit((known - mean) / deviation, labels, batch_size=64, epochs=epochs, verbose=verbose)
    test = (found["test"].astype(np.float32) - mean) / deviation
    predicted = trained.predict(test, batch_size=256, verbose=0) > 0.5
    report = {
        "model": "MobileNetV2, frozen, with a head of 40 sigmoids on features of two layers",
        "data": f"CelebA, {len(labels)} training faces",
        **accuracies(predicted, splits["test"].labels > 0.5, often > 0.5),
        "test_samples": len(predicted),
        "paper": "mean accuracy 0.910",
        "parameters": with_head(features, mean, deviation, head).count_params(),
        "seed": seed,
        "epochs": epochs,
    }
    return Trained(with_head(features, mean, deviation, head), report)


def accuracies(predicted: np.ndarray, labels: np.ndarray, majority: np.ndarray) -> dict[str, object]:
    """How often predictions are right.

    Args:
      predicted: bool `[N, 40]`.
      labels: bool `[N, 40]`.
      majority: bool `[40]`, the more frequent value of each attribute in training.

    Returns:
      For a report: mean accuracies; by attribute accuracy, balanced accuracy (the mean of the accuracies on faces that
      have the attribute and on those that have not) and the accuracy of the majority. One that no face, or every face,
      has, has no balanced accuracy but its accuracy.
    """
    by_attribute = {}
    for name, own, truth, often in zip(ATTRIBUTES, predicted.T, labels.T, majority, strict=True):
        parts = [(own[truth == value] == value).mean() for value in (False, True) if (truth == value).any()]
        numbers = ((own == truth).mean(), np.mean(parts), (truth == often).mean())
        by_attribute[name] = [round(float(number), 4) for number in numbers]
    means = np.mean(list(by_attribute.values()), axis=0)
    keys = ("test_accuracy", "test_balanced_accuracy", "majority_accuracy")
    return {**{key: round(float(mean), 4) for key, mean in zip(keys, means, strict=True)}, "accuracy": by_attribute}


def _features(features: keras.Model, splits: dict[str, Faces], cache: Path | None) -> dict[str, np.ndarray]:
    """float16 `[N, D]` by split; from the cache where it has them."""
    if cache is not None and cache.exists():
        return dict(zip(splits, folder.read_npz(cache, *splits), strict=True))
    run = tf.function(lambda x: tf.cast(features(x), tf.float16))
    found = {}
    for split, faces in splits.items():
        rows = np.arange(len(faces))
        found[split] = np.concatenate([run(faces.pictures(rows[i : i + 50])).numpy() for i in rows[::50]])
    if cache is not None:
        cache.parent.mkdir(parents=True, exist_ok=True)
        with files.whole(cache) as file:
            np.savez(file, train=found["train"], test=found["test"])
    return found

"""Trains the forty-output head on CelebA."""

from __future__ import annotations

import os

import keras
import numpy as np

from tf_ig2.paper.datasets import celeb_a
from tf_ig2.paper.zoo.face_attributes import face_attributes
from tf_ig2.paper.zoo.imagenet import mobilenet_v2
from tf_ig2.paper.zoo.recipes.trained import Trained


def train(
    seed: int = 0,
    epochs: int = 1,
    source: str | os.PathLike[str] | None = None,
    weights: str | os.PathLike[str] | None = "local",
    whole: bool = False,
    batch_size: int = 64,
    verbose: int = 2,
) -> Trained:
    """Trains with binary cross-entropy, one output per attribute.

    Args:
      seed: of the weights and the order.
      epochs: passes over the 162,770 training faces.
      source: folder of TensorFlow Datasets; None: its own default.
      weights: of the backbone; see `zoo.imagenet.mobilenet_v2`.
      whole: train the backbone too, not only the head.
      batch_size: faces per step.
      verbose: as in Keras' `fit`.

    Returns:
      The network, and its accuracy on the test split, the mean and per attribute (Table B.6).

    Raises:
      MissingDataError: CelebA or the backbone could not be had.
    """
    keras.utils.set_random_seed(seed)
    data_dir = None if source is None else os.fspath(source)
    training = celeb_a.dataset("train", data_dir=data_dir).shuffle(2048, seed=seed).batch(batch_size).prefetch(2)
    test = celeb_a.dataset("test", data_dir=data_dir).batch(batch_size).prefetch(2)
    model = face_attributes(mobilenet_v2(weights), trainable=whole)
    rate = 1e-4 if whole else 1e-3
    model.compile(keras.optimizers.Adam(rate), "binary_crossentropy", metrics=["binary_accuracy"])
    model.fit(training, epochs=epochs, verbose=verbose, shuffle=False)
    hits = np.concatenate([(model.predict_on_batch(x) > 0.5) == (y > 0.5) for x, y in test.as_numpy_iterator()])
    report = {
        "model": "MobileNetV2 with a head of 40 sigmoids" + ("" if whole else "; only the head is trained"),
        "data": "CelebA",
        "test_accuracy": round(float(hits.mean()), 4),
        "test_samples": len(hits),
        "accuracy": dict(zip(celeb_a.ATTRIBUTES, hits.mean(axis=0).round(3).tolist(), strict=True)),
        "paper": "mean accuracy 0.910",
        "parameters": model.count_params(),
        "seed": seed,
        "epochs": epochs,
    }
    return Trained(model, report)

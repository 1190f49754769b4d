"""Trains the small MNIST classifier on digits that stand anywhere in the picture."""

from __future__ import annotations

import os

import keras
import tensorflow as tf

from tf_ig2.paper.datasets import mnist
from tf_ig2.paper.zoo.mnist_cnn import mnist_cnn
from tf_ig2.paper.zoo.recipes.trained import Trained

SHIFT = 6
"""Digits are moved by up to so many pixels each way, so that Fig. 6 can explain shifted ones."""


def train(
    seed: int = 0,
    epochs: int = 8,
    source: str | os.PathLike[str] | None = None,
    batch_size: int = 128,
    verbose: int = 2,
) -> Trained:
    """Trains with Adam on digits moved at random; the test split is looked at once, at the end.

    Args:
      seed: of the weights, the order and the shifts.
      epochs: passes over the training split.
      source: folder with `mnist_60k_train.npz` and `mnist_10k.npz`, or "tfds"; None: see `mnist.load`.
      batch_size: digits per step.
      verbose: as in Keras' `fit`.

    Returns:
      The network, and its accuracy on the test split, where the digits stand and moved at random.

    Raises:
      MissingDataError, CorruptDataError: see `mnist.load`.
    """
    keras.utils.set_random_seed(seed)
    (x, y), (x_test, y_test) = (mnist.load(split, _file(source, split)) for split in ("train", "test"))
    training = shifted(tf.data.Dataset.from_tensor_slices((x, y)).shuffle(len(x), seed=seed), seed)
    steps = epochs * -(-len(x) // batch_size)
    model = mnist_cnn()
    rate = keras.optimizers.schedules.CosineDecay(2e-3, steps)
    model.compile(keras.optimizers.Adam(rate), "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(training.batch(batch_size).prefetch(4), epochs=epochs, verbose=verbose, shuffle=False)
    moved = shifted(tf.data.Dataset.from_tensor_slices((x_test, y_test)), seed).batch(512)
    report = {
        "model": f"two convolutions, two dense layers; trained on digits moved by up to {SHIFT} pixels",
        "data": "MNIST",
        "test_accuracy": round(float(model.evaluate(x_test, y_test, batch_size=512, verbose=0)[1]), 4),
        "test_accuracy_moved": round(float(model.evaluate(moved, verbose=0)[1]), 4),
        "test_samples": len(x_test),
        "parameters": model.count_params(),
        "seed": seed,
        "epochs": epochs,
    }
    return Trained(model, report)


def shifted(digits: tf.data.Dataset, seed: int) -> tf.data.Dataset:
    """Moves each digit at random by up to `SHIFT` pixels each way, what leaves the picture is lost.

    Args:
      digits: data set of (`[28, 28, 1]`, digit), one by one.
      seed: of the shifts.

    Returns:
      A data set of the same.
    """

    def moved(digit: tf.Tensor, label: tf.Tensor, key: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        room = tf.pad(digit, [[SHIFT, SHIFT], [SHIFT, SHIFT], [0, 0]])
        return tf.image.stateless_random_crop(room, digit.shape, key), label

    keys = tf.data.Dataset.random(seed=seed).batch(2, drop_remainder=True)
    return tf.data.Dataset.zip(digits, keys).map(lambda sample, key: moved(sample[0], sample[1], key))


def _file(source: str | os.PathLike[str] | None, split: str) -> str | os.PathLike[str] | None:
    if source is None or source == "tfds":
        return source
    return os.path.join(source, "mnist_60k_train.npz" if split == "train" else "mnist_10k.npz")

"""The small MNIST classifier that Fig. 4b and Fig. 6 explain; the paper says nothing of its own."""

from __future__ import annotations

import keras
from keras import layers


def mnist_cnn(units: int = 64) -> keras.Model:
    """Two strided convolutions and two dense layers.

    Args:
      units: width of `fc1`, the representation.

    Returns:
      A model of float32 `[N, 28, 28, 1]` in 0 … 255 to probabilities `[N, 10]`.

    Example:
      >>> mnist_cnn().output_shape
      (None, 10)
    """
    return keras.Sequential(
        [
            keras.Input((28, 28, 1), name="digit"),
            layers.Rescaling(1 / 255, name="rescaling"),
            layers.Conv2D(16, 5, strides=2, padding="same", activation="relu", name="conv1"),
            layers.Conv2D(32, 3, strides=2, padding="same", activation="relu", name="conv2"),
            layers.Flatten(name="flatten"),
            layers.Dense(units, activation="relu", name="fc1"),
            layers.Dense(10, activation="softmax", name="fc2"),
        ],
        name="mnist_cnn",
    )

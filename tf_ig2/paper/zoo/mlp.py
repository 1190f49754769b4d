"""The perceptron of Table A.4, for the synthetic data of XAI-BENCH."""

from __future__ import annotations

import keras
from keras import layers


def mlp(features: int = 5) -> keras.Model:
    """Three dense layers, of 64 (with batch normalisation), 16 and 1 units, tanh between them.

    Args:
      features: of one sample.

    Returns:
      A model of float32 `[N, features]` to one number, `[N, 1]`.

    Reference: Table A.4.

    Example:
      >>> mlp().count_params()
      1697
    """
    return keras.Sequential(
        [
            keras.Input((features,), name="features"),
            layers.Dense(64, name="fc1"),
            layers.BatchNormalization(name="normalization"),
            layers.Activation("tanh", name="tanh"),
            layers.Dense(16, activation="tanh", name="fc2"),
            layers.Dense(1, name="fc3"),
        ],
        name="mlp",
    )

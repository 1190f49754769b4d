"""The wafer-map classifier of Table B.5."""

from __future__ import annotations

import keras
from keras import layers


def wafer_cnn(units: int = 1250, classes: int = 9, dropout: float = 0.0) -> keras.Model:
    """The convolutional network of Table B.5.

    Three times 3 × 3 convolution, ReLU and 2 × 2 max pooling, then two dense layers. The table's 8192 inputs of the
    first dense layer are 8 × 8 × 128, which 56 × 56 maps reach with a padding of two pixels before each convolution.

    Args:
      units: width of the first dense layer; 1250 is the paper's (41 MB in float32), a smaller one makes a small file.
      classes: number of failure patterns.
      dropout: fraction of the dense layer's outputs dropped in training; the paper has none.

    Returns:
      A model of float32 `[N, 56, 56, 3]`, one-hot of no die, passing die and failing die, to probabilities
      `[N, classes]`. The representation of the paper is the output of the layer `fc1`.

    Reference: Appendix B.5, Table B.5.

    Example:
      >>> wafer_cnn().get_layer("flatten").output.shape
      (None, 8192)
    """
    stack: list[layers.Layer] = [keras.Input((56, 56, 3), name="wafer")]
    for number, filters in enumerate((32, 64, 128), 1):
        stack += [
            layers.ZeroPadding2D(2, name=f"pad{number}"),
            layers.Conv2D(filters, 3, activation="relu", name=f"conv{number}"),
            layers.MaxPooling2D(2, name=f"pool{number}"),
        ]
    stack += [layers.Flatten(name="flatten"), layers.Dense(units, activation="relu", name="fc1")]
    if dropout:
        stack.append(layers.Dropout(dropout, name="dropout"))
    stack.append(layers.Dense(classes, activation="softmax", name="fc2"))
    return keras.Sequential(stack, name="wafer_cnn")

"""TextCNN, the question classifier of section 6.4."""

from __future__ import annotations

import keras
from keras import layers


def text_cnn(
    words: int,
    classes: int = 6,
    length: int = 40,
    dimensions: int = 128,
    filters: int = 100,
    widths: tuple[int, ...] = (3, 4, 5),
    dropout: float = 0.5,
) -> keras.Model:
    """A convolutional network over word vectors, with max pooling over time.

    Args:
      words: size of the vocabulary, with padding (0) and unknown (1).
      classes: number of classes.
      length: words per question.
      dimensions: of a word vector.
      filters: of each width.
      widths: in words, of the convolutions.
      dropout: fraction of the pooled features dropped in training.

    Returns:
      A model of int32 `[N, length]` to probabilities `[N, classes]`. Its word vectors, `[N, length, dimensions]`, are
      the output of the layer `embedding`: explain it with `input_layer="embedding"`.

    Reference: Kim, Convolutional Neural Networks for Sentence Classification, EMNLP 2014 (CNN-rand).

    Example:
      >>> text_cnn(100).get_layer("embedding").output.shape
      (None, 40, 128)
    """
    inputs = keras.Input((length,), dtype="int32", name="words")
    vectors = layers.Embedding(words, dimensions, name="embedding")(inputs)
    pooled = [
        layers.GlobalMaxPooling1D(name=f"pool{width}")(
            layers.Conv1D(filters, width, padding="same", activation="relu", name=f"conv{width}")(vectors)
        )
        for width in widths
    ]
    features = layers.Concatenate(name="features")(pooled) if len(pooled) > 1 else pooled[0]
    features = layers.Dropout(dropout, name="dropout")(features)
    return keras.Model(inputs, layers.Dense(classes, activation="softmax", name="classes")(features), name="text_cnn")

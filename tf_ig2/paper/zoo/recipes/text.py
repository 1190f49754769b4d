"""Trains TextCNN on the TREC questions."""

from __future__ import annotations

import os

import keras
import numpy as np

from tf_ig2.paper.datasets import trec
from tf_ig2.paper.zoo.recipes.trained import Trained
from tf_ig2.paper.zoo.text_cnn import text_cnn

_WORD_DROPOUT = 0.1
_UNKNOWN = 1


def train(
    seed: int = 0,
    epochs: int = 16,
    source: str | os.PathLike[str] | None = None,
    dimensions: int = 128,
    batch_size: int = 50,
    verbose: int = 2,
) -> Trained:
    """Trains with word dropout: now and then a word is replaced by the unknown one, so that its vector is learned too.

    Word vectors start at random. The schedule is fixed beforehand; the test split is looked at once, at the end.

    Args:
      seed: of the weights, the order and the dropout.
      epochs: passes over the training split.
      source: see `trec.load`.
      dimensions: of a word vector.
      batch_size: questions per step.
      verbose: as in Keras' `fit`.

    Returns:
      The network, its accuracy on the test split, and its vocabulary, which lies beside it as `text_cnn.txt`.

    Raises:
      MissingDataError, CorruptDataError: see `trec.load`.
    """
    keras.utils.set_random_seed(seed)
    rng = np.random.default_rng(seed)
    training, test = trec.load("train", source), trec.load("test", source)
    vocabulary = trec.Vocabulary.of(training.texts)
    x, x_test = vocabulary.encode(training.texts), vocabulary.encode(test.texts)
    model = text_cnn(len(vocabulary), len(trec.CLASSES), vocabulary.length, dimensions)
    steps = epochs * -(-len(x) // batch_size)
    rate = keras.optimizers.schedules.CosineDecay(1e-3, steps)
    model.compile(keras.optimizers.Adam(rate), "sparse_categorical_crossentropy", metrics=["accuracy"])
    for epoch in range(epochs):
        forgotten = (rng.random(x.shape) < _WORD_DROPOUT) & (x > _UNKNOWN)
        model.fit(
            np.where(forgotten, _UNKNOWN, x),
            training.labels,
            batch_size=batch_size,
            initial_epoch=epoch,
            epochs=epoch + 1,
            verbose=verbose,
        )

    def accuracy(words: np.ndarray, labels: np.ndarray) -> float:
        return round(float((model.predict(words, verbose=0).argmax(axis=-1) == labels).mean()), 4)

    report = {
        "model": f"TextCNN (Kim 2014), random {dimensions}-dimensional word vectors, trained with the rest",
        "data": "TREC, 6 classes, each question once, no test question in training",
        "test_accuracy": accuracy(x_test, test.labels),
        "train_accuracy": accuracy(x, training.labels),
        "test_samples": len(test),
        "parameters": model.count_params(),
        "seed": seed,
        "epochs": epochs,
    }
    return Trained(model, report, {".txt": vocabulary.write})

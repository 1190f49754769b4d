"""Trains the classifiers of XAI-TRIS."""

from __future__ import annotations

import keras
import numpy as np

from tf_ig2.paper.datasets import xai_tris
from tf_ig2.paper.zoo.recipes.trained import Trained
from tf_ig2.paper.zoo.tetromino_nets import cells, one, output_name, tetromino_nets

VALIDATION, TEST = 1_000_003, 2_000_003
"""Added to the seed for images that training is stopped by, and for those that accuracies are reported on."""


def train(seed: int = 0, epochs: int = 40, samples: int = 8000, batch_size: int = 128, verbose: int = 0) -> Trained:
    """Trains each network with Adam on images of its own scenario and background.

    Args:
      seed: of the images, the weights and the order.
      epochs: passes over the training images at most; a network keeps the weights that were best on 1,000 others, and
        ends where these have not got better for a sixth of the epochs.
      samples: training images of each kind.
      batch_size: images per step.
      verbose: as in Keras' `fit`.

    Returns:
      All networks as one model, named by the seed; and the accuracy of each on 2,000 images of its kind.
    """
    keras.utils.set_random_seed(seed)
    nets = tetromino_nets(name=f"xai_tris_{seed}")
    accuracies: dict[str, float] = {}
    for cell in cells():
        training, validation, test = (
            xai_tris.load(*cell[:2], count, seed + offset)
            for count, offset in ((samples, 0), (1000, VALIDATION), (2000, TEST))
        )
        model = one(nets, *cell)
        model.compile(keras.optimizers.Adam(3e-3), "sparse_categorical_crossentropy", steps_per_execution=16)
        stop = keras.callbacks.EarlyStopping("val_loss", patience=max(1, epochs // 6), restore_best_weights=True)
        model.fit(
            *(training.x, training.y, batch_size, epochs, verbose),
            callbacks=[stop],
            validation_data=(validation.x, validation.y),
            validation_batch_size=1000,
        )
        predicted = model.predict_on_batch(test.x).argmax(axis=1)
        accuracies[output_name(*cell)] = round(float((predicted == test.y).mean()), 4)
    report = {
        "model": f"{len(accuracies)} networks: linear, perceptron and CNN for each scenario and background",
        "data": "XAI-TRIS, 8 × 8 pixels",
        "test_accuracy": round(float(np.mean(list(accuracies.values()))), 4),
        "test_samples": 2000,
        "accuracy": accuracies,
        "paper": "at least 80 % each",
        "parameters": nets.count_params(),
        "seed": seed,
        "epochs": epochs,
    }
    return Trained(nets, report)

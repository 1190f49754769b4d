"""Trains the perceptron of Table A.4 on XAI-BENCH's synthetic data."""

from __future__ import annotations

import keras
import numpy as np
from sklearn.metrics import roc_auc_score

from tf_ig2.paper.datasets import xai_bench
from tf_ig2.paper.zoo.mlp import mlp
from tf_ig2.paper.zoo.recipes.trained import Trained

_TEST_SEED_OFFSET = 1_000_003


def train(seed: int = 0, epochs: int = 30, samples: int = 10_000, batch_size: int = 100, verbose: int = 2) -> Trained:
    """Trains by regression, mean squared error to the labels 0 and 1.

    Args:
      seed: of the data, the weights and the order.
      epochs: passes over the training data.
      samples: number of training samples; 2000 further ones are for testing.
      batch_size: samples per step.
      verbose: as in Keras' `fit`.

    Returns:
      The network, and its mean absolute error, accuracy at 0.5 and ROC AUC on the test samples.
    """
    keras.utils.set_random_seed(seed)
    training, test = xai_bench.load(samples, seed), xai_bench.load(2000, seed + _TEST_SEED_OFFSET)
    model = mlp()
    rate = keras.optimizers.schedules.CosineDecay(5e-3, epochs * -(-samples // batch_size))
    model.compile(keras.optimizers.Adam(rate), "mean_squared_error")
    model.fit(training.x, training.y, batch_size=batch_size, epochs=epochs, verbose=verbose)
    predicted = model.predict(test.x, verbose=0)[:, 0]
    report = {
        "model": "MLP of Table A.4",
        "data": "XAI-BENCH Gaussian piecewise (Eq. 22 and 23), regression to the labels 0 and 1",
        "test_accuracy": round(float(((predicted > 0.5) == (test.y > 0.5)).mean()), 4),
        "test_mean_absolute_error": round(float(np.abs(predicted - test.y).mean()), 4),
        "test_roc_auc": round(float(roc_auc_score(test.y, predicted)), 4),
        "test_samples": len(test),
        "parameters": model.count_params(),
        "seed": seed,
        "epochs": epochs,
    }
    return Trained(model, report)

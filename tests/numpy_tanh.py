"""A network with one tanh layer, read in NumPy: its outputs and their gradients by hand."""

import numpy as np
import tensorflow as tf

from tf_ig2 import ModelView


class TanhNet:
    """z = tanh(x·a + b)·c, float64; `view` is the same in TensorFlow."""

    def __init__(self, features=5, hidden=7, classes=4, seed=0):
        rng = np.random.default_rng(seed)
        self.a, self.b = rng.normal(size=[features, hidden]), rng.normal(size=hidden)
        self.c = rng.normal(size=[hidden, classes])
        self.view = ModelView.from_callables(
            lambda x: tf.tanh(x @ self.a + self.b), lambda h: h @ self.c, tf.TensorSpec([None, features], tf.float64)
        )

    def outputs(self, x):
        return np.tanh(x @ self.a + self.b) @ self.c

    def gradient(self, x, weights):
        """Of outputs · weights, at one point."""
        return self.a @ ((1 - np.tanh(x @ self.a + self.b) ** 2) * (self.c @ weights))

    def class_gradient(self, x, index):
        return self.gradient(x, np.eye(self.c.shape[1])[index])

    def probabilities(self, x):
        powers = np.exp(self.outputs(x) - self.outputs(x).max())
        return powers / powers.sum()

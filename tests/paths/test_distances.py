"""Distances against NumPy, and their gradients at the reference."""

import numpy as np
import pytest
import tensorflow as tf

from tf_ig2 import Distance, IG2Explainer
from tf_ig2.paths import distances

NUMPY = {
    "euclidean": lambda a, b: np.linalg.norm(a - b, axis=1),
    "squared_euclidean": lambda a, b: ((a - b) ** 2).sum(axis=1),
    "cosine": lambda a, b: 1 - (a * b).sum(axis=1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1),
    "l1": lambda a, b: np.abs(a - b).sum(axis=1),
}


@pytest.mark.parametrize("name", NUMPY)
def test_values(rng, name):
    a, b = rng.normal(size=[2, 4, 9])
    distance = distances.get(name)
    np.testing.assert_allclose(distance.value(distance.objective(a, b)), NUMPY[name](a, b), rtol=1e-6)


@pytest.mark.parametrize("name", NUMPY)
def test_the_gradient_is_finite_at_the_reference_and_at_zero(name):
    for point in (tf.constant([[1.0, 2.0]]), tf.zeros([1, 2])):
        with tf.GradientTape() as tape:
            tape.watch(point)
            value = distances.get(name).objective(point, tf.identity(point))
        assert np.isfinite(tape.gradient(value, point)).all()


def test_a_distance_of_ones_own(relu_net, x, references):
    own = Distance(
        "half", lambda a, b: 0.5 * tf.reduce_sum(tf.square(a - b), axis=-1), lambda value: tf.sqrt(2 * value)
    )
    mine = IG2Explainer(relu_net, distance=own).explain(x, references)
    theirs = IG2Explainer(relu_net).explain(x, references)
    np.testing.assert_allclose(mine.values, theirs.values, rtol=1e-5, atol=1e-6)
    assert mine.settings["distance"] == "half"

"""DeepLIFT's rules by themselves."""

import numpy as np
import tensorflow as tf

from tf_ig2.deeplift import rules


def multipliers(x, references):
    """Of a steep function that no few nodes integrate, rows side by side."""

    @tf.function(input_signature=[tf.TensorSpec([None, 1], tf.float64)] * 2)
    def run(x, references):
        with tf.GradientTape() as tape:
            tape.watch(x)
            value = rules.integrated(2, panels=64)(lambda parts: tf.tanh(parts[0]), [x], [references])
        return tape.gradient(value, x)

    return run(x, references).numpy()


def test_a_row_is_integrated_as_it_is_alone():
    x, references = np.array([[0.3], [9.0]]), np.array([[0.1], [-3.0]])
    together = multipliers(x, references)
    alone = np.concatenate([multipliers(x[row : row + 1], references[row : row + 1]) for row in range(2)])
    np.testing.assert_array_equal(together, alone)
    exact = (np.tanh(x) - np.tanh(references)) / (x - references)
    np.testing.assert_allclose(together, exact, rtol=3e-4)  # the second row needed more than two nodes

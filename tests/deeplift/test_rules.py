"""DeepLIFT's rules by themselves."""

import numpy as np
import tensorflow as tf

from tf_ig2.deeplift import rules


def multipliers(x, references, steepness=1.0, nodes=2, panels=64):
    """Of a steep function that no few nodes integrate, rows side by side."""

    @tf.function(input_signature=[tf.TensorSpec([None, 1], tf.float64)] * 2)
    def run(x, references):
        with tf.GradientTape() as tape:
            tape.watch(x)
            value = rules.integrated(nodes, panels)(lambda parts: tf.tanh(steepness * parts[0]), [x], [references])
        return tape.gradient(value, x)

    return run(x, references).numpy()


def test_a_row_is_integrated_as_it_is_alone():
    x, references = np.array([[0.3], [9.0]]), np.array([[0.1], [-3.0]])
    together = multipliers(x, references)
    alone = np.concatenate([multipliers(x[row : row + 1], references[row : row + 1]) for row in range(2)])
    np.testing.assert_array_equal(together, alone)
    exact = (np.tanh(x) - np.tanh(references)) / (x - references)
    np.testing.assert_allclose(together, exact, rtol=3e-5)  # the second row needed more than two nodes


def test_what_changes_within_a_small_part_of_the_line_is_resolved_there():
    """Four nodes in each of 64 equal parts miss a jump that is less than a thousandth of the line wide."""
    x, references = np.linspace(0.5, 9.0, 7)[:, None], np.full([7, 1], -3.0)
    exact = (np.tanh(300 * x) - np.tanh(300 * references)) / (x - references)
    np.testing.assert_allclose(multipliers(x, references, 300.0, nodes=4), exact, rtol=1e-4)


def test_what_no_panels_resolve_ends_with_the_line():
    x, references = np.array([[5.0], [1e-3]]), np.array([[-4.0], [0.0]])
    found = multipliers(x, references, 1e9, nodes=2, panels=3)
    assert np.isfinite(found).all()
    assert abs(found[0, 0] - 2 / 9) > 0.01  # it is not told otherwise: who asks compares what it adds up to


def test_what_is_not_finite_ends():
    x, references = np.array([[np.nan], [9.0]]), np.array([[0.0], [-3.0]])
    found = multipliers(x, references)
    assert np.isnan(found[0, 0])
    np.testing.assert_allclose(found[1, 0], (np.tanh(9) + np.tanh(3)) / 12, rtol=1e-4)

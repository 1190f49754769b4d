"""References from datasets: each element's own axes say whether it is a sample or a batch."""

import numpy as np
import pytest
import tensorflow as tf

from tf_ig2.contrasts.references import from_dataset

SAMPLES = np.arange(24, dtype=np.float32).reshape(6, 4)
SPEC = tf.TensorSpec([None, 4])


def unknown(elements):
    """A dataset that does not know the rank of its elements."""
    return tf.data.Dataset.from_generator(lambda: iter(elements), output_signature=tf.TensorSpec(None, tf.float32))


DATASETS = {
    "samples": lambda: tf.data.Dataset.from_tensor_slices(SAMPLES),
    "batches": lambda: tf.data.Dataset.from_tensor_slices(SAMPLES).batch(4),
    "labelled batches": lambda: tf.data.Dataset.from_tensor_slices((SAMPLES, np.arange(6))).batch(4),
    "samples of unknown rank": lambda: unknown(SAMPLES),
    "batches of unknown rank": lambda: unknown([SAMPLES[:2], SAMPLES[2:4], SAMPLES[4:]]),
    "batches of unknown rank, one size": lambda: unknown([SAMPLES[:3], SAMPLES[3:]]),
    "both": lambda: unknown([SAMPLES[0], SAMPLES[1:]]),
}


@pytest.mark.parametrize("case", DATASETS)
def test_all_are_the_samples(case):
    np.testing.assert_array_equal(from_dataset(DATASETS[case](), SPEC), SAMPLES)


def test_structures_are_joined_part_by_part():
    dataset = tf.data.Dataset.from_tensor_slices({"a": SAMPLES, "b": SAMPLES[:, :2]}).batch(4)
    found = from_dataset(dataset, {"a": SPEC, "b": tf.TensorSpec([None, 2])})
    np.testing.assert_array_equal(found["b"], SAMPLES[:, :2])


@pytest.mark.parametrize(
    ("elements", "message"),
    [
        ([SAMPLES[None]], r"an element of shape \[\(1, 6, 4\)\], but the model takes samples of \[\[4\]\]"),
        ([np.float32(1)], r"an element of shape \[\(\)\]"),
        ([SAMPLES, SAMPLES[:, :3]], "elements have different shapes"),
        ([], "empty dataset"),
    ],
)
def test_what_is_neither_is_refused(elements, message):
    with pytest.raises(ValueError, match=message):
        from_dataset(unknown(elements), SPEC)

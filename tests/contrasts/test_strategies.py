"""Strategies draw what they promise, from a seed, and say when a class has too few samples."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from tf_ig2.contrasts import strategies

LABELS = np.arange(60) % 5
SAMPLES = np.random.default_rng(0).random((60, 3)).astype("float32")


@settings(max_examples=30, deadline=None)
@given(
    explained=st.lists(st.integers(0, 4), min_size=1, max_size=4),
    per_class=st.integers(1, 12),
    seed=st.integers(0, 1000),
)
def test_uniform_draws_the_same_number_of_every_other_class(explained, per_class, seed):
    indices = strategies.uniform(LABELS, explained, per_class=per_class, seed=seed)
    assert indices.shape == (len(explained), 4 * per_class)
    for row, own in zip(indices, explained, strict=True):
        assert len(set(row)) == len(row)
        classes, counts = np.unique(LABELS[row], return_counts=True)
        assert classes.tolist() == [c for c in range(5) if c != own]
        assert (counts == per_class).all()
    np.testing.assert_array_equal(indices, strategies.uniform(LABELS, explained, per_class=per_class, seed=seed))


def test_uniform_from_some_of_the_classes():
    indices = strategies.uniform(LABELS, [0, 1, 7], per_class=2, classes=3, seed=0)
    assert indices.shape == (3, 6)
    assert all(len(set(LABELS[row])) == 3 for row in indices)
    assert not np.isin(LABELS[indices[0]], 0).any()
    assert len({tuple(row) for row in indices}) == 3


def test_seeds_differ():
    assert not np.array_equal(strategies.uniform(LABELS, 0, seed=1), strategies.uniform(LABELS, 0, seed=2))


def test_the_normal_class():
    indices = strategies.of_class(LABELS, 3, explicands=4, count=5, seed=0)
    assert indices.shape == (4, 5)
    assert (LABELS[indices] == 3).all()
    assert all(len(set(row)) == 5 for row in indices)


def test_relevant_classes_are_the_other_top_predictions():
    outputs = np.array([[0.1, 0.5, 0.2, 0.9, 0.0], [5.0, 4.0, 3.0, 2.0, 1.0]])
    indices = strategies.relevant(LABELS, outputs, top=3, per_class=2, seed=0)
    np.testing.assert_array_equal(LABELS[indices], [[1, 1, 2, 2], [1, 1, 2, 2]])
    other = strategies.relevant(LABELS, outputs, explained=4, top=3, seed=0)
    np.testing.assert_array_equal(LABELS[other], [[3, 1], [0, 1]])


def test_label_distance_by_hand():
    labels = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 1], [1, 1, 0], [0, 1, 0]])
    indices = strategies.label_distance(labels, [[1, 1, 0], [0, 1, 1]], [0, 2], count=2)
    np.testing.assert_array_equal(indices[0][:1], [4])  # differs in label 0 alone
    assert indices[0][1] in (0, 2)
    np.testing.assert_array_equal(indices[1][0], 4)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_label_distance_is_nearest_among_those_that_differ(seed):
    rng = np.random.default_rng(seed)
    labels, own = rng.integers(0, 2, (40, 6)), rng.integers(0, 2, (1, 6))
    labels[:10] = 1 - own  # enough that differ
    row = strategies.label_distance(labels, own, 2, count=5, seed=seed)[0]
    assert (labels[row, 2] != own[0, 2]).all()
    distance = (labels != own).sum(axis=1)
    differs = labels[:, 2] != own[0, 2]
    np.testing.assert_array_equal(distance[row], np.sort(distance[differs])[:5])


def test_ties_are_broken_by_the_seed():
    labels = np.repeat([[1, 0]], 50, axis=0)
    draws = [strategies.label_distance(labels, [0, 0], 0, count=3, seed=seed).tolist() for seed in (1, 1, 2)]
    assert draws[0] == draws[1] != draws[2]


def test_gather_from_arrays_and_structures():
    indices = strategies.uniform(LABELS, [0, 1], seed=0)
    np.testing.assert_array_equal(strategies.gather(SAMPLES, indices), SAMPLES[indices])
    both = strategies.gather({"a": SAMPLES, "b": LABELS}, indices)
    np.testing.assert_array_equal(both["b"], LABELS[indices])


def test_a_dataset_gives_what_arrays_give():
    dataset = tf.data.Dataset.from_tensor_slices((SAMPLES, LABELS))
    indices = strategies.uniform(dataset, [0, 1], per_class=2, seed=3)
    np.testing.assert_array_equal(indices, strategies.uniform(LABELS, [0, 1], per_class=2, seed=3))
    labels = strategies.labels_of(dataset)
    np.testing.assert_array_equal(labels, LABELS)
    np.testing.assert_array_equal(strategies.gather(dataset, indices, labels), SAMPLES[indices])
    bare = dataset.map(lambda sample, label: {"x": sample})
    np.testing.assert_array_equal(strategies.gather(bare, indices)["x"], SAMPLES[indices])


def test_a_multi_label_dataset():
    table = np.random.default_rng(0).integers(0, 2, (60, 4))
    dataset = tf.data.Dataset.from_tensor_slices((SAMPLES, table))
    ours = strategies.label_distance(dataset, table[:2], 1, seed=0)
    np.testing.assert_array_equal(ours, strategies.label_distance(table, table[:2], 1, seed=0))


def test_a_dataset_that_shuffles_anew_is_found_out():
    dataset = tf.data.Dataset.from_tensor_slices((SAMPLES, LABELS)).shuffle(60, seed=1)
    labels = strategies.labels_of(dataset)
    with pytest.raises(ValueError, match="reshuffle_each_iteration"):
        strategies.gather(dataset, np.arange(60), labels)


def test_classes_without_samples():
    with pytest.raises(ValueError, match=r"3 reference\(s\) of class 9 are wanted; `labels` has no samples"):
        strategies.of_class(LABELS, 9, explicands=1, count=3)
    with pytest.raises(ValueError, match="has 12 samples of it"):
        strategies.uniform(LABELS, 0, per_class=13)
    with pytest.raises(ValueError, match="wanted from 5 other classes; `labels` has 4"):
        strategies.uniform(LABELS, 0, classes=5)
    with pytest.raises(ValueError, match="wanted from 1 other classes; `labels` has 0"):
        strategies.uniform(np.zeros(5, int), 0)
    with pytest.raises(ValueError, match=r"no sample of the explained class \[7\]"):
        strategies.uniform(LABELS, [0, 7])
    with pytest.raises(ValueError, match="of class 6"):
        strategies.relevant(LABELS, np.arange(7.0)[None], explained=5, top=2)
    with pytest.raises(ValueError, match=r"differ in label 1 .* has 0 samples with it unset"):
        strategies.label_distance(np.ones((9, 3)), [1, 1, 1], 1)


def test_bad_arguments():
    with pytest.raises(TypeError, match="`labels` must be class indices"):
        strategies.uniform(LABELS / 2, 0)
    with pytest.raises(ValueError, match="one class for each sample"):
        strategies.uniform(np.zeros((3, 2), int), 0)
    with pytest.raises(TypeError, match="`explained`"):
        strategies.uniform(LABELS, 0.5)
    with pytest.raises(ValueError, match="`top`"):
        strategies.relevant(LABELS, np.zeros((1, 5)), top=6)
    with pytest.raises(ValueError, match="`outputs`"):
        strategies.relevant(LABELS, np.full((1, 5), np.nan))
    with pytest.raises(ValueError, match="0 and 1"):
        strategies.label_distance([[0, 2]], [0, 1], 0)
    with pytest.raises(ValueError, match="`explained` must be in"):
        strategies.label_distance([[0, 1]], [0, 1], 2)
    with pytest.raises(ValueError, match="3 labels a sample"):
        strategies.label_distance([[0, 1]], [0, 1, 1], 0)
    with pytest.raises(ValueError, match="out of range"):
        strategies.gather(SAMPLES, [60])
    dataset = tf.data.Dataset.from_tensor_slices((SAMPLES, LABELS))
    with pytest.raises(ValueError, match="out of range"):
        strategies.gather(dataset, [60])
    with pytest.raises(ValueError, match="unbatch"):
        strategies.gather(dataset.batch(4), [1])
    with pytest.raises(ValueError, match="infinite"):
        strategies.labels_of(dataset.repeat())
    with pytest.raises(ValueError, match="Labels are wanted"):
        strategies.labels_of(dataset.map(lambda sample, label: sample))

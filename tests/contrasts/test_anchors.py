"""Anchor words: worked out by hand in the plane, and what holds of every way."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from tf_ig2.contrasts.anchors import STRATEGIES, Anchors

# From (8, 8) toward (0, 0) in four pieces, what turns back goes a quarter of what is left.
PLANE = np.array([[0, 0], [8, 8], [7, 9], [9, 7.5], [6, 7], [4, 3], [4, 8], [1, 1], [-1, 2]], float)
WORD = PLANE[[1]]


def ways(strategy, neighbours=8, steps=4, words=WORD, vectors=PLANE):
    return Anchors(vectors, vectors[0], steps=steps, neighbours=neighbours, strategy=strategy).points(words)


def test_greedy_takes_what_needs_not_be_moved_and_the_nearest_of_those():
    """Of (8, 8) the neighbour (6, 7) is between, so are (4, 8), (4, 3) and (1, 1); of (6, 7) first (4, 3), as (4, 8)
    would be moved down to (4, 5.25); of (4, 3) then (1, 1)."""
    np.testing.assert_array_equal(ways("greedy")[0], [[8, 8], [6, 7], [4, 3], [1, 1], [0, 0]])


def test_candidates_are_the_nearest_words_and_what_turns_back_is_moved():
    """Three neighbours: of (8, 8), (9, 7.5) would be moved to (6, 7.5) and (7, 9) to (7, 6), both by 3, and (6, 7) is
    not. Of (6, 7) the word itself, and (4, 8), moved to (4, 5.25) by 2.75, and (7, 9), to (4.5, 5.25) by 4.5. Of (4, 8)
    two that were passed, and (7, 9), moved to three quarters of (4, 5.25)."""
    np.testing.assert_array_equal(ways("greedy", neighbours=3)[0], [[8, 8], [6, 7], [4, 5.25], [3, 3.9375], [0, 0]])


def test_max_count_counts_coordinates_and_does_not_measure():
    """Without (6, 7) and those below: (9, 7.5) and (7, 9) have one coordinate between, and (9, 7.5) is nearer."""
    vectors = PLANE[[0, 1, 2, 3, 8]]
    np.testing.assert_array_equal(ways("max count", 4, 2, vectors=vectors)[0], [[8, 8], [4, 7.5], [0, 0]])
    far = np.array([[0, 0], [8, 8], [8.1, 8.1], [20, 1]], float)
    np.testing.assert_array_equal(ways("max count", 3, 2, vectors=far)[0], [[8, 8], [4, 1], [0, 0]])
    np.testing.assert_array_equal(ways("greedy", 3, 2, vectors=far)[0], [[8, 8], [4, 4], [0, 0]])


def test_one_piece_has_no_anchor():
    np.testing.assert_array_equal(ways("greedy", steps=1)[0], [[8, 8], [0, 0]])


def test_the_baseline_and_words_with_its_vector_are_no_anchors():
    twice = np.concatenate([PLANE, np.zeros([1, 2])])
    np.testing.assert_array_equal(ways("max count", vectors=twice), ways("max count"))
    np.testing.assert_array_equal(ways("greedy", words=PLANE[[0]])[0], np.zeros([5, 2]))


def test_a_word_is_no_anchor_of_one_with_the_same_vector():
    twice = np.concatenate([PLANE, WORD])
    np.testing.assert_array_equal(ways("greedy", vectors=twice), ways("greedy"))


def test_where_no_word_is_left_the_way_is_straight():
    vectors = np.array([[0, 0], [8, 8], [7, 7]], float)
    np.testing.assert_allclose(
        ways("greedy", 2, steps=5, vectors=vectors)[0], [[8, 8], [7, 7], [5.25, 5.25], [3.5, 3.5], [1.75, 1.75], [0, 0]]
    )
    alone = np.array([[0, 0], [8, 8]], float)
    np.testing.assert_allclose(ways("greedy", 1, vectors=alone)[0], np.linspace([8, 8], [0, 0], 5))
    np.testing.assert_allclose(ways("greedy", 1, vectors=np.zeros([2, 2]), words=np.zeros([1, 2])), np.zeros([1, 5, 2]))


@pytest.mark.parametrize("strategy", STRATEGIES)
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_no_coordinate_turns_back_and_both_ends_are_met(strategy, data):
    number = st.floats(-4, 4, width=32).map(lambda x: round(x, 1))
    vectors = data.draw(arrays.arrays(np.float32, st.tuples(st.integers(2, 12), st.integers(1, 4)), elements=number))
    steps, neighbours = data.draw(st.integers(1, 8)), data.draw(st.integers(1, len(vectors) - 1))
    anchors = Anchors(vectors, vectors[0], steps=steps, neighbours=neighbours, strategy=strategy)
    points = anchors.points(vectors)
    np.testing.assert_array_equal(points[:, 0], vectors)
    np.testing.assert_array_equal(points[:, -1], np.broadcast_to(vectors[0], vectors.shape))
    toward = np.sign(vectors[0] - vectors)[:, None]
    assert (np.diff(points, axis=1) * toward >= 0).all()
    assert (np.diff(points, axis=1)[np.broadcast_to(toward == 0, np.diff(points, axis=1).shape)] == 0).all()


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_words_together_go_where_they_go_alone(strategy, monkeypatch):
    vectors = np.random.default_rng(0).normal(size=[40, 5]).astype(np.float32)
    anchors = Anchors(vectors, vectors[0], steps=9, neighbours=12, strategy=strategy)
    together = anchors.points(vectors)
    np.testing.assert_array_equal(anchors.points(vectors[::-1]), together[::-1])  # what was found is kept
    monkeypatch.setattr("tf_ig2.contrasts.anchors._PIECE", 100)  # a candidate's worth, or two
    for word, way in zip(vectors[:6], together, strict=False):
        alone = Anchors(vectors, vectors[0], steps=9, neighbours=12, strategy=strategy).points(word[None])
        np.testing.assert_array_equal(alone[0], way)

"""The one loop over (explicand, reference) pairs."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from tf_ig2 import IG2Explainer
from tf_ig2.explainers.expected_ig import ExpectedIGExplainer
from tf_ig2.explainers.integrated_gradients import IntegratedGradientsExplainer
from tf_ig2.paths.keep import Keep

from .smooth import draw, explain, view

EXPLAINERS = {
    "fixed": lambda: IG2Explainer(view(), steps=3, step_size=0.2, clip_min_max=None),
    "calibrated": lambda: IG2Explainer(view(), clip_min_max=None),
    "nodes": lambda: IntegratedGradientsExplainer(view(), steps=3, rule="idgi"),
    "nodes of each reference": lambda: ExpectedIGExplainer(view(), steps=2),
}


def equal(found, expected):
    for a, b in zip(tf.nest.flatten(found), tf.nest.flatten(expected), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-13)


@pytest.mark.parametrize("name", EXPLAINERS)
@pytest.mark.parametrize("batch_size", [1, 2, 5, 6])
def test_passes_of_any_size_give_the_same(name, batch_size):
    """Also of sizes that cut through an explicand's references."""
    x, references = draw()
    explainer, keep = EXPLAINERS[name](), Keep(path=True)
    expected = explain(explainer, x, references, keep=keep)
    equal(explain(explainer, x, references, keep=keep, batch_size=batch_size), expected)


@pytest.mark.parametrize("name", EXPLAINERS)
def test_static_shapes_give_the_same_in_one_pass(name):
    x, references = draw()
    explainer = EXPLAINERS[name]()
    equal(explain(explainer, x, references, static=True, batch_size=2), explain(explainer, x, references))


@pytest.mark.parametrize("name", ["fixed", "calibrated", "nodes"])
def test_values_are_means_over_references_and_the_rest_is_by_pair(name):
    x, references = draw()
    explainer = EXPLAINERS[name]()
    whole = explain(explainer, x, references)
    one, other = (explain(explainer, x, references[r : r + 1]) for r in range(2))
    np.testing.assert_allclose(whole.values, (one.values + other.values) / 2, atol=1e-13)
    by_pair = tf.nest.map_structure(lambda *parts: np.concatenate(parts, axis=1), one, other)
    equal(whole._replace(values=()), by_pair._replace(values=()))
    assert whole.counterfactuals.shape == (3, 2, 6)
    assert whole.path == ()


@pytest.mark.parametrize("name", EXPLAINERS)
@pytest.mark.parametrize("batch_size", [3, 32])
def test_every_explicand_may_have_its_own_references(name, batch_size):
    x, _ = draw()
    _, references = draw(9, references=6)
    own = references.reshape(3, 2, 6)
    explainer = EXPLAINERS[name]()
    together = explain(explainer, x, own, batch_size=batch_size)
    for i in range(3):
        alone = explain(explainer, x[i : i + 1], own[i])
        np.testing.assert_allclose(together.values[i], alone.values[0], atol=1e-13)
        np.testing.assert_allclose(together.counterfactuals[i], alone.counterfactuals[0], atol=1e-13)


def test_ends_that_nobody_asked_for_are_not_kept():
    found = explain(IG2Explainer(view()), *draw(), keep=Keep(counterfactuals=False))
    assert found.counterfactuals == ()


def test_it_is_frozen_and_its_parts_can_be_replaced():
    walk = IG2Explainer(view(), steps=5).walk
    with pytest.raises(dataclasses.FrozenInstanceError):
        walk.segments = 6
    longer = walk.replace(segments=6)
    assert (walk.segments, longer.segments, longer.path) == (5, 6, walk.path)


def test_equal_walks_are_one():
    assert len({IG2Explainer(steps=5).walk, IG2Explainer(steps=5).walk, IG2Explainer(steps=6).walk}) == 2


def test_drawn_nodes_differ_between_references_and_stay_the_same():
    walk = ExpectedIGExplainer(steps=4, seed=2).walk
    positions = walk.tableau(3, tf.float64).positions
    assert positions.shape == (4, 3)
    assert len(np.unique(positions, axis=1).T) == 3
    np.testing.assert_array_equal(walk.tableau(5, tf.float64).positions[:, :3], positions)


def test_progress_counts_every_step_of_every_pair():
    told = []
    x, references = draw()
    explain(IG2Explainer(view(), steps=4), x, references, batch_size=4, on_step=lambda n: told.append(int(n)))
    assert sum(told) == 3 * 2 * 4

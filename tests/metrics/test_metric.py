"""A metric knows its place in a table, and whether it can be computed."""

from types import SimpleNamespace

import numpy as np
import pytest

from tf_ig2.metrics.metric import Metric

MAPS = np.arange(8.0).reshape(2, 2, 2)


def metric(score, **more):
    return Metric("own", "of my own", True, score, **more)


def test_there_is_one_number_for_each_explicand():
    np.testing.assert_array_equal(metric(lambda maps, known: maps.sum(axis=(1, 2)))(MAPS, None), [6, 22])


@pytest.mark.parametrize("score", [lambda maps, known: maps, lambda maps, known: 1.0, lambda maps, known: [1.0]])
def test_another_number_of_scores_is_refused_by_the_metrics_name(score):
    with pytest.raises(ValueError, match=r"'own' gave scores of shape .* for 2 attributions"):
        metric(score)(MAPS, None)


def test_a_score_that_is_not_finite_is_refused_by_the_metrics_name():
    with pytest.raises(ValueError, match="scores of own"):
        metric(lambda maps, known: [1.0, np.nan])(MAPS, None)


def test_it_applies_where_there_is_what_it_needs():
    needy = metric(lambda maps, known: [1.0, 2.0], needs=("masks",))
    assert needy.applies(SimpleNamespace(masks=np.ones([2, 2, 2])))
    assert not needy.applies(SimpleNamespace(masks=None))


@pytest.mark.parametrize("key", ["", "own/signed"])
def test_a_key_that_records_cannot_tell_apart_is_refused(key):
    with pytest.raises(ValueError, match="`key`"):
        Metric(key, "", True, lambda maps, known: [])

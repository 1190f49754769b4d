"""Scores of maps whose scores are known, and parts of a task."""

from dataclasses import replace

import numpy as np
import pytest
import tensorflow as tf

from tests.paper.experiments.small import small_task
from tf_ig2.metrics.metric import Metric
from tf_ig2.models.model_view import ModelView
from tf_ig2.paper.experiments.task import Task


@pytest.fixture(scope="module")
def task():
    masks = np.zeros([2, 12, 12], bool)
    masks[0, 2:5, 3:9], masks[1, 6:, :4] = True, True
    return replace(small_task(), masks=masks, curve_steps=4)


def words(channels=("absolute", "signed")):
    """Four words of two numbers, of which only the second word matters; the last two are padding."""
    points = np.ones([1, 4, 2], np.float32)
    view = ModelView.from_callables(
        lambda x: tf.stack([8 * x[:, 1, 0], 4 + 0 * x[:, 0, 0]], axis=1), tf.identity, tf.TensorSpec([None, 4, 2])
    )
    return Task(
        name="words",
        view=view,
        inputs=points,
        names=("a question",),
        target=np.array([0], np.int32),
        references=np.zeros([1, 1, 4, 2], np.float32),
        value_range=(0.0, 1.0),
        points=points,
        background=0.0,
        curve_steps=4,
        absent=np.array([[False, False, True, True]]),
        channels=channels,
    )


def test_the_mask_itself_is_a_perfect_map_and_its_complement_the_worst(task):
    masks = task.masks.astype(float)
    for values, best in ((masks, 1.0), (1 - masks, 0.0)):
        for score in task.scores(values):
            assert score["auc/absolute"] == score["auc/signed"] == best
            assert score["sum/absolute"] == score["sum/signed"] == pytest.approx(best)


def test_there_are_four_metrics_both_ways(task):
    scores = task.scores(np.random.default_rng(0).normal(size=task.points.shape))
    names = {f"{metric}/{way}" for metric in ("auc", "sum", "add", "del") for way in ("absolute", "signed")}
    assert [set(score) for score in scores] == [names, names]
    assert all(0 <= number <= 1 for score in scores for number in score.values())
    assert scores[0]["auc/absolute"] != scores[0]["auc/signed"]


def test_one_number_per_pixel_scores_the_same_both_ways(task):
    for score in task.scores(np.random.default_rng(0).normal(size=task.points.shape[:3])):
        for metric in ("auc", "sum", "add", "del"):
            assert score[f"{metric}/absolute"] == score[f"{metric}/signed"]


def test_without_ground_truth_there_are_only_the_curves(task):
    scores = replace(task, masks=None).scores(np.ones(task.points.shape[:3]))
    assert {key.partition("/")[0] for key in scores[0]} == {"add", "del"}


def test_scores_do_not_depend_on_the_batch(task):
    values = np.random.default_rng(0).normal(size=task.points.shape)
    together = task.scores(values)
    for row in range(2):
        (alone,) = task.take(np.array([row])).scores(values[[row]])
        assert alone["auc/signed"] == together[row]["auc/signed"]
        assert alone["add/signed"] == pytest.approx(together[row]["add/signed"], abs=1e-5)


def test_padding_is_ranked_last_whatever_its_attribution():
    values = np.array([[0.0, 1.0, 9.0, 5.0]])
    high, low = (1 / (1 + np.exp(-z)) for z in (4.0, -4.0))
    (score,) = words().scores(values)
    assert score["add/absolute"] == pytest.approx((low / 2 + 3 * high + high / 2) / 4, rel=1e-5)
    assert score["del/absolute"] == pytest.approx((high / 2 + 3 * low + low / 2) / 4, rel=1e-5)


def test_only_the_ways_that_are_asked_for():
    for values in (np.ones([1, 4]), np.ones([1, 4, 2])):
        assert set(words(("signed",)).scores(values)[0]) == {"add/signed", "del/signed"}


@pytest.mark.parametrize("values", [np.ones([2, 12, 11]), np.ones([3, 12, 12]), np.full([2, 12, 12], np.nan)])
def test_attributions_that_do_not_fit_are_refused(task, values):
    with pytest.raises(ValueError, match="attributions"):
        task.scores(values)


def test_a_part_has_its_own_of_everything(task):
    absent = np.arange(2 * 144).reshape(2, 12, 12) % 2 == 0
    task = replace(task, background=task.points + 1, absent=absent)
    part = task.take(np.array([1]))
    assert len(part) == 1
    assert part.names == ("image 1",)
    for name in ("inputs", "target", "references", "points", "background", "masks", "absent"):
        np.testing.assert_array_equal(getattr(part, name), getattr(task, name)[1:])


def test_a_part_shares_what_is_not_of_an_explicand(task):
    shared = np.zeros(task.points.shape[1:], np.float32)
    part = replace(task, background=shared, options={"XRAI": {"min_size": 3}}).take(np.array([1, 0]))
    assert part.background is shared
    assert part.options == {"XRAI": {"min_size": 3}}
    assert part.view is task.view
    assert part.names == ("image 1", "image 0")


def test_a_metric_that_needs_what_the_task_lacks_is_left_out(task):
    pointing = Metric("pointing", "pointing", True, lambda maps, known: np.ones(len(maps)), needs=("masks",))
    assert task.keys([pointing]) == ["pointing/absolute", "pointing/signed"]
    assert replace(task, masks=None).keys([pointing]) == []
    assert replace(task, masks=None).scores(task.points, [pointing]) == [{}, {}]


def test_the_names_of_the_scores_are_known_before_there_are_any(task):
    assert list(task.scores(task.points)[0]) == sorted(task.keys(), key=lambda key: key.endswith("signed"))

"""Paths run from the baseline to the explicand, and the prediction along them is the network's."""

import numpy as np
import pytest

from tests.paper.experiments.small import small_task
from tf_ig2.paper.experiments.along_path import softmax_along, walkers
from tf_ig2.paper.experiments.methods import ig2_explainer, ig2_settings


@pytest.fixture(scope="module")
def walked():
    task = small_task(**{"IG²": {"steps": 3}})
    return task, {name: walker(task) for name, walker in walkers(task).items()}


def test_paths_end_at_the_explicand(walked):
    task, paths = walked
    assert list(paths) == ["Vanilla IG", "Guided IG", "IG²"]
    for points in paths.values():
        np.testing.assert_allclose(points[:, :, -1], np.repeat(task.points[:, None], points.shape[1], 1), atol=1e-6)


def test_the_first_two_begin_at_black(walked):
    for name in ("Vanilla IG", "Guided IG"):
        assert not walked[1][name][:, :, 0].any()


def test_gradpath_has_one_path_for_each_reference_and_its_own_steps(walked):
    assert walked[1]["IG²"].shape == (2, 2, 4, 12, 12, 3)


def test_the_softmax_is_the_mean_over_references_of_the_networks(walked):
    task, paths = walked
    found = softmax_along(task, paths["IG²"], batch_size=3)
    assert found.shape == (2, 4)
    for k in (0, 3):
        probabilities = task.view.model(paths["IG²"][1, :, k]).numpy()[:, task.target[1]]
        np.testing.assert_allclose(found[1, k], probabilities.mean(), rtol=1e-5)


def test_settings_tell_other_options_apart():
    one, other = (ig2_settings(ig2_explainer(small_task(**{"IG²": {"steps": steps}}))) for steps in (3, 4))
    assert one["steps"] == 3
    assert one != other

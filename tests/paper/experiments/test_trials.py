"""Trials are what they say: noise, squares and sums, with one budget."""

import numpy as np
import pytest

from tests.paper.experiments.small import small_task
from tf_ig2.explainers.gradient import GradientExplainer
from tf_ig2.explainers.ig2 import IG2Explainer
from tf_ig2.explainers.integrated_gradients import IntegratedGradientsExplainer
from tf_ig2.explainers.xrai import XRAIExplainer
from tf_ig2.paper.experiments import trials
from tf_ig2.paper.experiments.choice import CHOSEN, SIGMA
from tf_ig2.paper.experiments.methods import IG2
from tf_ig2.paper.experiments.scales import Regions


@pytest.fixture(scope="module")
def task():
    return small_task()


@pytest.fixture(scope="module")
def at_pixels(task):
    return trials.at_pixels(task.view, 2)


@pytest.fixture(scope="module")
def inside(task):
    return trials.inside(task.view, {"middle": "maps"}, 2)


def test_noise_with_squares_is_their_mean_over_copies(task, at_pixels):
    gradient = GradientExplainer(task.view)
    noise = np.random.default_rng(0).normal(0, 0.1, [24, 12, 12, 3])
    noisy = np.clip(task.inputs[1] + noise, 0, 1).astype(np.float32)
    each = gradient.explain(noisy, target=int(task.target[1])).values.astype(float)
    found = {name: at_pixels["Gradient"][name].maps(task)[1] for name in (trials.SQUARES, trials.MEAN, trials.VARIANCE)}
    np.testing.assert_allclose(found[trials.SQUARES], np.square(each).mean(axis=0).sum(axis=-1), rtol=1e-4)
    np.testing.assert_allclose(found[trials.MEAN], np.abs(each.mean(axis=0)).sum(axis=-1), rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(found[trials.VARIANCE], each.var(axis=0).sum(axis=-1), rtol=1e-3, atol=1e-6)


def test_ig2_on_its_path_is_what_one_gets_who_names_nothing(task, at_pixels):
    values = IG2Explainer(task.view).explain(task.inputs, task.references, task.target).values
    np.testing.assert_allclose(at_pixels[IG2][trials.ON_PATH].maps(task), np.abs(values).sum(axis=-1), rtol=1e-5)


@pytest.mark.parametrize("method", ["Vanilla IG", "Guided IG", "Expected IG", "Blur IG"])
def test_methods_with_a_path_have_the_same_trials(task, at_pixels, method):
    assert list(at_pixels[method]) == [
        trials.PUBLISHED,
        trials.IDGI,
        trials.MEAN,
        trials.SQUARES,
        trials.NOISY_IDGI,
    ]
    clean, noisy = (at_pixels[method][name].settings["steps"] for name in (trials.PUBLISHED, trials.SQUARES))
    references = 2 if method == "Expected IG" else 1
    assert clean * references == trials.GRADIENTS
    assert noisy * references <= trials.GRADIENTS / trials.COPIES


def test_settings_tell_trials_apart(at_pixels, inside):
    settings = [
        (method, repr(sorted(mapped.settings.items(), key=repr)))
        for found in (at_pixels, inside)
        for method, tried in found.items()
        for mapped in tried.values()
    ]
    assert len(set(settings)) == len(settings)


def test_maps_inside_are_of_the_size_of_the_input(task, inside):
    for method, name in ((IG2, "middle, IDGI"), (trials.EXPECTED, "middle, IDGI"), (trials.GRAD_CAM, trials.LAST)):
        maps = inside[method][name].maps(task)
        assert maps.shape == (2, 12, 12)
        assert np.ptp(maps) > 0


def test_xrai_is_what_it_is(task):
    base = IntegratedGradientsExplainer(task.view, steps=12, value_range=task.value_range)
    expected = XRAIExplainer(base).explain(task.inputs, "black_and_white", task.target).values
    found = Regions()(trials.xrai_base(task.view, task.value_range).maps)(task)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6)


def test_what_was_chosen_is_there(at_pixels, inside):
    assert set(CHOSEN["pixels"]) == set(at_pixels) == set(SIGMA)
    assert all(trial in at_pixels[method] for method, trial in CHOSEN["pixels"].items())
    assert set(CHOSEN["inside"]) == set(inside)
    every = trials.inside(small_task().view, dict.fromkeys(("early", "middle", "late"), "maps"), 2)
    assert all(trial in every[method] for method, trial in CHOSEN["inside"].items())

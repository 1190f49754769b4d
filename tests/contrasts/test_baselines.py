"""Baselines are what their names say, seeded, and the same in every batch."""

import numpy as np
import pytest
import tensorflow as tf
from scipy import ndimage

from tf_ig2.contrasts.baselines import NAMED, Blurred, Constant, Extremes, GaussianNoise, Uniform, resolve

SPEC = tf.TensorSpec([None, 4, 5, 3])


@pytest.fixture
def images():
    return np.random.default_rng(1).uniform(2, 9, [3, 4, 5, 3]).astype(np.float32)


def made(baselines, images, value_range=None):
    """All baselines, `[N, R, ...]`."""
    found = resolve(baselines, images, SPEC, value_range)
    i, r = np.divmod(np.arange(len(images) * found.count), found.count)
    return found.rows(i, r).numpy().reshape(len(images), found.count, *images.shape[1:])


def test_numbers_and_ends_of_the_range(images):
    assert (made(0.5, images) == 0.5).all()
    assert (made("black", images, (0.0, 10.0)) == 0).all()
    assert (made("white", images, (0.0, 10.0)) == 10).all()
    both = made("black_and_white", images, (0.0, 10.0))
    assert (both[:, 0] == 0).all()
    assert (both[:, 1] == 10).all()


def test_the_automatic_range_is_each_explicands_own(images):
    black = made("black", images)
    assert np.array_equal(black, np.broadcast_to(images.min(axis=(1, 2, 3))[:, None, None, None, None], black.shape))


def test_nothing_in_the_box_is_further_than_the_maximal_distance(images):
    furthest = made("maximal_distance", images, (0.0, 10.0))[:, 0]
    assert np.allclose(np.abs(furthest - images), np.maximum(images, 10 - images))


def test_blurred_is_blurred_with_its_edges_continued(images):
    expected = ndimage.gaussian_filter(images, 2.0, axes=(1, 2), mode="nearest")
    assert np.array_equal(made(Blurred(2.0), images)[:, 0], expected)


@pytest.mark.parametrize("name", ["uniform", "gaussian"])
def test_noise_stays_in_the_range_and_differs_between_draws(images, name):
    noise = made(name, images, (0.0, 10.0))
    assert noise.min() >= 0
    assert noise.max() <= 10
    assert len(np.unique(noise[0].reshape(len(noise[0]), -1), axis=0)) == NAMED[name].count


def test_uniform_noise_is_uniform(images):
    draws = made(Uniform(count=200), images[:1], (0.0, 10.0))
    assert abs(draws.mean() - 5) < 0.1
    assert abs(draws.std() - 10 / np.sqrt(12)) < 0.1


def test_gaussian_noise_is_centred_on_the_explicand(images):
    draws = made(GaussianNoise(stdev=0.05, count=400), images[:1], (0.0, 10.0))
    assert np.allclose(draws.mean(axis=1), images[:1], atol=0.12)


@pytest.mark.parametrize("kind", [Uniform, GaussianNoise])
def test_seeds_decide(images, kind):
    assert np.array_equal(made(kind(seed=3), images), made(kind(seed=3), images))
    assert not np.array_equal(made(kind(seed=3), images), made(kind(seed=4), images))


@pytest.mark.parametrize("name", NAMED)
def test_the_batch_an_explicand_comes_in_does_not_matter(images, name):
    order = [2, 0, 1]
    assert np.array_equal(made(name, images)[order], made(name, images[order]))


def test_arrays_are_shared_or_each_explicands_own(images):
    shared, own = images[:2], np.stack([images, images + 1], axis=1)
    assert np.array_equal(made(shared, images), np.broadcast_to(shared, (3, 2, 4, 5, 3)))
    assert np.array_equal(made(own, images), own)
    assert np.array_equal(made(images[0], images)[:, 0], np.broadcast_to(images[0], images.shape))
    assert np.array_equal(made(tf.data.Dataset.from_tensor_slices(shared), images), made(shared, images))


def test_several_inputs_get_different_draws():
    inputs = {"a": np.ones([1, 4], np.float32), "b": np.ones([1, 4], np.float32)}
    spec = {name: tf.TensorSpec([None, 4]) for name in inputs}
    found = resolve("uniform", inputs, spec, (0.0, 1.0)).rows(np.array([0]), np.array([0]))
    assert not np.array_equal(found["a"], found["b"])


BAD = {
    "unknown name": (ValueError, r"Unknown baselines: 'grey'.*black", "grey"),
    "NaN": (ValueError, "`baselines` must be finite", float("nan")),
    "shape": (ValueError, r"`baselines` has shape \(2, 4\)", np.zeros([2, 4])),
    "not numbers": (TypeError, "`baselines` must hold numbers", np.full([4, 5, 3], "a")),
}


@pytest.mark.parametrize("case", BAD)
def test_what_is_no_baseline_is_refused(images, case):
    kind, message, baselines = BAD[case]
    with pytest.raises(kind, match=message):
        resolve(baselines, images, SPEC, None)


def test_parameters_are_checked():
    with pytest.raises(ValueError, match="`count` must be positive"):
        Uniform(count=0)
    with pytest.raises(ValueError, match="`stdev` must be positive"):
        GaussianNoise(stdev=-1)
    with pytest.raises(ValueError, match="`sigma` must be positive"):
        Blurred(0)


def test_blurring_needs_images():
    with pytest.raises(ValueError, match="must be images"):
        resolve("blurred", np.ones([2, 7]), tf.TensorSpec([None, 7], tf.float64), None).rows(
            np.arange(2), np.zeros(2, int)
        )


def test_constants_and_levels_count_themselves():
    assert Constant().count == 1
    assert Extremes((0.0, 0.5, 1.0)).count == 3

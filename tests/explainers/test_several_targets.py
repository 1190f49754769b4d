"""Several targets of each explicand: an axis T, in which each is what it is alone."""

import keras
import numpy as np
import pytest

from tf_ig2 import (
    Attribution,
    DeepSHAPExplainer,
    GradientExplainer,
    IG2Explainer,
    IntegratedGradientsExplainer,
    KernelSHAPExplainer,
    OcclusionExplainer,
    XRAIExplainer,
)

X = np.random.default_rng(0).normal(size=[3, 4]).astype(np.float32)
OWN = np.random.default_rng(1).normal(size=[3, 2, 4]).astype(np.float32)
"""References of each explicand's own."""


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(0)
    return keras.Sequential([keras.Input([4]), keras.layers.Dense(6, "tanh"), keras.layers.Dense(5)])


MAKE = {
    "ig2": lambda model: IG2Explainer(model, steps=2),
    "ig": lambda model: IntegratedGradientsExplainer(model, steps=4),
    "deep": DeepSHAPExplainer,
    "kernel": lambda model: KernelSHAPExplainer(model, samples=14),
}


@pytest.mark.parametrize("name", MAKE)
def test_each_is_what_it_is_alone(model, name):
    explainer, targets = MAKE[name](model), np.array([[0, 3], [1, 3], [4, 2]])
    together = explainer.explain(X, OWN, targets)
    assert together.values.shape == (3, 2, 4)
    np.testing.assert_array_equal(together.target, targets)
    for place in (0, 1):
        alone = explainer.explain(X, OWN, targets[:, place])
        np.testing.assert_allclose(together[:, place].values, alone.values, rtol=1e-4, atol=1e-6)
        np.testing.assert_allclose(together[:, place].outputs, alone.outputs, rtol=1e-4, atol=1e-6)
        np.testing.assert_allclose(together.completeness_gap[:, place], alone.completeness_gap, atol=1e-5)


def test_all_are_all_classes_of_a_batch_and_of_one(model):
    explainer = GradientExplainer(model)
    together, one = explainer.explain(X, target="all"), explainer.explain(X[1], target="all")
    assert together.values.shape == (3, 5, 4)
    np.testing.assert_array_equal(one.target, np.arange(5))
    np.testing.assert_allclose(one.values, together[1].values, rtol=1e-6)
    np.testing.assert_allclose(explainer.explain(X[1], target=[2, 0]).values, one.values[[2, 0]], rtol=1e-6)
    assert explainer.explain(X[1], target=[2]).values.shape == (4,)
    assert explainer.explain(X[1], target=[[2]]).values.shape == (1, 4)


def test_smoothed_masks_are_of_each_target_too(model):
    explainer = GradientExplainer(model)
    together = explainer.GetSmoothedMask(X[0], nsamples=3, seed=1, target=[4, 0, 2])
    assert together.shape == (3, 4)
    alone = explainer.GetSmoothedMask(X[0], nsamples=3, seed=1, target=[0])
    np.testing.assert_allclose(together[1], alone, rtol=1e-5)
    np.testing.assert_allclose(
        explainer.GetMask(X[0], target="all")[[4, 0, 2]], explainer.explain(X[0], target=[4, 0, 2])
    )


def test_one_for_each_of_as_many_explicands_stays_that(model):
    assert GradientExplainer(model).explain(X, target=[0, 1, 2]).values.shape == (3, 4)


@pytest.mark.parametrize(
    ("target", "error"),
    [("every", TypeError), ([[0, 5]] * 3, ValueError), ([[0, 1]] * 2, ValueError), ([0, 1], ValueError)],
)
def test_what_fits_nothing_is_refused(model, target, error):
    with pytest.raises(error, match=r'`target` (must be class indices .*"all"|5 is out of range|has shape .*\[3, T\])'):
        GradientExplainer(model).explain(X, target=target)


def test_images_maps_and_regions(image_net):
    images = np.random.default_rng(0).random([2, 8, 8, 3]).astype(np.float32)
    hidden = OcclusionExplainer(image_net, size=6).explain(images, target=[[0, 1, 3]] * 2)
    assert hidden.values.shape == (2, 3, 8, 8, 3)
    explainer = XRAIExplainer(GradientExplainer(image_net), scales=[50], min_size=4, min_new_pixels=1)
    regions = explainer.explain(images, target=[[0, 1]] * 2)
    assert regions.values.shape == regions.regions.shape == (2, 2, 8, 8)
    np.testing.assert_allclose(regions[:, 1].values, explainer.explain(images, target=1).values, rtol=1e-5)


def test_at_an_inner_layer(image_net):
    images = np.random.default_rng(0).random([2, 8, 8, 3]).astype(np.float32)
    inside = GradientExplainer(image_net, input_layer=image_net.layers[0].name).explain(images, target=[[0, 1, 3]] * 2)
    assert inside.at_input().values.shape == (2, 3, 8, 8)


def test_it_saves_says_and_shows_itself(model, tmp_path):
    explanation = IG2Explainer(model, steps=2).explain(X, OWN, "all")
    explanation.save(tmp_path / "all.npz")
    again = Attribution.load(tmp_path / "all.npz")
    np.testing.assert_array_equal(again.values, explanation.values)
    assert "3 explicand(s) × 5 target(s), 2 path(s) each" in repr(again)
    assert again._repr_html_().count("<tr>") == 11
    assert again.gradcfe.shape == (3, 5, 4)
    with pytest.raises(ValueError, match=r"plot explanation\[0\]"):
        again[0].plot()
    assert again[0][4].plot().axes

"""The same numbers as PAIR's `saliency.metrics.pic`, whose `numpy.trapz` is repaired here."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from saliency.metrics import pic as pair
from skimage import data, transform

from tf_ig2.metrics import pic

FIRST = (0.05, 0.2, 0.5)


@pytest.fixture
def repaired(monkeypatch):
    monkeypatch.setattr(np, "trapz", np.trapezoid, raising=False)


@pytest.fixture(scope="module")
def photograph():
    return (transform.resize(data.astronaut(), (16, 20), anti_aliasing=True) * 255).astype(np.uint8)


def likeness(image):
    """A "model" that is sure of the original, and the less so the further an image is from it."""
    return lambda images: np.exp(-np.abs(images.astype(float) - image).reshape(len(images), -1).mean(axis=1) / 10)


@pytest.mark.parametrize(
    ("grey", "keep_monotonous", "discrete"), [(False, True, False), (True, False, False), (False, False, True)]
)
def test_curves_are_pairs(repaired, photograph, grey, keep_monotonous, discrete):
    image = photograph[..., 0] if grey else photograph
    sure = likeness(image)
    predict = (lambda images: (sure(images) > 0.5).astype(float)) if discrete else sure
    saliency = np.random.default_rng(1).normal(size=image.shape[:2])
    mask = pic.random_mask(*image.shape[:2], fraction=0.02, seed=5)
    ours = pic.performance_information_curve(
        image, saliency, mask, predict, FIRST, keep_monotonous=keep_monotonous, num_data_points=50
    )
    theirs = pair.compute_pic_metric(
        image, saliency, mask, predict, FIRST, keep_monotonous=keep_monotonous, num_data_points=50
    )
    np.testing.assert_array_equal(ours.blurred_images, theirs.blurred_images)
    np.testing.assert_allclose(ours.curve_x, theirs.curve_x)
    np.testing.assert_allclose(ours.curve_y, theirs.curve_y, atol=1e-12)
    np.testing.assert_allclose(ours.predictions, np.array(theirs.predictions, float), atol=1e-12)
    np.testing.assert_allclose(ours.thresholds, theirs.thresholds)
    assert ours.auc == pytest.approx(theirs.auc, abs=1e-12)


@pytest.mark.parametrize("method", ["median", "mean"])
def test_aggregates_are_pairs(repaired, photograph, method):
    def curves(compute):
        rng = np.random.default_rng(0)
        return [
            compute(photograph, rng.random([16, 20]), pic.random_mask(16, 20, seed=s), likeness(photograph), FIRST)
            for s in range(2)
        ]

    curve_x, curve_y, auc = pic.aggregate(curves(pic.performance_information_curve), method)
    theirs = pair.aggregate_individual_pic_results(curves(pair.compute_pic_metric), method)
    np.testing.assert_allclose(curve_x, theirs.curve_x)
    np.testing.assert_allclose(curve_y, theirs.curve_y, atol=1e-12)
    assert auc == pytest.approx(theirs.auc, abs=1e-12)


def test_the_entropy_is_pairs(photograph):
    assert pic.entropy(photograph) == pair.estimate_image_entropy(photograph)


@settings(max_examples=5, deadline=None)
@given(st.integers(0, 10**6))
def test_curves_go_from_zero_to_one(seed):
    rng = np.random.default_rng(seed)
    image = rng.integers(0, 256, [12, 12, 3], np.uint8)
    curve = pic.performance_information_curve(
        image, rng.random([12, 12]), pic.random_mask(12, 12, seed=seed), likeness(image), FIRST, 0.0
    )
    assert curve.curve_y[0] == 0
    assert curve.curve_y[-1] == 1
    assert ((curve.curve_y >= 0) & (curve.curve_y <= 1)).all()
    assert 0 <= curve.auc <= 1


def test_the_batch_size_does_not_matter(photograph):
    saliency, mask = np.random.default_rng(0).random([16, 20]), pic.random_mask(16, 20)
    one, many = (
        pic.performance_information_curve(photograph, saliency, mask, likeness(photograph), FIRST, batch_size=size).auc
        for size in (1, 50)
    )
    assert one == many


class TestUndefined:
    def compute(self, image, predict, **options):
        return pic.performance_information_curve(image, np.ones([8, 8]), pic.random_mask(8, 8), predict, **options)

    def test_an_unsure_prediction(self):
        with pytest.raises(pic.PICError, match="below `min_pred_value`"):
            self.compute(np.zeros([8, 8, 3], np.uint8), lambda images: np.full(len(images), 0.5))

    def test_a_blurred_image_predicted_as_well(self):
        with pytest.raises(pic.PICError, match="not lower than the original"):
            self.compute(np.zeros([8, 8, 3], np.uint8), lambda images: np.ones(len(images)))

    def test_an_original_without_information(self):
        calls = iter([np.array([1.0, 0.0])])
        with pytest.raises(pic.PICError, match="compresses to"):
            self.compute(np.zeros([8, 8, 3], np.uint8), lambda images: next(calls))


class TestBadInput:
    def refused(self, error, match, *, dtype=np.uint8, saliency=None, mask=None, predict=None, **options):
        image = np.random.default_rng(0).integers(0, 256, [8, 8, 3]).astype(dtype)
        with pytest.raises(error, match=match):
            pic.performance_information_curve(
                image,
                np.ones([8, 8]) if saliency is None else saliency,
                pic.random_mask(8, 8) if mask is None else mask,
                predict or likeness(image),
                **options,
            )

    def test_an_image_that_is_not_uint8(self):
        self.refused(TypeError, "must be uint8", dtype=np.float32)

    def test_a_map_or_mask_of_another_size(self):
        self.refused(ValueError, r"`saliency_map` has shape \(8, 9\)", saliency=np.ones([8, 9]))
        self.refused(ValueError, r"`mask` \(9, 8\)", mask=np.ones([9, 8], bool))
        self.refused(ValueError, "the mask boolean", mask=np.ones([8, 8]))

    def test_nan(self):
        self.refused(ValueError, "`saliency_map` contains NaN", saliency=np.full([8, 8], np.nan))
        self.refused(ValueError, "one finite number", predict=lambda images: np.full(len(images), np.nan))

    def test_thresholds_that_do_not_ascend(self):
        self.refused(ValueError, "must ascend", thresholds=(0.5, 0.1))

    def test_a_fraction_and_a_method_that_do_not_exist(self):
        with pytest.raises(ValueError, match="`fraction`"):
            pic.random_mask(4, 4, fraction=2)
        with pytest.raises(ValueError, match="`method`"):
            pic.aggregate([], "mode")
        with pytest.raises(ValueError, match="at least one curve"):
            pic.aggregate([])

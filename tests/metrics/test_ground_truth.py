"""Known answers for the metrics against annotated pixels."""

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from tf_ig2 import GradientExplainer
from tf_ig2.metrics.ground_truth import ground_truth_auc, ground_truth_sum, masks_from_boxes, pointing_game

METRICS = (ground_truth_auc, ground_truth_sum, pointing_game)


@pytest.fixture
def masks():
    masks = np.zeros([2, 6, 8], bool)
    masks[0, 1:4, 2:5] = True
    masks[1, :, :4] = True
    return masks


@pytest.mark.parametrize("metric", METRICS)
def test_a_perfect_map_scores_one_and_an_inverted_one_zero(metric, masks):
    np.testing.assert_array_equal(metric(masks.astype(float), masks), 1.0)
    np.testing.assert_array_equal(metric(1.0 - masks, masks), 0.0)


def test_a_constant_map_scores_what_chance_does(masks):
    constant = np.ones(masks.shape)
    np.testing.assert_array_equal(ground_truth_auc(constant, masks), 0.5)
    for metric in (ground_truth_sum, pointing_game):
        np.testing.assert_allclose(metric(constant, masks), masks.mean(axis=(1, 2)))


def test_random_maps_score_one_half(rng):
    masks = rng.random([40, 16, 16]) < 0.3
    assert abs(ground_truth_auc(rng.random(masks.shape), masks).mean() - 0.5) < 0.02


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 5))
def test_auc_is_scikit_learns_with_ties(seed, levels):
    rng = np.random.default_rng(seed)
    scores, mask = rng.integers(0, levels, [1, 5, 4]), np.zeros([1, 5, 4], bool)
    mask.flat[rng.choice(20, rng.integers(1, 20), replace=False)] = True
    assert ground_truth_auc(scores, mask)[0] == pytest.approx(roc_auc_score(mask.ravel(), scores.ravel()))


def test_sum_leaves_out_negative_attributions():
    found = ground_truth_sum(np.array([[3.0, 1.0, -2.0, -5.0]]), np.array([[1, 0, 0, 1]]))
    np.testing.assert_allclose(found, 0.75)


def test_sum_of_subnormal_maps_is_right():
    assert ground_truth_sum(np.array([[3e-320, 1e-320]]), np.array([[1, 0]]))[0] == pytest.approx(0.75, abs=1e-3)


def test_pointing_game_allows_a_tolerance():
    mask = np.zeros([1, 9, 9], bool)
    mask[0, 4, 4] = True
    point = np.zeros([1, 9, 9])
    point[0, 4, 7] = 1
    assert [pointing_game(point, mask, tolerance=t)[0] for t in (0, 2.9, 3)] == [0, 0, 1]
    with pytest.raises(ValueError, match="`tolerance`"):
        pointing_game(point, mask, tolerance=-1)


def test_an_attribution_and_its_channels_count():
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((4, 4, 3)), keras.layers.Flatten(), keras.layers.Dense(2)])
    explanation = GradientExplainer(model).explain(np.ones([2, 4, 4, 3]))
    mask = np.zeros([1, 4, 4], bool)
    mask[0, :2] = True
    by_hand = roc_auc_score(mask.ravel(), np.abs(explanation.values[1]).sum(axis=-1).ravel())
    assert ground_truth_auc(explanation, mask)[1] == pytest.approx(by_hand)
    assert ground_truth_auc(explanation[1], mask[0]).shape == (1,)
    signed = roc_auc_score(mask.ravel(), explanation.values[1].sum(axis=-1).ravel())
    assert ground_truth_auc(explanation, mask, channels="signed")[1] == pytest.approx(signed)


@pytest.mark.parametrize("metric", METRICS)
class TestBadInput:
    def test_a_mask_of_another_size(self, metric, masks):
        with pytest.raises(ValueError, match=r"`masks` has shape \(2, 6, 8\) and `attributions` \(2, 6, 7\)"):
            metric(np.ones([2, 6, 7]), masks)

    @pytest.mark.parametrize(("value", "word"), [(True, "full"), (False, "empty")])
    def test_an_empty_or_full_mask(self, metric, masks, value, word):
        masks[1] = value
        with pytest.raises(ValueError, match=f"Mask 1 is {word}"):
            metric(np.ones(masks.shape), masks)

    def test_another_number_of_masks(self, metric, masks):
        with pytest.raises(ValueError, match="2 masks for 3 attributions"):
            metric(np.ones([3, 6, 8]), masks)

    def test_masks_of_grey(self, metric, masks):
        with pytest.raises(ValueError, match="Threshold it first"):
            metric(np.ones(masks.shape), masks * 255)

    def test_masks_of_words(self, metric, masks):
        with pytest.raises(TypeError, match="`masks` must be boolean"):
            metric(np.ones(masks.shape), masks.astype(str))

    def test_nan(self, metric, masks):
        maps = np.ones(masks.shape)
        maps[0, 0, 0] = np.nan
        with pytest.raises(ValueError, match="NaN"):
            metric(maps, masks)


@pytest.mark.parametrize("value", [0.0, -1.0])
def test_of_a_map_without_positive_values_nothing_lies_on_the_object(masks, value):
    maps = np.stack([np.ones([6, 8]), np.full([6, 8], value)])
    np.testing.assert_allclose(ground_truth_sum(maps, masks, "signed"), [masks[0].mean(), 0])


def test_boxes_become_masks_at_another_scale():
    (mask,) = masks_from_boxes([[(10, 20, 30, 60), (90, 90, 100, 100)]], 10, 10, sizes=[(100, 100)])
    expected = np.zeros([10, 10], bool)
    expected[2:6, 1:3] = expected[9, 9] = True
    np.testing.assert_array_equal(mask, expected)


@pytest.mark.parametrize("box", [(5, 5, 5, 9), (20, 20, 30, 30)])
def test_a_box_without_a_pixel_is_refused(box):
    with pytest.raises(ValueError, match="holds no pixel"):
        masks_from_boxes([[box]], 10, 10)


def test_boxes_need_four_corners_and_a_size_each():
    with pytest.raises(ValueError, match=r"not \[B, 4\]"):
        masks_from_boxes([[(1, 2, 3)]], 10, 10)
    with pytest.raises(ValueError, match="`sizes` has 2 entries"):
        masks_from_boxes([[(1, 2, 3, 4)]], 10, 10, sizes=[(1, 1), (2, 2)])

"""XRAI gives PAIR's map from the same base attribution and segments, and a clear error for what it cannot explain."""

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from saliency.core import xrai as pair
from scipy.ndimage import gaussian_filter

from tf_ig2 import Attribution, IG2Explainer, IntegratedGradientsExplainer
from tf_ig2.explainers.xrai import XRAIExplainer
from tf_ig2.pair.saliency_adapter import saliency_adapter
from tf_ig2.pair.xrai import XRAIParameters
from tf_ig2.segments import segmentation
from tf_ig2.segments.regions import RegionAttribution

from ..networks import broken_net, conv_net, grey_net, needs_data, photographs


def smooth(shape, seed=0, sigma=3):
    noise = np.random.default_rng(seed).normal(size=shape)
    return gaussian_filter(noise, [sigma, sigma, *[0] * (len(shape) - 2)])


def random_masks(shape, count, seed):
    """Overlapping discs."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[: shape[0], : shape[1]]
    centres, radii = rng.uniform(0, shape, (count, 2)), rng.uniform(2, min(shape) / 2, count)
    return [(y - cy) ** 2 + (x - cx) ** 2 <= r * r for (cy, cx), r in zip(centres, radii, strict=True)]


def pairs(image, base, segments=None, **parameters):
    options = pair.XRAIParameters(return_xrai_segments=True, **parameters)
    return pair.XRAI().GetMaskWithDetails(
        image, None, segments=segments, base_attribution=base, extra_parameters=options
    )


def assert_close(ours, theirs, rtol=1e-4):
    assert np.abs(ours - theirs).max() <= rtol * np.abs(theirs).max()


@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    count=st.integers(1, 30),
    area=st.sampled_from([0.2, 0.7, 1.0]),
    algorithm=st.sampled_from(["full", "fast"]),
)
def test_values_and_ranks_are_pairs(seed, count, area, algorithm):
    shape = (30, 40)
    image, base = smooth((*shape, 3), seed), smooth((*shape, 3), seed + 1)
    masks = random_masks(shape, count, seed)
    if not any(mask.sum() >= 50 for mask in masks):
        masks.append(np.ones(shape, bool))
    theirs = pairs(image, base, masks, area_threshold=area, algorithm=algorithm)
    ours = XRAIExplainer(area=area, algorithm=algorithm).explain(image, base_attribution=base, segments=masks)
    assert_close(ours.values, theirs.attribution_mask)
    np.testing.assert_array_equal(ours.regions, theirs.segments)


@needs_data
def test_maps_of_photographs_are_pairs():
    """With their own segments each."""
    image = photographs(3)[2]
    base = smooth(image.shape, sigma=6).astype("float32")
    theirs = pairs(image, base)
    ours = XRAIExplainer().explain(image, base_attribution=base)
    assert_close(ours.values, theirs.attribution_mask)
    np.testing.assert_array_equal(ours.regions, theirs.segments)


def test_segments_are_pairs():
    image = smooth((60, 50, 3))
    theirs = [mask for mask in pair._get_segments_felzenszwalb(image) if mask.any()]
    ours = segmentation.masks(segmentation.felzenszwalb(image), dilation=5)
    assert ours.shape == (len(theirs), 3000)
    np.testing.assert_array_equal(ours.toarray().reshape(-1, 60, 50) > 0, theirs)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10**6), channels=st.sampled_from([None, 1, 3]))
def test_regions_keep_the_sum(seed, channels):
    shape = (24, 24) if channels is None else (24, 24, channels)
    base = smooth(shape, seed)
    explainer = XRAIExplainer(channels="sum", min_new_pixels=5)
    masks = random_masks(shape[:2], 12, seed)
    explanation = explainer.explain(np.zeros(shape), base_attribution=base, segments=masks)
    np.testing.assert_allclose(explanation.values.sum(), base.sum(), atol=1e-8)
    ranks = np.unique(explanation.regions)
    gains = [np.unique(explanation.values[explanation.regions == rank]) for rank in ranks]
    assert all(len(gain) == 1 for gain in gains)
    ordered = [gain[0] for gain in gains[:-1]]  # the last one may be the rest
    assert ordered == sorted(ordered, reverse=True)


def test_the_densest_region_comes_first():
    base = np.zeros((20, 20))
    base[:10, :10] = 1
    quarters = [np.zeros((20, 20), bool) for _ in range(4)]
    for number, quarter in enumerate(quarters):
        quarter[10 * (number // 2) :][:10, 10 * (number % 2) :][:, :10] = True
    explanation = XRAIExplainer().explain(np.zeros((20, 20)), base_attribution=base, segments=quarters[::-1])
    np.testing.assert_array_equal(explanation.values, base)
    assert (explanation.regions[:10, :10] == 1).all()


def test_a_base_explainer_of_any_kind():
    model = conv_net()
    rng = np.random.default_rng(0)
    x, references = rng.random((2, 12, 12, 3)), rng.random((3, 12, 12, 3))
    base = IG2Explainer(model, steps=3)
    explanation = XRAIExplainer(base, min_new_pixels=5, scales=[100]).explain(x, references, target=1)
    assert isinstance(explanation, RegionAttribution)
    assert explanation.values.shape == explanation.regions.shape == (2, 12, 12)
    np.testing.assert_array_equal(explanation.target, [1, 1])
    pixels = base.explain(x, references, 1)
    np.testing.assert_array_equal(explanation.base_values, pixels.values)
    np.testing.assert_array_equal(explanation.output, pixels.output)
    given_base = XRAIExplainer(base, min_new_pixels=5, scales=[100]).explain(x, base_attribution=pixels)
    np.testing.assert_array_equal(given_base.values, explanation.values)
    one = XRAIExplainer(base, min_new_pixels=5, scales=[100]).explain(x[1], base_attribution=pixels[1])
    np.testing.assert_array_equal(one.values, explanation.values[1])


def test_sums_over_channels_keep_the_completeness_of_the_base():
    model = conv_net()
    base = IntegratedGradientsExplainer(model)
    explanation = XRAIExplainer(base, scales=[100], channels="sum").explain(smooth((12, 12, 3)))
    np.testing.assert_allclose(explanation.completeness_gap, 0, atol=1e-4)


def test_pairs_arguments():
    """PAIR's own class on the adapter, and ours with its arguments, give the same map."""
    model = conv_net(activation="tanh")
    image = smooth((12, 12, 3)).astype("float32")
    parameters = pair.XRAIParameters(steps=200, area_threshold=0.8)
    parameters.experimental_params["min_pixel_diff"] = 5
    call = saliency_adapter(model, target=1)
    own = {"extra_parameters": parameters, "segments": random_masks((12, 12), 15, seed=0)}
    theirs = pair.XRAI().GetMask(image, call, batch_size=50, **own)
    explainer = XRAIExplainer(IntegratedGradientsExplainer(model, rule="pair"))
    ours = explainer.GetMask(image, target=1, baselines="black_and_white", steps=200, batch_size=50, **own)
    assert_close(ours, theirs)
    from_model = XRAIExplainer(model).GetMask(image, target=1, **own)
    assert_close(from_model, theirs, rtol=0.1)
    by_callback = XRAIExplainer().GetMask(image, call, **own)
    assert_close(by_callback, from_model, rtol=1e-3)


def counting(rows):
    """A callback that remembers how many rows it got at a time."""

    def call_model_function(x_value_batch, call_model_args=None, expected_keys=None):
        rows.append(len(x_value_batch))
        return {"INPUT_OUTPUT_GRADIENTS": np.sin(x_value_batch)}

    return call_model_function


@pytest.mark.parametrize("base", [None, IntegratedGradientsExplainer(steps=3)])
@pytest.mark.parametrize("parameters", [pair.XRAIParameters, XRAIParameters])
def test_steps_of_the_parameters_are_obeyed(base, parameters):
    image, masks = smooth((12, 12, 3)), random_masks((12, 12), 4, seed=0)
    rows = []
    own = {"segments": masks, "baselines": [image * 0]}
    mask = XRAIExplainer(base).GetMask(image, counting(rows), extra_parameters=parameters(steps=7), **own)
    assert rows == [1] * 7
    given = IntegratedGradientsExplainer(steps=7).GetMask(image, counting(rows), baselines=image * 0)
    expected = XRAIExplainer().explain(image, base_attribution=given, segments=masks)
    np.testing.assert_allclose(mask, expected.values, rtol=1e-6)
    rows.clear()
    XRAIExplainer(base).GetMask(image, counting(rows), extra_parameters=parameters(steps=7), steps=2, **own)
    assert rows == [1] * 2


def test_steps_are_those_of_integrated_gradients():
    base = IG2Explainer(conv_net(), steps=3)
    explainer, _ = XRAIExplainer(base)._understand({"extra_parameters": XRAIParameters(steps=9)})
    assert explainer.base.steps == 3


@pytest.mark.parametrize("flat", [True, False])
def test_details_are_pairs(flat):
    model = conv_net(activation="tanh")
    image, masks = smooth((12, 12, 3)).astype("float32"), random_masks((12, 12), 6, seed=0)
    wanted = {"return_ig_attributions": True, "return_xrai_segments": True, "flatten_xrai_segments": flat}
    own = {"segments": masks, "extra_parameters": XRAIParameters(steps=20, **wanted)}
    call = saliency_adapter(model, target=1)
    base = IntegratedGradientsExplainer(model, rule="pair")
    theirs = pair.XRAI().GetMaskWithDetails(image, call, **own)
    ours = XRAIExplainer(base).GetMaskWithDetails(image, target=1, baselines="black_and_white", **own)
    assert_close(ours.attribution_mask, theirs.attribution_mask)
    np.testing.assert_array_equal(ours.segments, theirs.segments)
    np.testing.assert_allclose(ours.baselines, theirs.baselines, rtol=1e-6)
    for one, other in zip(ours.ig_attribution, theirs.ig_attribution, strict=True):
        assert_close(one, other)
    by_callback = XRAIExplainer(IntegratedGradientsExplainer(rule="pair")).GetMaskWithDetails(
        image, call, baselines="black_and_white", **own
    )
    assert_close(by_callback.attribution_mask, theirs.attribution_mask)


def test_details_are_given_when_they_are_asked_for():
    model, image = conv_net(), smooth((12, 12, 3))
    details = XRAIExplainer(model, scales=[100]).GetMaskWithDetails(image)
    np.testing.assert_array_equal(details.attribution_mask, XRAIExplainer(model, scales=[100]).GetMask(image))
    assert details.segments is None
    assert details.ig_attribution is None
    np.testing.assert_allclose(details.baselines.min(axis=(1, 2, 3)), [image.min(), image.max()], rtol=1e-6)
    everything = XRAIParameters(return_ig_attributions=True)
    given = XRAIExplainer().GetMaskWithDetails(image, base_attribution=image, extra_parameters=everything)
    np.testing.assert_array_equal(given.ig_attribution, image)
    assert given.baselines is None


def test_smoothing():
    mask = XRAIExplainer(conv_net(), scales=[100]).GetSmoothedMask(smooth((12, 12, 3)), nsamples=2, seed=0)
    assert mask.shape == (12, 12)


def test_it_saves_and_loads(tmp_path):
    explanation = XRAIExplainer().explain(np.zeros((8, 8)), base_attribution=smooth((8, 8)))
    explanation.save(tmp_path / "xrai.npz")
    loaded = Attribution.load(tmp_path / "xrai.npz")
    assert isinstance(loaded, RegionAttribution)
    np.testing.assert_array_equal(loaded.regions, explanation.regions)
    assert loaded.settings == explanation.settings


@pytest.mark.parametrize("value", [0, 7])
def test_constant_images_are_one_region(value):
    base = smooth((12, 12, 3))
    explanation = XRAIExplainer().explain(np.full((12, 12, 3), value, np.uint8), base_attribution=base)
    np.testing.assert_allclose(explanation.values, base.max(axis=-1).mean(), rtol=1e-6)


@pytest.mark.parametrize("shape", [(1, 1), (1, 1, 3)])
def test_a_single_pixel(shape):
    explanation = XRAIExplainer().explain(np.ones(shape), base_attribution=np.full(shape, 2.0))
    np.testing.assert_array_equal(explanation.values, [[2.0]])
    np.testing.assert_array_equal(explanation.regions, [[1]])


def test_uint8_images_are_segmented_like_floats():
    image = (255 * np.random.default_rng(0).random((20, 20, 3))).astype(np.uint8)
    base = smooth((20, 20, 3))
    integers = XRAIExplainer(scales=[100]).explain(image, base_attribution=base)
    floats = XRAIExplainer(scales=[100]).explain(image.astype("float32"), base_attribution=base)
    np.testing.assert_array_equal(integers.values, floats.values)


def test_grey_images_without_a_channel_axis():
    model = grey_net()
    explanation = XRAIExplainer(model, min_new_pixels=5, scales=[100]).explain(
        np.random.default_rng(0).random((2, 12, 12))
    )
    assert explanation.values.shape == (2, 12, 12)


def test_a_baseline_equal_to_the_explicand_gives_zero():
    image = smooth((12, 12, 3))
    explanation = XRAIExplainer(conv_net(), scales=[100]).explain(image, baselines=image)
    np.testing.assert_array_equal(explanation.values, 0)


def test_nan_in_the_base_is_an_error():
    base = np.zeros((6, 6, 3))
    base[2, 3, 1] = np.nan
    with pytest.raises(ValueError, match=r"`base_attribution` contains NaN.*\(2, 3, 1\)"):
        XRAIExplainer().explain(np.zeros((6, 6, 3)), base_attribution=base)
    with pytest.raises(ArithmeticError, match="NaN"):
        XRAIExplainer(broken_net()).explain(-np.ones((12, 12, 3)), target=0)


def test_bad_arguments():
    image = np.zeros((6, 6, 3))
    explainer = XRAIExplainer()
    with pytest.raises(ValueError, match="no base explainer"):
        explainer.explain(image)
    with pytest.raises(ValueError, match=r"`base_attribution` has shape \(5, 6, 3\)"):
        explainer.explain(image, base_attribution=np.zeros((5, 6, 3)))
    with pytest.raises(TypeError, match="no arguments for the base"):
        explainer.explain(image, base_attribution=image, batch_size=3)
    with pytest.raises(TypeError, match="boolean"):
        explainer.explain(image, base_attribution=image, segments=[np.zeros((6, 6), int)])
    with pytest.raises(ValueError, match="mask of shape"):
        explainer.explain(image, base_attribution=image, segments=[np.zeros((5, 6), bool)])
    with pytest.raises(ValueError, match="empty"):
        explainer.explain(image, base_attribution=image, segments=[])
    with pytest.raises(ValueError, match="images are"):
        explainer.explain(np.zeros(6), base_attribution=np.zeros(6))
    with pytest.raises(ValueError, match="explains images"):
        XRAIExplainer(keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])).explain(np.zeros((2, 4)))
    with pytest.raises(TypeError, match="`base`"):
        XRAIExplainer("ig")
    for wrong in ({"algorithm": "best"}, {"area": 0}, {"channels": "mean"}, {"dilation": -1}, {"scales": [0]}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            XRAIExplainer(**wrong)


def test_attributions_of_precomputed_bases_know_no_output():
    explanation = XRAIExplainer().explain(np.zeros((6, 6)), base_attribution=smooth((6, 6)))
    assert isinstance(explanation, Attribution)
    assert explanation.completeness_gap is None

"""Explanations of an inner layer as maps of the input: where they lie is right, and they add up to the same."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from tf_ig2 import (
    Attribution,
    DeepSHAPExplainer,
    IG2Explainer,
    IntegratedGradientsExplainer,
    KernelSHAPExplainer,
    XRAIExplainer,
)
from tf_ig2.at_input import spread

SHAPE = (12, 8, 3)


def attribution(values, inputs):
    values, inputs = np.asarray(values), np.asarray(inputs)
    outputs = np.zeros([len(values), 1, 2])
    return Attribution(values, values, outputs, outputs, settings={"method": "given"}, inputs=inputs)


@pytest.fixture(scope="module")
def net():
    keras.utils.set_random_seed(0)
    return keras.Sequential(
        [
            keras.Input(SHAPE),
            layers.Conv2D(4, 3, strides=2, padding="same", activation="tanh", name="maps"),
            layers.Conv2D(4, 3, strides=2, padding="same", activation="tanh"),
            layers.Flatten(),
            layers.Dense(5, "tanh", name="vector"),
            layers.Dense(3),
        ]
    )


@pytest.fixture
def images(rng):
    return rng.uniform(size=[3, *SHAPE])


@pytest.mark.parametrize("method", ["bicubic", "bilinear"])
@pytest.mark.parametrize(("size", "to"), [(1, 7), (3, 3), (4, 12), (5, 13), (9, 4)])
def test_every_value_is_spread_whole(method, size, to):
    np.testing.assert_allclose(spread(size, to, method).sum(axis=0), 1, rtol=1e-12)


def test_interpolation_is_tensorflows(rng):
    values = rng.normal(size=[1, 4, 4, 1]).astype(np.float32)
    expected = tf.image.resize(values, [12, 8], "bilinear")[..., 0] / 6
    np.testing.assert_allclose(
        attribution(values, np.zeros([1, *SHAPE])[:, :, :8]).at_input("bilinear").values, expected, atol=1e-6
    )


@pytest.mark.parametrize("method", ["bicubic", "bilinear"])
def test_a_map_sums_to_what_the_attributions_sum_to(rng, method):
    values = rng.normal(size=[2, 5, 3, 7])
    maps = attribution(values, np.zeros([2, *SHAPE])).at_input(method).values
    assert maps.shape == (2, 12, 8)
    np.testing.assert_allclose(maps.sum(axis=(1, 2)), values.sum(axis=(1, 2, 3)))


def test_a_map_lies_where_the_values_do():
    values = np.zeros([1, 4, 4, 2])
    values[0, 2, 1] = 1.0
    maps = attribution(values, np.zeros([1, 16, 16, 3])).at_input().values[0]
    assert np.unravel_index(maps.argmax(), maps.shape) in [(i, j) for i in (9, 10) for j in (5, 6)]


def test_channels_first():
    values = np.zeros([1, 5, 4, 2])
    maps = attribution(values, np.zeros([1, 3, 8, 6])).at_input(data_format="channels_first").values
    assert maps.shape == (1, 8, 6)


def test_signals_along_time(rng):
    values = rng.normal(size=[2, 5, 3])
    for inputs in (np.zeros([2, 20, 4]), np.zeros([2, 20])):
        maps = attribution(values, inputs).at_input().values
        assert maps.shape == (2, 20)
        np.testing.assert_allclose(maps.sum(axis=1), values.sum(axis=(1, 2)))


def test_words_are_summed_over_channels(rng):
    values, words = rng.normal(size=[2, 5, 3]), np.ones([2, 5], np.int32)
    mapped = attribution(values, words).at_input()
    np.testing.assert_allclose(mapped.values, values.sum(axis=-1))
    np.testing.assert_array_equal(mapped.explicand, words)


def test_of_the_input_it_is_itself(net, images):
    explanation = IntegratedGradientsExplainer(net).explain(images)
    assert explanation.inputs is None
    assert explanation.at_input() is explanation


EXPLAINERS = {
    "IG²": lambda net, layer: IG2Explainer(net, input_layer=layer),
    "IG": lambda net, layer: IntegratedGradientsExplainer(net, input_layer=layer),
    "DeepSHAP": lambda net, layer: DeepSHAPExplainer(net, input_layer=layer),
    "KernelSHAP": lambda net, layer: KernelSHAPExplainer(net, input_layer=layer, samples=20),
}


@pytest.mark.parametrize("name", EXPLAINERS)
def test_explainers_keep_the_inputs(net, images, name):
    explainer = EXPLAINERS[name](net, "maps")
    explanation = explainer.explain(images[:2], *([] if name == "IG" else [images[2:]]))
    np.testing.assert_allclose(explanation.inputs, images[:2], rtol=1e-6)
    mapped = explanation.at_input()
    assert mapped.values.shape == (2, 12, 8)
    np.testing.assert_allclose(mapped.completeness_gap, explanation.completeness_gap, atol=1e-5)
    assert mapped.settings == {**explanation.settings, "at_input": "bicubic"}


def test_one_explicand_and_slices(net, images):
    explainer = IntegratedGradientsExplainer(net, input_layer="maps")
    batch, one = explainer.explain(images).at_input(), explainer.explain(images[1]).at_input()
    np.testing.assert_allclose(one.values, batch.values[1], atol=1e-6)
    np.testing.assert_allclose(explainer.explain(images)[1].at_input().values, batch[1].values)


def test_the_inputs_are_saved(net, images, tmp_path):
    explanation = IntegratedGradientsExplainer(net, input_layer="maps").explain(images)
    explanation.save(tmp_path / "explanation.npz")
    loaded = Attribution.load(tmp_path / "explanation.npz")
    np.testing.assert_array_equal(loaded.inputs, explanation.inputs)


def test_files_without_inputs_still_load(net, images, tmp_path, monkeypatch):
    explanation = IntegratedGradientsExplainer(net).explain(images)
    fields = Attribution.__dataclass_fields__
    monkeypatch.setattr(Attribution, "__dataclass_fields__", {k: v for k, v in fields.items() if k != "inputs"})
    explanation.save(tmp_path / "explanation.npz")
    monkeypatch.undo()
    assert Attribution.load(tmp_path / "explanation.npz").inputs is None


def test_several_layers_add_up_to_one_map(images):
    inputs = keras.Input(SHAPE)
    a, b = (layers.Conv2D(2, 3, strides=i, padding="same", name=name)(inputs) for i, name in ((2, "a"), (4, "b")))
    model = keras.Model(inputs, layers.Dense(2)(layers.Concatenate()([layers.Flatten()(a), layers.Flatten()(b)])))
    explanation = IntegratedGradientsExplainer(model, input_layer=["b", "a"]).explain(images)
    mapped = explanation.at_input()
    assert mapped.values.shape == (3, 12, 8)
    np.testing.assert_allclose(mapped.completeness_gap, 0, atol=1e-5)


def test_several_inputs_want_a_name():
    values = np.zeros([1, 2, 2, 3])
    several = Attribution(values, values, np.zeros([1, 1, 2]), np.zeros([1, 1, 2]), inputs={"a": values, "b": values})
    with pytest.raises(ValueError, match=r"say with `of`.*\['a', 'b'\]"):
        several.at_input()
    assert several.at_input(of="b").values.shape == (1, 2, 2)


def test_a_vector_has_no_positions(net, images):
    explanation = IntegratedGradientsExplainer(net, input_layer="vector").explain(images)
    with pytest.raises(ValueError, match=r"shape \[5\].*no positions"):
        explanation.at_input()


@pytest.mark.parametrize("options", [{"method": "lanczos"}, {"data_format": "NCHW"}])
def test_unknown_arguments_are_refused(net, images, options):
    with pytest.raises(ValueError, match=next(iter(options))):
        IntegratedGradientsExplainer(net, input_layer="maps").explain(images).at_input(**options)


def test_a_picture_is_of_the_input(net, images):
    explanation = IntegratedGradientsExplainer(net, input_layer="maps").explain(images[0])
    axes = explanation.plot().figure.axes
    assert [axis.get_title() for axis in axes[:2]] == ["explicand", "IntegratedGradients"]
    assert axes[1].images[0].get_array().shape == (12, 8)


def test_a_vector_is_drawn_as_it_is(net, images):
    figure = IntegratedGradientsExplainer(net, input_layer="vector").explain(images[0]).plot()
    assert len(figure.axes[0].patches) == 5


def test_regions_of_an_inner_layer(net, images):
    base = IntegratedGradientsExplainer(net, input_layer="maps")
    xrai = XRAIExplainer(base, min_size=4, min_new_pixels=1)
    explanation = xrai.explain(images)
    assert explanation.values.shape == (3, 12, 8)
    np.testing.assert_allclose(explanation.base_values, base.explain(images).at_input().values, atol=1e-6)
    again = XRAIExplainer(min_size=4, min_new_pixels=1).explain(images, base_attribution=base.explain(images))
    np.testing.assert_allclose(again.values, explanation.values, atol=1e-6)

"""Explanations as NumPy, shap and Quantus take them."""

import sys

import keras
import numpy as np
import pytest

from tf_ig2 import Attribution, GradCAMExplainer, GradientExplainer, IntegratedGradientsExplainer
from tf_ig2.extras import MissingExtraError

NAMES = ["a", "b", "c", "d"]


def explanation(shape, explicand=None, single=False, **parts):
    rng = np.random.default_rng(0)
    values = rng.normal(size=shape).astype(np.float32)
    outputs = np.stack([values.reshape(len(values), -1).sum(axis=1) + 2, np.full(len(values), 2.0)], axis=-1)[:, None]
    made = Attribution(
        values, values if explicand is None else rng.normal(size=explicand), outputs, np.zeros_like(outputs), **parts
    )
    return made[0] if single else made


def test_an_array_is_the_values():
    one = explanation([3, 4])
    assert np.asarray(one) is one.values
    np.testing.assert_array_equal(np.array(one), one.values)
    assert np.array(one) is not one.values
    assert np.asarray(one, np.float64).dtype == np.float64
    np.testing.assert_allclose(np.abs(one).sum(), np.abs(one.values).sum())
    with pytest.raises(ValueError, match="only by a copy"):
        one.__array__(np.float64, copy=False)


def test_several_inputs_are_no_array():
    two = explanation([3, 4])
    parts = {"a": two.values, "b": two.values}
    both = Attribution(parts, parts, two.outputs, two.distances)
    for make in (np.asarray, lambda x: x.to_shap(), lambda x: x.channels_first()):
        with pytest.raises(TypeError, match=r"several inputs.*values\['a'\]"):
            make(both)


@pytest.mark.parametrize(
    ("values", "explicand", "expected"),
    [
        ([2, 8, 6, 3], None, [2, 3, 8, 6]),
        ([2, 8, 6], [2, 8, 6, 3], [2, 1, 8, 6]),
        ([2, 9, 3], None, [2, 3, 9]),
        ([2, 9], [2, 9, 3], [2, 9]),
        ([2, 5], None, [2, 5]),
    ],
)
def test_channels_come_first_as_quantus_has_them(values, explicand, expected):
    """As Quantus asserts of `a_batch`: as many rows as `x_batch`, the same positions, and one channel or as many."""
    made = explanation(values, explicand)
    found = made.channels_first()
    assert list(found.shape) == expected
    assert list(made[1].channels_first().shape) == [1, *expected[1:]]
    if explicand is None and len(values) == 4:
        np.testing.assert_array_equal(found[1, 2], made.values[1, ..., 2])
    x = made.channels_first("explicand")
    assert len(x) == len(found)
    if x.ndim == 4:
        assert x.shape[2:] == found.shape[2:]
        assert found.shape[1] in (1, x.shape[1])


def test_other_words_and_shapes_have_no_channels():
    with pytest.raises(ValueError, match="`of` must be"):
        explanation([2, 4]).channels_first("outputs")
    with pytest.raises(ValueError, match="Channels are those of images"):
        explanation([2, 4, 4, 4, 1]).channels_first()


@pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")  # matplotlib's, by shap's plots
def test_shap_draws_it():
    import matplotlib as mpl

    mpl.use("agg")
    import matplotlib.pyplot as plt
    import shap

    made = explanation([3, 4]).to_shap(NAMES)
    assert isinstance(made, shap.Explanation)
    np.testing.assert_allclose(made.base_values, 2.0)
    np.testing.assert_allclose(made.base_values + made.values.sum(axis=1), explanation([3, 4]).output, rtol=1e-6)
    np.testing.assert_array_equal(made.data, made.values)
    axes = shap.plots.bar(made, show=False)
    assert set(NAMES) <= {label.get_text() for label in axes.get_yticklabels()}
    plt.close("all")
    axes = shap.plots.waterfall(explanation([3, 4], single=True).to_shap(NAMES), show=False)
    assert any("b" in label.get_text() for label in axes.get_yticklabels())
    plt.close("all")


def test_what_contrasts_with_nothing_has_no_base_values():
    made = explanation([3, 4])
    unknown = Attribution(made.values, made.values, made.outputs * np.array([1, np.nan]), made.distances)
    assert unknown.to_shap().base_values is None
    assert unknown.completeness_gap is unknown.relative_completeness_gap is None


def test_names_are_one_for_each_feature_and_the_extra_is_named(monkeypatch):
    with pytest.raises(ValueError, match="`feature_names` must be 4 names"):
        explanation([3, 4]).to_shap(["a"])
    monkeypatch.setitem(sys.modules, "shap", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'tf_ig2\[shap\]'"):
        explanation([3, 4]).to_shap()


def test_a_gap_is_none_where_a_method_does_not_add_up(image_net, tmp_path):
    x = np.random.default_rng(0).random([2, 8, 8, 3]).astype(np.float32)
    for explainer in (GradientExplainer(image_net), GradCAMExplainer(image_net)):
        explanation = explainer.explain(x)
        explanation.save(tmp_path / "saved.npz")
        for made in (explanation, explanation[0], Attribution.load(tmp_path / "saved.npz")):
            assert made.completeness_gap is made.relative_completeness_gap is None
    assert GradientExplainer(image_net, times_input=True).explain(x).completeness_gap.shape == (2,)


def test_files_that_do_not_say_whether_they_add_up_have_a_gap(tmp_path):
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input([4]), keras.layers.Dense(2)])
    made = IntegratedGradientsExplainer(model, steps=2).explain(np.ones([2, 4]))
    old = Attribution(made.values, made.explicand, made.outputs, made.distances, settings={"method": "x"})
    old.save(tmp_path / "old.npz")
    np.testing.assert_allclose(Attribution.load(tmp_path / "old.npz").completeness_gap, 0, atol=1e-6)

"""The same structure in and out: several inputs, and attribution at an inner layer."""

import keras
import numpy as np
import pytest
from keras import layers

from tf_ig2 import Attribution, IG2Explainer, Keep


@pytest.fixture(scope="module")
def two_inputs():
    keras.utils.set_random_seed(0)
    a, b = keras.Input((4,), name="a"), keras.Input((3, 2), name="b")
    hidden = layers.Dense(6, "tanh")(layers.Concatenate()([a, layers.Flatten()(b)]))
    return keras.Model({"a": a, "b": b}, layers.Dense(3, "softmax")(hidden))


def sample(rng, *leading):
    return {"a": rng.normal(size=[*leading, 4]), "b": rng.normal(size=[*leading, 3, 2])}


def test_a_dict_of_inputs(two_inputs, rng, tmp_path):
    explanation = IG2Explainer(two_inputs, rule="segment", nodes=8, steps=20).explain(
        sample(rng, 5), sample(rng, 2), keep=Keep(path=True)
    )
    assert explanation.values["b"].shape == (5, 3, 2)
    assert explanation.counterfactuals["a"].shape == (5, 2, 4)
    assert explanation.gradcfe["b"].shape == (5, 3, 2)
    assert explanation[1].path["b"].shape == (2, 21, 3, 2)
    assert (explanation.relative_completeness_gap < 0.01).all()
    explanation.save(tmp_path / "two.npz")
    loaded = Attribution.load(tmp_path / "two.npz")
    np.testing.assert_array_equal(loaded.values["b"], explanation.values["b"])


def test_one_sample_of_a_dict(two_inputs, rng):
    explainer = IG2Explainer(two_inputs)
    mask = explainer.GetMask(sample(rng), references=sample(rng, 2))
    assert mask["a"].shape == (4,)


def test_clipping_is_input_by_input(two_inputs, rng):
    x, references = sample(rng, 2), sample(rng, 2)
    x["b"], references["b"] = 100 * x["b"], 100 * references["b"]
    end = IG2Explainer(two_inputs, steps=3).explain(x, references).counterfactuals
    assert np.abs(end["a"]).max() <= max(np.abs(x["a"]).max(), np.abs(references["a"]).max()) + 1e-6


def test_wrong_structures_are_named(two_inputs, rng):
    explainer = IG2Explainer(two_inputs)
    with pytest.raises(TypeError, match=r"`x` must be a dict with the keys \['a', 'b'\]"):
        explainer.explain([1, 2], sample(rng, 2))
    with pytest.raises(TypeError, match=r"`references` must be a dict"):
        explainer.explain(sample(rng, 2), {"a": np.zeros([2, 4])})
    with pytest.raises(ValueError, match="different batch sizes"):
        explainer.explain({"a": np.zeros([2, 4]), "b": np.zeros([3, 3, 2])}, sample(rng, 2))


@pytest.fixture(scope="module")
def text_model():
    keras.utils.set_random_seed(0)
    tokens = keras.Input((7,), dtype="int32")
    embedded = layers.Embedding(20, 4, name="embedding")(tokens)
    pooled = layers.GlobalMaxPooling1D()(layers.Conv1D(8, 3, activation="tanh")(embedded))
    return keras.Model(tokens, layers.Dense(3, "softmax")(pooled))


def test_text_is_explained_at_its_embedding(text_model, rng):
    tokens, references = rng.integers(0, 20, [2, 7]), rng.integers(0, 20, [3, 7])
    explanation = IG2Explainer(text_model, input_layer="embedding", rule="segment", nodes=8).explain(tokens, references)
    assert explanation.values.shape == (2, 7, 4)
    embedding = text_model.get_layer("embedding").get_weights()[0]
    np.testing.assert_allclose(explanation.explicand, embedding[tokens], rtol=1e-6)
    change = np.abs(np.diff(explanation.outputs, axis=-1)).sum(axis=-1).mean(axis=-1)
    assert (np.abs(explanation.completeness_gap) < 0.02 * change).all()


def test_tokens_must_be_whole_numbers(text_model, rng):
    explainer = IG2Explainer(text_model, input_layer="embedding")
    with pytest.raises(TypeError, match="int32 input cannot represent"):
        explainer.explain(rng.uniform(0, 20, [2, 7]), rng.integers(0, 20, [3, 7]))


def test_regression_needs_no_target(rng):
    net = keras.Sequential([keras.Input((4,)), layers.Dense(5, "tanh"), layers.Dense(1)])
    explanation = IG2Explainer(net).explain(rng.normal(size=[2, 4]), rng.normal(size=[2, 4]))
    np.testing.assert_array_equal(explanation.target, [0, 0])


def test_maps_of_outputs_need_a_callable(rng):
    net = keras.Sequential([keras.Input((8, 8, 1)), layers.Conv2D(3, 3, activation="tanh"), layers.Conv2D(2, 1)])
    x = rng.normal(size=[2, 8, 8, 1])
    explainer = IG2Explainer(net)
    with pytest.raises(ValueError, match=r"callable"):
        explainer.explain(x, x[::-1])
    explanation = explainer.explain(x, x[::-1], target=lambda maps: maps[:, 2, 3, 1])
    assert explanation.values.shape == x.shape

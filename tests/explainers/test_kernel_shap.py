"""KernelSHAP gives Shapley values, spread over superpixels, tokens or features, and adds up."""

import itertools
import math
import sys
from concurrent.futures import ThreadPoolExecutor

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from tf_ig2 import ModelView, NonFiniteGradientError
from tf_ig2.explainers.kernel_shap import KernelSHAPExplainer
from tf_ig2.extras import MissingExtraError

from ..networks import broken_net, conv_net, grey_net

pytest.importorskip("shap")


def exact_shapley(game, players):
    """Shapley values by the definition, over all coalitions."""
    values = np.zeros(players)
    for player in range(players):
        others = [other for other in range(players) if other != player]
        for size in range(players):
            weight = math.factorial(size) * math.factorial(players - size - 1) / math.factorial(players)
            for coalition in itertools.combinations(others, size):
                values[player] += weight * (game({*coalition, player}) - game(set(coalition)))
    return values


@pytest.fixture(scope="module")
def image_explainer():
    return KernelSHAPExplainer(conv_net(), superpixels=9, samples=200)


def images(count, seed=0):
    return np.random.default_rng(seed).random((count, 12, 12, 3))


def test_values_are_shapley_values(relu_net):
    rng = np.random.default_rng(0)
    x, references = rng.normal(size=6), rng.normal(size=(2, 6))
    view = ModelView(relu_net)

    def game(coalition):
        stays = np.isin(np.arange(6), list(coalition))
        return float(np.mean(view.outputs(np.where(stays, x, references).astype("float32"))[:, 2]))

    values = KernelSHAPExplainer(relu_net).explain(x, references, target=2).values
    np.testing.assert_allclose(values, exact_shapley(game, 6), atol=1e-5)


def test_a_linear_model_is_explained_by_its_weights():
    model = keras.Sequential([keras.Input((5,)), layers.Dense(3)])
    rng = np.random.default_rng(0)
    x, references = rng.normal(size=(3, 5)), rng.normal(size=(4, 5))
    values = KernelSHAPExplainer(model).explain(x, references, target=2).values
    np.testing.assert_allclose(values, model.get_weights()[0][:, 2] * (x - references.mean(axis=0)), atol=1e-5)


def test_superpixels_share_their_value(image_explainer):
    explanation = image_explainer.explain(images(2), np.zeros((12, 12, 3)))
    assert explanation.values.shape == (2, 12, 12, 3)
    np.testing.assert_allclose(explanation.completeness_gap, 0, atol=1e-5)
    for n in range(2):
        for player in np.unique(explanation.regions[n]):
            assert np.ptp(explanation.values[n][explanation.regions[n] == player]) == 0
    assert len(np.unique(explanation.regions[0])) > 1


def test_segments_of_ones_own(image_explainer):
    segments = np.repeat([[5], [9]], 6, axis=0) * np.ones((12, 12), int)
    explanation = image_explainer.explain(images(2), images(3, 1)[None].repeat(2, axis=0), segments=segments)
    assert np.unique(explanation.regions).tolist() == [0, 1]
    np.testing.assert_allclose(explanation.completeness_gap, 0, atol=1e-5)
    own = image_explainer.explain(images(2), images(3, 1), segments=np.stack([segments, segments]))
    np.testing.assert_array_equal(own.values, explanation.values)


def test_the_seed_alone_decides(image_explainer):
    model = image_explainer.view
    x = images(1)
    explainers = [KernelSHAPExplainer(model, superpixels=40, samples=100, seed=seed) for seed in (1, 1, 2)]
    state = np.random.get_state()[1].copy()  # noqa: NPY002
    values = [explainer.explain(x, np.zeros((12, 12, 3))).values for explainer in explainers]
    np.testing.assert_array_equal(values[0], values[1])
    assert not np.array_equal(values[0], values[2])
    np.testing.assert_array_equal(np.random.get_state()[1], state)  # noqa: NPY002


def test_threads_draw_each_for_themselves():
    """Each thread explains with its seed, whatever the others draw, and NumPy's global state is nobody's."""
    model = keras.Sequential([keras.Input((40,)), keras.layers.Dense(8, "tanh"), keras.layers.Dense(2)])
    x, references = np.random.default_rng(0).normal(size=(2, 40)), np.zeros((1, 40))
    explainers = [KernelSHAPExplainer(model, samples=300, seed=seed) for seed in (1, 2, 1, 2)]
    alone = [explainer.explain(x, references, 0).values for explainer in explainers[:2]]
    np.random.seed(7)  # noqa: NPY002
    with ThreadPoolExecutor(5) as pool:
        noise = pool.submit(lambda: [np.random.random() for _ in range(20_000)])  # noqa: NPY002
        together = list(pool.map(lambda explainer: explainer.explain(x, references, 0).values, explainers))
    for n, values in enumerate(together):
        np.testing.assert_array_equal(values, alone[n % 2])
    assert np.abs(alone[0] - alone[1]).max() > 0
    np.testing.assert_array_equal(noise.result(), np.random.RandomState(7).random(20_000))


def test_references_reach_their_layer_in_batches(monkeypatch):
    inputs = keras.Input((5,), dtype="int32")
    hidden = keras.layers.Embedding(7, 3, name="words")(inputs)
    model = keras.Model(inputs, keras.layers.Dense(2)(keras.layers.Flatten()(hidden)))
    explainer = KernelSHAPExplainer(model, input_layer="words")
    sizes, enter = [], ModelView.enter
    monkeypatch.setattr(ModelView, "enter", lambda self, inputs: sizes.append(len(inputs)) or enter(self, inputs))
    words = np.random.default_rng(0).integers(0, 7, (9, 5))
    values = explainer.explain(words[:1], words, 0, batch_size=4).values
    assert max(sizes) == 4
    dataset = tf.data.Dataset.from_tensor_slices(words.astype(np.int32))
    np.testing.assert_allclose(explainer.explain(words[:1], dataset, 0).values, values, rtol=1e-5, atol=1e-6)


def test_batch_size_changes_nothing_and_traces_once(image_explainer):
    x, references = images(1), images(3, 1)
    values = [image_explainer.explain(x, references, batch_size=size).values for size in (2, 7, 100)]
    np.testing.assert_allclose(values[1], values[0], atol=1e-6)
    np.testing.assert_allclose(values[2], values[0], atol=1e-6)
    (function,) = image_explainer._graphs._graphs.values()
    assert function.experimental_get_tracing_count() == 1


def test_the_progress_bar_counts_every_output(image_explainer, capsys):
    image_explainer.explain(images(2), images(3, 1), verbose=True)
    last = capsys.readouterr().err.split("\r")[-1]
    done, total = last.split("|")[-1].split()[0].split("/")
    assert done == total


def test_tokens_at_an_embedding():
    keras.utils.set_random_seed(0)
    inputs = keras.Input((5,), dtype="int32")
    hidden = layers.Flatten()(layers.Embedding(10, 4, name="embedding")(inputs))
    model = keras.Model(inputs, layers.Dense(3)(layers.Dense(8, "relu")(hidden)))
    explainer = KernelSHAPExplainer(model, input_layer="embedding")
    explanation = explainer.explain(np.array([[1, 2, 3, 4, 5]]), np.zeros((1, 5), int))
    assert explanation.values.shape == (1, 5, 4)
    np.testing.assert_array_equal(explanation.regions, [[0, 1, 2, 3, 4]])
    np.testing.assert_allclose(explanation.completeness_gap, 0, atol=1e-5)


def test_unusual_images(image_explainer):
    grey = np.full((12, 12, 3), 9, np.uint8)
    constant = image_explainer.explain(grey, np.zeros((12, 12, 3), np.uint8))
    np.testing.assert_allclose(constant.completeness_gap, 0, atol=1e-4)
    same = image_explainer.explain(images(1), images(1))
    np.testing.assert_allclose(same.values, 0, atol=1e-6)
    pixel = KernelSHAPExplainer(conv_net((1, 1, 3))).explain(np.ones((1, 1, 3)), np.zeros((1, 1, 3)))
    np.testing.assert_allclose(pixel.completeness_gap, 0, atol=1e-6)
    channelless = KernelSHAPExplainer(grey_net(), samples=50).explain(images(1)[..., 0], np.zeros((12, 12)))
    assert channelless.values.shape == (1, 12, 12)


def test_nan_is_an_error():
    x = np.stack([images(1)[0], -images(1)[0]])
    with pytest.raises(NonFiniteGradientError) as caught:
        KernelSHAPExplainer(broken_net(), superpixels=9, samples=200).explain(x, np.zeros((12, 12, 3)), target=0)
    np.testing.assert_array_equal(caught.value.explicands, [1])
    assert len(caught.value.finished) == 1


def test_without_shap_the_extra_is_named_when_the_explainer_is_made(monkeypatch):
    monkeypatch.setitem(sys.modules, "shap", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'tf_ig2\[shap\]'"):
        KernelSHAPExplainer(conv_net())


def test_bad_arguments(image_explainer):
    x, zero = images(1), np.zeros((12, 12, 3))
    with pytest.raises(ValueError, match="`segments` has shape"):
        image_explainer.explain(x, zero, segments=np.zeros((5, 5), int))
    with pytest.raises(TypeError, match="`segments` must be"):
        image_explainer.explain(x, zero, segments=np.zeros((12, 12)))
    with pytest.raises(ValueError, match="`samples`"):
        KernelSHAPExplainer(conv_net(), samples=0)
    a, b = keras.Input((3,)), keras.Input((2,))
    with pytest.raises(ValueError, match="one input"):
        KernelSHAPExplainer(keras.Model([a, b], layers.Dense(2)(layers.Concatenate()([a, b]))))

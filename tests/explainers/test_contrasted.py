"""The same three arguments for every explainer; a target is never taken for references."""

import inspect

import keras
import numpy as np
import pytest
import tensorflow as tf

import tf_ig2
from tf_ig2.contrasts.baselines import FromBaselines
from tf_ig2.explainers.base import Explainer
from tf_ig2.paths.plan import Walk
from tf_ig2.paths.rules import TRAPEZOID
from tf_ig2.paths.straight_line import StraightLine

EXPLAINERS = [
    kind
    for kind in (getattr(tf_ig2, name) for name in tf_ig2.__all__)
    if inspect.isclass(kind) and issubclass(kind, Explainer)
]
OPTIONS = {
    "BlurIGExplainer": {"max_sigma": 2.0, "steps": 4},
    "GuidedIGExplainer": {"steps": 4},
    "KernelSHAPExplainer": {"samples": 16, "superpixels": 4},
    "OcclusionExplainer": {"size": 2},
    "AGIExplainer": {"steps": 2},
    "BIGExplainer": {"steps": 2},
    "MFABAExplainer": {"steps": 2},
    "XRAIExplainer": {"scales": [50], "min_size": 4, "min_new_pixels": 1},
    "WalkExplainer": {"walk": Walk(StraightLine(), TRAPEZOID, segments=2, contrast=FromBaselines())},
}
NEEDING = ("IG2Explainer", "ExpectedIGExplainer", "DeepSHAPExplainer", "KernelSHAPExplainer")
OF_WORDS = ("SequentialIGExplainer", "DiscretizedIGExplainer")
ON_BASELINES = ("IntegratedGradientsExplainer", "GuidedIGExplainer", "IDGExplainer", "WalkExplainer", "XRAIExplainer")


def make(name, model, **options):
    return getattr(tf_ig2, name)(model, **OPTIONS.get(name, {}), **options)


@pytest.fixture(scope="module")
def image_net():
    keras.utils.set_random_seed(0)
    layers = [keras.Input([8, 8, 3]), keras.layers.Conv2D(4, 3, activation="relu"), keras.layers.Flatten()]
    return keras.Sequential([*layers, keras.layers.Dense(3)])


@pytest.fixture(scope="module")
def text_net():
    keras.utils.set_random_seed(0)
    layers = [keras.Input([5], dtype="int32"), keras.layers.Embedding(9, 4, name="words"), keras.layers.Flatten()]
    return keras.Sequential([*layers, keras.layers.Dense(6, "tanh"), keras.layers.Dense(3)])


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(0).random([5, 8, 8, 3]).astype(np.float32)


@pytest.mark.parametrize("kind", EXPLAINERS, ids=lambda kind: kind.__name__)
def test_every_explainer_has_the_same_three_arguments(kind):
    _, *parameters = inspect.signature(kind.explain).parameters.values()
    assert [parameter.name for parameter in parameters[:3]] == ["x", "references", "target"]
    assert [parameter.default for parameter in parameters[1:3]] == [None, None]
    assert all(parameter.kind in (parameter.KEYWORD_ONLY, parameter.VAR_KEYWORD) for parameter in parameters[3:])


def test_a_loop_over_all_explainers_of_images(image_net, images):
    x, references, target = images[:2], images[2:], [2, 0]
    names = [kind.__name__ for kind in EXPLAINERS if kind.__name__ not in OF_WORDS]
    found = {name: make(name, image_net).explain(x, references, target) for name in names}
    assert len(found) == 16
    for name, explanation in found.items():
        np.testing.assert_array_equal(explanation.target, target, err_msg=name)
        assert explanation.values.shape[:3] == (2, 8, 8), name


def test_a_loop_over_explainers_of_words(text_net):
    x, references = np.array([[1, 2, 3, 4, 5], [5, 4, 3, 2, 1]]), np.array([[0, 0, 0, 0, 0], [6, 7, 8, 7, 6], [1] * 5])
    ends = text_net(tf.constant(references, tf.int32)).numpy()[:, 1]
    for name in (*OF_WORDS, "IG2Explainer", "ExpectedIGExplainer", "IntegratedGradientsExplainer"):
        explanation = make(name, text_net, input_layer="words").explain(x, references, 1)
        assert explanation.values.shape == (2, 5, 4)
        if name in ("ExpectedIGExplainer", "IntegratedGradientsExplainer"):
            np.testing.assert_allclose(explanation.counterfactual_output, [ends] * 2, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(
    "target",
    [3, np.int64(1), [1, 2], np.array([1, 0]), lambda outputs: outputs[:, 0]],
    ids=["number", "NumPy's number", "list", "array", "callable"],
)
def test_a_target_is_not_taken_for_references(image_net, images, target):
    shown = "target=…" if callable(target) else "target="
    names = [kind.__name__ for kind in EXPLAINERS if kind.__name__ not in OF_WORDS]
    for name in names:
        if name in ON_BASELINES and isinstance(target, (int, np.integer)):
            continue  # a number is a baseline
        with pytest.raises(TypeError, match=f"`references` = .* looks like a target: write `{shown}"):
            make(name, image_net).explain(images[:2], target)


def test_words_of_integers_are_no_target_and_indices_are(text_net):
    explainer = make("SequentialIGExplainer", text_net, input_layer="words")
    with pytest.raises(TypeError, match="`references` = 2 looks like a target: write `target=2`"):
        explainer.explain([[1, 2, 3, 4, 5]], 2)
    one = make("IG2Explainer", text_net, input_layer="words").explain([1, 2, 3, 4, 5], [0, 0, 0, 0, 0])
    assert one.counterfactuals.shape == (1, 5, 4)


@pytest.mark.parametrize("name", NEEDING)
def test_missing_references_are_named(image_net, images, name):
    with pytest.raises(TypeError, match=f"Pass `references`: {name} contrasts with samples"):
        make(name, image_net).explain(images)


def test_baselines_have_two_names(image_net, images):
    explainer = make("IntegratedGradientsExplainer", image_net)
    expected = explainer.explain(images[:2], baselines=images[2:]).values
    np.testing.assert_array_equal(explainer.explain(images[:2], images[2:]).values, expected)
    white = explainer.explain(images, baselines="white").values
    np.testing.assert_array_equal(explainer.explain(images, "white").values, white)
    np.testing.assert_array_equal(explainer.explain(images, 0).values, explainer.explain(images).values)
    with pytest.raises(TypeError, match="two names of one thing"):
        explainer.explain(images, images, baselines=0.0)


def test_values_of_an_input_layer_may_still_be_the_baselines(text_net):
    explainer = make("IntegratedGradientsExplainer", text_net, input_layer="words")
    x, zeros = np.array([[1, 2, 3, 4, 5]]), np.zeros([1, 5, 4])
    expected = explainer.explain(x, baselines=0.0).values
    np.testing.assert_array_equal(explainer.explain(x, zeros).values, expected)
    with pytest.raises(ValueError, match="`references` has shape"):
        explainer.explain(x, np.zeros([1, 5, 3]))


def test_a_callback_takes_references_by_either_name(image_net, images):
    adapter = tf_ig2.saliency_adapter(image_net, target=1)
    explainer = tf_ig2.IntegratedGradientsExplainer(steps=3)
    expected = explainer.GetMask(images[0], adapter, {}, baselines=images[1:])
    np.testing.assert_array_equal(explainer.GetMask(images[0], adapter, {}, references=images[1:]), expected)

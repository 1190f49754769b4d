"""Every method explains images and text, and those that use references use the same ones."""

import keras
import numpy as np
import pytest
from keras import layers

from tests.paper.experiments.small import small_task
from tf_ig2.explainers.deep_shap import DeepSHAPExplainer
from tf_ig2.explainers.expected_ig import ExpectedIGExplainer
from tf_ig2.explainers.ig2 import IG2Explainer
from tf_ig2.models.model_view import ModelView
from tf_ig2.paper.experiments.methods import IG2, IG2_REGIONS, AgainstReferences, arm_settings, methods
from tf_ig2.paper.experiments.task import Task

PAPER = ["Gradient", "Vanilla IG", "Guided IG", "Expected IG", "DeepSHAP", "KernelSHAP"]


@pytest.fixture(scope="module")
def images():
    options = {"KernelSHAP": {"superpixels": 9, "samples": 30}, "XRAI": {"min_size": 5}}
    return small_task(**options)


@pytest.fixture(scope="module")
def text():
    keras.utils.set_random_seed(0)
    net = keras.Sequential(
        [
            keras.Input((6,), dtype="int32"),
            layers.Embedding(20, 3, name="embedding"),
            layers.Conv1D(4, 2, activation="relu"),
            layers.GlobalMaxPooling1D(),
            layers.Dense(3, "softmax"),
        ]
    )
    view = ModelView(net, input_layer="embedding")
    rng = np.random.default_rng(0)
    words = rng.integers(1, 20, [2, 6]).astype(np.int32)
    points = np.asarray(view.points(words))
    return Task(
        name="text",
        view=view,
        inputs=words,
        names=("a", "b"),
        target=np.asarray(view.outputs(points, words)).argmax(axis=1).astype(np.int32),
        references=rng.integers(1, 20, [2, 2, 6]).astype(np.int32),
        value_range=(-0.1, 0.1),
        points=points,
        background=0.0,
        options={"KernelSHAP": {"samples": 30}},
    )


@pytest.fixture(scope="module")
def of_images(images):
    return methods(images, gradients=4)


@pytest.fixture(scope="module")
def of_text(text):
    return methods(text, gradients=4)


@pytest.fixture
def used(monkeypatch):
    """What explainers got as references, by their class."""
    seen = {}
    for kind in (ExpectedIGExplainer, DeepSHAPExplainer, IG2Explainer):

        def explain(self, x, references, *args, _explain=kind.explain, _kind=kind, **options):
            seen[_kind.__name__] = np.asarray(references)
            return _explain(self, x, references, *args, **options)

        monkeypatch.setattr(kind, "explain", explain)
    return seen


def test_images_have_all_methods_in_the_papers_order(of_images):
    assert list(of_images) == [*PAPER, "Blur IG", "XRAI", IG2, IG2_REGIONS]


def test_records_are_told_ig2s_settings(of_images):
    told = arm_settings(
        {**of_images, "IG², integral": AgainstReferences(IG2Explainer(small_task().view, rule="segment"))}
    )
    assert set(told) == {IG2, "IG², integral"}
    assert (told["IG², integral"]["rule"], told[IG2]["noise"]) == ("segment", 0.1)


def test_text_has_no_method_for_images(of_text):
    assert list(of_text) == [*PAPER, IG2]


@pytest.mark.parametrize("name", [*PAPER, "Blur IG", "XRAI", IG2, IG2_REGIONS])
def test_images_are_explained(images, of_images, name):
    values = of_images[name](images)
    assert values.shape in (images.points.shape, images.points.shape[:3])
    assert np.isfinite(values).all()
    assert np.abs(values).max(axis=tuple(range(1, values.ndim))).min() > 0


@pytest.mark.parametrize("name", [*PAPER, IG2])
def test_text_is_explained_at_its_word_vectors(text, of_text, name):
    values = of_text[name](text)
    assert values.shape in (text.points.shape, text.points.shape[:2])
    assert np.isfinite(values).all()
    assert np.abs(values).max() > 0


@pytest.mark.parametrize("kind", ["images", "text"])
def test_the_same_references_reach_all_that_use_any(kind, used, request):
    task, found = request.getfixturevalue(kind), request.getfixturevalue(f"of_{kind}")
    for name in ("Expected IG", "DeepSHAP", IG2):
        found[name](task)
    assert set(used) == {"ExpectedIGExplainer", "DeepSHAPExplainer", "IG2Explainer"}
    for references in used.values():
        np.testing.assert_array_equal(references, task.references)


def test_a_batch_is_explained_as_alone(images, of_images):
    together = of_images[IG2](images)
    np.testing.assert_allclose(of_images[IG2](images.take(np.array([1]))), together[1:], atol=1e-5)

"""Explainers stay what they were made as, and can be made again: pickled, copied, compiled on the other side."""

import copy
import pickle

import keras
import numpy as np
import pytest
import tensorflow as tf

import tf_ig2
from tests.networks import conv_net
from tf_ig2 import (
    BlurIGExplainer,
    DeepSHAPExplainer,
    Distance,
    ExpectedIGExplainer,
    GradCAMExplainer,
    GradientExplainer,
    GuidedIGExplainer,
    IG2Explainer,
    IntegratedGradientsExplainer,
    KernelSHAPExplainer,
    LayerError,
    MFABAExplainer,
    ModelView,
    OcclusionExplainer,
    SparseL1,
    WalkExplainer,
    XRAIExplainer,
)
from tf_ig2.explainers.base import Explainer
from tf_ig2.models import copies

X = np.random.default_rng(0).random((2, 12, 12, 3)).astype("float32")
REFERENCES = np.random.default_rng(1).random((2, 12, 12, 3)).astype("float32")

MAKE = {
    "ig": (lambda model: IntegratedGradientsExplainer(model, steps=3, rule="midpoint"), ()),
    "ig2": (lambda model: IG2Explainer(model, layer=model.layers[-2], steps=2, norm=SparseL1(90)), (REFERENCES,)),
    "expected ig": (lambda model: ExpectedIGExplainer(model, steps=2, seed=3), (REFERENCES,)),
    "guided ig": (lambda model: GuidedIGExplainer(model, steps=3, output="probabilities"), ()),
    "blur ig": (lambda model: BlurIGExplainer(model, steps=3, max_sigma=2), ()),
    "mfaba": (lambda model: MFABAExplainer(model, steps=3), ()),
    "gradient": (lambda model: GradientExplainer(model, times_input=True), ()),
    "walk": (lambda model: WalkExplainer(model, IG2Explainer(steps=2, step_size=0.5).walk), (REFERENCES,)),
    "grad-cam": (lambda model: GradCAMExplainer(model, model.layers[0], resize=False), ()),
    "occlusion": (lambda model: OcclusionExplainer(model, size=10, value=0.5), ()),
    "deep shap": (lambda model: DeepSHAPExplainer(model, unknown="integrate"), (REFERENCES,)),
    "kernel shap": (lambda model: KernelSHAPExplainer(model, samples=30, superpixels=6), (REFERENCES,)),
    "xrai": (lambda model: XRAIExplainer(model, scales=[100], min_new_pixels=5, area=0.5), ()),
    "xrai of ig2": (lambda model: XRAIExplainer(IG2Explainer(model, steps=2), scales=[100]), (REFERENCES,)),
}


@pytest.fixture(scope="module")
def model():
    return conv_net()


@pytest.mark.parametrize("case", MAKE)
def test_they_pickle_with_their_model_and_what_they_were_made_with(model, case):
    make, _ = MAKE[case]
    explainer = make(model)
    again = pickle.loads(pickle.dumps(explainer))
    assert again.settings == explainer.settings
    assert again.view.model is not model
    np.testing.assert_array_equal(again.view.outputs(X), explainer.view.outputs(X))


@pytest.mark.parametrize("case", ["ig2", "grad-cam", "occlusion", "deep shap", "kernel shap", "xrai"])
def test_again_they_explain_the_same(model, case):
    make, arguments = MAKE[case]
    explainer = make(model)
    expected = explainer.explain(X, *arguments, target=1).values  # there are graphs now, which do not travel
    again = pickle.loads(pickle.dumps(explainer))
    np.testing.assert_allclose(again.explain(X, *arguments, target=1).values, expected, rtol=1e-6, atol=1e-7)


def test_a_deep_copy_has_a_model_of_its_own():
    model = conv_net(seed=3)
    explainer = IntegratedGradientsExplainer(model, steps=3)
    before = explainer.explain(X, target=1).values
    copied = copy.deepcopy(explainer)
    for variable in model.trainable_variables:
        variable.assign(variable * 2)
    np.testing.assert_allclose(copied.explain(X, target=1).values, before, rtol=1e-6, atol=1e-8)


def test_without_a_model_they_pickle_too():
    for explainer in (
        IG2Explainer(steps=3),
        GradCAMExplainer(layer="maps"),
        OcclusionExplainer(size=3),
        XRAIExplainer(),
    ):
        again = pickle.loads(pickle.dumps(explainer))
        assert type(again) is type(explainer)
        assert again._arguments() == explainer._arguments()


def encoder(x):
    return tf.tanh(x)


def test_views_of_callables_pickle_if_these_do():
    head = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
    view = ModelView.from_callables(encoder, head, tf.TensorSpec([None, 4]))
    explainer = IntegratedGradientsExplainer(view, steps=3)
    x = np.ones([1, 4], np.float32)
    for again in (pickle.loads(pickle.dumps(explainer)), copy.deepcopy(explainer)):
        np.testing.assert_array_equal(again.explain(x, target=0).values, explainer.explain(x, target=0).values)
    unpicklable = ModelView.from_callables(lambda x: x, head, tf.TensorSpec([None, 4]))
    with pytest.raises(TypeError, match=r"made of callables, and <function .*lambda.* cannot be pickled"):
        pickle.dumps(IntegratedGradientsExplainer(unpicklable))
    assert copy.deepcopy(unpicklable).outputs(tf.constant(x)).shape == (1, 3)


def test_views_keep_all_that_they_were_made_with():
    inputs = keras.Input((5,), dtype="int32")
    embedded = keras.layers.Embedding(7, 4, name="words")(inputs)
    hidden = keras.layers.GlobalAveragePooling1D()(embedded)
    outputs = {"a": keras.layers.Dense(2, name="a")(hidden), "b": keras.layers.Dense(3, "softmax", name="b")(hidden)}
    model = keras.Model(inputs, outputs)
    view = ModelView(
        model, layer="words", output="probabilities", output_name="b", input_layer=model.get_layer("words"), pool="max"
    )
    again = pickle.loads(pickle.dumps(view))
    assert (again.layer, again.pool, again.output_spec) == ("words", "max", view.output_spec)
    words = np.array([[1, 2, 3, 4, 5]])
    points = view.points(words)
    np.testing.assert_allclose(again.outputs(points, words), view.outputs(points, words), rtol=1e-6)


def test_layers_are_named_so_that_a_copy_finds_them():
    inner = keras.Sequential([keras.Input((4,)), keras.layers.Dense(4, name="twin")], name="inner")
    model = keras.Sequential([keras.Input((4,)), inner, keras.layers.Dense(4, name="twin"), keras.layers.Dense(2)])
    assert copies.named(model, model.layers[0]) == "inner"
    assert copies.named(model, model.layers[1]) == 1
    assert copies.named(model, inner.layers[0]) == "inner/twin"
    assert copies.named(model, [model.layers[2], "inner", None, -1]) == [model.layers[2].name, "inner", None, -1]
    with pytest.raises(LayerError, match="has no name of its own"):
        copies.named(model, keras.layers.Dense(2, name="twin"))


FIXED = {
    "steps": (IntegratedGradientsExplainer, 3),
    "rule": (IG2Explainer, "segment"),
    "step_size": (IG2Explainer, 0.5),
    "norm": (IG2Explainer, "l1"),
    "walk": (IG2Explainer, None),
    "model": (GradientExplainer, None),
    "times_input": (GradientExplainer, True),
    "output": (GradientExplainer, "probabilities"),
    "view": (GradientExplainer, None),
    "settings": (GradientExplainer, {}),
    "resize": (GradCAMExplainer, False),
    "area": (XRAIExplainer, 0.5),
    "base": (XRAIExplainer, None),
    "size": (OcclusionExplainer, 3),
    "samples": (KernelSHAPExplainer, 3),
    "unknown": (DeepSHAPExplainer, "gradient"),
}


@pytest.mark.parametrize("name", FIXED)
def test_what_an_explainer_was_made_with_is_read_only(model, name):
    kind, value = FIXED[name]
    explainer = kind(model)
    before = dict(explainer.settings)
    with pytest.raises(AttributeError, match=rf"`{name}` of an explainer is read-only.*{kind.__name__}\(…, {name}=…\)"):
        setattr(explainer, name, value)
    assert explainer.settings == before


class Counting(Explainer):
    """An explainer of a user's."""

    def __init__(self, model, calls, *, by=1):
        super().__init__(model)
        self.calls, self.by = calls, by

    def explain(self, x, **options):
        self.calls += self.by


def test_explainers_of_ones_own_keep_attributes_that_change():
    counting = Counting(None, 3, by=2)
    counting.explain(X)
    counting.by = 1
    counting.note = "mine"
    counting.explain(X)
    assert counting.calls == 6
    again = pickle.loads(pickle.dumps(counting))
    assert (again.calls, again.by) == (3, 2)


def test_parts_of_a_walk_that_cannot_be_hashed_are_refused(model):
    class Unhashable:
        __hash__ = None

        def __call__(self, outputs):
            return outputs[:, 0]

    explainer = GradientExplainer(model)  # a target goes by what it computes
    np.testing.assert_array_equal(
        explainer.explain(X, target=Unhashable()).values, explainer.explain(X, target=0).values
    )
    with pytest.raises(TypeError, match=r"part of this one cannot be hashed .*Unhashable.*frozen dataclasses"):
        IG2Explainer(model, norm=Unhashable())
    with pytest.raises(TypeError, match="part of this one cannot be hashed"):
        IG2Explainer(model, distance=Distance("mine", Unhashable()))


SENTENCES = {
    "background": (
        lambda m: DeepSHAPExplainer(m, REFERENCES),
        r"`output` must be .*not ndarray. References, the",
    ),
    "background of KernelSHAP": (lambda m: KernelSHAPExplainer(m, REFERENCES), r"`output` must be .*explain\(x, ref"),
    "references": (
        lambda m: IG2Explainer(m, REFERENCES),
        r"`layer` must be .* not ndarray. References are",
    ),
    "references of Grad-CAM": (lambda m: GradCAMExplainer(m, REFERENCES), r"`layer` must be a name.* not ndarray"),
    "norm": (lambda m: IG2Explainer(m, norm=None), r'`norm` must be "l2", "l1" or a Normalizer.*not None'),
    "distance": (
        lambda m: IG2Explainer(m, distance=["l1"]),
        r"`distance` must be a name or a .*Distance, not",
    ),
    "keep": (lambda m: GradientExplainer(m).explain(X, keep=True), r"`keep` must be a tf_ig2.Keep.*not True"),
    "no keep": (lambda m: GradientExplainer(m).explain(X, keep=False), r"`keep` must be a tf_ig2.Keep.*not False"),
    "target": (lambda m: GradientExplainer(m).explain(X, target="espresso"), r"`target` must be .*not 'espresso'"),
    "ragged": (lambda m: GradientExplainer(m).explain(X, target=[[1], [1, 2]]), r"`target` must be class indices"),
    "adapter": (lambda m: tf_ig2.saliency_adapter(m, "espresso"), r"`target` must be class indices.*not 'espresso'"),
    "every": (lambda m: tf_ig2.Keep(every=1.5), r"`every` must be an integer, not 1.5"),
}


@pytest.mark.parametrize("case", SENTENCES)
def test_one_clear_sentence(model, case):
    wrong, message = SENTENCES[case]
    with pytest.raises(TypeError, match=message) as caught:
        wrong(model)
    assert len(str(caught.value)) < 300

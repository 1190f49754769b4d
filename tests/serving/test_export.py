"""What an export holds, which explainers and settings it takes, and what it refuses."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from tests.serving.conftest import check
from tf_ig2 import IG2Explainer, ModelView
from tf_ig2.explainers.blur_ig import BlurIGExplainer
from tf_ig2.explainers.expected_ig import ExpectedIGExplainer
from tf_ig2.explainers.gradient import GradientExplainer
from tf_ig2.explainers.guided_ig import GuidedIGExplainer
from tf_ig2.explainers.integrated_gradients import IntegratedGradientsExplainer
from tf_ig2.serving import ServedExplainer, export


def manifest(path):
    return json.loads((Path(path) / "assets.extra" / "tf_ig2.json").read_text())


def test_values_outside_of_clip_min_max_get_a_sentence(net, contrast, tmp_path):
    path = export(IG2Explainer(net, clip_min_max=(-1, 1)), tmp_path, contrast)
    explain = tf.saved_model.load(path).signatures["explain"]
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"`x` must lie in \[-1, 1\]"):
        explain(x=tf.fill([1, 6], 2.0), target=tf.constant(-1))


def test_a_gradient_that_is_not_finite_gets_a_sentence(tmp_path):
    view = ModelView.from_callables(
        tf.sqrt, lambda x: tf.sqrt(tf.reduce_sum(x, -1, keepdims=True)), tf.TensorSpec([None, 2])
    )
    explain = tf.saved_model.load(
        export(IG2Explainer(view), tmp_path, np.ones([1, 2]), references_inside=True)
    ).signatures["explain"]
    with pytest.raises(tf.errors.InvalidArgumentError, match="became NaN or infinite on the path"):
        explain(x=tf.zeros([1, 2]), target=tf.constant(-1))


@pytest.mark.parametrize(
    "options",
    [
        {"rule": "counterfactual", "clip_min_max": None, "step_size": 0.05},
        {"rule": "segment", "nodes": 3, "clip_min_max": (-1, 1)},
        {"rule": "trapezoid", "norm": "l1", "distance": "cosine"},
    ],
)
def test_every_setting_is_exported(net, samples, contrast, tmp_path, options):
    explainer = IG2Explainer(net, **options)
    explain = tf.saved_model.load(export(explainer, tmp_path, contrast)).signatures["explain"]
    answer = explain(x=tf.constant(samples), target=tf.constant(-1))
    check({name: value.numpy() for name, value in answer.items()}, explainer.explain(samples, contrast))


def check_loaded(path, explanation, samples, **request):
    explain = tf.saved_model.load(path).signatures["explain_against" if "references" in request else "explain"]
    answer = explain(x=tf.constant(samples), target=tf.constant(-1), **request)
    check({name: value.numpy() for name, value in answer.items()}, explanation)
    np.testing.assert_array_equal(answer["steps_taken"], explanation.steps_taken)


@pytest.mark.parametrize("batch_size", [3, 32])
def test_rows_of_an_exported_walk_stop_one_by_one(net, samples, contrast, tmp_path, batch_size):
    """Calibrated steps, with IDGI: rows end after different numbers of steps, and add up to rounding."""
    explainer = IG2Explainer(net, steps=12, rule="idgi-both")
    explanation = explainer.explain(samples, contrast)
    assert len(np.unique(explanation.steps_taken)) > 1
    np.testing.assert_allclose(explanation.completeness_gap, 0, atol=1e-5)
    path = export(explainer, tmp_path, contrast, batch_size=batch_size, max_steps=12)
    twelve = tf.constant(12)
    check_loaded(path, explanation, samples, steps=twelve)
    few = explainer.explain(samples, contrast[:2])
    check_loaded(path, few, samples, steps=twelve, references=tf.constant(contrast[:2]))
    check_loaded(
        path, IG2Explainer(net, steps=2, rule="idgi-both").explain(samples, contrast), samples, steps=tf.constant(2)
    )


def test_a_sum_that_is_refined_is_exported(net, samples, contrast, tmp_path):
    explainer = IG2Explainer(net, rule="segment", nodes=2, completeness_tolerance=1e-3)
    explanation = explainer.explain(samples, contrast)
    assert (explanation.relative_completeness_gap < 0.01).all()
    check_loaded(export(explainer, tmp_path, contrast), explanation, samples)


@pytest.mark.parametrize("kind", [ExpectedIGExplainer, GuidedIGExplainer, IntegratedGradientsExplainer])
def test_explainers_with_baselines_are_exported(net, samples, contrast, tmp_path, kind):
    explainer = kind(net, steps=6)
    path = export(explainer, tmp_path, contrast, batch_size=9)
    check_loaded(path, explainer.explain(samples, contrast), samples)
    check_loaded(path, explainer.explain(samples, contrast[:2]), samples, references=tf.constant(contrast[:2]))


def test_references_that_come_with_requests_alone_are_not_baked_in(net, samples, contrast, tmp_path):
    explainer = IntegratedGradientsExplainer(net, steps=4)
    path = export(explainer, tmp_path)
    assert set(manifest(path)["signatures"]) == {"serving_default", "explain_against"}
    check_loaded(path, explainer.explain(samples, contrast), samples, references=tf.constant(contrast))


def test_explainers_without_contrast_are_exported(net, samples, contrast, tmp_path):
    for number, times_input in enumerate([False, True], 1):
        explainer = GradientExplainer(net, times_input=times_input)
        check_loaded(export(explainer, tmp_path, version=number), explainer.explain(samples), samples)
    with pytest.raises(TypeError, match="contrasts with nothing"):
        export(explainer, tmp_path, contrast, version=3)


def test_blur_ig_is_exported(image_net, tmp_path):
    images = np.random.default_rng(0).uniform(0, 255, [4, 8, 8, 3]).astype(np.float32)
    explainer = BlurIGExplainer(image_net, max_sigma=3, steps=5)
    check_loaded(export(explainer, tmp_path), explainer.explain(images), images)


def test_only_baselines_that_are_the_same_for_all_are_exported(net, samples, tmp_path):
    zero = IntegratedGradientsExplainer(net, steps=6)
    check_loaded(export(zero, tmp_path, 0.0), zero.explain(samples, 0.0), samples)
    ranged = IntegratedGradientsExplainer(net, steps=6, value_range=(-1, 1))
    path = export(ranged, tmp_path, "black_and_white", version=2)
    check_loaded(path, ranged.explain(samples, "black_and_white"), samples)
    for explainer, name in [(zero, "black"), (ranged, "gaussian"), (ranged, "maximal_distance")]:
        with pytest.raises(ValueError, match="depend on the explicand"):
            export(explainer, tmp_path, name, version=3)


def test_steps_that_are_nodes_of_a_rule_cannot_come_with_a_request(net, tmp_path):
    with pytest.raises(ValueError, match="fixed when it is made"):
        export(IntegratedGradientsExplainer(net, steps=6), tmp_path, 0.0, max_steps=9)


def test_a_callable_target_is_exported(net, samples, contrast, tmp_path):
    def margin(outputs):
        return outputs[:, 0] - outputs[:, 1]

    explainer = IG2Explainer(net)
    explain = tf.saved_model.load(export(explainer, tmp_path, contrast, target=margin)).signatures["explain"]
    answer = explain(x=tf.constant(samples))
    assert "target" not in answer
    expected = explainer.explain(samples, contrast, target=margin)
    np.testing.assert_allclose(answer["attributions"], expected.values, atol=1e-5)


def test_the_manifest_says_what_is_in_it(exported):
    content = manifest(exported)
    assert content["explainer"]["method"] == "IG2Explainer"
    assert content["references"] == 3
    assert content["inputs"] == {"x": {"dtype": "float32", "shape": [None, 6]}}
    assert set(content["signatures"]) == {"serving_default", "explain", "explain_against"}
    assert set(content["signatures"]["explain"]["inputs"]) == {"x", "target", "steps"}


def test_no_reference_leaves_the_building(exported, contrast):
    stored = b"".join(file.read_bytes() for file in Path(exported).rglob("*") if file.is_file())
    for reference in contrast:
        assert reference.tobytes() not in stored


def test_the_same_export_has_the_same_content_in_another_process(tmp_path):
    script = """
import sys, keras, numpy as np
from tf_ig2 import IG2Explainer
from tf_ig2.serving import ServedExplainer, export
layers = keras.layers
dropout = layers.Dropout(0.5)  # has a seed, another one in each process
keras.utils.set_random_seed(1)
model = keras.Sequential([keras.Input([4]), layers.Dense(5, "tanh"), dropout, layers.Dense(3, "softmax")])
export(IG2Explainer(model), sys.argv[1], np.eye(4)[:2])
"""
    subprocess.run([sys.executable, "-c", script, tmp_path / "there"], check=True, timeout=550)
    layers.Dense(3)  # so that names are counted from elsewhere here
    dropout = layers.Dropout(0.5)
    keras.utils.set_random_seed(1)
    model = keras.Sequential([keras.Input([4]), layers.Dense(5, "tanh"), dropout, layers.Dense(3, "softmax")])
    here = export(IG2Explainer(model), tmp_path / "here", np.eye(4)[:2])
    assert manifest(here) == manifest(tmp_path / "there" / "1")


def test_another_model_setting_or_reference_has_another_content(net, contrast, tmp_path):
    made = [
        export(IG2Explainer(net), tmp_path, contrast, version=1),
        export(IG2Explainer(net), tmp_path, contrast[:2], version=2),
        export(IG2Explainer(net, output="probabilities"), tmp_path, contrast, version=3),
    ]
    assert len({manifest(path)["content_sha256"] for path in made}) == len(made)


def test_nothing_is_left_behind_and_nothing_overwritten(net, contrast, exported):
    folder = Path(exported).parent
    with pytest.raises(FileExistsError, match="export another `version`"):
        export(IG2Explainer(net), folder, contrast)
    assert [file.name for file in folder.iterdir()] == ["1"]


def test_free_input_sizes_are_refused(tmp_path):
    model = keras.Sequential(
        [keras.Input((None, None, 3)), layers.Conv2D(2, 3), layers.GlobalAveragePooling2D(), layers.Dense(2)]
    )
    with pytest.raises(ValueError, match="fixed size"):
        export(IG2Explainer(model), tmp_path, np.zeros([1, 8, 8, 3]))


def test_variables_that_nobody_named_are_refused(tmp_path):
    net = layers.Dense(2)
    view = ModelView.from_callables(tf.tanh, net, tf.TensorSpec([None, 3]))
    with pytest.raises(ValueError, match="variables="):
        export(IG2Explainer(view), tmp_path, np.zeros([1, 3]), references_inside=True)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"explainer": None}, TypeError),
        ({"version": 0}, ValueError),
        ({"batch_size": 0}, ValueError),
        ({"max_steps": 1.5}, TypeError),
        ({"target": 3}, TypeError),
    ],
)
def test_wrong_arguments_are_refused(explainer, contrast, tmp_path, options, error):
    with pytest.raises(error):
        export(**{"explainer": explainer, "directory": tmp_path, "references": contrast, **options})


def classifier(*first):
    keras.utils.set_random_seed(1)
    return keras.Sequential([keras.Input((4, 4, 1)), *first, layers.Flatten(), layers.Dense(3)])


HIDING_NOTHING = {
    "flatten": [],
    "rescaled": [layers.Rescaling(1 / 255), layers.BatchNormalization(), layers.LayerNormalization()],
    "moved": [layers.ZeroPadding2D(), layers.Permute((2, 1, 3)), layers.Dropout(0.5), layers.Activation("relu")],
}


@pytest.mark.parametrize("first", HIDING_NOTHING)
def test_where_the_representation_is_the_reference_it_is_refused_or_allowed_by_name_and_said(tmp_path, first):
    explainer = IG2Explainer(classifier(*HIDING_NOTHING[first]))
    references = np.random.default_rng(0).uniform(size=[3, 4, 4, 1]).astype(np.float32)
    with pytest.raises(ValueError, match="references_inside=True"):
        export(explainer, tmp_path, references)
    assert list(tmp_path.iterdir()) == []
    path = export(explainer, tmp_path, references, references_inside=True)
    assert manifest(path)["references_inside"] is True
    if first == "flatten":
        stored = b"".join(file.read_bytes() for file in Path(path).rglob("*") if file.is_file())
        assert all(reference.tobytes() in stored for reference in references)


@pytest.mark.parametrize(
    "hidden", [layers.Conv2D(2, 3), layers.Dense(2), layers.GlobalAveragePooling2D(keepdims=True)], ids=lambda x: x.name
)
def test_a_layer_that_mixes_hides_the_references(tmp_path, hidden):
    references = np.random.default_rng(0).uniform(size=[2, 4, 4, 1])
    assert manifest(export(IG2Explainer(classifier(hidden)), tmp_path, references))["references_inside"] is False


def test_baselines_are_inside_and_the_manifest_says_so(net, contrast, tmp_path):
    path = export(IntegratedGradientsExplainer(net), tmp_path, contrast)
    assert manifest(path)["references_inside"] is True


def test_without_references_they_come_with_each_request(net, contrast, samples, tmp_path):
    path = export(IG2Explainer(net, steps=3), tmp_path)
    content = manifest(path)
    assert set(content["signatures"]) == {"serving_default", "explain_against"}
    assert (content["references"], content["references_inside"]) == (None, False)
    check_loaded(path, IG2Explainer(net, steps=3).explain(samples, contrast), samples, references=contrast)


@pytest.mark.filterwarnings("ignore:When providing `inputs` as a dict")
def test_inputs_may_have_any_names(tmp_path):
    keras.utils.set_random_seed(1)
    keys = ["a-b", "a/b", "class", "self", "plain"]
    inputs = {key: keras.Input((2,), name=f"input_{number}") for number, key in enumerate(keys)}
    hidden = layers.Dense(5, "tanh")(layers.Concatenate()(list(inputs.values())))
    explainer = IG2Explainer(keras.Model(inputs, layers.Dense(3)(hidden)), steps=2)
    rng = np.random.default_rng(0)
    x, references = ({key: rng.uniform(size=[n, 2]).astype(np.float32) for key in keys} for n in (3, 2))
    path = export(explainer, tmp_path, references)
    served = dict(zip(keys, ["x_a_b", "x_a_b_2", "x_class", "x_self", "plain"], strict=True))
    assert set(manifest(path)["inputs"]) == set(served.values())
    answer = ServedExplainer(path).explain({served[key]: x[key] for key in keys})
    expected = explainer.explain(x, references)
    for key in keys:
        np.testing.assert_allclose(answer.attributions[f"attributions_{served[key]}"], expected.values[key], atol=1e-5)


def test_a_damaged_manifest_is_named(exported, tmp_path):
    path = shutil.copytree(exported, tmp_path / "1")
    file = path / "assets.extra" / "tf_ig2.json"
    file.write_text(file.read_text().replace('"references": 3', '"references": 4'))
    with pytest.raises(ValueError, match=r"tf_ig2\.json' is damaged"):
        ServedExplainer(path)

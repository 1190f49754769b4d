"""An exported explainer answers as the explainer does, in processes that know neither Keras nor tf_ig2."""

import json
import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers
from tensorflow.core.protobuf import saved_model_pb2

from tf_ig2 import IG2Explainer, ModelView
from tf_ig2.explainers.blur_ig import BlurIGExplainer
from tf_ig2.explainers.expected_ig import ExpectedIGExplainer
from tf_ig2.explainers.gradient import GradientExplainer
from tf_ig2.explainers.guided_ig import GuidedIGExplainer
from tf_ig2.explainers.integrated_gradients import IntegratedGradientsExplainer
from tf_ig2.serving import export

LOADERS = ["saved_model", "session", "c_api"]
BATCHES = [1, 3, 8]


def names(path, signature):
    """The tensor names of a signature, as a model server finds them."""
    model = saved_model_pb2.SavedModel.FromString((Path(path) / "saved_model.pb").read_bytes())
    definition = model.meta_graphs[0].signature_def[signature]
    return {
        "signature": signature,
        "inputs": {name: info.name for name, info in definition.inputs.items()},
        "outputs": {name: info.name for name, info in definition.outputs.items()},
    }


def answers(kind, jobs, folder):
    """The answers of a loader in a process of its own, to jobs: name → (path, signature, list of feeds)."""
    arrays = {}
    for job, (path, signature, calls) in jobs.items():
        arrays[f"{job}/names"] = json.dumps({"path": path, **names(path, signature)})
        for number, feeds in enumerate(calls):
            arrays |= {f"{job}/{number}/{name}": value for name, value in feeds.items()}
    np.savez(folder / "jobs.npz", **arrays)
    subprocess.run(
        [sys.executable, Path(__file__).parent / "loaders.py", kind, folder / "jobs.npz", folder / "out.npz"],
        check=True,
        timeout=240,
        cwd=folder,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "2"},
    )
    results = {job: [{} for _ in calls] for job, (_, _, calls) in jobs.items()}
    with np.load(folder / "out.npz") as file:
        for key in file.files:
            job, number, name = key.split("/")
            results[job][int(number)][name] = file[key]
    return results


def manifest(path):
    return json.loads((Path(path) / "assets.extra" / "tf_ig2.json").read_text())


@pytest.fixture(scope="module")
def smooth_net():
    """A float32 classifier with tanh layers, so that long walks can be compared."""
    keras.utils.set_random_seed(5)
    return keras.Sequential(
        [keras.Input((6,)), layers.Dense(16, "tanh"), layers.Dense(8, "tanh"), layers.Dense(4, "softmax")]
    )


@pytest.fixture(scope="module")
def samples():
    return np.random.default_rng(3).uniform(-1, 1, [8, 6]).astype(np.float32)


@pytest.fixture(scope="module")
def contrast():
    return np.random.default_rng(4).uniform(-1, 1, [3, 6]).astype(np.float32)


@pytest.fixture(scope="module")
def explainer(smooth_net):
    return IG2Explainer(smooth_net, steps=20)


@pytest.fixture(scope="module")
def exported(explainer, contrast, tmp_path_factory):
    return export(explainer, tmp_path_factory.mktemp("smooth"), contrast, batch_size=7, max_steps=50)


def check(answer, explanation, tolerance=1e-5):
    for name, expected in {
        "attributions": explanation.values,
        "output": explanation.output,
        "counterfactual_output": explanation.counterfactual_output,
        "completeness_gap": explanation.completeness_gap,
    }.items():
        np.testing.assert_allclose(answer[name], expected, rtol=1e-5, atol=tolerance, err_msg=name)
    np.testing.assert_array_equal(answer["target"], explanation.target)


BAD = {
    "features": ({"x": np.ones([2, 5], np.float32)}, "`x` must have shape [N, 6]"),
    "rank": ({"x": np.ones([6], np.float32)}, "`x` must have shape [N, 6]"),
    "scalar": ({"x": np.float32(1)}, "`x` must have shape [N, 6]"),
    "more axes": ({"x": np.ones([2, 6, 1], np.float32)}, "`x` must have shape [N, 6]"),
    "empty": ({"x": np.ones([0, 6], np.float32)}, "`x` must have shape [N, 6] with N at least 1"),
    "nan": ({"x": np.full([2, 6], np.nan, np.float32)}, "`x` contains NaN or infinite values"),
    "infinite": ({"x": np.full([2, 6], np.inf, np.float32)}, "`x` contains NaN or infinite values"),
    "class": ({"x": np.ones([2, 6], np.float32), "target": np.int32(4)}, "`target` must be a class index"),
    "negative class": ({"x": np.ones([2, 6], np.float32), "target": np.int32(-2)}, "`target` must be a class index"),
    "targets": ({"x": np.ones([3, 6], np.float32), "target": np.int32([1, 2])}, "`target` must be one class index"),
    "steps": ({"x": np.ones([2, 6], np.float32), "steps": np.int32(51)}, "`steps` must lie in 1 … 50"),
    "no steps": ({"x": np.ones([2, 6], np.float32), "steps": np.int32(0)}, "`steps` must lie in 1 … 50"),
}


BAD_REFERENCES = {
    "features": (np.ones([2, 5], np.float32), "`references` must have shape [N, 6]"),
    "nan": (np.full([2, 6], np.nan, np.float32), "`references` contains NaN"),
    "empty": (np.ones([0, 6], np.float32), "with N at least 1"),
}


@pytest.fixture(scope="module")
def cnn():
    """A wafer-like ReLU network on small images."""
    keras.utils.set_random_seed(3)
    return IG2Explainer(
        keras.Sequential(
            [
                keras.Input((8, 8, 3)),
                layers.Rescaling(1 / 127.5, -1.0),
                layers.Conv2D(8, 3, activation="relu"),
                layers.GlobalAveragePooling2D(),
                layers.Dense(4, "softmax"),
            ]
        ),
        steps=2,
    )


@pytest.fixture(scope="module")
def text_cnn():
    """A smooth text network, explained at its embedding."""
    keras.utils.set_random_seed(6)
    model = keras.Sequential(
        [
            keras.Input((7,), dtype="int32"),
            layers.Embedding(20, 5, name="embedding"),
            layers.Conv1D(4, 3, activation="tanh"),
            layers.GlobalAveragePooling1D(),
            layers.Dense(3, "softmax"),
        ]
    )
    return IG2Explainer(model, input_layer="embedding")


@pytest.fixture(scope="module")
def two_inputs():
    keras.utils.set_random_seed(7)
    a, b = keras.Input((3,), name="a"), keras.Input((2,), name="b")
    joined = layers.Dense(6, "tanh")(layers.Concatenate()([a, b]))
    return IG2Explainer(keras.Model({"a": a, "b": b}, layers.Dense(3)(joined)))


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(0).uniform(0, 255, [8, 8, 8, 3]).astype(np.float32)


@pytest.fixture(scope="module")
def tokens():
    return np.random.default_rng(0).integers(0, 20, [8, 7]).astype(np.int32)


@pytest.fixture(scope="module")
def pair():
    rng = np.random.default_rng(0)
    return {"a": rng.normal(size=[4, 3]).astype(np.float32), "b": rng.normal(size=[4, 2]).astype(np.float32)}


@pytest.fixture(scope="module")
def jobs(exported, cnn, text_cnn, two_inputs, samples, contrast, images, tokens, pair, tmp_path_factory):
    """What is asked of every loader."""
    folder = tmp_path_factory.mktemp("models")
    choice = {"target": np.int32(-1), "steps": np.int32(20)}
    image_model = export(cnn, folder / "cnn", images[:2])
    text_model = export(text_cnn, folder / "text", tokens[:2])
    pair_model = export(two_inputs, folder / "pair", {name: value[:2] + 1 for name, value in pair.items()})
    return {
        "batches": (exported, "explain", [{**choice, "x": samples[:n]} for n in BATCHES]),
        "choices": (
            exported,
            "explain",
            [
                {**choice, "x": samples, "target": np.int32(2)},
                {**choice, "x": samples, "target": np.arange(8, dtype=np.int32) % 4},
                {**choice, "x": samples, "steps": np.int32(5)},
            ],
        ),
        "optional": (exported, "explain", [{"x": samples}]),
        "against": (exported, "explain_against", [{**choice, "x": samples, "references": contrast[:2]}]),
        "predictions": (exported, "serving_default", [{"x": samples}]),
        "bad": (exported, "explain", [{**choice, **feeds} for feeds, _ in BAD.values()]),
        "bad references": (
            exported,
            "explain_against",
            [{**choice, "x": samples, "references": references} for references, _ in BAD_REFERENCES.values()],
        ),
        "images": (image_model, "explain", [{"x": images[:n], "target": np.int32(-1)} for n in BATCHES]),
        "tokens": (text_model, "explain", [{"x": tokens[:n], "target": np.int32(-1)} for n in BATCHES]),
        "pair": (pair_model, "explain", [{**pair, "target": np.int32(-1)}]),
        "pair against": (
            pair_model,
            "explain_against",
            [{**pair, **{f"references_{k}": v[:2] + 1 for k, v in pair.items()}, "target": np.int32(-1)}],
        ),
    }


@pytest.fixture(scope="module", params=LOADERS)
def loaded(request, jobs, tmp_path_factory):
    """The answers of one loader to all jobs."""
    return {**answers(request.param, jobs, tmp_path_factory.mktemp("answers")), "kind": request.param}


def test_a_process_without_keras_gives_the_same_explanations(loaded, explainer, samples, contrast):
    for n, answer in zip(BATCHES, loaded["batches"], strict=True):
        explanation = explainer.explain(samples[:n], contrast, batch_size=7)
        check(answer, explanation)
        np.testing.assert_allclose(answer["counterfactuals"], explanation.counterfactuals, rtol=1e-4, atol=1e-4)


def test_target_and_steps_may_come_with_the_request(loaded, explainer, samples, contrast):
    one, each, shorter = loaded["choices"]
    check(one, explainer.explain(samples, contrast, target=2, batch_size=7))
    check(each, explainer.explain(samples, contrast, target=np.arange(8) % 4, batch_size=7))
    check(shorter, IG2Explainer(explainer.view, steps=5).explain(samples, contrast, batch_size=7))


def test_sessions_may_leave_target_and_steps_out(loaded, explainer, samples, contrast):
    if loaded["kind"] == "saved_model":  # Python wants every argument of a signature
        assert "target" in str(loaded["optional"][0]["error"])
    else:
        check(loaded["optional"][0], explainer.explain(samples, contrast, batch_size=7))


def test_references_may_come_with_the_request(loaded, explainer, samples, contrast):
    check(loaded["against"][0], explainer.explain(samples, contrast[:2], batch_size=7))


def test_the_default_signature_predicts(loaded, smooth_net, samples):
    np.testing.assert_allclose(loaded["predictions"][0]["prediction"], smooth_net(samples), rtol=1e-5, atol=1e-6)


def test_a_wrong_request_gets_a_sentence(loaded):
    for (name, (_, message)), answer in zip(BAD.items(), loaded["bad"], strict=True):
        said = str(answer.get("error"))
        # The Python session compares shapes with the signature itself.
        assert message in said or (loaded["kind"] == "session" and "Cannot feed value of shape" in said), name
        if loaded["kind"] == "c_api":
            assert said.startswith("3 "), name  # INVALID_ARGUMENT


def test_a_wrong_reference_gets_a_sentence(loaded):
    for (name, (_, message)), answer in zip(BAD_REFERENCES.items(), loaded["bad references"], strict=True):
        said = str(answer.get("error"))
        assert message in said or (loaded["kind"] == "session" and "Cannot feed value of shape" in said), name


def test_a_relu_network_agrees_in_its_first_steps(loaded, cnn, images):
    for n, answer in zip(BATCHES, loaded["images"], strict=True):
        check(answer, cnn.explain(images[:n], images[:2]), tolerance=1e-4)


def test_a_text_model_is_explained_at_its_embedding(loaded, text_cnn, tokens):
    for n, answer in zip(BATCHES, loaded["tokens"], strict=True):
        assert answer["attributions"].shape == (n, 7, 5)
        check(answer, text_cnn.explain(tokens[:n], tokens[:2]))


@pytest.mark.parametrize("job", ["pair", "pair against"])
def test_several_inputs_keep_their_names(loaded, two_inputs, pair, job):
    expected = two_inputs.explain(pair, {name: value[:2] + 1 for name, value in pair.items()})
    for name, values in expected.values.items():
        np.testing.assert_allclose(loaded[job][0][f"attributions_{name}"], values, atol=1e-5)


def test_values_outside_of_clip_min_max_get_a_sentence(smooth_net, contrast, tmp_path):
    path = export(IG2Explainer(smooth_net, clip_min_max=(-1, 1)), tmp_path, contrast)
    explain = tf.saved_model.load(path).signatures["explain"]
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"`x` must lie in \[-1, 1\]"):
        explain(x=tf.fill([1, 6], 2.0), target=tf.constant(-1))


def test_a_gradient_that_is_not_finite_gets_a_sentence(tmp_path):
    view = ModelView.from_callables(
        tf.sqrt, lambda x: tf.sqrt(tf.reduce_sum(x, -1, keepdims=True)), tf.TensorSpec([None, 2])
    )
    explain = tf.saved_model.load(export(IG2Explainer(view), tmp_path, np.zeros([1, 2]))).signatures["explain"]
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
def test_every_setting_is_exported(smooth_net, samples, contrast, tmp_path, options):
    explainer = IG2Explainer(smooth_net, **options)
    explain = tf.saved_model.load(export(explainer, tmp_path, contrast)).signatures["explain"]
    answer = explain(x=tf.constant(samples), target=tf.constant(-1))
    check({name: value.numpy() for name, value in answer.items()}, explainer.explain(samples, contrast))


def check_loaded(path, explanation, samples, **request):
    explain = tf.saved_model.load(path).signatures["explain_against" if request else "explain"]
    answer = explain(x=tf.constant(samples), target=tf.constant(-1), **request)
    check({name: value.numpy() for name, value in answer.items()}, explanation)


@pytest.mark.parametrize("kind", [ExpectedIGExplainer, GuidedIGExplainer, IntegratedGradientsExplainer])
def test_explainers_with_baselines_are_exported(smooth_net, samples, contrast, tmp_path, kind):
    explainer = kind(smooth_net, steps=6)
    path = export(explainer, tmp_path, contrast, batch_size=9)
    check_loaded(path, explainer.explain(samples, contrast), samples)
    check_loaded(path, explainer.explain(samples, contrast[:2]), samples, references=tf.constant(contrast[:2]))


def test_explainers_without_contrast_are_exported(smooth_net, samples, contrast, tmp_path):
    for number, times_input in enumerate([False, True], 1):
        explainer = GradientExplainer(smooth_net, times_input=times_input)
        check_loaded(export(explainer, tmp_path, version=number), explainer.explain(samples), samples)
    with pytest.raises(TypeError, match="contrasts with nothing"):
        export(explainer, tmp_path, contrast, version=3)


def test_blur_ig_is_exported(cnn, images, tmp_path):
    explainer = BlurIGExplainer(cnn.view, max_sigma=3, steps=5)
    check_loaded(export(explainer, tmp_path), explainer.explain(images), images)


def test_only_baselines_that_are_the_same_for_all_are_exported(smooth_net, samples, tmp_path):
    zero = IntegratedGradientsExplainer(smooth_net, steps=6)
    check_loaded(export(zero, tmp_path, 0.0), zero.explain(samples, 0.0), samples)
    ranged = IntegratedGradientsExplainer(smooth_net, steps=6, value_range=(-1, 1))
    path = export(ranged, tmp_path, "black_and_white", version=2)
    check_loaded(path, ranged.explain(samples, "black_and_white"), samples)
    for explainer, name in [(zero, "black"), (ranged, "gaussian"), (ranged, "maximal_distance")]:
        with pytest.raises(ValueError, match="depend on the explicand"):
            export(explainer, tmp_path, name, version=3)


def test_steps_that_are_nodes_of_a_rule_cannot_come_with_a_request(smooth_net, tmp_path):
    with pytest.raises(ValueError, match="fixed when it is made"):
        export(IntegratedGradientsExplainer(smooth_net, steps=6), tmp_path, 0.0, max_steps=9)


def test_a_callable_target_is_exported(smooth_net, samples, contrast, tmp_path):
    def margin(outputs):
        return outputs[:, 0] - outputs[:, 1]

    explainer = IG2Explainer(smooth_net)
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
from tf_ig2.serving import export
for _ in range(int(sys.argv[2])):
    keras.layers.Dense(3)  # so that names are counted from elsewhere
keras.utils.set_random_seed(1)
model = keras.Sequential([keras.Input([4]), keras.layers.Dense(5, "tanh"), keras.layers.Dense(3, "softmax")])
export(IG2Explainer(model), sys.argv[1], np.eye(4)[:2])
"""
    hashes = []
    for run in range(2):
        subprocess.run([sys.executable, "-c", script, tmp_path / str(run), str(run)], check=True, timeout=120)
        hashes.append(manifest(tmp_path / str(run) / "1"))
    assert hashes[0] == hashes[1]


def test_another_model_setting_or_reference_has_another_content(smooth_net, contrast, tmp_path):
    made = [
        export(IG2Explainer(smooth_net), tmp_path, contrast, version=1),
        export(IG2Explainer(smooth_net), tmp_path, contrast[:2], version=2),
        export(IG2Explainer(smooth_net, layer=0), tmp_path, contrast, version=3),
        export(IG2Explainer(smooth_net, output="probabilities"), tmp_path, contrast, version=4),
    ]
    assert len({manifest(path)["content_sha256"] for path in made}) == len(made)


def test_nothing_is_left_behind_and_nothing_overwritten(smooth_net, contrast, tmp_path):
    export(IG2Explainer(smooth_net), tmp_path, contrast)
    with pytest.raises(FileExistsError, match="export another `version`"):
        export(IG2Explainer(smooth_net), tmp_path, contrast)
    assert [file.name for file in tmp_path.iterdir()] == ["1"]


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
        export(IG2Explainer(view), tmp_path, np.zeros([1, 3]))
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


def test_mobilenet_v2_answers_in_a_session(data_dir, tmp_path):
    model = keras.models.load_model(data_dir / "models" / "mobilenet_v2_imagenet.keras", compile=False)
    images = np.random.default_rng(0).uniform(0, 255, [8, 224, 224, 3]).astype(np.float32)
    explainer = IG2Explainer(model, steps=1, rule="segment", nodes=2)
    path = export(explainer, tmp_path / "model", images[:2])
    jobs = {"images": (path, "explain", [{"x": images[:n], "target": np.int32(-1)} for n in BATCHES])}
    for kind in LOADERS:
        results = answers(kind, jobs, tmp_path)["images"]
        for n, answer in zip(BATCHES, results, strict=True):
            expected = explainer.explain(images[:n], images[:2])
            scale = np.abs(expected.values).max()
            np.testing.assert_allclose(answer["attributions"] / scale, expected.values / scale, atol=1e-3)
            np.testing.assert_allclose(answer["output"], expected.output, rtol=1e-4)

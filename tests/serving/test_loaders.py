"""Exported explainers answer as the explainers do, in processes that know neither Keras nor tf_ig2."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers
from tensorflow.core.protobuf import saved_model_pb2

from tests.serving.conftest import check
from tf_ig2 import IG2Explainer
from tf_ig2.paper import saved_models
from tf_ig2.serving import export

# Number of steps → tolerance, as a fraction of an explicand's largest attribution. A batch of another size is summed in
# another order, and a ReLU network makes a jump of such a rounding error (1e-7) where the path comes close to a kink.
# Measured over all loaders and batches: wafer_cnn 3e-7 at five steps and 6e-3 at ten, text_cnn 6e-9 at ten,
# mobilenet_v2 2e-6 at one and 3e-3 at three, which is not run here: it takes a minute.
STEPS = {"wafer_cnn": {5: 1e-5}, "text_cnn": {5: 1e-5}, "mobilenet_v2": {1: 1e-4}}
LOADERS_PY = Path(__file__).parent / "loaders.py"
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


def answers(kinds, jobs, folder):
    """The answers of loaders in a process of their own, to jobs: name → (path, signature, list of feeds)."""
    arrays = {}
    for job, (path, signature, calls) in jobs.items():
        arrays[f"{job}/names"] = json.dumps({"path": path, **names(path, signature)})
        for number, feeds in enumerate(calls):
            arrays |= {f"{job}/{number}/{name}": value for name, value in feeds.items()}
    np.savez(folder / "jobs.npz", **arrays)
    outs = {kind: folder / f"{kind}.npz" for kind in kinds}
    subprocess.run(
        [sys.executable, LOADERS_PY, folder / "jobs.npz", *(f"{kind}={out}" for kind, out in outs.items())],
        check=True,
        timeout=550,
        cwd=folder,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "2"},
    )
    return {kind: read(out, jobs) for kind, out in outs.items()}


def read(out, jobs):
    results = {job: [{} for _ in calls] for job, (_, _, calls) in jobs.items()}
    with np.load(out) as file:
        for key in file.files:
            job, number, name = key.split("/")
            results[job][int(number)][name] = file[key]
    return results


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


@dataclass(frozen=True)
class Trained:
    """A trained ReLU network, and how far from each other two correct programs may be on it.

    Attributes:
      x: eight explicands, of a large network three.
      references: two of them.
      steps: number of steps → tolerance of an attribution, as a fraction of the explicand's largest one.
    """

    name: str
    explainer: IG2Explainer
    x: Any
    references: Any
    steps: dict[int, float]

    @property
    def batches(self):
        """The sizes of batches, as far as there are explicands."""
        return [n for n in BATCHES if n <= len(self.x)]


@pytest.fixture(scope="module")
def trained():
    """The trained networks, on random wafers, words and pixels; MobileNetV2 where its weights are."""
    rng = np.random.default_rng(0)
    wafers = np.eye(3, dtype=np.float32)[rng.integers(0, 3, [10, 56, 56])]
    text_cnn = saved_models.load("text_cnn")
    words = rng.integers(2, text_cnn.get_layer("embedding").input_dim, [10, 40]).astype(np.int32)
    networks = [
        Trained("wafer_cnn", IG2Explainer(saved_models.load("wafer_cnn")), wafers[:8], wafers[8:], STEPS["wafer_cnn"]),
        Trained("text_cnn", IG2Explainer(text_cnn, input_layer="embedding"), words[:8], words[8:], STEPS["text_cnn"]),
    ]
    if "TF_IG2_DATA_DIR" in os.environ:
        file = Path(os.environ["TF_IG2_DATA_DIR"]) / "models" / "mobilenet_v2_imagenet.keras"
        explainer = IG2Explainer(keras.models.load_model(file, compile=False))
        images = rng.uniform(0, 255, [5, 224, 224, 3]).astype(np.float32)
        networks.append(Trained("mobilenet_v2", explainer, images[:3], images[3:], STEPS["mobilenet_v2"]))
    return networks


@pytest.fixture(scope="module")
def in_process(trained):
    """The explanations of the trained networks by name and number of steps."""
    return {
        (network.name, steps): IG2Explainer(network.explainer.view, steps=steps).explain(network.x, network.references)
        for network in trained
        for steps in network.steps
    }


def deviation(answer, explanation, count):
    """The largest difference of an attribution, as a fraction of its explicand's largest one."""
    assert "error" not in answer, answer["error"]
    expected = explanation.values[:count].reshape(count, -1)
    np.testing.assert_allclose(answer["output"], explanation.output[:count], rtol=1e-4)
    difference = np.abs(answer["attributions"].reshape(count, -1) - expected)
    return (difference.max(-1) / np.abs(expected).max(-1)).max()


@pytest.fixture(scope="module")
def text_net():
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
def tokens():
    return np.random.default_rng(0).integers(0, 20, [8, 7]).astype(np.int32)


@pytest.fixture(scope="module")
def pair():
    rng = np.random.default_rng(0)
    return {"a": rng.normal(size=[4, 3]).astype(np.float32), "b": rng.normal(size=[4, 2]).astype(np.float32)}


@pytest.fixture(scope="module")
def jobs(exported, text_net, two_inputs, trained, samples, contrast, tokens, pair, tmp_path_factory):
    """What is asked of every loader."""
    folder = tmp_path_factory.mktemp("models")
    choice = {"target": np.int32(-1), "steps": np.int32(20)}
    text_model = export(text_net, folder / "text", tokens[:2])
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
        "tokens": (text_model, "explain", [{"x": tokens[:n], "target": np.int32(-1)} for n in BATCHES]),
        "pair": (pair_model, "explain", [{**pair, "target": np.int32(-1)}]),
        "pair against": (
            pair_model,
            "explain_against",
            [{**pair, **{f"references_{k}": v[:2] + 1 for k, v in pair.items()}, "target": np.int32(-1)}],
        ),
        **{
            network.name: (
                export(network.explainer, folder / network.name, network.references, max_steps=max(network.steps)),
                "explain",
                [
                    {"x": network.x[:n], "target": np.int32(-1), "steps": np.int32(steps)}
                    for steps in network.steps
                    for n in network.batches
                ],
            )
            for network in trained
        },
    }


@pytest.fixture(scope="module")
def in_python(jobs, tmp_path_factory):
    """The answers of TensorFlow's loaders in Python."""
    return answers(["saved_model", "session"], jobs, tmp_path_factory.mktemp("in_python"))


@pytest.fixture(scope="module")
def in_c(jobs, tmp_path_factory):
    """The answers of the C API."""
    return answers(["c_api"], jobs, tmp_path_factory.mktemp("in_c"))


@pytest.fixture(scope="module", params=["saved_model", "session", "c_api"])
def loaded(request):
    """The answers of one loader to all jobs."""
    process = "in_c" if request.param == "c_api" else "in_python"
    return {**request.getfixturevalue(process)[request.param], "kind": request.param}


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


def test_the_default_signature_predicts(loaded, net, samples):
    np.testing.assert_allclose(loaded["predictions"][0]["prediction"], net(samples), rtol=1e-5, atol=1e-6)


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


@pytest.mark.parametrize("name", STEPS)
def test_trained_relu_networks_agree_in_their_first_steps(loaded, trained, in_process, name):
    if name not in loaded:
        pytest.skip("TF_IG2_DATA_DIR is not set: MobileNetV2's weights are there")
    network = next(network for network in trained if network.name == name)
    answered = iter(loaded[name])
    for steps, tolerance in network.steps.items():
        for n in network.batches:
            assert deviation(next(answered), in_process[name, steps], n) <= tolerance, (steps, n)


def test_a_text_model_is_explained_at_its_embedding(loaded, text_net, tokens):
    for n, answer in zip(BATCHES, loaded["tokens"], strict=True):
        assert answer["attributions"].shape == (n, 7, 5)
        check(answer, text_net.explain(tokens[:n], tokens[:2]))


@pytest.mark.parametrize("job", ["pair", "pair against"])
def test_several_inputs_keep_their_names(loaded, two_inputs, pair, job):
    expected = two_inputs.explain(pair, {name: value[:2] + 1 for name, value in pair.items()})
    for name, values in expected.values.items():
        np.testing.assert_allclose(loaded[job][0][f"attributions_{name}"], values, atol=1e-5)

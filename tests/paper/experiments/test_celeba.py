"""Faces with attributes: made-up pictures in a folder, and a small network in the place of MobileNetV2."""

import csv
import json

import keras
import numpy as np
import pytest
from PIL import Image

from tf_ig2.paper.datasets import celeb_a
from tf_ig2.paper.datasets.folder import CorruptDataError, MissingDataError
from tf_ig2.paper.experiments import celeba
from tf_ig2.paper.experiments.methods import IG2
from tf_ig2.paper.experiments.options import Options
from tf_ig2.paper.zoo.recipes import face_head


@pytest.fixture
def faces(tmp_path, monkeypatch):
    """Pictures that are bright where the first attribute is set."""
    rng = np.random.default_rng(0)
    home = tmp_path / "data" / "celeba"
    (home / "images").mkdir(parents=True)
    rows = []
    for number in range(60):
        labels = rng.integers(0, 2, 40)
        labels[0] = number % 2
        pixels = rng.integers(0, 60, [20, 16, 3]) + 160 * labels[0]
        Image.fromarray(pixels.astype(np.uint8)).save(home / "images" / f"{number}.png")
        split = "train" if number < 40 else ("valid" if number < 48 else "test")
        rows.append([f"{number}.png", split, *labels.tolist()])
    with open(home / "attributes.csv", "w", newline="") as file:
        csv.writer(file).writerows([["file", "split", *celeb_a.ATTRIBUTES], *rows])
    monkeypatch.setenv("TF_IG2_DATA_DIR", str(tmp_path / "data"))
    return home


@pytest.fixture
def backbone(monkeypatch):
    keras.utils.set_random_seed(0)
    layers = keras.layers
    image = keras.Input((16, 16, 3))
    x = layers.Rescaling(1 / 255)(image)
    x = layers.Conv2D(3, 3, 1, "same", activation="relu", name="block_12_add")(layers.AveragePooling2D(2)(x))
    model = keras.Model(image, layers.Conv2D(3, 3, 1, "same", name="block_15_add")(layers.AveragePooling2D(2)(x)))
    monkeypatch.setattr(face_head, "mobilenet_v2", lambda weights: model)
    monkeypatch.setattr("tf_ig2.paper.zoo.face_attributes.PLACES", {"block_15_add": 4, "block_12_add": 4})
    return model


def test_faces_in_a_folder(faces):
    test = celeb_a.in_folder("test", size=16)
    assert (len(test), test.labels.shape) == (12, (12, 40))
    pictures = test.pictures([[0, 1], [1, 0]])
    assert (pictures.shape, pictures.dtype) == ((2, 2, 16, 16, 3), np.float32)
    whole = np.asarray(Image.open(test.files[0]), np.float32)
    np.testing.assert_allclose(pictures[0, 0], whole[2:18], atol=1e-3)  # the central square
    assert len(celeb_a.in_folder("validation", size=16)) == 8


def test_damaged_folders_say_what_is_wrong(faces, tmp_path):
    with pytest.raises(MissingDataError, match="not commercial"):
        celeb_a.in_folder(source=tmp_path / "absent")
    table = (faces / "attributes.csv").read_text()
    for old, new, message in (
        ("Young", "Old", "Young"),
        (",test,", ",train,", "no face"),
        (",1\n", ",7\n", "not 0 or 1"),
    ):
        (faces / "attributes.csv").write_text(table.replace(old, new))
        with pytest.raises(CorruptDataError, match=message):
            celeb_a.in_folder("test")
    (faces / "attributes.csv").write_text(table)
    (faces / "images" / "48.png").write_bytes(b"no picture")
    with pytest.raises(CorruptDataError, match=r"48\.png"):
        celeb_a.in_folder("test", size=16).pictures([0])


def test_the_head_learns_what_can_be_seen_and_keeps_its_features(faces, backbone, tmp_path):
    cache = tmp_path / "features.npz"
    trained = face_head.train(epochs=20, cache=cache)
    accuracy, balanced, majority = trained.report["accuracy"][celeb_a.ATTRIBUTES[0]]
    assert min(accuracy, balanced) > 0.9 > majority
    assert trained.model.output_shape == (None, 40)
    for picture in (faces / "images").iterdir():
        picture.unlink()
    assert face_head.train(epochs=1, cache=cache).report["test_samples"] == 12


def test_accuracies_by_hand():
    predicted, truth = np.zeros([4, 40], bool), np.zeros([4, 40], bool)
    predicted[0, 0] = truth[:2, 0] = True
    found = face_head.accuracies(predicted, truth, np.zeros(40, bool))
    assert found["accuracy"][celeb_a.ATTRIBUTES[0]] == [0.75, 0.75, 0.5]
    assert found["accuracy"][celeb_a.ATTRIBUTES[1]] == [1, 1, 1]
    assert found["test_accuracy"] == pytest.approx((0.75 + 39) / 40, abs=1e-4)


def test_both_pages_have_numbers_alone(faces, backbone, monkeypatch, tmp_path):
    plain = {name: lambda part: part.inputs for name in ("Gradient", IG2)}
    monkeypatch.setattr(celeba, "methods", lambda task: dict(plain))
    monkeypatch.setattr(celeba.AgainstReferences, "__call__", lambda self, part: part.inputs)
    monkeypatch.setattr(celeba, "GROUPS", 2)
    options = Options(tmp_path / "out", samples=3, references=2, verbose=False)
    files = celeba.run(options)
    page, figure = (next(path for path in files if path.name == name) for name in ("celeba.md", "fig13_celeba.md"))
    assert f"| {celeba.RANDOM} |" in page.read_text("utf-8")
    assert "balanced accuracy" in page.read_text("utf-8")
    assert "3 test faces" in figure.read_text("utf-8")
    report = json.loads((tmp_path / "out" / "networks" / "face_attributes.json").read_text())
    assert len(report["accuracy"]) == 40
    assert celeba.run(options)[0].read_bytes() == files[0].read_bytes()


def test_references_differ_in_the_attribute_and_are_near_in_the_others(faces, backbone, tmp_path):
    model, _ = celeba.network(tmp_path)
    training = celeb_a.in_folder("train", 16)
    explained = celeba.load(model, training, Options(tmp_path, samples=3, references=2, verbose=False))
    assert explained.task.references.shape == (3, 2, 16, 16, 3)
    for own, label in zip(explained.labels, explained.task.target, strict=True):
        assert own[label] == 1
    assert len(set(explained.task.names)) == 3

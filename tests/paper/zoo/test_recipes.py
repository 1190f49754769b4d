"""Recipes run from end to end, on a little data; what they write is whole."""

import json

import keras
import numpy as np
import pytest
import tensorflow as tf
import tensorflow_datasets as tfds
from typer.testing import CliRunner

from tf_ig2.paper.datasets import trec, wm811k
from tf_ig2.paper.zoo import table
from tf_ig2.paper.zoo.recipes import digits, faces, mlp, tetrominoes, text, wafer
from tf_ig2.paper.zoo.recipes.trained import Trained
from tf_ig2.paper.zoo.train import app


@pytest.fixture
def questions(tmp_path):
    train = [f"NUM:count How many {i} ?" for i in range(20)] + [f"HUM:ind Who {i} ?" for i in range(20)]
    for name, lines in (("train", train), ("test", ["NUM:count How many a ?", "HUM:ind Who a ?"])):
        (tmp_path / f"TREC_{name}.txt").write_text("\n".join(lines), encoding="utf-8")
    return tmp_path


@pytest.fixture
def wafers(tmp_path):
    rng = np.random.default_rng(0)
    maps = np.ones([40, 56, 56], np.uint8)
    maps[::2, 20:36, 20:36] = 2
    maps[rng.random(maps.shape) < 0.02] = 2
    train = wm811k.Wafers(maps, np.tile([0, 8], 20))
    wm811k.save(tmp_path / "wafers.npz", train, wm811k.Wafers(maps[:10], train.labels[:10]))
    return tmp_path / "wafers.npz"


def test_the_wafer_recipe_learns_and_reports(wafers):
    trained = wafer.train(epochs=4, source=wafers, units=32, batch_size=4, verbose=0)
    assert trained.report["test_accuracy"] > 0.8
    assert set(trained.report["recall"]) == {"Center", "none"}
    assert trained.report["test_samples"] == 10


def test_augmentation_turns_and_mirrors():
    corners = np.zeros([80, 56, 56], np.uint8)
    corners[:, :3, :5] = 2
    batches = wafer._batches(wm811k.Wafers(corners, np.zeros(80, int)), 80, seed=0)
    ((x, _),) = batches.as_numpy_iterator()
    assert x.shape == (80, 56, 56, 3)
    assert (x[..., 2].sum(axis=(1, 2)) == 15).all()
    assert len({wafer.tobytes() for wafer in x}) == 8


def test_the_text_recipe_learns_and_keeps_its_vocabulary(questions, tmp_path):
    trained = text.train(epochs=12, source=questions, dimensions=16, batch_size=4, verbose=0)
    assert trained.report["test_accuracy"] == 1
    files = trained.save(tmp_path / "out")
    assert sorted(path.name for path in files) == ["text_cnn.json", "text_cnn.keras", "text_cnn.txt"]
    vocabulary = trec.Vocabulary.read(tmp_path / "out" / "text_cnn.txt")
    model = keras.models.load_model(tmp_path / "out" / "text_cnn.keras", compile=False)
    assert model.get_layer("embedding").input_dim == len(vocabulary)
    predicted = model.predict(vocabulary.encode(["Who 7 ?"]), verbose=0).argmax()
    assert trec.CLASSES[predicted] == "HUM"


def test_the_mlp_recipe_learns_and_is_seeded():
    one, two = (mlp.train(epochs=4, samples=2000, batch_size=20, verbose=0) for _ in range(2))
    assert one.report["test_roc_auc"] > 0.85
    np.testing.assert_allclose(one.model.get_weights()[0], two.model.get_weights()[0], atol=1e-4)


def test_the_tetromino_recipe_learns_and_reports(monkeypatch):
    cell = ("linear", "white", "linear")
    monkeypatch.setattr(tetrominoes, "cells", lambda: [cell])
    trained = tetrominoes.train(seed=1, epochs=20, samples=3000)
    assert trained.model.name == "xai_tris_1"
    assert trained.report["accuracy"]["linear_white_linear"] > 0.75


@pytest.fixture
def bars(tmp_path):
    """Digits 0 and 1: lying and standing bars."""
    x, y = np.zeros([40, 28, 28], np.uint8), np.arange(40) % 2
    x[y == 0, 12:16, 6:22] = 255
    x[y == 1, 6:22, 12:16] = 255
    for name in ("mnist_60k_train", "mnist_10k"):
        np.savez(tmp_path / f"{name}.npz", x=x, y=y)
    return tmp_path


def test_the_digits_recipe_learns_and_reports(bars):
    trained = digits.train(epochs=10, source=bars, batch_size=4, verbose=0)
    assert (trained.model.name, trained.report["test_samples"]) == ("mnist_cnn", 40)
    assert trained.report["test_accuracy"] > 0.9
    assert trained.report["test_accuracy_moved"] > 0.9


def test_digits_are_moved_whole_and_everywhere():
    picture = np.zeros([200, 28, 28, 1], np.uint8)
    picture[:, 12:15, 13:15] = 7
    moved = digits.shifted(tf.data.Dataset.from_tensor_slices((picture, np.arange(200))), seed=0)
    found = np.stack([digit for digit, _ in moved.as_numpy_iterator()])
    assert ((found == 7).sum(axis=(1, 2, 3)) == 6).all()
    corners = np.argwhere(found[..., 0])[::6, 1:]
    assert (corners.min(axis=0).tolist(), corners.max(axis=0).tolist()) == ([6, 7], [18, 19])


def test_the_faces_recipe_runs_on_mock_faces(monkeypatch):
    keras.utils.set_random_seed(0)
    backbone = keras.Sequential(
        [
            keras.Input((224, 224, 3)),
            keras.layers.AveragePooling2D(56),
            keras.layers.Flatten(),
            keras.layers.Dense(3),
        ]
    )
    monkeypatch.setattr(faces, "mobilenet_v2", lambda weights: backbone)
    with tfds.testing.mock_data(num_examples=4):
        trained = faces.train(verbose=0, batch_size=2)
    assert trained.report["test_samples"] == 4
    assert len(trained.report["accuracy"]) == 40


def test_what_is_saved_has_no_optimizer_and_nothing_is_left_over(tmp_path):
    model = keras.Sequential([keras.Input([300]), keras.layers.Dense(100)], name="net")
    model.compile("adam", "mse")
    model.fit(np.ones([2, 300]), np.ones([2, 100]), verbose=0)
    trained = Trained(model, {"test_accuracy": 0.5})
    path = trained.save(tmp_path)[0]
    assert path.stat().st_size < 1.5 * 4 * model.count_params()
    loaded = keras.models.load_model(path)
    assert not loaded.compiled
    np.testing.assert_array_equal(loaded.get_weights()[0], model.get_weights()[0])
    assert sorted(file.name for file in tmp_path.iterdir()) == ["net.json", "net.keras"]


def test_a_file_that_fails_leaves_the_old_one(tmp_path):
    def fails(path):
        path.write_text("half")
        raise OSError("disk full")

    (tmp_path / "net.txt").write_text("old")
    model = keras.Sequential([keras.Input([2]), keras.layers.Dense(1)], name="net")
    with pytest.raises(OSError, match="disk full"):
        Trained(model, {}, {".txt": fails}).save(tmp_path)
    assert (tmp_path / "net.txt").read_text() == "old"
    assert not list(tmp_path.glob("*partial*"))


def test_the_table_has_a_row_for_each_report(tmp_path):
    report = {"test_accuracy": 0.9, "test_samples": 10, "parameters": 1234, "model": "MLP"}
    (tmp_path / "mlp.json").write_text(json.dumps(report))
    (tmp_path / "mlp.keras").write_bytes(bytes(5000))
    content = table.write(tmp_path).read_text(encoding="utf-8")
    assert "| `mlp` | MLP | – | 90.00% of 10 | – | 1,234 | 5 kB | `python -m tf_ig2.paper.zoo.train mlp` |" in content
    (tmp_path / "mlp.json").write_text("{")
    with pytest.raises(ValueError, match="is not a report"):
        table.write(tmp_path)


def test_the_command_writes_model_report_and_table(tmp_path):
    result = CliRunner().invoke(app, ["mlp", "--out", str(tmp_path), "--epochs", "1"])
    assert result.exit_code == 0, result.output
    assert sorted(path.name for path in tmp_path.iterdir()) == ["README.md", "mlp.json", "mlp.keras"]
    assert "test accuracy" in result.output


def test_the_command_says_what_is_missing(tmp_path):
    result = CliRunner().invoke(app, ["wafer", "--out", str(tmp_path), "--source", str(tmp_path / "absent.npz")])
    assert result.exit_code == 1
    assert "LSWMD.pkl" in result.stderr
    assert not list(tmp_path.iterdir())

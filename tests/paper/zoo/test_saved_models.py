"""The trained networks that come with the package do what their reports say."""

import json
from pathlib import Path

import numpy as np
import pytest

from tests.networks import needs_data
from tf_ig2.paper import saved_models
from tf_ig2.paper.datasets import mnist, planted_wafers, trec, wm811k, xai_bench

FOLDER = Path(__file__).parents[3] / "saved_models"
SHIPPED = ("wafer_cnn", "text_cnn", "mlp", "mnist_cnn")


def report(name):
    return json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", SHIPPED)
def test_they_load_and_are_in_the_table(name):
    model = saved_models.load(name)
    assert model.count_params() == report(name)["parameters"]
    assert f"`{name}`" in (FOLDER / "README.md").read_text(encoding="utf-8")


def test_they_are_small():
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) < 25e6
    assert (FOLDER / "wafer_cnn.keras").stat().st_size < 15e6


@needs_data
def test_the_wafer_accuracy_is_the_reported_one():
    test = wm811k.load("test")
    predicted = saved_models.load("wafer_cnn").predict(wm811k.one_hot(test.maps), verbose=0).argmax(axis=-1)
    assert (predicted == test.labels).mean() == pytest.approx(report("wafer_cnn")["test_accuracy"], abs=0.002)


@needs_data
def test_planted_patterns_are_recognised():
    wafers = planted_wafers.load(60)
    predicted = saved_models.load("wafer_cnn").predict(wm811k.one_hot(wafers.maps), verbose=0).argmax(axis=-1)
    assert (predicted == wafers.labels).mean() > 0.75


@needs_data
def test_the_text_accuracy_is_the_reported_one_and_at_least_90_percent():
    test, vocabulary = trec.load("test"), trec.Vocabulary.read(FOLDER / "text_cnn.txt")
    predicted = saved_models.load("text_cnn").predict(vocabulary.encode(test.texts), verbose=0).argmax(axis=-1)
    accuracy = (predicted == test.labels).mean()
    assert accuracy == pytest.approx(report("text_cnn")["test_accuracy"], abs=0.003)
    assert accuracy >= 0.9


def test_the_mlp_accuracy_holds_on_new_samples():
    fresh = xai_bench.load(5000, seed=12345)
    predicted = saved_models.load("mlp").predict(fresh.x, verbose=0)[:, 0]
    assert ((predicted > 0.5) == (fresh.y > 0.5)).mean() == pytest.approx(report("mlp")["test_accuracy"], abs=0.02)
    assert np.abs(predicted - fresh.y).mean() < 0.25


@needs_data
def test_the_mnist_accuracy_is_the_reported_one():
    x, y = mnist.load("test")
    predicted = saved_models.load("mnist_cnn").predict(x, batch_size=512, verbose=0).argmax(axis=-1)
    assert (predicted == y).mean() == pytest.approx(report("mnist_cnn")["test_accuracy"], abs=0.001)

"""Shifts, what follows them, and both parts of the figure."""

import csv
import dataclasses

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.networks import conv_net
from tf_ig2.models.model_view import ModelView
from tf_ig2.paper.experiments import fig6
from tf_ig2.paper.experiments.options import Options
from tf_ig2.paper.experiments.task import Task


@pytest.fixture
def digits(monkeypatch):
    """Stands for the task of MNIST: blobs of ink, a small network."""
    view = ModelView(conv_net((28, 28, 1)))

    def load(samples, digit, contrast, references, seed):
        rng = np.random.default_rng([seed, contrast])
        x = np.zeros([2, 28, 28, 1], np.float32)
        x[:, 8:20, 12:16] = 255 * np.random.default_rng(seed).random([2, 12, 4, 1])
        return Task(
            name="digits",
            view=view,
            inputs=x,
            names=("a", "b"),
            target=np.array([1, 1], np.int32),
            references=(255 * rng.random([2, references, 28, 28, 1])).astype(np.float32),
            value_range=(0.0, 255.0),
            points=x,
            options={"IG²": {"steps": 3}},
            notes=(f"Blobs, references of the digit {contrast}.",),
        )

    monkeypatch.setattr(fig6.mnist, "load", load)
    monkeypatch.setattr(fig6, "SHIFTS", (-4, 0, 6))
    monkeypatch.setattr(fig6, "_SHOWN", (-4, 0))


@given(st.integers(-6, 6))
def test_a_shift_and_back_loses_only_the_edge(columns):
    image = np.random.default_rng(0).random([1, 3, 8, 1])
    back = fig6.shifted(fig6.shifted(image, columns), -columns)
    seen = fig6.shifted(fig6.shifted(np.ones_like(image), columns), -columns)
    np.testing.assert_array_equal(back, image * seen)
    assert seen.sum() == 3 * (8 - abs(columns))


def test_a_map_that_moves_with_the_digit_has_correlation_one(rng):
    at_home = rng.random([2, 5, 8, 1])
    assert fig6.followed(fig6.shifted(at_home, 3), at_home, 3) == pytest.approx([1, 1])
    assert fig6.followed(-fig6.shifted(at_home, 3), at_home, 3) == pytest.approx([-1, -1])


def test_what_came_in_is_left_out(rng):
    at_home = rng.random([1, 5, 8, 1])
    moved = fig6.shifted(at_home, 3)
    moved[:, :, :3] = 99.0
    assert fig6.followed(moved, at_home, 3) == pytest.approx([1])


def test_the_share_beside_the_ink():
    values, image = np.array([[[[3.0], [-1.0]]]]), np.array([[[[0.0], [7.0]]]])
    assert fig6.off_the_digit(values, image) == pytest.approx([0.75])


def test_a_network_that_knows_no_place_is_followed_exactly(digits):
    keras.utils.set_random_seed(0)
    layers = keras.layers
    network = keras.Sequential(
        [
            keras.Input([28, 28, 1]),
            layers.Rescaling(1 / 255),
            layers.Conv2D(4, 3, activation="tanh", padding="same"),
            layers.GlobalAveragePooling2D(),
            layers.Dense(3),
        ]
    )
    task = dataclasses.replace(fig6.mnist.load(2, 1, 7, 2, 0), view=ModelView(network))
    there = dataclasses.replace(task, inputs=fig6.shifted(task.inputs, 4), points=fig6.shifted(task.points, 4))
    here, moved = (fig6.explanations(part)["Vanilla IG"].values for part in (task, there))
    assert fig6.followed(moved, here, 4) == pytest.approx([1, 1], abs=1e-4)


def test_both_parts_are_written(digits, tmp_path):
    files = fig6.run(Options(tmp_path, references=2, verbose=False))
    assert [path.name for path in files] == [f"fig6{part}.{kind}" for part in "ab" for kind in ("md", "png", "csv")]
    first, second = (list(csv.DictReader(files[i].read_text("utf-8").splitlines())) for i in (2, 5))
    home = [row for row in first if row["quantity"] == "correlation" and row["shift"] == "0"]
    assert [float(row["mean"]) for row in home] == pytest.approx([1, 1, 1])
    assert all(
        float(row["mean"]) == 0 for row in first if row["quantity"] != "correlation" and "Vanilla" in row["method"]
    )
    vanilla = [row for row in second if row["method"] == "Vanilla IG"]
    assert [float(row["mean"]) for row in vanilla] == pytest.approx([1, 1, 1])


def test_only_one_part(digits, tmp_path):
    assert len(fig6.run(Options(tmp_path, references=2, tasks=("references",), verbose=False))) == 3

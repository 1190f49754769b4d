"""Digits that are recognised, against other digits."""

import keras
import numpy as np
import pytest

from tf_ig2.paper.experiments.tasks import mnist


@pytest.fixture
def folder(monkeypatch, tmp_path):
    """Digits that are a number of bright rows, and a network that counts them."""
    x = np.zeros([60, 28, 28], np.uint8)
    y = np.arange(60) % 10
    for picture, digit in zip(x, y, strict=True):
        picture[:digit] = 255
    for name in ("mnist_60k_train", "mnist_10k"):
        np.savez(tmp_path / f"{name}.npz", x=x, y=y)
    rows = keras.layers.Lambda(lambda p: keras.ops.sum(p, axis=(1, 2, 3))[:, None] / (255 * 28))
    closeness = keras.layers.Dense(10, "softmax")
    network = keras.Sequential([keras.Input([28, 28, 1]), rows, closeness])
    digits = np.arange(10.0)
    closeness.set_weights([2 * digits[None], -(digits**2)])  # −(rows − digit)², but for what all have
    monkeypatch.setattr(mnist.saved_models, "load", lambda name: network)
    return tmp_path


def test_each_explicand_has_one_other_digit(folder):
    task = mnist.load(5, references=3, source=folder)
    assert task.inputs.shape == (5, 28, 28, 1)
    assert task.references.shape == (5, 3, 28, 28, 1)
    lit = (task.references[..., 0].max(axis=-1) > 0).sum(axis=-1)
    assert (lit == lit[:, :1]).all()
    assert (lit[:, 0] != task.target).all()


def test_one_digit_against_another(folder):
    task = mnist.load(None, digit=5, contrast=3, references=2, source=folder)
    assert len(task) == 6
    assert set(task.target) == {5}
    assert ((task.references[..., 0].max(axis=-1) > 0).sum(axis=-1) == 3).all()
    same = mnist.load(None, digit=5, contrast=6, references=2, source=folder)
    assert same.names == task.names


def test_a_digit_against_itself():
    with pytest.raises(ValueError, match="`contrast` must be another digit"):
        mnist.load(digit=5, contrast=5)

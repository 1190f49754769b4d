"""MNIST, from an archive and from TensorFlow Datasets."""

import numpy as np
import pytest
import tensorflow_datasets as tfds

from tests.networks import needs_data
from tf_ig2.paper.datasets import mnist
from tf_ig2.paper.datasets.folder import CorruptDataError, MissingDataError


@needs_data
def test_the_real_digits():
    x, y = mnist.load("test")
    assert (x.shape, x.dtype, y[:5].tolist()) == ((10000, 28, 28, 1), np.uint8, [7, 2, 1, 0, 4])


def test_tensorflow_datasets():
    with tfds.testing.mock_data(num_examples=3):
        x, y = mnist.load("train", "tfds")
    assert (x.shape, x.dtype, y.shape, y.dtype) == ((3, 28, 28, 1), np.uint8, (3,), np.int64)


def test_other_archives_are_refused(tmp_path):
    np.savez(tmp_path / "x.npz", x=np.zeros([2, 28, 28], np.uint8), y=np.zeros(3))
    with pytest.raises(CorruptDataError, match=r"y \(3,\)"):
        mnist.load(source=tmp_path / "x.npz")
    np.savez(tmp_path / "x.npz", x=np.zeros([2, 28, 28], np.uint8))
    with pytest.raises(CorruptDataError, match="'y'"):
        mnist.load(source=tmp_path / "x.npz")
    with pytest.raises(MissingDataError, match="tfds"):
        mnist.load(source=tmp_path / "absent.npz")
    with pytest.raises(ValueError, match="Unknown split"):
        mnist.load("all")

"""Small networks and data that all tests share."""

import os
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("MPLBACKEND", "agg")

import keras
import numpy as np
import pytest
from keras import layers

FEATURES, CLASSES = 6, 4


@pytest.fixture(scope="session")
def relu_net():
    """A float32 classifier with two hidden ReLU layers and a fused softmax."""
    keras.utils.set_random_seed(1)
    return keras.Sequential(
        [
            keras.Input((FEATURES,)),
            layers.Dense(16, "relu", name="hidden"),
            layers.Dense(8, "relu", name="representation"),
            layers.Dense(CLASSES, "softmax", name="classes"),
        ]
    )


@pytest.fixture(scope="session")
def tanh_net():
    """A float64 classifier with two hidden tanh layers: smooth, so that long walks can be compared."""
    keras.utils.set_random_seed(2)
    return keras.Sequential(
        [
            keras.Input((FEATURES,), dtype="float64"),
            layers.Dense(16, "tanh", dtype="float64"),
            layers.Dense(8, "tanh", dtype="float64"),
            layers.Dense(CLASSES, "softmax", dtype="float64"),
        ]
    )


@pytest.fixture(scope="session")
def image_net():
    """A float32 CNN on 8 × 8 × 3 images in [0, 255]."""
    keras.utils.set_random_seed(3)
    return keras.Sequential(
        [
            keras.Input((8, 8, 3)),
            layers.Rescaling(1 / 127.5, -1.0),
            layers.Conv2D(8, 3, activation="relu"),
            layers.GlobalAveragePooling2D(),
            layers.Dense(CLASSES),
            layers.Activation("softmax"),
        ]
    )


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture
def x(rng):
    """Three explicands."""
    return rng.uniform(-1, 1, [3, FEATURES])


@pytest.fixture
def references(rng):
    """Two references, different from the explicands."""
    return np.random.default_rng(7).uniform(-1, 1, [2, FEATURES])


@pytest.fixture(scope="session")
def data_dir():
    """The folder of real data, if there is one."""
    folder = os.environ.get("TF_IG2_DATA_DIR")
    if not folder:
        pytest.skip("TF_IG2_DATA_DIR is not set: tests on real data are skipped")
    return Path(folder)

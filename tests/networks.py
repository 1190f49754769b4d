"""Small image networks that the tests of several explainers share."""

import os
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import layers

DATA = os.environ.get("TF_IG2_DATA_DIR")
needs_data = pytest.mark.skipif(DATA is None, reason="TF_IG2_DATA_DIR is not set")


def conv_net(shape=(12, 12, 3), seed=0, activation="relu"):
    keras.utils.set_random_seed(seed)
    return keras.Sequential(
        [
            keras.Input(shape),
            layers.Conv2D(4, min(3, shape[0]), activation=activation, padding="same", name="maps"),
            layers.Flatten(),
            layers.Dense(3, "softmax"),
        ]
    )


def grey_net(shape=(12, 12)):
    """Takes images without a channel axis."""
    keras.utils.set_random_seed(0)
    return keras.Sequential(
        [
            keras.Input(shape),
            layers.Reshape((*shape, 1)),
            layers.Conv2D(4, 3, activation="relu", padding="same"),
            layers.Flatten(),
            layers.Dense(3, "softmax"),
        ]
    )


def broken_net(shape=(12, 12, 3)):
    """Gives NaN, and has NaN gradients, for negative input."""
    inputs = keras.Input(shape)
    return keras.Model(inputs, layers.Dense(3)(layers.Flatten()(layers.Conv2D(2, 1)(keras.ops.sqrt(inputs)))))


def mobilenet():
    return keras.models.load_model(Path(str(DATA)) / "models" / "mobilenet_v2_imagenet.keras")


def photographs(count):
    """Real images at 224 × 224, float32 in [0, 255]."""
    from PIL import Image

    files = sorted((Path(str(DATA)) / "imagenet" / "images").iterdir())[:count]
    pictures = [Image.open(file).convert("RGB").resize((224, 224), Image.Resampling.BILINEAR) for file in files]
    return np.stack([np.asarray(picture) for picture in pictures]).astype("float32")

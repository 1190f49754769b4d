"""The face-attribute classifier of section 6.6: MobileNetV2 with forty outputs."""

from __future__ import annotations

import keras
import numpy as np
from keras import layers

from tf_ig2.paper.datasets.celeb_a import ATTRIBUTES


def face_attributes(backbone: keras.Model, trainable: bool = False) -> keras.Model:
    """Puts a head of one sigmoid per CelebA attribute on MobileNetV2.

    Args:
      backbone: a MobileNetV2 from `zoo.imagenet.mobilenet_v2`, or any classifier whose last dense layer is fed by its
        representation.
      trainable: whether the backbone is trained too.

    Returns:
      A model of the backbone's input to probabilities `[N, 40]`, in the order of `celeb_a.ATTRIBUTES`. The logits are
      explained one attribute at a time.

    Raises:
      ValueError: the backbone has no dense layer to replace.
    """
    dense = [layer for layer in backbone.layers if isinstance(layer, layers.Dense)]
    if not dense:
        raise ValueError(f"The model {backbone.name!r} has no dense layer in whose place the head could go.")
    for layer in backbone.layers:
        layer.trainable = trainable
    head = layers.Dense(len(ATTRIBUTES), activation="sigmoid", name="attributes")
    return keras.Model(backbone.inputs[0], head(dense[-1].input), name="face_attributes")


PLACES = {"block_15_add": 7, "block_12_add": 7}
"""Where a head on frozen features looks: layers of MobileNetV2, and the positions a side that they are averaged to."""


def frozen_features(backbone: keras.Model) -> keras.Model:
    """What a head sees of a frozen MobileNetV2: where in the face things are matters, so positions are kept.

    Args:
      backbone: a MobileNetV2 from `zoo.imagenet.mobilenet_v2`, or any model with the layers of `PLACES`.

    Returns:
      A model of the backbone's input to features `[N, D]`.
    """
    parts = []
    for name, side in PLACES.items():
        maps = backbone.get_layer(name).output
        width = maps.shape[1] // side
        pooled = layers.AveragePooling2D(width, name=f"{name}_pooled")(maps) if width > 1 else maps
        parts.append(layers.Flatten(name=f"{name}_flat")(pooled))
    return keras.Model(backbone.inputs[0], layers.Concatenate(name="features")(parts), name="frozen_features")


def with_head(features: keras.Model, mean: np.ndarray, deviation: np.ndarray, head: keras.layers.Dense) -> keras.Model:
    """Puts a trained head on standardised features.

    Args:
      features: see `frozen_features`.
      mean, deviation: `[D]`, of the features of the training faces.
      head: of 40 sigmoids, built.

    Returns:
      A model of the backbone's input to probabilities `[N, 40]`; its representation are the standardised features.
    """
    standard = layers.Normalization(mean=mean, variance=np.square(deviation), name="standardised")
    return keras.Model(features.inputs[0], head(standard(features.output)), name="face_attributes")

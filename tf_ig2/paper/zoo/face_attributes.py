"""The face-attribute classifier of section 6.6: MobileNetV2 with forty outputs."""

from __future__ import annotations

import keras
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

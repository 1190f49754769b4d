"""ImageNet classifiers: Inception-v3, as in the paper, and three that are small enough for a laptop.

Both take RGB in 0 … 255, so that images, steps and value ranges are in the same units whatever the network scales to.

References: Szegedy et al., Rethinking the Inception Architecture for Computer Vision, CVPR 2016; Sandler et al.,
MobileNetV2: Inverted Residuals and Linear Bottlenecks, CVPR 2018; Howard et al., MobileNets, 2017; Iandola et al.,
SqueezeNet, 2016.
"""

from __future__ import annotations

import os
from typing import Any

import keras
from keras import layers

from tf_ig2.paper.datasets import folder

_HOW_TO_GET = (
    'Pass weights="imagenet" to have keras.applications download its weights, or the path of a .keras file of the '
    "network with RGB input in 0 … 255."
)


def inception_v3(weights: str | os.PathLike[str] | None = "imagenet") -> keras.Model:
    """Inception-v3, input 299 × 299.

    Args:
      weights: "imagenet" (downloaded once by keras.applications), the path of weights that fit `keras.applications`,
        or None for random ones.

    Returns:
      A model of float32 `[N, 299, 299, 3]` in 0 … 255 to probabilities `[N, 1000]`; the layer before the last, the
      representation, is `avg_pool`.

    Raises:
      MissingDataError: the weights could not be had.
    """
    return _application(keras.applications.InceptionV3, 299, weights)


def mobilenet_v2(weights: str | os.PathLike[str] | None = "local") -> keras.Model:
    """MobileNetV2, input 224 × 224.

    Args:
      weights: "local" for models/mobilenet_v2_imagenet.keras in TF_IG2_DATA_DIR; the path of such a `.keras` file;
        "imagenet" (downloaded once by keras.applications); or None for random ones.

    Returns:
      A model of float32 `[N, 224, 224, 3]` in 0 … 255 to probabilities `[N, 1000]`.

    Raises:
      MissingDataError: the file is not there, or the weights could not be had.
      CorruptDataError: the file is no Keras model, or one of other shapes.

    Example:
      >>> mobilenet_v2(weights=None).output_shape
      (None, 1000)
    """
    if weights in (None, "imagenet"):
        return _application(keras.applications.MobileNetV2, 224, weights)
    return _from_file("mobilenet_v2_imagenet", 224, weights)


def mobilenet_v1(weights: str | os.PathLike[str] = "local") -> keras.Model:
    """MobileNetV1, input 224 × 224: depthwise separable convolutions without residuals.

    Args:
      weights: "local" for models/mobilenet_v1_1.0_224_imagenet.keras in TF_IG2_DATA_DIR, or the path of such a file.

    Returns, Raises: as `mobilenet_v2`.
    """
    return _from_file("mobilenet_v1_1.0_224_imagenet", 224, weights)


def squeezenet(weights: str | os.PathLike[str] = "local") -> keras.Model:
    """SqueezeNet v1.1, input 227 × 227: fire modules and max-pooling; its logits are the mean over 14 × 14 positions.

    Args:
      weights: "local" for models/squeezenet_v1_1_imagenet.keras in TF_IG2_DATA_DIR, or the path of such a file.

    Returns, Raises: as `mobilenet_v2`.
    """
    return _from_file("squeezenet_v1_1_imagenet", 227, weights)


def _from_file(name: str, size: int, weights: str | os.PathLike[str] | None) -> keras.Model:
    path = folder.find(f"models/{name}.keras", _HOW_TO_GET, None if weights == "local" else weights, "weights")
    try:
        model = keras.models.load_model(path, compile=False, safe_mode=True)
    except (ValueError, OSError, TypeError) as error:
        raise folder.CorruptDataError(f"{str(path)!r} cannot be read as a Keras model: {error}") from error
    if (model.input_shape, model.output_shape) != ((None, size, size, 3), (None, 1000)):
        raise folder.CorruptDataError(
            f"{str(path)!r} maps {model.input_shape} to {model.output_shape}, not [N, {size}, {size}, 3] to [N, 1000]."
        )
    return model


def _application(build: Any, size: int, weights: Any) -> keras.Model:
    inputs = keras.Input((size, size, 3), name="image")
    scaled = layers.Rescaling(1 / 127.5, -1.0, name="rescaling")(inputs)
    try:
        model = build(weights=None if weights is None else os.fspath(weights), input_tensor=scaled)
    except (OSError, ValueError) as error:
        raise folder.MissingDataError(
            f"The weights {weights!r} of {build.__name__} could not be had: {error}. {_HOW_TO_GET}"
        ) from error
    return model

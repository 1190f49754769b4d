"""The small classifiers of XAI-TRIS, all in one model: a linear one, a perceptron and a CNN for every kind of image."""

from __future__ import annotations

import keras
from keras import layers

from tf_ig2.paper.datasets.xai_tris import BACKGROUNDS, SCENARIOS

ARCHITECTURES = ("linear", "mlp", "cnn")


def cells() -> list[tuple[str, str, str]]:
    """Scenario, background and architecture of each network; a linear one can learn the linear scenario alone."""
    return [
        (scenario, background, architecture)
        for scenario in SCENARIOS
        for background in BACKGROUNDS
        for architecture in ARCHITECTURES
        if architecture != "linear" or scenario == "linear"
    ]


def tetromino_nets(size: int = 8, name: str = "xai_tris") -> keras.Model:
    """All networks, side by side on one input, so that one file holds them.

    Args:
      size: of the images.
      name: of the model.

    Returns:
      A model of float32 `[N, size, size, 1]` to a dict of probabilities `[N, 2]`, by the name of `output_name`.

    Reference: Clark, Wilming & Haufe, XAI-TRIS, Machine Learning 2024, section 3.2; these are smaller.

    Example:
      >>> len(tetromino_nets().output)
      18
    """
    image = keras.Input((size, size, 1), name="image")
    outputs = {output_name(*cell): _build(image, output_name(*cell), cell[2]) for cell in cells()}
    return keras.Model(image, outputs, name=name)


def output_name(scenario: str, background: str, architecture: str) -> str:
    """What a network's output is called."""
    return f"{scenario}_{background}_{architecture}"


def one(nets: keras.Model, scenario: str, background: str, architecture: str) -> keras.Model:
    """One of the networks, which shares its weights.

    Raises:
      ValueError: there is none for these.
    """
    name = output_name(scenario, background, architecture)
    if name not in nets.output:
        raise ValueError(f"{nets.name!r} has no network {name!r}: choose one of {list(nets.output)}.")
    return keras.Model(nets.input, nets.output[name], name=name)


def _build(image: keras.KerasTensor, name: str, architecture: str) -> keras.KerasTensor:
    x = image
    if architecture == "cnn":
        for number, filters in enumerate((8, 16), 1):
            x = layers.Conv2D(filters, 3, padding="same", activation="relu", name=f"{name}_conv{number}")(x)
            x = layers.MaxPooling2D(2, name=f"{name}_pool{number}")(x)
    x = layers.Flatten(name=f"{name}_flatten")(x)
    if architecture != "linear":
        for number, units in enumerate((64, 32) if architecture == "mlp" else (32,), 1):
            x = layers.Dense(units, activation="relu", name=f"{name}_fc{number}")(x)
    return layers.Dense(2, activation="softmax", name=name)(x)

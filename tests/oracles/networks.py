"""The networks and the data of the oracles: drawn from NumPy's generators alone, the same on every machine."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import layers
from tf_ig2.datasets import digits

from tests.numpy_ig2 import Mlp, distance_gradient
from tf_ig2 import ModelView
from tf_ig2.paper import saved_models

IMAGE = (12, 12, 3)
TOKENS, VOCABULARY = 7, 20


def drawn(model: keras.Model, seed: int) -> keras.Model:
    """The model with all its weights drawn anew: what Keras initialised does not matter."""
    rng = np.random.default_rng(seed)
    draws: dict[str, Callable[[Any], np.ndarray]] = {
        "kernel": lambda shape: rng.normal(size=shape) * np.sqrt(2 / np.prod(shape[:-1])),
        "embeddings": lambda shape: rng.normal(size=shape),
        "bias": lambda shape: rng.normal(size=shape) / 10,
        "gamma": lambda shape: rng.uniform(0.5, 1.5, shape),
        "beta": lambda shape: rng.normal(size=shape) / 10,
        "moving_mean": lambda shape: rng.normal(size=shape) / 5,
        "moving_variance": lambda shape: rng.uniform(0.5, 2.0, shape),
    }
    for variable in model.variables:
        if variable.name in draws:
            variable.assign(draws[variable.name](variable.shape))
    return model


def tanh() -> keras.Model:
    """A smooth float64 classifier of points in [-1, 1]²."""
    stack = [
        keras.Input((2,), dtype="float64"),
        layers.Dense(16, "tanh", dtype="float64", name="first"),
        layers.Dense(8, "tanh", dtype="float64", name="second"),
        layers.Dense(3, "softmax", dtype="float64"),
    ]
    return drawn(keras.Sequential(stack), 1)


def conv() -> keras.Model:
    """A float32 CNN with kinks, for images 12 × 12 × 3 of values 0 … 255."""
    stack = [
        keras.Input(IMAGE),
        layers.Rescaling(1 / 127.5, -1.0),
        layers.Conv2D(6, 3, padding="same"),
        layers.BatchNormalization(),
        layers.ReLU(name="fine"),
        layers.MaxPooling2D(),
        layers.Conv2D(8, 3, activation="relu", name="coarse"),
        layers.Flatten(),
        layers.Dense(4, "softmax"),
    ]
    return drawn(keras.Sequential(stack), 2)


def text() -> keras.Model:
    """A classifier of 7 tokens, explained at its embedding."""
    tokens = keras.Input((TOKENS,), dtype="int32")
    embedded = layers.Embedding(VOCABULARY, 4, name="embedding")(tokens)
    pooled = layers.GlobalMaxPooling1D()(layers.Conv1D(8, 3, activation="tanh")(embedded))
    return drawn(keras.Model(tokens, layers.Dense(3, "softmax")(pooled)), 3)


def two() -> keras.Model:
    """Two inputs and two outputs, by name."""
    a, b = keras.Input((4,), name="a"), keras.Input((3, 2), name="b")
    hidden = layers.Dense(6, "tanh")(layers.Concatenate()([a, layers.Flatten()(b)]))
    outputs = {"kind": layers.Dense(3, "softmax")(hidden), "score": layers.Dense(1)(hidden)}
    return drawn(keras.Model({"a": a, "b": b}, outputs), 4)


@functools.cache
def model(name: str) -> keras.Model:
    """The network of that name: `"tanh"`, `"conv"`, `"text"`, `"two"`, or `"digits"`, which comes with the package."""
    if name == "digits":
        return saved_models.load("digits_cnn")
    return {"tanh": tanh, "conv": conv, "text": text, "two": two}[name]()


@functools.cache
def view(name: str) -> ModelView:
    """The same network as explainers see it: shared, it is traced once."""
    return ModelView(model(name))


def _two(rng: np.random.Generator, count: int) -> dict[str, np.ndarray]:
    """Samples of the network with two inputs; the first reaches to ±2 in `a` and ±4 in `b`."""
    part = {"a": rng.uniform(-2, 2, [count, 4]), "b": rng.uniform(-4, 4, [count, 3, 2])}
    part["a"][0, :2], part["b"][0, 0] = (-2, 2), (-4, 4)
    return part


_rng = np.random.default_rng(5)
X: dict[str, Any] = {
    "tanh": _rng.uniform(-0.9, 0.9, [4, 2]),
    "conv": _rng.uniform(0, 255, [2, *IMAGE]),
    "text": _rng.integers(0, VOCABULARY, [2, TOKENS]),
    "two": _two(_rng, 3),
}
"""Explicands of every network."""
REFERENCES: dict[str, Any] = {
    "tanh": np.concatenate([[[-1.0, 1.0]], _rng.uniform(-0.9, 0.9, [2, 2])]),
    "conv": np.round(_rng.uniform(0, 255, [2, *IMAGE])),
    "text": _rng.integers(0, VOCABULARY, [3, TOKENS]),
    "two": _two(_rng, 2),
}
"""References of every network; these of points and images reach to both ends of the range of values."""
REFERENCES["conv"][0, 0, 0, :2] = (0, 255)
OWN: dict[str, Any] = {"tanh": _rng.uniform(-0.5, 0.5, [4, 2, 2]), "conv": _rng.uniform(20, 200, [2, 2, *IMAGE])}
"""References of each explicand's own, `[N, R, ...]`."""
(_train, _classes), (_test, _) = digits.load_digits()
X["digits"] = _test[:2]
REFERENCES["digits"] = np.stack([_train[np.flatnonzero(_classes == digit)[0]] for digit in (3, 8)])


@functools.cache
def callback(target: int) -> Callable[..., dict[str, np.ndarray]]:
    """The points' network in plain NumPy, behind PAIR's contract with the keys of IG²'s authors."""
    network = Mlp(model("tanh"), target, "tanh")

    def call_model_function(x_value_batch: Any, call_model_args: Any = None, expected_keys: Any = ()) -> dict:
        answers = {
            "REP_LAYER_VALUES": lambda: [network.representation(x) for x in x_value_batch],
            "INPUT_OUTPUT_GRADIENTS": lambda: [network.output_gradient(x) for x in x_value_batch],
            "REP_DISTANCE_GRADIENTS": lambda: [
                -distance_gradient(network, x, goal, "euclidean")
                for x, goal in zip(x_value_batch, call_model_args["layer_baseline"], strict=True)
            ],
        }
        return {key: np.stack(answers[key]()) for key in expected_keys}

    return call_model_function

"""A description's model, with random weights and statistics, and what is explained of it."""

from __future__ import annotations

import functools
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from tests.differential.description import Description

SHAPES = {"vector": (6,), "signal": (6, 3), "image": (8, 8, 2), "tokens": (6,)}
CLASSES, WORDS, WIDTH = 3, 11, 4


@dataclass
class Case:
    """A model and what is explained of it.

    Attributes:
      description: what it is made of.
      model: the Keras model.
      x: explicands `[3, ...]`, in the structure that the model takes.
      references: `[2, ...]`.
      options: what explainers must be told of the model.
      target: int32 `[3]`, the classes that `model.predict` gives, before any explainer saw the model.
    """

    description: Description
    model: keras.Model
    x: Any
    references: Any
    options: dict[str, Any]
    target: np.ndarray

    def predict(self, x: Any) -> np.ndarray:
        """The explained output by Keras's own `predict`, float64 `[N, ...]`."""
        result = self.model.predict(x, verbose=0)
        result = result["explained"] if self.description.outputs == 2 else result
        return np.asarray(result, np.float64)


def build(description: Description) -> Case:
    """Builds a description; the same every time in one version of Keras."""
    keras.utils.set_random_seed(description.seed)
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy(description.policy)
    try:
        model = _model(description)
    finally:
        keras.config.set_dtype_policy(policy)
    rng = np.random.default_rng(description.seed)
    randomise(model, rng)
    model = _packed(model, description)
    x, references = _points(description, 3, rng), _points(description, 2, rng)
    if description.met:
        for reference, explicand in zip(tf.nest.flatten(references), tf.nest.flatten(x), strict=True):
            reference[0] = explicand[0]
    options: dict[str, Any] = {"output_name": "explained"} if description.outputs == 2 else {}
    if description.shape == "tokens":
        options["input_layer"] = "embedding" if description.inputs == "one" else ["embedding", "other"]
    case = Case(description, model, x, references, options, np.zeros(3, np.int32))
    case.target = case.predict(x).argmax(axis=-1).astype(np.int32)
    return case


def randomise(model: keras.Model, rng: np.random.Generator) -> None:
    """Gives every weight a random value: biases and BatchNorm's statistics are no longer zeros and ones."""
    for variable in model.variables:
        if "float" not in str(variable.dtype):
            continue
        name, shape = variable.path.rsplit("/", 1)[-1], variable.shape
        if name in ("moving_variance", "gamma"):
            value = rng.uniform(0.5, 1.5, shape)
        elif name in ("moving_mean", "beta", "bias", "alpha"):
            value = rng.normal(0, 0.2, shape)
        elif len(shape) >= 2 and name != "vector_u":
            fan = np.prod(shape[:-1]) if "embeddings" not in name else 1
            value = rng.normal(0, 1.2 / np.sqrt(max(fan, 1)), shape)
        else:
            continue
        variable.assign(value)


def _points(description: Description, count: int, rng: np.random.Generator) -> Any:
    shape = (count, *SHAPES[description.shape])
    dtype = "float64" if description.policy == "float64" else "float32"
    scale = {"rescaling": 255.0, "normalization": 20.0, None: 1.0}[description.preprocessing]
    if description.shape == "tokens":
        # No word twice: two positions would tie for the maximum, and which of them a walk follows is rounding's choice.
        others = np.tile(np.delete(np.arange(WORDS, dtype="int32"), 1), (count, 1))
        first: Any = rng.permuted(others, axis=1)[:, : shape[1]]
        first[:, 0] = 1  # 0 is padding where it is masked, and nothing but padding has no mean
    else:
        first = rng.uniform(0, scale, shape).astype("float32").astype(dtype)  # `predict` rounds to float32
    if description.inputs == "one":
        return first
    second = rng.normal(0, 1, (count, 4)).astype("float32").astype(dtype)
    return {"first": first, "second": second} if description.inputs == "dict" else [first, second]


def _model(description: Description) -> keras.Model:
    dtype = "float64" if description.policy == "float64" else "float32"
    tokens = description.shape == "tokens"
    first = keras.Input(SHAPES[description.shape], dtype="int32" if tokens else dtype, name="first")
    x = layers.Embedding(WORDS, 3, mask_zero=description.masked, name="embedding")(first) if tokens else first
    x = _preprocessed(x, description)
    x = _trunk(x, description)
    inputs: Any = first
    if description.inputs != "one":
        second = keras.Input((4,), dtype=dtype, name="second")
        other = layers.Dense(WIDTH, description.activation, name="other")(second)
        x = layers.Concatenate()([x, other])
        inputs = {"first": first, "second": second} if description.inputs == "dict" else [first, second]
    explained = _ended(layers.Dense(5, description.activation)(x), description)
    if description.outputs == 1:
        return keras.Model(inputs, explained)
    return keras.Model(inputs, {"explained": explained, "beside": layers.Dense(2)(x)})


def _preprocessed(x: Any, description: Description) -> Any:
    if description.preprocessing == "rescaling":
        return layers.Rescaling(1 / 127.5, -1.0)(x)
    if description.preprocessing == "normalization":
        size = x.shape[-1]
        return layers.Normalization(mean=np.linspace(8, 12, size), variance=np.linspace(20, 40, size))(x)
    return x


def _trunk(x: Any, description: Description) -> Any:
    """The blocks, packed as the description says, and the reduction to a vector."""
    rank = len(x.shape) - 2
    parts = [functools.partial(_BLOCKS[name], rank=rank, act=description.activation) for name in description.blocks]

    def run(x: Any) -> Any:
        for part in parts:
            x = part(x)
        return _reduced(x, description.reduction)

    if description.packaging not in ("sequential", "nested", "twice"):
        return run(x)
    inner = keras.Input(x.shape[1:], dtype=x.dtype)
    trunk = keras.Model(inner, run(inner), name="trunk")
    if description.packaging == "sequential":
        return keras.Sequential([keras.Input(x.shape[1:], dtype=x.dtype), trunk, layers.Dense(5, name="after")])(x)
    if description.packaging == "twice":
        return layers.Subtract()([trunk(x), trunk(x * -0.5)])
    return trunk(x)


def _reduced(x: Any, reduction: str) -> Any:
    rank = len(x.shape) - 2
    if rank == 0:
        return x
    kinds = {"average": (layers.GlobalAveragePooling1D, layers.GlobalAveragePooling2D)}
    kinds["maximum"] = (layers.GlobalMaxPooling1D, layers.GlobalMaxPooling2D)
    return layers.Flatten()(x) if reduction == "flatten" else kinds[reduction][rank - 1]()(x)


def _ended(x: Any, description: Description) -> Any:
    ending = description.ending
    if ending == "number":
        return layers.Dense(1)(x)
    if ending in ("softmax", "sigmoid", "linear"):
        return layers.Dense(CLASSES, ending)(x)
    if ending == "softmax_wrapped":
        return layers.SpectralNormalization(layers.Dense(CLASSES, "softmax"))(x)
    if ending == "softmax_averaged":
        return layers.Average()([layers.Dense(CLASSES, "softmax")(x), layers.Dense(CLASSES, "softmax")(x)])
    x = layers.Dense(CLASSES)(x)
    if ending == "sigmoid_layer":
        return layers.Activation("sigmoid")(x)
    if ending == "softmax_clipped":
        return keras.ops.clip(layers.Softmax()(x), 0.0, 1.0)
    if ending == "softmax_op":
        return keras.ops.softmax(x)
    if ending == "softmax_reshaped":
        return layers.Reshape((CLASSES,))(layers.Softmax()(x))
    if ending == "softmax_float32":
        return layers.Activation("softmax", dtype="float64" if description.policy == "float64" else "float32")(x)
    return layers.Softmax()(x)


def _packed(model: keras.Model, description: Description) -> keras.Model:
    if description.packaging == "reloaded":
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "model.keras"
            model.save(file)
            return keras.models.load_model(file)
    if description.packaging == "cloned":
        clone = keras.models.clone_model(model)
        clone.set_weights(model.get_weights())
        return clone
    return model


def _convolution(x: Any, rank: int, act: str) -> Any:
    return (layers.Conv1D, layers.Conv2D)[rank - 1](WIDTH, 3, padding="same", activation=act)(x)


def _dilated(x: Any, rank: int, act: str) -> Any:
    return layers.Conv2D(WIDTH, 2, padding="same", dilation_rate=2, activation=act)(x)


def _separable(x: Any, rank: int, act: str) -> Any:
    return (layers.SeparableConv1D, layers.SeparableConv2D)[rank - 1](WIDTH, 3, padding="same", activation=act)(x)


def _depthwise(x: Any, rank: int, act: str) -> Any:
    return (layers.DepthwiseConv1D, layers.DepthwiseConv2D)[rank - 1](3, padding="same", activation=act)(x)


def _transposed(x: Any, rank: int, act: str) -> Any:
    return (layers.Conv1DTranspose, layers.Conv2DTranspose)[rank - 1](WIDTH, 3, padding="same", activation=act)(x)


def _pool(kind: str) -> Any:
    def block(x: Any, rank: int, act: str) -> Any:
        return x if min(x.shape[1 : 1 + rank]) < 2 else getattr(layers, f"{kind}Pooling{rank}D")(2)(x)

    return block


def _recurrent(layer: Any) -> Any:
    return lambda x, rank, act: layer(WIDTH, return_sequences=True)(x)


def _bidirectional(x: Any, rank: int, act: str) -> Any:
    return layers.Bidirectional(layers.GRU(WIDTH, return_sequences=True))(x)


def _attention(x: Any, rank: int, act: str) -> Any:
    attended = layers.MultiHeadAttention(2, 2)(x, x)
    return layers.LayerNormalization()(layers.Add()([x, attended]))


def _dense(x: Any, rank: int, act: str) -> Any:
    return layers.Dense(WIDTH, act)(x)


def _time_distributed(x: Any, rank: int, act: str) -> Any:
    inner = layers.Dense(WIDTH, act) if rank == 1 else layers.Conv1D(WIDTH, 3, padding="same", activation=act)
    return layers.TimeDistributed(inner)(x)


def _spectral(x: Any, rank: int, act: str) -> Any:
    inner = (
        layers.Dense(WIDTH, act) if rank == 0 else (layers.Conv1D, layers.Conv2D)[rank - 1](WIDTH, 2, activation=act)
    )
    small = rank and min(x.shape[1 : 1 + rank]) < 2
    return layers.SpectralNormalization(layers.Dense(WIDTH, act) if small else inner)(x)


def _residual(x: Any, rank: int, act: str) -> Any:
    width = x.shape[-1]
    first = layers.BatchNormalization()(layers.Dense(width)(x))
    return layers.Add()([x, layers.Activation(act)(first)])


def _gate(x: Any, rank: int, act: str) -> Any:
    return layers.Multiply()([layers.Dense(WIDTH, act)(x), layers.Dense(WIDTH, "sigmoid")(x)])


def _shared_layer(x: Any, rank: int, act: str) -> Any:
    shared = layers.Dense(x.shape[-1], act)
    return layers.Add()([shared(x), shared(shared(x))])


def _plain(layer: Any) -> Any:
    return lambda x, rank, act: layer()(x)


_BLOCKS: dict[str, Any] = {
    "dense": _dense,
    "convolution": _convolution,
    "dilated": _dilated,
    "separable": _separable,
    "depthwise": _depthwise,
    "transposed": _transposed,
    "max_pool": _pool("Max"),
    "average_pool": _pool("Average"),
    "lstm": _recurrent(layers.LSTM),
    "gru": _recurrent(layers.GRU),
    "simple_rnn": _recurrent(layers.SimpleRNN),
    "bidirectional": _bidirectional,
    "attention": _attention,
    "time_distributed": _time_distributed,
    "spectral": _spectral,
    "residual": _residual,
    "gate": _gate,
    "shared_layer": _shared_layer,
    "batch_norm": _plain(layers.BatchNormalization),
    "layer_norm": _plain(layers.LayerNormalization),
    "group_norm": _plain(lambda: layers.GroupNormalization(groups=1)),
    "dropout": _plain(lambda: layers.Dropout(0.3)),
    "prelu": _plain(layers.PReLU),
    "upsampling": lambda x, rank, act: layers.UpSampling2D(2)(x) if x.shape[1] <= 8 else x,
}

"""DeepSHAP gives what `shap.DeepExplainer` gives, on the networks that the latter can explain.

`shap` runs in a process of its own: after a failure inside it, TensorFlow's gradients no longer work there.
"""

import subprocess
import sys

import keras
import numpy as np
import pytest
from keras import layers

from tf_ig2.explainers.deep_shap import DeepSHAPExplainer

pytest.importorskip("shap")

SHAP = """
import sys, keras, numpy as np, shap
for name in sys.argv[2:]:
    model = keras.models.load_model(f"{sys.argv[1]}/{name}.keras")
    data = np.load(f"{sys.argv[1]}/{name}.npz")
    values = shap.DeepExplainer(model, data["references"]).shap_values(data["x"], check_additivity=False)
    np.save(f"{sys.argv[1]}/{name}.npy", values)
"""


def dense():
    return keras.Sequential([keras.Input((6,)), layers.Dense(8, "relu"), layers.Dense(8, "tanh"), layers.Dense(3)])


def convolution():
    return keras.Sequential(
        [
            keras.Input((10, 10, 3)),
            layers.Conv2D(6, 3, activation="relu"),
            layers.BatchNormalization(),
            layers.MaxPooling2D(),
            layers.Conv2D(4, 3, activation="sigmoid"),
            layers.Flatten(),
            layers.Dense(3),
        ]
    )


def residual():
    inputs = keras.Input((8, 8, 2))
    x = layers.Conv2D(4, 3, padding="same")(inputs)
    y = layers.Activation("relu")(layers.BatchNormalization()(x))
    y = layers.Conv2D(4, 3, padding="same")(y)
    x = layers.MaxPooling2D()(layers.Activation("relu")(layers.Add()([x, y])))
    return keras.Model(inputs, layers.Dense(3)(layers.GlobalAveragePooling2D()(x)))


NETWORKS = {"dense": dense, "convolution": convolution, "residual": residual}


@pytest.fixture(scope="module")
def cases(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shap")
    found = {}
    for seed, (name, build) in enumerate(NETWORKS.items()):
        keras.utils.set_random_seed(seed)
        model, rng = build(), np.random.default_rng(seed)
        for layer in model.layers:
            if isinstance(layer, layers.BatchNormalization):
                layer.set_weights([rng.uniform(0.5, 1.5, weight.shape) for weight in layer.get_weights()])
        x, references = (rng.normal(size=(n, *model.input_shape[1:])).astype("float32") for n in (3, 4))
        model.save(folder / f"{name}.keras")
        np.savez(folder / f"{name}.npz", x=x, references=references)
        found[name] = model, x, references
    done = subprocess.run(
        [sys.executable, "-c", SHAP, str(folder), *NETWORKS], capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return {name: (*case, np.load(folder / f"{name}.npy")) for name, case in found.items()}


@pytest.mark.parametrize("name", NETWORKS)
def test_values_are_those_of_shap(cases, name):
    model, x, references, theirs = cases[name]
    explainer = DeepSHAPExplainer(model)
    ours = np.stack([explainer.explain(x, references, target).values for target in range(3)], axis=-1)
    error = np.abs(ours - theirs).max() / np.abs(theirs).max()
    assert error < 1e-3, error

# %% [markdown]
# # Inside the network: explaining at a layer
#
# [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/OWNER/tf_ig2/blob/main/notebooks/07_inside_the_network.ipynb)
#
# Attributions need not be made at the input. `input_layer=` makes them at any layer in between, where they are
# cheaper and coarser, and say which channels mattered. `at_input()` brings them back as a map of the input, with
# the same sum.

# %%
# Load TensorFlow without the lines that it says of itself. In Colab, fetch and install the package first.
import os
import sys

if "google.colab" in sys.modules:
    REPOSITORY = "https://github.com/OWNER/tf_ig2"  # OWNER: who publishes it
    os.system(f"git clone -q --depth 1 {REPOSITORY} && pip install -q './tf_ig2[notebooks]'")
    sys.path.insert(0, "tf_ig2")

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
stderr = os.dup(2)
os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
import tensorflow as tf

tf.zeros([])
stderr = os.dup2(stderr, 2)

# %% [markdown]
# ## A network, and where one can explain
#
# The wafer network of [notebook 5](05_wafers.ipynb), and a wafer with a planted spot of failing dies.
# `inner_layers` lists where one can explain. "above" is the share of the work that is left from there to the
# output: what a step costs. "all paths" says that nothing goes around the layer, as a skip connection would.

# %%
import matplotlib.pyplot as plt
import numpy as np

import tf_ig2
from tf_ig2.paper import saved_models
from tf_ig2.paper.datasets import planted_wafers, wm811k

model = saved_models.load("wafer_cnn")
print(tf_ig2.inner_layers(model))

# %%
rng = np.random.default_rng(0)
rows, columns = np.mgrid[-1:1:56j, -1:1:56j]
healthy = np.where(np.hypot(rows, columns) <= 1, 1 + (rng.random([16, 56, 56]) < 0.05), 0).astype(np.uint8)
wafers = planted_wafers.plant(healthy[:8], 4 * ["Loc", "Edge-Loc"], seed=3)
x, references = wm811k.one_hot(wafers.maps), wm811k.one_hot(healthy[8:])
said = model.predict(x, verbose=0).argmax(axis=-1)
print("the network says:", [wm811k.CLASSES[label] for label in said])

# %% [markdown]
# ## The same question at four layers
#
# The values have the shape of the layer. `at_input()` sums their channels and spreads them over the wafer, so that
# they add up to what they did before.

# %%
maps = {}
for layer in (None, "pool1", "pool2", "pool3"):
    explainer = tf_ig2.IG2Explainer(model, layer="flatten", input_layer=layer)
    explanations = explainer.explain(x, references, target=wafers.labels)
    maps[layer or "input"] = explanations.at_input()
    inner, mapped = explanations.values[0], maps[layer or "input"].values[0]
    print(f"{layer or 'input':6} {inner.shape!s:14} sum {inner.sum():.3f}; at the input {mapped.sum():.3f}")

# %%
shown = {name: explanations.values[0] for name, explanations in maps.items()}
tf_ig2.plots.methods({"planted": wafers.masks[0].astype(float), **shown}, own_scale=True)

# %% [markdown]
# ## Which layer is right?
#
# It depends on how fine the answer must be. Here the truth is known die by die: AUC says whether the planted dies are
# ranked first. Early layers keep the dies apart; deeper ones say roughly where, for a fraction of the work. On
# photographs, where objects are large, inner layers find them better than pixels do:
# [measured on three networks](../docs/results/defaults.md).

# %%
from tf_ig2.metrics.ground_truth import ground_truth_auc

work = {layer.name: layer.above for layer in tf_ig2.inner_layers(model)}
for name, explanations in maps.items():
    auc = ground_truth_auc(explanations, wafers.masks, channels="signed")
    print(f"{name:6} AUC {auc.mean():.3f}   work of a step {work.get(name, 1):4.0%}")

# %% [markdown]
# ## Which channels?
#
# At a layer, attributions also say what was seen. Each channel of `pool1` is summed over its positions.

# %%
inside = tf_ig2.IG2Explainer(model, layer="flatten", input_layer="pool1").explain(
    x[0], references, target=int(wafers.labels[0])
)
channels = inside.values.sum(axis=(0, 1))
tf_ig2.plots.bars(channels, [f"channel {number}" for number in range(len(channels))], top=6, title="pool1, for Loc")

# %% [markdown]
# The two strongest, as they answered to this wafer, and where that counted.

# %%
first, second = np.argsort(-np.abs(channels))[:2]
_, axes = plt.subplots(1, 4, figsize=(11, 2.9), layout="constrained")
for (left, right), channel in zip(axes.reshape(2, 2), (first, second), strict=True):
    tf_ig2.plots.image(left, inside.explicand[..., channel], f"channel {channel}")
    tf_ig2.plots.heat_map(right, inside.values[..., channel], "its attributions")

# %% [markdown]
# ## Every method can
#
# `input_layer=` is no matter of IG². Expected IG at the same layer takes as baselines what the layer says of the
# references.

# %%
import keras

to_pool1 = keras.Model(model.inputs, model.get_layer("pool1").output)
expected = tf_ig2.ExpectedIGExplainer(model, steps=8, input_layer="pool1").explain(
    x, to_pool1.predict(references, verbose=0), target=wafers.labels
)
print(f"Expected IG at pool1: AUC {ground_truth_auc(expected, wafers.masks, channels='signed').mean():.3f}")
tf_ig2.plots.methods({"IG², pool1": shown["pool1"], "Expected IG, pool1": expected.at_input().values[0]})

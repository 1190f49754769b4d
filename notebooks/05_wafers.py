# %% [markdown]
# # Wafers: planted causes, found again
#
# [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/OWNER/tf_ig2/blob/main/notebooks/05_wafers.ipynb)
#
# A wafer map shows which dies of a wafer failed. A network names the pattern, and engineers ask: which dies say so?
# Here patterns are planted on healthy wafers, so the answer is known, die by die. The maps of four methods are
# compared with it.

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
# ## Healthy wafers, and planted patterns
#
# The healthy wafers are drawn here: discs on which a few dies fail by chance. (Real ones, WM-811K, are not shipped;
# `tf_ig2.paper.datasets.planted_wafers.load` plants on them.) Six patterns are planted; the dies that were changed
# are the ground truth.

# %%
import matplotlib.pyplot as plt
import numpy as np

import tf_ig2
from tf_ig2.paper import saved_models
from tf_ig2.paper.datasets import planted_wafers, wm811k


def healthy(count, seed):
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[-1:1:56j, -1:1:56j]
    disc = np.hypot(rows, columns) <= 1
    failed = rng.random([count, 56, 56]) < rng.uniform(0.02, 0.1, [count, 1, 1])
    return np.where(disc, 1 + failed, 0).astype(np.uint8)


patterns = list(planted_wafers.PATTERNS)
wafers = planted_wafers.plant(healthy(12, seed=0), 2 * patterns, seed=1)
x = wm811k.one_hot(wafers.maps)  # [12, 56, 56, 3]: no die, passing die, failing die

# %% [markdown]
# The network was trained on real wafers. It has to know these, or there is nothing to explain.

# %%
model = saved_models.load("wafer_cnn")
said = model.predict(x, verbose=0).argmax(axis=-1)
print("planted:   ", [wm811k.CLASSES[label] for label in wafers.labels[:6]])
print("recognised:", [wm811k.CLASSES[label] for label in said[:6]])
print(f"right: {(said == wafers.labels).mean():.0%}; healthy wafers are", end=" ")
print({wm811k.CLASSES[i] for i in model.predict(wm811k.one_hot(healthy(8, seed=1)), verbose=0).argmax(axis=-1)})

# %% [markdown]
# ## Why this pattern, and not a healthy wafer?
#
# Here the references choose themselves: healthy wafers. They are represented where the convolutions end, at `flatten`,
# which for wafers is better than the layer after it. Most of a wafer is background that could not be otherwise, so the
# integral of the gradient is summed, `rule="segment"`, and not the squares that photographs have by default. A die is
# one-hot, so its three attributions are added up.

# %%
references = wm811k.one_hot(healthy(8, seed=1))
explainer = tf_ig2.IG2Explainer(model, layer="flatten", rule="segment")
explanations = explainer.explain(x, references, target=wafers.labels)
edge = patterns.index("Edge-Loc")
tf_ig2.plots.wafer(explanations.values[edge], wafers.maps[edge], title="why Edge-Loc?")

# %% [markdown]
# ## All six
#
# Above what was planted, below what IG² found.

# %%
_, axes = plt.subplots(2, 6, figsize=(13, 4.6), layout="constrained")
for number, (upper, lower) in enumerate(axes.T):
    tf_ig2.plots.image(upper, wafers.masks[number].astype(float), patterns[number])
    tf_ig2.plots.heat_map(lower, explanations.values[number])

# %% [markdown]
# ## Next to other methods
#
# Two numbers for each method, means over the twelve wafers. **AUC**: are the planted dies ranked above all others?
# **SUM**: which share of the (absolute) attributions lies on them? A map that knows nothing has AUC 0.5.

# %%
from tf_ig2.metrics.ground_truth import ground_truth_auc, ground_truth_sum

maps = {
    "Gradient": tf_ig2.GradientExplainer(model).explain(x, target=wafers.labels),
    "IG, from zero": tf_ig2.IntegratedGradientsExplainer(model, steps=16).explain(x, 0.0, target=wafers.labels),
    "Expected IG": tf_ig2.ExpectedIGExplainer(model, steps=4).explain(x, references, target=wafers.labels),
    "IG²": explanations,
}
for name, explanation in maps.items():
    auc, share = ground_truth_auc(explanation, wafers.masks), ground_truth_sum(explanation, wafers.masks)
    print(f"{name:14} AUC {auc.mean():.3f}   SUM {share.mean():.3f}")

# %%
loc = patterns.index("Loc")
_, (planted, *others) = plt.subplots(1, 5, figsize=(13, 2.8), layout="constrained")
tf_ig2.plots.image(planted, wafers.masks[loc].astype(float), "planted")
for axes, (name, explanation) in zip(others, maps.items(), strict=True):
    tf_ig2.plots.heat_map(axes, explanation.values[loc], name)

# %% [markdown]
# The two methods that contrast with healthy wafers put most on the planted dies; a gradient, or a line from an
# empty wafer, spreads over dies that have nothing to do with it. The same on patterns planted on real wafers, with
# more methods and with intervals: [the table](../docs/results/table3_planted.md).
#
# ## What would have to be otherwise?
#
# GradCF is the wafer as the network would have to see it to take it for healthy. A map needs a few steps toward it; to
# get there, let the walk take more. Its "failing" channel, before and after:

# %%
there = tf_ig2.IG2Explainer(model, layer="flatten", steps=20).explain(x[loc], references, target=wafers.labels[loc])
_, (left, right) = plt.subplots(1, 2, figsize=(6, 3), layout="constrained")
tf_ig2.plots.image(left, there.explicand[..., 2], "failing dies", (0, 1))
tf_ig2.plots.image(right, there.counterfactuals.mean(axis=0)[..., 2], "GradCF", (0, 1))
print(f"logit of {patterns[loc]}: {there.output:.1f} → {there.counterfactual_output.mean():.1f}")

# %% [markdown]
# # Write your own path
#
# [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/OWNER/tf_ig2/blob/main/notebooks/10_write_your_own_path.ipynb)
#
# In this package a path attribution is a walk and a sum. A new method is a new path: one small class that says
# where to start, what to remember, and which point comes next. Batches, compilation, references, inner layers,
# export and the pictures are there already. Here a path with momentum is written, drawn, and tested for
# completeness.

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
# ## A network one can look at
#
# Two features and two classes, so that a path can be drawn.

# %%
from dataclasses import dataclass

import keras
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import make_moons

import tf_ig2

points, classes = make_moons(400, noise=0.15, random_state=0)
points = points.astype("float32")
keras.utils.set_random_seed(0)
layers = [keras.Input([2]), keras.layers.Dense(24, "tanh"), keras.layers.Dense(8, "tanh")]
model = keras.Sequential([*layers, keras.layers.Dense(2, "softmax")])
model.compile(keras.optimizers.Adam(0.02), "sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(points, classes, epochs=15, batch_size=64, verbose=0)
print(f"accuracy: {model.evaluate(points, classes, verbose=0)[1]:.1%}")

# %% [markdown]
# ## The path
#
# Heavy-ball descent (Polyak, 1964) toward a reference's representation. A path is a frozen dataclass. It needs:
#
# * `objective`: what the walk makes small, here the distance of the representations;
# * `init`: what is remembered at first, a row for each row of the batch: the velocity, and the distance before;
# * `step`: the next point, given what the model says at this one, and whether the row has ended.

# %%
from tf_ig2.paths.base import Path, Stop, flat_rows, move, unflat_rows


@dataclass(frozen=True)
class Momentum(Path):
    """γ_{k+1} = γ_k + v, where v = friction · v − η · g / ‖g‖; a row ends where its distance no longer falls."""

    step_size: float
    friction: float = 0.7
    needs_objective_gradient = True
    needs_representation = True
    stops = True

    def objective(self, representation, outputs, rows):
        away = flat_rows(representation - rows.contrast.representation)
        return tf.reduce_sum(tf.square(away), axis=-1)

    def init(self, rows, steps):
        still = tf.zeros_like(flat_rows(rows.explicand))
        return still, tf.fill(tf.shape(still)[:1], still.dtype.max)

    def step(self, point, seen, rows, state):
        velocity, before = state
        downhill = tf.math.l2_normalize(flat_rows(seen.objective_gradient), axis=-1)
        velocity = self.friction * velocity - self.step_size * downhill
        to = tf.nest.map_structure(tf.add, point, unflat_rows(velocity, point))
        stop = tf.where(seen.objective < before, int(Stop.RUNNING), int(Stop.STALLED))
        return move(point, to, (velocity, seen.objective), stop)


# %% [markdown]
# ## Path + sum + contrast = a method
#
# A `Walk` puts the path together with a sum (here IDGI's, over both ends of each step) and a contrast (references).
# `WalkExplainer` makes an explainer of it.

# %%
from tf_ig2 import L2, Keep, Walk, WalkExplainer
from tf_ig2.contrasts.toward_references import TowardReferences
from tf_ig2.paths.rules import IDGI_BOTH

contrast = TowardReferences(clip=None, step_size=None, normalizer=L2())
walk = Walk(Momentum(step_size=0.1), IDGI_BOTH, segments=50, contrast=contrast)
explainer = WalkExplainer(model, walk)

x, references = points[classes == 1][:3], points[classes == 0][:4]
explanation = explainer.explain(x, references, target=1, keep=Keep(path=True))
explanation

# %% [markdown]
# ## See it walk
#
# Each of three points walks toward four references of the other class. Rows end one by one: that is the state at work.

# %%
print("steps taken:", *explanation.steps_taken.tolist())
print("why they ended:", sorted(set(explanation.stop_reason.ravel().tolist())))

# %%
ours = tf_ig2.IG2Explainer(model, steps=50).explain(x, references, target=1, keep=Keep(path=True))
across, up = np.meshgrid(np.linspace(-1.6, 2.6, 80), np.linspace(-1.2, 1.7, 80))
grid = np.stack([across.ravel(), up.ravel()], axis=-1).astype("float32")
probability = model.predict(grid, verbose=0, batch_size=6400)[:, 1].reshape(across.shape)
_, axes = plt.subplots(1, 2, figsize=(11, 3.8), layout="constrained", sharey=True)
for panel, (name, walked) in zip(axes, {"Momentum": explanation, "IG²'s GradPath": ours}.items(), strict=True):
    panel.contourf(across, up, probability, levels=11, cmap="RdBu_r", alpha=0.6)
    panel.scatter(*points.T, c=classes, cmap="RdBu_r", s=4, alpha=0.4)
    for path in walked.path.reshape(-1, *walked.path.shape[2:]):
        panel.plot(*path.T, color="black", linewidth=0.9)
    panel.scatter(*references.T, color="#2166ac", edgecolor="black", label="references", zorder=3)
    panel.scatter(*x.T, color="#b2182b", edgecolor="black", label="explicands", zorder=3)
    panel.set_title(name)
_ = axes[0].legend(loc="lower left")

# %% [markdown]
# ## Test it
#
# Two things should hold of every path. The attributions add up to the difference of the outputs at its ends. And
# what a row gives does not depend on which rows it shares a batch with. In a project these are two tests in a file
# beside the path's.

# %%
np.testing.assert_allclose(explanation.completeness_gap, 0, atol=1e-5)
alone = explainer.explain(x, references, target=1, batch_size=1)
np.testing.assert_allclose(alone.values, explanation.values, atol=1e-5)
print("largest gap:", f"{np.abs(explanation.completeness_gap).max():.0e}")

# %% [markdown]
# ## It is an explainer like any other
#
# It explains inside the network, another output, a batch; it can be exported and run in batch jobs, and PAIR's verb
# works.

# %%
inside = WalkExplainer(model, walk, input_layer=model.layers[0].name).explain(x, references, target=1)
print(
    "values at the first layer:", inside.values.shape, " largest gap:", f"{np.abs(inside.completeness_gap).max():.0e}"
)

# %% [markdown]
# What else a new file can be, a metric for example: [extending](../docs/extending.md).

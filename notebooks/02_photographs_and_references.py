# %% [markdown]
# # Photographs, and what to compare them with
#
# [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/OWNER/tf_ig2/blob/main/notebooks/02_photographs_and_references.ipynb)
#
# IG² explains against references, so the references are half of the question. Here a small network finds a snippet
# of a photograph on stone, grass or gravel, and we know where the snippet is. Other references ask another
# question, and the maps show it. At the end: an ImageNet network, and your own photographs.

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
# ## Scenes with something in them
#
# The photographs come with scikit-image and scikit-learn. A scene is 64 × 64 pixels of brick, grass or gravel. A
# snippet of one of six photographs lies somewhere on it, or none does. The class is whose snippet it is; the mask
# says where it lies.

# %%
import keras
import matplotlib.pyplot as plt
import numpy as np
import skimage.data
from skimage.transform import resize
from sklearn.datasets import load_sample_images

import tf_ig2


def shrunk(image, side):
    """Its shorter side is so many pixels, float32 in 0 … 255."""
    size = [round(length * side / min(image.shape[:2])) for length in image.shape[:2]]
    return resize(image, size, anti_aliasing=True, preserve_range=True).astype("float32")


temple, flower = load_sample_images().images
photographs = {
    "coffee": skimage.data.coffee(),
    "cat": skimage.data.chelsea(),
    "astronaut": skimage.data.astronaut(),
    "rocket": skimage.data.rocket(),
    "temple": temple,
    "flower": flower,
}
names = [*photographs, "nothing"]
snippets = [shrunk(photograph, 40) for photograph in photographs.values()]
grounds = [shrunk(ground, 256) for ground in (skimage.data.brick(), skimage.data.grass(), skimage.data.gravel())]


def cut(image, side, rng):
    """A square of an image."""
    top, left = (rng.integers(0, length - side + 1) for length in image.shape[:2])
    return image[top : top + side, left : left + side]


def scenes(count, seed):
    """Scenes [N, 64, 64, 3], classes [N], and masks [N, 64, 64] of the snippets."""
    rng = np.random.default_rng(seed)
    classes = rng.integers(0, len(names), count)
    images, masks = np.empty([count, 64, 64, 3], "float32"), np.zeros([count, 64, 64], bool)
    for image, mask, kind in zip(images, masks, classes, strict=True):
        image[:] = cut(grounds[rng.integers(3)], 64, rng)[..., None]
        if names[kind] == "nothing":
            continue
        top, left = rng.integers(0, 64 - 28 + 1, 2)
        image[top : top + 28, left : left + 28] = cut(snippets[kind], 28, rng)
        mask[top : top + 28, left : left + 28] = True
    return images, classes, masks


train, train_classes, _ = scenes(1000, seed=0)
test, classes, masks = scenes(200, seed=1)
_, axes = plt.subplots(1, 6, figsize=(11, 2.1), layout="constrained")
for number, panel in enumerate(axes):
    tf_ig2.plots.image(panel, test[number], names[classes[number]], (0, 255))

# %% [markdown]
# ## A small network
#
# Three convolutions, a mean over all positions, and a layer of seven classes.

# %%
keras.utils.set_random_seed(0)
layers = keras.layers
model = keras.Sequential(
    [
        keras.Input([64, 64, 3]),
        layers.Rescaling(1 / 127.5, -1),
        layers.Conv2D(16, 5, strides=2, activation="relu", padding="same"),
        layers.Conv2D(32, 3, activation="relu", padding="same", name="early"),
        layers.MaxPooling2D(),
        layers.Conv2D(48, 3, activation="relu", padding="same", name="late"),
        layers.GlobalAveragePooling2D(),
        layers.Dense(len(names), "softmax"),
    ]
)
model.compile(keras.optimizers.Adam(0.005), "sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(train, train_classes, batch_size=32, epochs=8, verbose=0)
print(f"accuracy on {len(test)} others: {model.evaluate(test, classes, verbose=0)[1]:.1%}")

# %% [markdown]
# ## Why this, and not something else?
#
# References of all other classes are the usual choice. `strategies.uniform` draws them, for every scene its own.

# %%
from tf_ig2 import strategies

nothing = names.index("nothing")
right = model.predict(test, verbose=0).argmax(axis=-1) == classes
chosen = np.flatnonzero(right & (classes != nothing))[:8]
x, target, truth = test[chosen], classes[chosen], masks[chosen]
explainer = tf_ig2.IG2Explainer(model, steps=10, rule="segment", clip_min_max=(0, 255))
others = train[strategies.uniform(train_classes, target, classes=5, seed=0)]  # [8, 5, 64, 64, 3]
explanations = explainer.explain(x, others, target=target)
explanations[0].plot(reference=others[0, 0], class_names=names)

# %% [markdown]
# ## Three questions
#
# * **Other classes**: why an astronaut, and not something else?
# * **Nothing**: why is there an astronaut at all? The references are bare grounds, as healthy patients or good wafers
#   would be; `strategies.of_class` chooses such a class.
# * **The same scene**: the very picture, with another snippet in the same place. What both snippets have in common
#   is no answer any more.

# %%
bare = train[strategies.of_class(train_classes, nothing, len(x), count=5, seed=0)]
same_scene = np.repeat(x[:, None], 5, axis=1)
rng = np.random.default_rng(0)
for scene, kind, mask in zip(same_scene, target, truth, strict=True):
    for reference, other in zip(scene, [k for k in range(6) if k != kind], strict=True):
        reference[mask] = cut(snippets[other], 28, rng).reshape(-1, 3)
questions = {"other classes": others, "nothing": bare, "the same scene": same_scene}
answers = {name: explainer.explain(x, references, target=target) for name, references in questions.items()}

# %% [markdown]
# The true place is known, so the three can be scored. AUC: are the snippet's pixels ranked first? Share: how much
# of the attributions lies on it?

# %%
from tf_ig2.metrics.ground_truth import ground_truth_auc, ground_truth_sum

print(f"{'a blind map':15} AUC 0.500   share on the snippet {truth.mean():.2f}")
for name, answer in answers.items():
    auc, share = ground_truth_auc(answer, truth).mean(), ground_truth_sum(answer, truth).mean()
    print(f"{name:15} AUC {auc:.3f}   share on the snippet {share:.2f}")

# %% [markdown]
# All three find the snippet, and they do not show the same. Against another snippet the rocket's lights speak for the
# rocket; against nothing it is the sky that is no grass, and the lights speak against it.

# %%
_, axes = plt.subplots(3, 4, figsize=(9, 6.8), layout="constrained")
for number, row in enumerate(axes):
    tf_ig2.plots.image(row[0], x[number], names[target[number]], (0, 255))
    for panel, (name, answer) in zip(row[1:], answers.items(), strict=True):
        tf_ig2.plots.heat_map(panel, answer.values[number], name, over=x[number], alpha=0.9)

# %% [markdown]
# ## How many references?
#
# Each walk goes to one reference, and their mean is the map. With few, chance has a say: explained twice with other
# draws, how alike are the two maps?

# %%
from tf_ig2.metrics.axioms import agreement

draws = [train[strategies.uniform(train_classes, target, classes=5, seed=seed)] for seed in (10, 11)]
for count in (1, 5):
    runs = [explainer.explain(x, references[:, :count], target=target) for references in draws]
    print(f"references: {count}, rank correlation of two draws: {agreement(runs).rank_correlation.mean():.2f}")

# %% [markdown]
# ## A mistake to avoid
#
# References of the explained class ask "why an astronaut, and not an astronaut?". The output hardly falls on the
# way, so there is hardly anything to share out. The explanation says so: look at the outputs, and not at the
# colours alone.

# %%
same_class = train[train_classes == target[0]][:5]
for name, references in {"other classes": others[0], "its own class": same_class}.items():
    explanation = explainer.explain(x[0], references, target=int(target[0]))
    print(f"{name:14} logit {explanation.output:.1f} → {explanation.counterfactual_output.mean():.1f}")

# %% [markdown]
# ## An ImageNet network
#
# Runs where MobileNetV2's weights are: in the folder that `TF_IG2_DATA_DIR` names, in Keras's cache, or in Colab,
# which fetches them. The settings are those that [a study](../docs/results/study.md) recommends for photographs.

# %%
from pathlib import Path


def mobilenet():
    """MobileNetV2 for photographs in 0 … 255, or None where there are no weights."""
    ours = Path(os.environ.get("TF_IG2_DATA_DIR", "nowhere"), "models", "mobilenet_v2_imagenet.keras")
    cached = "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_224.h5"
    if ours.exists():
        return keras.models.load_model(ours, compile=False)
    if "google.colab" in sys.modules or Path("~/.keras/models", cached).expanduser().exists():
        inputs = keras.Input([224, 224, 3])
        return keras.Model(inputs, keras.applications.MobileNetV2()(layers.Rescaling(1 / 127.5, -1)(inputs)))
    return None


def square(photograph):
    """The middle of a photograph, 224 × 224."""
    image = shrunk(photograph, 224)
    top, left = ((length - 224) // 2 for length in image.shape[:2])
    return image[top : top + 224, left : left + 224]


imagenet = mobilenet()
if imagenet is None:
    print("There are no weights of MobileNetV2 here: this part is left out.")
else:
    coffee, espresso = square(photographs["coffee"]), 967
    references = np.stack([square(photographs[name]) for name in ("cat", "astronaut", "rocket", "flower")])
    settings = {"steps": 8, "step_size": "range", "rule": "counterfactual", "clip_min_max": (0, 255)}
    ig2 = tf_ig2.IG2Explainer(imagenet, norm=tf_ig2.SparseL1(90), **settings)
    pixels = ig2.explain(coffee, references, target=espresso)
    inside = tf_ig2.IG2Explainer(imagenet, input_layer="block_9_add").explain(coffee, references, target=espresso)
    print(f"P(espresso) = {imagenet.predict(coffee[None], verbose=0)[0, espresso]:.0%}")

# %%
if imagenet is not None:
    _, axes = plt.subplots(1, 3, figsize=(9, 3.2), layout="constrained")
    tf_ig2.plots.image(axes[0], coffee, "espresso", (0, 255))
    axes[1].imshow(tf_ig2.plots.VisualizeImageGrayscale(pixels.values), cmap="inferno")
    axes[1].set_title("IG², pixels: |attributions|")
    axes[1].axis("off")
    tf_ig2.plots.heat_map(axes[2], inside.at_input().values, "IG², block_9_add: signed", over=coffee, alpha=0.9)

# %% [markdown]
# ## Your own photographs
#
# ```python
# from tf_ig2 import images
#
# photograph = images.read("holiday.jpg", 224, 224, 3)                       # turned as its EXIF says; 0 … 255
# references = np.stack([images.read(file, 224, 224, 3) for file in images.find(["folder_of_other_things"])])
# tf_ig2.IG2Explainer(imagenet).explain(photograph, references).plot(overlay=True)
# ```
#
# From the shell: `tf-ig2 explain MODEL.keras holiday.jpg --references folder_of_other_things --out explained`.

# %% [markdown]
# # Next to `saliency`: the same call, side by side
#
# [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/OWNER/tf_ig2/blob/main/notebooks/03_next_to_saliency.ipynb)
#
# Who knows PAIR's [saliency](https://github.com/PAIR-code/saliency) knows the calls of this package. Each section
# makes the same map with both: the same verbs and argument names, and the same numbers where the methods are the
# same. Then the other way round: PAIR's own classes on any Keras model, and IG² on any model that answers PAIR's
# callback.

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
# ## A model, and PAIR's way to ask it
#
# `saliency` asks a function for gradients. `saliency_adapter` makes that function of a Keras model.

# %%
import numpy as np
import saliency.core as saliency

import tf_ig2
from tf_ig2.paper import saved_models
from tf_ig2.paper.datasets.digits import load_digits

model = saved_models.load("digits_cnn")
(x_train, y_train), (x_test, y_test) = load_digits()
image = x_test[y_test == 3][1]
baseline = np.zeros_like(image)
call_model_function = tf_ig2.saliency_adapter(model, target=3)

# %% [markdown]
# ## Integrated Gradients
#
# With `rule="pair"` the sum is PAIR's, number by number.

# %%
theirs = saliency.IntegratedGradients().GetMask(image, call_model_function, x_steps=25, x_baseline=baseline)
ours = tf_ig2.IntegratedGradientsExplainer(model, rule="pair").GetMask(image, target=3, x_steps=25, x_baseline=baseline)
print(f"largest difference: {np.abs(theirs - ours).max():.0e}")
tf_ig2.plots.methods({"saliency": theirs, "tf_ig2": ours}, image)

# %% [markdown]
# That sum gives both ends of the line full weight, so it misses the difference of the outputs by a little. The default
# takes Gauss–Legendre nodes: the same number of gradients, and a smaller gap.

# %%
default = tf_ig2.IntegratedGradientsExplainer(model, steps=25).explain(image, baseline, target=3)
difference = default.output - default.counterfactual_output.mean()
print(f"f(image) − f(black) = {difference:.3f}")
print(f"saliency's sum: {theirs.sum():.3f}, the default's: {default.values.sum():.3f}")

# %% [markdown]
# ## SmoothGrad
#
# `GetSmoothedMask` has PAIR's arguments too, and averages squares by default as PAIR's does. The noise is drawn
# anew by each, so the maps are alike, and not the same.

# %%
theirs = saliency.GradientSaliency().GetSmoothedMask(image, call_model_function, nsamples=50)
ours = tf_ig2.GradientExplainer(model).GetSmoothedMask(image, target=3, nsamples=50, seed=0)
print(f"correlation: {np.corrcoef(theirs.ravel(), ours.ravel())[0, 1]:.3f}")
tf_ig2.plots.methods({"saliency": theirs, "tf_ig2": ours}, image)

# %% [markdown]
# ## Grad-CAM
#
# The adapter answers for the last convolution too.

# %%
theirs = saliency.GradCam().GetMask(image, call_model_function)
ours = tf_ig2.GradCAMExplainer(model).GetMask(image, target=3)
print(f"largest difference: {np.abs(theirs - ours).max():.0e}")
tf_ig2.plots.methods({"saliency": theirs, "tf_ig2": ours}, image)

# %% [markdown]
# ## Guided IG
#
# `saliency` 0.2.1 calls NumPy by a name that NumPy 2.4 no longer has. Ours runs on both.

# %%
options = {"x_steps": 25, "x_baseline": baseline, "max_dist": 0.02, "fraction": 0.25}
maps = {"tf_ig2": tf_ig2.GuidedIGExplainer(model).GetMask(image, target=3, **options)}
try:
    maps["saliency"] = saliency.GuidedIG().GetMask(image, call_model_function, **options)
except TypeError as error:
    print("saliency:", error)
tf_ig2.plots.methods(maps, image)

# %% [markdown]
# ## What `saliency` has not: IG²
#
# The same verb again, with references. Why is this a 3 and not a 5? Once with the Keras model, and once with
# nothing but the callback: so it works for a model of any framework that answers it.

# %%
fives = x_train[y_train == 5][:8]
settings = {"steps": 10, "step_size": 2.0, "clip_min_max": (0, 16)}
compiled = tf_ig2.IG2Explainer(model, **settings).GetMask(image, target=3, references=fives)
by_callback = tf_ig2.IG2Explainer(**settings).GetMask(image, call_model_function, references=fives)
print(f"largest difference: {np.abs(compiled - by_callback).max():.0e}, of {np.abs(compiled).max():.1f}")
tf_ig2.plots.methods({"IG², the model": compiled, "IG², the callback": by_callback}, image)

# %% [markdown]
# ## And what `GetMask` does not tell
#
# `explain` takes the same arguments and a batch, and returns more than the mask: the explained class, the output, the
# gap, the ends of the walks.

# %%
explanation = tf_ig2.IG2Explainer(model, steps=20, rule="segment", completeness_tolerance=0.01).explain(
    image, fives, target=3
)
print(explanation)
explanation.plot(reference=fives[0])

# %% [markdown]
# | `saliency` | here |
# |---|---|
# | `GradientSaliency` | `GradientExplainer` |
# | `IntegratedGradients` | `IntegratedGradientsExplainer` |
# | `GuidedIG` | `GuidedIGExplainer` |
# | `BlurIG` | `BlurIGExplainer` |
# | `XRAI` | `XRAIExplainer` |
# | `GradCam` | `GradCAMExplainer` |
# | `Occlusion` | `OcclusionExplainer` |
# | – | `IG2Explainer`, `ExpectedIGExplainer`, and the other methods that contrast with references |

# %% [markdown]
# # Why class A and not B? IG² in five minutes
#
# [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/OWNER/tf_ig2/blob/main/notebooks/01_quickstart.ipynb)
#
# A handwritten 5, a small network that knows it, and eight 6s to compare it with. A few lines make a picture of what
# makes it a 5 and not a 6. Then: how to read that picture, whether its numbers can be trusted, and what to change.

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
# ## A few lines to a picture
#
# IG² explains by contrast. The input to explain is the **explicand**, here a 5. The **references** are samples of
# another class, here 6s. Any Keras model will do; this one comes with the package.

# %%
import tf_ig2
from tf_ig2.paper import saved_models
from tf_ig2.paper.datasets.digits import load_digits

model = saved_models.load("digits_cnn")
(x_train, y_train), (x_test, y_test) = load_digits()
five, sixes = x_test[y_test == 5][0], x_train[y_train == 6][:8]
explainer = tf_ig2.IG2Explainer(model, steps=20)
explanation = explainer.explain(five, sixes)
explanation.plot(reference=sixes[0], class_names=[f"digit {number}" for number in range(10)])

# %% [markdown]
# ## How to read it
#
# * **explicand**: the 5. **reference**: one of the eight 6s.
# * **GradCF**: where a walk from the 5 toward the 6s ended. It is the 5 as the network would have to see it to find it
#   like a 6.
# * **GradCFE**: what the walks took away (red) and put in (blue). They closed the lower loop.
# * **IG²**: the attributions. Each pixel has its share of the fall of the output along the walks.
# * The **curves**: on the way the output for "5" falls, and so does the distance to the references.
#
# The same in numbers:

# %%
ends = explanation.counterfactuals
print("explained class:", explanation.target)
print(f"logit of the 5: {explanation.output:.2f}, of the GradCFs: {explanation.counterfactual_output.mean():.2f}")
print("what the network says of the eight GradCFs:", model.predict(ends, verbose=0).argmax(axis=-1))
print("steps of each walk:", explanation.steps_taken)

# %% [markdown]
# ## Do the numbers add up?
#
# They should: all attributions together are the difference between the output at the 5 and at the ends of the walks.
# What is missing is the **completeness gap**. Every explanation knows its own.

# %%
print(f"sum of the attributions: {explanation.values.sum():.3f}")
print(f"difference of the outputs: {explanation.output - explanation.counterfactual_output.mean():.3f}")
print(f"completeness gap: {explanation.completeness_gap:.1e}")

# %% [markdown]
# ## Two ways to add up
#
# The default shares out the fall of the output by the squares of the gradient. It adds up at no cost, and it has
# hardly any negative values. `rule="segment"` integrates the gradient itself: now a pixel can also speak
# **against** the 5 (blue). It costs more, and one says how exact it must be. On small pictures such as this one it
# is the clearer of the two: it sees that the lower left is open. For photographs the default is.

# %%
signed = tf_ig2.IG2Explainer(model, steps=20, rule="segment", completeness_tolerance=0.01)
integral = signed.explain(five, sixes)
print(f"gap: {integral.relative_completeness_gap:.2%} of the difference")
tf_ig2.plots.methods({"shared out (default)": explanation.values, 'rule="segment"': integral.values}, five[..., 0])

# %% [markdown]
# ## Other references, another question
#
# "Why a 5 and not a 6?" and "Why a 5 and not a 3?" are two questions with two answers. Against a 6 it is the open
# lower left that counts; against a 3 also the stroke at the upper left; against a 9 the open upper right.

# %%
maps = {}
for other in (6, 3, 9):
    maps[f"and not a {other}?"] = signed.explain(five, x_train[y_train == other][:8], target=5).values
tf_ig2.plots.methods(maps, five[..., 0])

# %% [markdown]
# ## Many at once
#
# A batch goes through one compiled walk. `represent` computes the references' representations once, for all calls.
# A batch shows itself as a table.

# %%
references = explainer.represent(sixes)
many = explainer.explain(x_test[y_test == 5][:3], references)
many

# %% [markdown]
# ## Keep it
#
# An explanation is saved whole, without pickle, and can be loaded anywhere.

# %%
many.save("fives.npz")
again = tf_ig2.Attribution.load("fives.npz")
print(again)

# %% [markdown]
# ## Your own model
#
# ```python
# explainer = tf_ig2.IG2Explainer(your_keras_model)         # a softmax at its end is looked through to the logits
# explanation = explainer.explain(image, references)        # image [H, W, C]; references [R, H, W, C], of other
# classes explanation.plot()
# ```
#
# Next: [photographs and references](02_photographs_and_references.ipynb),
# [next to `saliency`](03_next_to_saliency.ipynb), [words](04_words.ipynb), [wafers](05_wafers.ipynb),
# [tables](06_tables.ipynb), [inside the network](07_inside_the_network.ipynb),
# [export, serve, batch](08_export_serve_batch.ipynb), [which method to trust](09_which_method_to_trust.ipynb),
# [write your own path](10_write_your_own_path.ipynb).

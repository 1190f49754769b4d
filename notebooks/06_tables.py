# %% [markdown]
# # Tables: bars that add up, two inputs, and a regression
#
# [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/OWNER/tf_ig2/blob/main/notebooks/06_tables.ipynb)
#
# Three tables and three questions. Why is this tumour malignant, in named features whose shares add up? What does a
# model with two inputs owe to each? And what raises a number that is predicted, where there are no classes at all?

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
# ## A small network on the breast-cancer table
#
# 569 tumours, 30 measurements each, benign or malignant. Standardise, train, and see that it works.

# %%
import keras
import numpy as np
from sklearn.datasets import load_breast_cancer, load_diabetes
from sklearn.model_selection import train_test_split

import tf_ig2

table = load_breast_cancer()
names = list(table.feature_names)
x_train, x_test, y_train, y_test = train_test_split(table.data, table.target, random_state=0, stratify=table.target)
mean, spread = x_train.mean(axis=0), x_train.std(axis=0)


def standard(x):
    return ((x - mean) / spread).astype("float32")


keras.utils.set_random_seed(0)
layers = [keras.Input([30]), keras.layers.Dense(16, "relu"), keras.layers.Dense(8, "relu")]
model = keras.Sequential([*layers, keras.layers.Dense(2, "softmax")])
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(standard(x_train), y_train, epochs=15, batch_size=32, verbose=0)
print(f"accuracy on {len(x_test)} others: {model.evaluate(standard(x_test), y_test, verbose=0)[1]:.1%}")

# %% [markdown]
# ## Why is this one malignant?
#
# The references are benign tumours: what would have to be otherwise? The bars are shares of a difference in logits,
# and the numbers behind the names are the measurements as they were taken.

# %%
malignant, benign = 0, 1
tumour = x_test[y_test == malignant][0]
references = standard(x_train[y_train == benign][:20])
explainer = tf_ig2.IG2Explainer(model, steps=20, rule="segment", completeness_tolerance=0.001)
explanation = explainer.explain(standard(tumour), references, target=malignant)
tf_ig2.plots.bars(explanation.values, names, tumour, top=8, title="malignant, and not benign")

# %% [markdown]
# ## From the benign side to this tumour
#
# The waterfall starts at the output where the walks ended, on the benign side, and adds one feature after the
# other. It ends at the output of this tumour. If something were missing, a bar of its own would say so.

# %%
start = explanation.counterfactual_output.mean()
tf_ig2.plots.waterfall(explanation.values, start, explanation.output, names, tumour, top=8)

# %% [markdown]
# ## Over many tumours
#
# One point for each tumour: how much each feature spoke for "malignant", and whether its value was high or low.

# %%
some = x_test[:60]
many = explainer.explain(standard(some), references, target=malignant)
tf_ig2.plots.summary(many.values, some, names, top=8, title="malignant against benign, 60 tumours")

# %% [markdown]
# ## Two inputs
#
# A model may take several arrays. Here the measurements' means go in by one door, the errors and the worst values by
# another. References have the same structure, and so have the answers: shares can be compared across inputs.

# %%
averages = keras.Input([10], name="averages")
others = keras.Input([20], name="others")
joined = keras.layers.Concatenate()([keras.layers.Dense(8, "relu")(averages), keras.layers.Dense(8, "relu")(others)])
hidden = keras.layers.Dense(8, "relu")(joined)
both = keras.Model({"averages": averages, "others": others}, keras.layers.Dense(2, "softmax")(hidden))


def doors(x):
    return {"averages": standard(x)[..., :10], "others": standard(x)[..., 10:]}


both.compile("adam", "sparse_categorical_crossentropy")
both.fit(doors(x_train), y_train, epochs=15, batch_size=32, verbose=0)
explanation = tf_ig2.IG2Explainer(both, steps=20, rule="segment", completeness_tolerance=0.001).explain(
    doors(tumour), doors(x_train[y_train == benign][:20]), target=malignant
)
for door, values in explanation.values.items():
    print(f"{door}: {values.sum():+.2f}")
print(f"together: {explanation.output - explanation.counterfactual_output.mean():+.2f}, the difference of the outputs")

# %%
values = np.concatenate([explanation.values["averages"], explanation.values["others"]])
tf_ig2.plots.bars(values, names, tumour, top=8, title="both inputs on one scale")

# %% [markdown]
# ## A number instead of a class
#
# A regression has one output and no predicted class: `output="raw"` takes it as it is. The network below was
# trained on standardised numbers. A callable `target` turns them back, so that the shares come in the units of the
# table.

# %%
diabetes = load_diabetes(scaled=False)
x, y = diabetes.data, diabetes.target.astype("float32")
low, high = x.mean(axis=0), x.std(axis=0)
rows = ((x - low) / high).astype("float32")
regression = keras.Sequential([keras.Input([10]), keras.layers.Dense(16, "tanh"), keras.layers.Dense(1)])
regression.compile(keras.optimizers.Adam(0.05), "mse")
regression.fit(rows, (y - y.mean()) / y.std(), epochs=15, batch_size=64, verbose=0)
progress = regression.predict(rows, verbose=0)[:, 0]
worst, mild = progress.argmax(), np.argsort(progress)[:20]
explainer = tf_ig2.IG2Explainer(regression, output="raw", steps=20, rule="segment", completeness_tolerance=0.001)
explanation = explainer.explain(rows[worst], rows[mild], target=lambda number: number[:, 0] * y.std() + y.mean())
start = explanation.counterfactual_output.mean()
tf_ig2.plots.waterfall(
    explanation.values, start, explanation.output, diabetes.feature_names, x[worst], title="progress of diabetes"
)

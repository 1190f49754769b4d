# %% [markdown]
# # Export, serve, batch: explanations where the predictions are
#
# [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/OWNER/tf_ig2/blob/main/notebooks/08_export_serve_batch.ipynb)
#
# A network that explains itself can go into production as one SavedModel: it predicts and explains, wherever
# SavedModels run, without Keras and without this package. The same file explains files of records, in shards that
# survive being killed. Both are done here, on digits.

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
# ## A network and its explainer
#
# What is exported is the explainer with its settings, and of the references what it needs of them.

# %%
import json
from pathlib import Path

import numpy as np

import tf_ig2
from tf_ig2.paper import saved_models
from tf_ig2.paper.datasets.digits import load_digits

tf.get_logger().setLevel("ERROR")  # no word of every file that is written
(x_train, y_train), (x_test, y_test) = load_digits()
model = saved_models.load("digits_cnn")
sixes = x_train[y_train == 6][:8]
explainer = tf_ig2.IG2Explainer(model, steps=10)

# %% [markdown]
# ## Export
#
# One call writes a version of a SavedModel. Its manifest says what is inside, with hashes. The references
# themselves are not: IG² needs their representations alone.

# %%
exported = tf_ig2.serving.export(explainer, "exported/digits", sixes)
manifest = tf_ig2.serving.read_manifest(exported)
print("written:", exported)
print("references inside:", manifest["references_inside"])
for name, signature in manifest["signatures"].items():
    print(f"{name}: {', '.join(signature['inputs'])} → {', '.join(sorted(signature['outputs']))}")

# %% [markdown]
# ## Call it
#
# `tf.saved_model.load` is all there is to it, in any process. `target=-1` is the predicted class.

# %%
served = tf.saved_model.load(exported)
five = x_test[y_test == 5][:1]
prediction = served.signatures["serving_default"](tf.constant(five))
answer = served.signatures["explain"](x=tf.constant(five), target=tf.constant(-1))
print("predicted class:", int(np.argmax(next(iter(prediction.values())))))
print("explained class:", answer["target"].numpy(), " gap:", f"{float(answer['completeness_gap'][0]):.0e}")

# %% [markdown]
# It is what the explainer itself says:

# %%
here = explainer.explain(five, sixes)
there = answer["attributions"].numpy()
print(f"largest difference: {np.abs(here.values - there).max():.0e}, of {np.abs(here.values).max():.1f}")
tf_ig2.plots.methods({"in this process": here.values[0], "from the SavedModel": there[0]}, five[0])

# %% [markdown]
# ## Serve it
#
# TensorFlow Serving takes the folder as it is. A request by REST, with nothing but JSON:
#
# ```bash
# docker run -p 8501:8501 -v "$PWD/exported/digits:/models/digits" -e MODEL_NAME=digits tensorflow/serving
# ```
#
# ```python
# body = {"signature_name": "explain", "inputs": {"x": five.tolist(), "target": -1}}
# requests.post("http://localhost:8501/v1/models/digits:predict", json=body).json()["outputs"]["attributions"]
# ```
#
# Clients for REST and gRPC to copy, and what is tested: [serving](../docs/serving.md).
#
# A wrong request is refused with a sentence:

# %%
try:
    served.signatures["explain"](x=tf.constant(five[:, :4]), target=tf.constant(-1))
except tf.errors.InvalidArgumentError as error:
    print(error.message.split("assertion failed: ")[-1].splitlines()[0])

# %% [markdown]
# ## A file of records
#
# Forty digits in a TFRecord file. One is broken: it has ten pixels.

# %%
with tf.io.TFRecordWriter("digits.tfrecord") as writer:
    for number, digit in enumerate(x_test[:40]):
        pixels = digit.reshape(-1)[: 10 if number == 17 else None]
        features = {
            "x": tf.train.Feature(float_list=tf.train.FloatList(value=pixels)),
            "key": tf.train.Feature(bytes_list=tf.train.BytesList(value=[f"digit {number}".encode()])),
        }
        writer.write(tf.train.Example(features=tf.train.Features(feature=features)).SerializeToString())

# %% [markdown]
# ## Explain it in shards
#
# This is what `tf-ig2 batch exported/digits/1 --input digits.tfrecord --output explained` does. The job is stopped
# after the first two shards, as if the machine had died.

# %%
from tf_ig2.serving import job as jobs
from tf_ig2.serving.shards import Job

job = Job(exported, "explained", format="tfrecord")
shards = jobs.plan(["digits.tfrecord"], shard_size=10)
jobs.begin(job)
for number, report in enumerate(jobs.run(job, shards)):
    print(f"shard {number}: {report.explained} explained, {len(report.rejected)} rejected")
    if number == 1:
        break

# %% [markdown]
# Once more: what is finished is not computed again.

# %%
jobs.begin(job)
reports = []
for number, report in enumerate(jobs.run(job, shards)):
    print(f"shard {number}: {'from before' if report.resumed else 'computed'}")
    reports.append(report)
summary = jobs.finish(job, shards, reports, "local")
print(f"{summary['records']} records: {summary['explained']} explained, {summary['rejected']} rejected")

# %% [markdown]
# The broken record went to the dead letters, with the reason.

# %%
letter = json.loads(Path("explained/rejected.jsonl").read_text())
print(letter["key"], "–", letter["reason"])

# %% [markdown]
# ## Read the results
#
# Every row has its key, the explained class, the output, the gap, and the attributions in their shape.

# %%
from tf_ig2.serving import rows

explained = [row for report in reports for row in rows.decode(f"explained/{report.file}")]
digits = {int(row["key"].split()[1]): row for row in explained}
tf_ig2.plots.methods(
    {f"{digits[number]['key']}: a {digits[number]['target']}": digits[number]["attributions"] for number in range(5)},
    own_scale=True,
)

# %% [markdown]
# With `--runner beam` or `--runner ray` the same shards are explained by many workers, and with `--format parquet`
# rows go to Parquet: [batch](../docs/batch.md).

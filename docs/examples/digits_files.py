"""Writes what the pages on serving and on batch jobs work with: `python docs/examples/digits_files.py FOLDER`.

references.npy holds eight handwritten sixes, digits.tfrecord 200 digits of all kinds, one of them broken.
"""

import sys
from pathlib import Path

import numpy as np
import tensorflow as tf

from tf_ig2.paper.datasets.digits import load_digits

folder = Path(sys.argv[1])
folder.mkdir(parents=True, exist_ok=True)
(x_train, y_train), (x_test, _) = load_digits()
np.save(folder / "references.npy", x_train[y_train == 6][:8])
with tf.io.TFRecordWriter(str(folder / "digits.tfrecord")) as writer:
    for number, x in enumerate(x_test[:200]):
        values = x.reshape(-1)[: 10 if number == 17 else None]
        features = {
            "x": tf.train.Feature(float_list=tf.train.FloatList(value=values)),
            "key": tf.train.Feature(bytes_list=tf.train.BytesList(value=[f"digit {number}".encode()])),
        }
        writer.write(tf.train.Example(features=tf.train.Features(feature=features)).SerializeToString())

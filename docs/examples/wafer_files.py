"""Writes real wafer maps as a batch job reads them: `python docs/examples/wafer_files.py FOLDER`.

wafers.tfrecord holds 400 maps with a failure pattern, references.npy four without one. The maps are those of WM-811K,
wafer/wafer_subset.npz in TF_IG2_DATA_DIR.
"""

import sys
from pathlib import Path

import numpy as np
import tensorflow as tf

from tf_ig2.paper.datasets import wm811k

folder = Path(sys.argv[1])
folder.mkdir(parents=True, exist_ok=True)
wafers = wm811k.load("test")
one_hot = wm811k.one_hot(wafers.maps)
patterned = wafers.labels != wm811k.CLASSES.index("none")
np.save(folder / "references.npy", one_hot[~patterned][:4])
rows = np.flatnonzero(patterned)
with tf.io.TFRecordWriter(str(folder / "wafers.tfrecord")) as writer:
    for row in rows[:: len(rows) // 400][:400]:
        features = {
            "x": tf.train.Feature(float_list=tf.train.FloatList(value=one_hot[row].reshape(-1))),
            "key": tf.train.Feature(bytes_list=tf.train.BytesList(value=[f"wafer {row}".encode()])),
            "target": tf.train.Feature(int64_list=tf.train.Int64List(value=[wafers.labels[row]])),
        }
        writer.write(tf.train.Example(features=tf.train.Features(feature=features)).SerializeToString())

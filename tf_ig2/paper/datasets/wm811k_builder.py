"""WM-811K as a TensorFlow Dataset."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

import numpy as np

from tf_ig2 import extras
from tf_ig2.paper.datasets import wm811k, wm811k_pickle

extras.need("tensorflow_datasets", "datasets", "This builder")
import tensorflow_datasets as tfds  # noqa: E402


class Wm811k(tfds.core.GeneratorBasedBuilder):
    """The labelled wafer maps of WM-811K, in the splits of its authors.

    Features: `map`, uint8 `[rows, columns]`, 0 no die, 1 passing die, 2 failing die; `label`; `lot`; `wafer`, the
    number within its lot. Importing this module makes `tfds.load("wm811k")` work.

    Example:
      >>> builder = Wm811k(data_dir="~/tensorflow_datasets")  # doctest: +SKIP
      >>> builder.download_and_prepare()  # doctest: +SKIP
      >>> wafers = builder.as_dataset(split="train")  # doctest: +SKIP
    """

    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES: ClassVar[dict[str, str]] = {"1.0.0": "The labelled maps."}
    MANUAL_DOWNLOAD_INSTRUCTIONS = (
        "Put LSWMD.pkl, from http://mirlab.org/dataSet/public or Kaggle qingyi/wm811k-wafer-map, into `manual_dir`."
    )

    def _info(self) -> tfds.core.DatasetInfo:
        features = {
            "map": tfds.features.Tensor(shape=(None, None), dtype=np.uint8, encoding="zlib"),
            "label": tfds.features.ClassLabel(names=wm811k.CLASSES),
            "lot": tfds.features.Text(),
            "wafer": np.int32,
        }
        return self.dataset_info_from_configs(
            features=tfds.features.FeaturesDict(features),
            supervised_keys=("map", "label"),
            homepage="http://mirlab.org/dataSet/public",
            description="Wafer maps from production with eight failure patterns, or none.",
            citation=_CITATION,
        )

    def _split_generators(self, dl_manager: tfds.download.DownloadManager) -> dict[str, Any]:
        path = dl_manager.manual_dir / "LSWMD.pkl"
        return {split: self._generate_examples(path, split) for split in ("train", "test")}

    def _generate_examples(self, path: Any, split: str) -> Iterator[tuple[int, dict[str, Any]]]:
        for wafer in wm811k_pickle.read(path):
            if wafer.split == split:
                features = {"map": wafer.map, "label": wafer.label, "lot": wafer.lot, "wafer": wafer.number}
                yield wafer.row, features


_CITATION = """@article{wu2015wafer,
  title={Wafer Map Failure Pattern Recognition and Similarity Ranking for Large-Scale Data Sets},
  author={Wu, Ming-Ju and Jang, Jyh-Shing Roger and Chen, Jui-Long},
  journal={IEEE Transactions on Semiconductor Manufacturing},
  volume={28}, number={1}, pages={1--12}, year={2015}
}"""

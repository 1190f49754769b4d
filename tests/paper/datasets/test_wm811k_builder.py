"""The TensorFlow Dataset, built from a pickle as the public file is one."""

import numpy as np
import pytest

from tests.paper.datasets import wafer_pickle


@pytest.fixture
def builder(tmp_path, monkeypatch):
    import tensorflow_datasets as tfds

    from tf_ig2.paper.datasets.wm811k_builder import Wm811k

    manual = tmp_path / "manual"
    manual.mkdir()
    wafer_pickle.write(manual / "LSWMD.pkl", wafer_pickle.TABLE, monkeypatch)
    made = Wm811k(data_dir=tmp_path / "data")
    made.download_and_prepare(download_config=tfds.download.DownloadConfig(manual_dir=manual))
    return made


def test_it_is_prepared_and_read(builder):
    (train,) = builder.as_dataset(split="train").as_numpy_iterator()
    np.testing.assert_array_equal(train["map"], [[0, 1], [1, 2]])
    assert builder.info.features["label"].int2str(int(train["label"])) == "Edge-Loc"
    assert (train["lot"], train["wafer"]) == (b"lot1", 1)
    assert builder.info.splits["test"].num_examples == 1


def test_maps_of_different_sizes_are_kept(builder):
    shapes = [row["map"].shape for split in ("train", "test") for row in builder.as_dataset(split=split)]
    assert [tuple(shape) for shape in shapes] == [(2, 2), (1, 3)]


def test_without_the_file_it_says_where_to_get_it(tmp_path):
    from tf_ig2.paper.datasets.wm811k_builder import Wm811k

    with pytest.raises(AssertionError, match=r"LSWMD\.pkl"):
        Wm811k(data_dir=tmp_path).download_and_prepare()


def test_it_passes_the_test_case_of_tensorflow_datasets(tmp_path, monkeypatch):
    for module in ("dill", "importlib_resources"):  # what that test case needs
        pytest.importorskip(module)
    import unittest

    import tensorflow_datasets as tfds

    from tf_ig2.paper.datasets.wm811k_builder import Wm811k

    wafer_pickle.write(tmp_path / "LSWMD.pkl", wafer_pickle.TABLE, monkeypatch)

    class Case(tfds.testing.DatasetBuilderTestCase):
        DATASET_CLASS = Wm811k
        SPLITS = {"train": 1, "test": 1}  # noqa: RUF012
        EXAMPLE_DIR = str(tmp_path)
        SKIP_TF1_GRAPH_MODE = True
        SKIP_CHECKSUMS = True

    result = unittest.TestResult()
    Case.setUpClass()
    unittest.defaultTestLoader.loadTestsFromTestCase(Case).run(result)
    assert result.testsRun > 3
    assert not result.errors + result.failures, (result.errors + result.failures)[0][1]

"""Wafer maps: the compact file, resizing, and the TensorFlow Dataset."""

import numpy as np
import pytest

from tests.networks import needs_data
from tests.paper.datasets import wafer_pickle
from tf_ig2.paper.datasets import wm811k
from tf_ig2.paper.datasets.folder import CorruptDataError, MissingDataError


@pytest.fixture
def wafers(rng):
    return wm811k.Wafers(rng.integers(0, 3, [9, 56, 56]).astype(np.uint8), np.arange(9))


@pytest.fixture
def file(tmp_path, wafers):
    wm811k.save(tmp_path / "wafers.npz", wafers, wm811k.Wafers(wafers.maps[:2], wafers.labels[:2]))
    return tmp_path / "wafers.npz"


def test_a_saved_file_is_read_back(file, wafers):
    train, test = wm811k.load("train", file), wm811k.load("test", file)
    np.testing.assert_array_equal(train.maps, wafers.maps)
    np.testing.assert_array_equal(train.labels, wafers.labels)
    assert len(test) == 2
    assert [path.name for path in file.parent.iterdir()] == ["wafers.npz"]


def test_one_hot_is_what_the_network_takes():
    np.testing.assert_array_equal(wm811k.one_hot(np.array([[0, 1, 2]])), np.eye(3)[None])
    for bad in (np.array([[3]]), np.array([[0.5]])):
        with pytest.raises(ValueError, match="0 \\(no die\\), 1 \\(pass\\) and 2 \\(fail\\)"):
            wm811k.one_hot(bad)


def test_resizing_keeps_values_and_size_56_as_it_is(rng):
    wafer = rng.integers(0, 3, [56, 56]).astype(np.uint8)
    np.testing.assert_array_equal(wm811k.resize(wafer), wafer)
    np.testing.assert_array_equal(wm811k.resize(np.array([[0, 1], [2, 0]]), 4)[::2, ::2], [[0, 1], [2, 0]])
    assert set(np.unique(wm811k.resize(wafer[:40, :33]))) <= {0, 1, 2}


@needs_data
def test_the_real_subset():
    train, test = wm811k.load("train"), wm811k.load("test")
    assert (train.maps.shape, test.maps.shape) == ((12178, 56, 56), (1514, 56, 56))
    assert np.bincount(test.labels).tolist() == [200, 111, 200, 200, 200, 30, 173, 200, 200]


class TestBadFiles:
    def test_a_missing_one_says_how_to_get_it(self, monkeypatch, tmp_path):
        monkeypatch.setenv("TF_IG2_DATA_DIR", str(tmp_path))
        with pytest.raises(MissingDataError, match=r"no 'wafer/wafer_subset\.npz' in it\. .*LSWMD\.pkl"):
            wm811k.load()
        monkeypatch.delenv("TF_IG2_DATA_DIR")
        with pytest.raises(MissingDataError, match="set the environment variable TF_IG2_DATA_DIR"):
            wm811k.load()
        with pytest.raises(MissingDataError, match=r"There is no .*absent.npz"):
            wm811k.load(source=tmp_path / "absent.npz")

    @pytest.mark.parametrize("cut", [10, 1000])
    def test_a_corrupt_archive(self, file, cut):
        file.write_bytes(file.read_bytes()[:-cut])
        with pytest.raises(CorruptDataError, match="damaged"):
            wm811k.load(source=file)

    def test_flipped_bytes(self, file):
        content = bytearray(file.read_bytes())
        content[200:260] = bytes(60)
        file.write_bytes(content)
        with pytest.raises(CorruptDataError, match="damaged"):
            wm811k.load(source=file)

    def test_a_pickle_inside_an_archive_is_not_opened(self, tmp_path):
        trace, path = tmp_path / "trace", tmp_path / "x.npz"
        maps = np.array([wafer_pickle.Hostile(trace)], dtype=object)
        np.savez(path, maps=maps, labels=np.array(["none"]), split=np.array(["test"]))
        with pytest.raises(CorruptDataError, match="damaged"):
            wm811k.load(source=path)
        assert not trace.exists()

    @pytest.mark.parametrize(
        ("maps", "labels", "match"),
        [
            (np.zeros([1, 5, 5], np.uint8), ["none"], r"maps \(1, 5, 5\)"),
            (np.zeros([2, 56, 56], np.uint8), ["none"], r"labels \(1,\)"),
            (np.zeros([1, 56, 56], np.uint8), ["Spiral"], "unknown labels: \\['Spiral'\\]"),
            (np.full([1, 56, 56], 7, np.uint8), ["none"], "0 \\(no die\\)"),
        ],
    )
    def test_other_content(self, tmp_path, maps, labels, match):
        np.savez(tmp_path / "x.npz", maps=maps, labels=np.array(labels), split=np.array(["test"] * len(labels)))
        with pytest.raises(CorruptDataError, match=match):
            wm811k.load(source=tmp_path / "x.npz")

    def test_missing_arrays(self, tmp_path):
        np.savez(tmp_path / "x.npz", maps=np.zeros([1, 56, 56], np.uint8))
        with pytest.raises(CorruptDataError, match="labels"):
            wm811k.load(source=tmp_path / "x.npz")

    def test_an_unknown_split(self):
        with pytest.raises(ValueError, match="Unknown split: 'validation'"):
            wm811k.load("validation")

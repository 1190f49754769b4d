"""Data are found, or it is said what is missing."""

import numpy as np
import pytest

from tf_ig2.paper.datasets import folder


def test_a_file_in_the_folder_of_data(monkeypatch, tmp_path):
    (tmp_path / "a.txt").touch()
    monkeypatch.setenv("TF_IG2_DATA_DIR", str(tmp_path))
    assert folder.find("a.txt", "") == tmp_path / "a.txt"


def test_a_source_goes_before_the_folder(monkeypatch, tmp_path):
    (tmp_path / "b.txt").touch()
    monkeypatch.delenv("TF_IG2_DATA_DIR", raising=False)
    assert folder.find("a.txt", "", tmp_path / "b.txt") == tmp_path / "b.txt"


@pytest.mark.parametrize(
    ("variable", "match"), [(None, "set the environment variable"), ("here", "there is no 'a.txt'")]
)
def test_what_is_missing_is_said_with_the_way_to_get_it(monkeypatch, variable, match):
    if variable is None:
        monkeypatch.delenv("TF_IG2_DATA_DIR", raising=False)
    else:
        monkeypatch.setenv("TF_IG2_DATA_DIR", variable)
    with pytest.raises(folder.MissingDataError, match=f"{match}.*Buy it"):
        folder.find("a.txt", "Buy it.")


def test_arrays_are_read_in_order(tmp_path):
    np.savez(tmp_path / "x.npz", a=1, b=2)
    assert [int(part) for part in folder.read_npz(tmp_path / "x.npz", "b", "a")] == [2, 1]


@pytest.mark.parametrize("content", [b"", b"PK", b"text"])
def test_what_is_no_archive_is_refused(tmp_path, content):
    (tmp_path / "x.npz").write_bytes(content)
    with pytest.raises(folder.CorruptDataError, match=r"damaged, or no \.npz file"):
        folder.read_npz(tmp_path / "x.npz", "a")

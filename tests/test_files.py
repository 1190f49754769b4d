"""Files appear whole, or not at all."""

import os
import stat

import pytest

from tf_ig2 import files


def test_the_file_has_its_name_only_when_it_is_whole(tmp_path):
    path = tmp_path / "a.txt"
    with files.whole(path) as file:
        file.write(b"1")
        assert not path.exists()
    assert path.read_bytes() == b"1"
    assert list(tmp_path.iterdir()) == [path]


def test_an_error_while_writing_changes_nothing(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes(b"before")

    def fail():
        with files.whole(path) as file:
            file.write(b"af")
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert path.read_bytes() == b"before"
    assert list(tmp_path.iterdir()) == [path]


def test_a_missing_folder_is_named_by_its_own_kind_of_error(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"nothing was changed.*b\.txt"), files.whole(tmp_path / "a" / "b.txt"):
        pass


def test_a_file_may_be_read_by_whom_the_umask_lets(tmp_path):
    (tmp_path / "plain").write_bytes(b"")
    with files.whole(tmp_path / "whole"):
        pass
    plain, whole = (stat.S_IMODE(os.stat(tmp_path / name).st_mode) for name in ("plain", "whole"))
    assert whole == plain


def test_two_writers_do_not_mix(tmp_path):
    path = tmp_path / "a.txt"
    with files.whole(path) as one:
        one.write(b"one")
        with files.whole(path) as two:
            two.write(b"two")
        assert path.read_bytes() == b"two"
    assert path.read_bytes() == b"one"

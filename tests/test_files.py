"""Files appear whole, or not at all, wherever they are."""

import os
import stat

import numpy as np
import pytest
import tensorflow as tf

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


def test_a_file_that_grows_elsewhere_is_out_of_sight_until_it_is_whole(tmp_path):
    folder, growing = tmp_path / "results", tmp_path / "growing"
    folder.mkdir()
    growing.mkdir()
    with files.whole(folder / "a.txt", growing) as file:
        file.write(b"1")
        assert not list(folder.iterdir())
        assert len(list(growing.iterdir())) == 1
    assert [path.name for path in folder.iterdir()] == ["a.txt"]
    assert not list(growing.iterdir())


def test_on_another_file_system_an_archive_is_whole_too():
    with files.whole("ram://whole/a.npz") as file:
        np.savez_compressed(file, a=np.arange(3))
        assert not tf.io.gfile.glob("ram://whole/*")
    assert tf.io.gfile.glob("ram://whole/*") == ["ram://whole/a.npz"]
    with tf.io.gfile.GFile("ram://whole/a.npz", "rb") as saved:
        np.testing.assert_array_equal(np.load(saved)["a"], np.arange(3))


def test_an_error_of_another_file_system_is_an_os_error():
    with pytest.raises(OSError, match=r"nothing was changed: .*nothing://a\.txt"), files.whole("nothing://a.txt"):
        pass


@pytest.mark.parametrize("home", ["{tmp_path}", "ram://results"])
def test_results_get_their_folders(tmp_path, home):
    home = home.format(tmp_path=tmp_path)
    files.write_json(home, "reports/a.json", {"a": 1})
    assert files.read_json(f"{home}/reports/a.json") == {"a": 1}
    assert files.read_json(f"{home}/reports/b.json") is None
    with pytest.raises(FileNotFoundError, match=r"reports/b\.json"):
        files.read(f"{home}/reports/b.json")


def test_only_what_is_left_of_files_that_are_whole_is_removed(tmp_path):
    (tmp_path / files.PARTIAL).mkdir()
    for name in ("a.json.123", "b.json.456"):
        (tmp_path / files.PARTIAL / name).write_bytes(b"half")
    files.remove_partial(str(tmp_path), {"a.json"})
    assert [path.name for path in (tmp_path / files.PARTIAL).iterdir()] == ["b.json.456"]
    files.remove_partial(str(tmp_path), {"b.json"})
    assert not (tmp_path / files.PARTIAL).exists()


@pytest.mark.parametrize("home", ["{tmp_path}", "ram://published"])
def test_a_folder_is_published_with_all_that_is_in_it(tmp_path, home):
    source = tmp_path / "source"
    (source / "inner").mkdir(parents=True)
    (source / "inner" / "a.txt").write_bytes(b"a")
    (source / "last.txt").write_bytes(b"b")
    target = f"{home.format(tmp_path=tmp_path)}/models/1"
    files.publish_folder(str(source), target, "last.txt")
    assert files.read(f"{target}/inner/a.txt") == b"a"
    assert tf.io.gfile.listdir(os.path.dirname(target)) in (["1"], ["1/"])


def test_a_folder_that_is_there_already_stays(tmp_path):
    for name in ("source", "target"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.txt").write_text(name)
    with pytest.raises(OSError, match=r"nothing was changed: .*target"):
        files.publish_folder(str(tmp_path / "source"), str(tmp_path / "target"), "a.txt")
    assert (tmp_path / "target" / "a.txt").read_text() == "target"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["source", "target"]


def test_a_name_of_220_characters_is_written(tmp_path):
    name = "é" * 100 + "x" * 20
    with files.whole(tmp_path / name) as file:
        file.write(b"content")
    assert [path.name for path in tmp_path.iterdir()] == [name]
    files.write_whole(str(tmp_path / "results"), name, b"content")
    assert (tmp_path / "results" / name).read_bytes() == b"content"


@pytest.mark.parametrize("content", [b"{", b"\xff", b"[" * 100_000, b""])
def test_json_that_nobody_understands_is_none(tmp_path, content):
    (tmp_path / "x.json").write_bytes(content)
    assert files.read_json(str(tmp_path / "x.json")) is None


def test_a_folder_is_kept_to_one_until_they_are_done(tmp_path):
    folder = str(tmp_path / "results")
    with (
        files.alone(folder),
        pytest.raises(files.BusyError, match=r"Somebody else is writing to .*results"),
        files.alone(folder),
    ):
        pass
    with files.alone(folder):
        pass

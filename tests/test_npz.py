"""Arrays of files of unknown origin: only as many as the file accounts for, and no Python objects."""

import io
import tracemalloc
import zipfile

import numpy as np
import pytest

from tf_ig2 import npz


def archive(path, **members):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in members.items():
            file.writestr(f"{name}.npy", content)
    return path


def npy(header, data=b""):
    buffer = io.BytesIO()
    np.lib.format.write_array_header_1_0(buffer, header)
    return buffer.getvalue() + data


@pytest.mark.parametrize(
    "array",
    [np.arange(6).reshape(2, 3), np.asfortranarray(np.eye(3)), np.array("words"), np.zeros([0, 4]), np.float32(3.5)],
    ids=["numbers", "columns first", "words", "nothing", "a scalar"],
)
def test_arrays_are_what_they_were(tmp_path, array):
    np.savez_compressed(tmp_path / "a.npz", array=array)
    read = npz.read(tmp_path / "a.npz")["array"]
    assert read.dtype == np.asarray(array).dtype
    np.testing.assert_array_equal(read, array)


def test_a_small_file_does_not_fill_the_memory(tmp_path):
    np.savez_compressed(tmp_path / "bomb.npz", zeros=np.zeros(2**26))
    assert (tmp_path / "bomb.npz").stat().st_size < 2**20
    tracemalloc.start()
    with pytest.raises(ValueError, match=r"536,87\d,\d+ bytes.*`max_bytes`"):
        npz.read(tmp_path / "bomb.npz")
    assert tracemalloc.get_traced_memory()[1] < 2**22
    tracemalloc.stop()
    assert npz.read(tmp_path / "bomb.npz", max_bytes=2**30)["zeros"].shape == (2**26,)


def test_an_announcement_is_not_believed(tmp_path):
    header = {"descr": "<f8", "fortran_order": False, "shape": (10**9, 10**9)}
    with pytest.raises(ValueError, match="were announced"):
        npz.read(archive(tmp_path / "a.npz", huge=npy(header, b"12345678")))


def test_python_objects_are_not_opened(tmp_path):
    np.savez(tmp_path / "a.npz", objects=np.array([{}, print], object))
    with pytest.raises(ValueError, match="Python objects"):
        npz.read(tmp_path / "a.npz")


def test_what_is_no_archive_is_a_value_error(tmp_path):
    (tmp_path / "a.npz").write_bytes(b"no archive")
    with pytest.raises(ValueError, match="zip"):
        npz.read(tmp_path / "a.npz")


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_arrays_may_be_written_to(tmp_path, save):
    save(tmp_path / "a.npz", a=np.zeros(3))
    npz.read(tmp_path / "a.npz")["a"][0] = 1.0


def test_an_array_of_a_file_of_its_own(tmp_path):
    np.save(tmp_path / "a.npy", np.eye(3))
    np.testing.assert_array_equal(npz.read_one(tmp_path / "a.npy"), np.eye(3))
    header = {"descr": "<f8", "fortran_order": False, "shape": (10**9, 10**9)}
    (tmp_path / "huge.npy").write_bytes(npy(header, b"12345678"))
    with pytest.raises(ValueError, match=r"huge\.npy' cannot be read"):
        npz.read_one(tmp_path / "huge.npy")

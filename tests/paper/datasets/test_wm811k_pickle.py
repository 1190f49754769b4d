"""The public pickle is read, and never obeyed."""

import os
import pickle
import pickletools

import numpy as np
import pytest

from tests.paper.datasets import wafer_pickle
from tf_ig2.paper.datasets import wm811k, wm811k_pickle
from tf_ig2.paper.datasets.folder import CorruptDataError
from tf_ig2.paper.datasets.wm811k_pickle import UnsafePickleError, load_table, read


@pytest.fixture
def file(tmp_path, monkeypatch):
    return wafer_pickle.write(tmp_path / "LSWMD.pkl", wafer_pickle.TABLE, monkeypatch)


def with_column(tmp_path, monkeypatch, name, values):
    return wafer_pickle.write(tmp_path / "x.pkl", {**wafer_pickle.TABLE, name: values}, monkeypatch)


def test_labelled_wafers_are_read_and_others_left_out(file):
    first, second = read(file)
    np.testing.assert_array_equal(first.map, [[0, 1], [1, 2]])
    assert (first.label, first.split, first.lot, first.number, first.row) == ("Edge-Loc", "train", "lot1", 1, 0)
    assert (second.label, second.split, second.map.shape) == ("none", "test", (1, 3))


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_every_protocol_is_read(tmp_path, monkeypatch, protocol):
    path = wafer_pickle.write(tmp_path / "x.pkl", wafer_pickle.TABLE, monkeypatch, protocol)
    assert [wafer.label for wafer in read(path)] == ["Edge-Loc", "none"]


def test_the_file_names_pandas_which_is_not_asked(file, monkeypatch):
    names = [argument for _, argument, _ in pickletools.genops(file.read_bytes()) if isinstance(argument, str)]
    assert any("pandas.core.frame" in name for name in names)
    monkeypatch.setitem(__import__("sys").modules, "pandas", None)  # importing it would raise
    assert set(load_table(file)) == set(wafer_pickle.TABLE)


def test_it_is_loaded_as_wafers_of_the_networks_size(file):
    wafers = wm811k.load("train", file)
    assert wafers.maps.shape == (1, 56, 56)
    assert wafers.labels.tolist() == [wm811k.CLASSES.index("Edge-Loc")]
    np.testing.assert_array_equal(wafers.maps[0, ::28, ::28], [[0, 1], [1, 2]])


class TestHostile:
    def test_code_in_place_of_the_table_is_rejected_and_not_run(self, tmp_path):
        trace, path = tmp_path / "trace", tmp_path / "LSWMD.pkl"
        path.write_bytes(pickle.dumps(wafer_pickle.Hostile(trace), 2))
        with pytest.raises(UnsafePickleError, match="open, which has no place in a table of wafer maps"):
            list(read(path))
        assert not trace.exists()
        pickle.loads(path.read_bytes()).close()
        assert trace.exists()  # the same bytes do harm where pickle is trusted

    def test_code_inside_a_column_is_rejected_and_not_run(self, tmp_path, monkeypatch):
        trace = tmp_path / "trace"
        values = [wafer_pickle.TABLE["lotName"][0], wafer_pickle.Hostile(trace), "lot2"]
        path = with_column(tmp_path, monkeypatch, "lotName", values)
        with pytest.raises(UnsafePickleError):
            list(read(path))
        assert not trace.exists()

    @pytest.mark.parametrize(
        "asked",
        [
            b"cos\nsystem\n(S'true'\ntR.",
            b"c__builtin__\neval\n(S'1'\ntR.",
            b"cbuiltins\ngetattr\n(S'a'\nS'b'\ntR.",
            b"cnumpy\nload\n(S'x'\ntR.",
            b"cnumpy.core.multiarray\nfromfile\n(S'x'\ntR.",
            b"\x80\x04\x8c\x06pandas\x8c\x07os.path\x93.",
            b"cpandasx.core\nf\n(tR.",
            b"c_codecs\nencode\n(S'x'\nS'rot13'\ntR.",
            b"c_codecs\ndecode\n(S'x'\ntR.",
            b"ccopy_reg\n_reconstructor\n(c__builtin__\nslice\nc__builtin__\nobject\nNtR.",
            b"cnumpy.core.multiarray\n_reconstruct\n(cpandas\nX\n(I0\ntS'b'\ntR.",
            b"Pname\n.",
        ],
    )
    def test_whatever_else_is_asked_for_is_rejected(self, tmp_path, asked):
        path = tmp_path / "x.pkl"
        path.write_bytes(asked)
        with pytest.raises(UnsafePickleError):
            load_table(path)

    def test_a_function_of_pandas_is_never_called(self, tmp_path):
        path = tmp_path / "x.pkl"
        path.write_bytes(f"cpandas.io.common\nget_handle\n(S'{tmp_path}/made'\nS'w'\ntR.".encode())
        with pytest.raises(CorruptDataError, match="no pandas data frame"):
            load_table(path)
        assert os.listdir(tmp_path) == ["x.pkl"]

    def test_a_forged_dtype_does_not_make_bytes_into_objects(self, tmp_path):
        """Raw bytes in an array of objects would be taken for pointers."""
        forged = (
            b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I0\ntS'b'\ntR(I1\n(I1\ntcnumpy\ndtype\n(S'O8'\n"
        )
        forged += b"tR(I4\nS'|'\nNNNI8\nI8\nI0\ntbI00\nS'12345678'\ntb."
        (tmp_path / "array.pkl").write_bytes(forged)
        with open(tmp_path / "array.pkl", "rb") as file:
            array = wm811k_pickle._Unpickler(file).load()
        with pytest.raises(ValueError, match="an array of objects that is no list"):
            array.real()

    def test_nothing_of_numpy_is_within_reach(self):
        for stand_in, _ in wm811k_pickle._STAND_INS.values():
            assert issubclass(stand_in, wm811k_pickle._Inert)


class TestDamaged:
    def test_a_truncated_file(self, file):
        file.write_bytes(file.read_bytes()[:-200])
        with pytest.raises(CorruptDataError, match="cannot be read as a pickle"):
            list(read(file))

    @pytest.mark.parametrize("content", [b"", b"not a pickle", b"\x80\x02]q\x00."])
    def test_something_else(self, tmp_path, content):
        path = tmp_path / "x.pkl"
        path.write_bytes(content)
        with pytest.raises(CorruptDataError):
            list(read(path))

    def test_no_file(self, tmp_path):
        with pytest.raises(FileNotFoundError):
            list(read(tmp_path / "absent.pkl"))

    def test_a_table_of_something_else(self, tmp_path, monkeypatch):
        path = wafer_pickle.write(tmp_path / "x.pkl", {"a": [1.0], "b": ["c"]}, monkeypatch)
        with pytest.raises(CorruptDataError, match="'waferMap'"):
            list(read(path))

    @pytest.mark.parametrize("bad", [np.full([2, 2], 7, np.uint8), np.ones(3, np.uint8), np.ones([2, 2]), "text"])
    def test_a_map_that_is_none(self, tmp_path, monkeypatch, bad):
        path = with_column(tmp_path, monkeypatch, "waferMap", [bad, *wafer_pickle.TABLE["waferMap"][1:]])
        with pytest.raises(CorruptDataError, match="row 0: a wafer map"):
            list(read(path))

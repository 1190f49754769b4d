"""The public pickle is read, and never obeyed."""

import os
import pickle
import pickletools
import time
import tracemalloc

import numpy as np
import pytest

from tests.paper.datasets import wafer_pickle
from tf_ig2.paper.datasets import wm811k, wm811k_pickle
from tf_ig2.paper.datasets.folder import CorruptDataError
from tf_ig2.paper.datasets.inert_pickle import Budget
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

    def test_a_forged_dtype_does_not_make_bytes_into_objects(self):
        """Raw bytes in an array of objects would be taken for pointers."""
        forged = (
            b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I0\ntS'b'\ntR(I1\n(I1\ntcnumpy\ndtype\n(S'O8'\n"
        )
        forged += b"tR(I4\nS'|'\nNNNI8\nI8\nI0\ntbI00\nS'12345678'\ntb."
        budget = Budget.of_size(len(forged))
        array = wm811k_pickle.parse(forged, budget)
        with pytest.raises(ValueError, match="an array of objects that is no list"):
            array.real(budget)

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

    @pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1.5])
    def test_a_number_that_is_no_whole_one(self, tmp_path, monkeypatch, bad):
        path = with_column(tmp_path, monkeypatch, "waferIndex", [1.0, bad, 3.0])
        with pytest.raises(CorruptDataError, match="row 1: the wafer's number"):
            list(read(path))


def table_of(pickled):
    """The pickle of a table without columns and with this object for its rows' labels."""
    manager = b"(]N]}(S'0.14.1'\n}(S'axes'\n(" + b"cpandas\n_new_Index\n(N}S'data'\n]stR" + pickled
    return b"cpandas\nF\n)R}S'_data'\ncpandas\nM\n)R" + manager + b"lS'blocks'\n]uutbsb."


def doubled(times, begin=b"]"):
    """A list that holds two times the list before, and so on: few bytes, and 2^times things to look at."""
    return begin + b"".join(b"p%d\n0](g%d\ng%d\ne" % (i, i, i) for i in range(times))


def tower(times):
    """The same of arrays of objects."""
    array = b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I0\ntS'b'\ntR"
    array += b"(I1\n(I2\ntcnumpy\ndtype\n(S'O8'\ntRI00\n](%btb"
    found = b"N"
    for i in range(times):
        found = array % (found + b"p%d\ng%d\ne" % (i, i))
    return found


class TestCost:
    """Few bytes stay cheap: seconds, and megabytes."""

    @pytest.mark.parametrize(
        ("hostile", "message"),
        [
            (b"\x80\x02Nr\xff\xff\xff\x7f.", "no pandas data frame"),  # a place far behind in the memo
            (b"\x80\x04\x95" + b"\xff" * 7 + b"\x7fN.", "no pandas data frame"),  # a frame larger than any memory
            (b"\x80\x04\x8e" + b"\xff" * 7 + b"\x00.", "bytes are announced"),
            (b"\x80\x04\x8d" + b"\xff" * 8 + b".", "bytes are announced"),
            (b"T\xff\xff\xff\x7f.", "bytes are announced"),
            (b"T\xff\xff\xff\xff.", "bytes are announced"),
            (b"I" + b"9" * 100_000, "a line without an end"),
            (b"(" * 1000 + b".", "nested more deeply"),
            (b"N" * 1_300_000, "more objects"),
            (b"".join(b"cpandas\nX%d\n" % i for i in range(1000)) + b".", "names more classes"),
            (b"\x80\x02(" + doubled(40) + b"0g39\nNd.", "keys that are no words"),
            (b"c_codecs\nencode\n" + doubled(40) + b"S'latin1'\n\x86R.", "bytes of something else"),
            (
                b"c_codecs\nencode\np2\n0V" + b"x" * 9000 + b"\np1\n0" + b"g2\n(g1\nS'latin1'\ntR0" * 20_000 + b".",
                "more bytes",
            ),
        ],
        ids=lambda value: None if isinstance(value, str) else value[:12].hex(),
    )
    def test_what_would_cost_much_is_refused(self, tmp_path, hostile, message):
        self.check(tmp_path, hostile, message)

    @pytest.mark.parametrize(
        ("labels", "message"),
        [
            (b"cpandas\n_new_Index\n(N(S'start'\nI0\nS'stop'\nI99999999999999\nS'step'\nI1\ndtR", None),
            (b"cpandas\n_new_Index\n(N(S'data'\n" + tower(30) + b"dtR", None),
            (b"cpandas\n_new_Index\n(N(S'data'\n" + doubled(40) + b"dtR", None),
        ],
        ids=["range", "tower", "doubled"],
    )
    def test_labels_that_would_cost_much_cost_nothing(self, tmp_path, labels, message):
        self.check(tmp_path, table_of(labels), message)

    def check(self, tmp_path, hostile, message):
        path = tmp_path / "x.pkl"
        path.write_bytes(hostile)
        tracemalloc.start()
        began = time.perf_counter()
        with pytest.raises(CorruptDataError, match=message):
            list(read(path))
        assert time.perf_counter() - began < 20
        assert tracemalloc.get_traced_memory()[1] < 2**28
        tracemalloc.stop()

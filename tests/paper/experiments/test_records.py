"""Records survive being killed: whole lines stay, half ones are said and dropped, nothing is there twice."""

import json
import os
import signal
import subprocess
import sys
import time
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tf_ig2
from tf_ig2.paper.experiments.arms import Arm, run
from tf_ig2.paper.experiments.records import Record, Records

FIRST = Record("IG", "dog.png", {"auc": 0.75, "add": 1 / 3})
LAST = Record("IG²", "Straße\u2028\x0b\r\n\x85“1”.png", {"auc": -1e-300})


@pytest.fixture
def records(tmp_path):
    records = Records(tmp_path, "test", {"seed": 0})
    records.append([FIRST, LAST])
    return records


def again(tmp_path):
    return Records(tmp_path, "test", {"seed": 0})


def test_what_was_written_is_read(records, tmp_path):
    assert list(again(tmp_path)) == list(records) == [FIRST, LAST]
    assert again(tmp_path).finished("IG²") == {LAST.explicand}
    assert again(tmp_path).finished("Blur IG") == set()


def test_a_record_is_finished_when_it_has_all_metrics_that_are_asked_for(records):
    assert records.finished("IG", ["auc", "add"]) == {FIRST.explicand}
    assert records.finished("IG", ["auc", "pointing"]) == set()
    assert records.known("IG", FIRST.explicand) == FIRST.scores
    assert records.known("IG", "no such explicand") == {}


@settings(max_examples=30, deadline=None)
@given(name=st.text(), score=st.floats(allow_nan=False, allow_infinity=False))
def test_any_name_and_number_come_back(name, score, tmp_path_factory):
    folder = tmp_path_factory.mktemp("records")
    record = Record(name, name, {name: score})
    Records(folder, "test", {}).append([record])
    assert list(Records(folder, "test", {})) == [record]


def test_a_file_name_that_is_not_utf8_comes_back(tmp_path):
    record = Record("IG", os.fsdecode(b"caf\xe9.png"), {"auc": 1.0})
    again(tmp_path).append([record])
    assert list(again(tmp_path)) == [record]


def test_a_file_cut_at_any_byte_of_its_last_line_is_repaired(records, tmp_path):
    content = records.path.read_bytes()
    first = content.index(b"\n") + 1
    for size in range(first + 1, len(content)):
        records.path.write_bytes(content[:size])
        with pytest.warns(UserWarning, match="1 of 2 lines are damaged or half-written"):
            found = again(tmp_path)
        assert list(found) == [FIRST]
        assert records.path.read_bytes() == content[:first]
    found.append([LAST])
    assert records.path.read_bytes() == content


def test_a_file_cut_between_lines_is_whole(records, tmp_path):
    content = records.path.read_bytes()
    records.path.write_bytes(content[: content.index(b"\n") + 1])
    assert list(again(tmp_path)) == [FIRST]


@pytest.mark.parametrize("byte", [b"\r", b"\n", b"x", b"\xff"])
def test_a_damaged_line_in_the_middle_costs_only_itself(records, tmp_path, byte):
    records.append([Record("IG", "cat.png", {"auc": 0.5})])
    content = records.path.read_bytes()
    middle = content.index(b"\n") + 20
    records.path.write_bytes(content[:middle] + byte + content[middle + 1 :])
    with pytest.warns(UserWarning, match="damaged"):
        found = again(tmp_path)
    assert [record.explicand for record in found] == ["dog.png", "cat.png"]
    assert list(again(tmp_path)) == list(found)


def test_nothing_is_left_beside_a_repaired_file(records, tmp_path):
    records.path.write_bytes(records.path.read_bytes()[:-1])
    with pytest.warns(UserWarning, match="half-written"):
        again(tmp_path)
    assert list(tmp_path.iterdir()) == [records.path]


def test_other_settings_make_another_file(records, tmp_path):
    other = Records(tmp_path, "test", {"seed": 1})
    assert other.path != records.path
    assert len(other) == 0


def test_the_order_of_settings_does_not_matter(tmp_path):
    paths = {Records(tmp_path, "test", dict(pairs)).path for pairs in ([("a", 1), ("b", 2)], [("b", 2), ("a", 1)])}
    assert len(paths) == 1


def test_settings_that_are_not_json_are_refused(tmp_path):
    with pytest.raises(TypeError, match="JSON"):
        Records(tmp_path, "test", {"norm": object()})


@pytest.mark.parametrize("score", [float("nan"), float("inf"), np.float32("nan")])
def test_a_score_that_is_not_finite_is_refused_by_name(records, tmp_path, score):
    with pytest.raises(ValueError, match=r"'auc' of 'fox\.png' by 'XRAI'"):
        records.append([Record("XRAI", "cat.png", {"auc": 1.0}), Record("XRAI", "fox.png", {"auc": score})])
    assert list(records) == list(again(tmp_path)) == [FIRST, LAST]


def test_numbers_of_numpy_are_numbers(records, tmp_path):
    records.append([Record("IG", "cat.png", {"auc": np.float32(0.5), "count": np.int64(3)})])
    assert list(again(tmp_path))[-1].scores == {"auc": 0.5, "count": 3.0}


def test_the_last_of_two_records_counts(records, tmp_path):
    records.append([Record("IG", "dog.png", {"auc": 0.5})])
    for found in (records, again(tmp_path)):
        assert len(found) == 2
        assert next(iter(found)).scores == {"auc": 0.5}


def test_a_file_in_place_of_the_folder_is_an_os_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="file"):
        Records(tmp_path / "file", "test", {})


ENDLESS = """
import sys, time, types
package = types.ModuleType("tf_ig2")  # without the explainers
package.__path__ = [sys.argv[1]]
sys.modules["tf_ig2"] = package
from tf_ig2.paper.experiments.arms import Arm, run
from tf_ig2.paper.experiments.records import Records

def score(rows):
    time.sleep(0.001)
    return [{"number": float(row)} for row in rows]

names = [f"{i} " + "é" * 2000 for i in range(100_000)]
run([Arm("arm", names, score, batch=3)], Records(sys.argv[2], "killed", {}), verbose=False)
"""


@pytest.mark.filterwarnings("ignore:.*half-written")
def test_killed_and_run_again_every_explicand_is_there_once(tmp_path):
    process = subprocess.Popen([sys.executable, "-c", ENDLESS, tf_ig2.__path__[0], str(tmp_path)])
    deadline = time.monotonic() + 300
    while not any(file.stat().st_size > 100_000 for file in tmp_path.iterdir()):
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.wait()
    found = Records(tmp_path, "killed", {})
    saved = len(found)
    names = [record.explicand for record in found] + [f"new {i}" for i in range(7)]
    run([Arm("arm", names, lambda rows: [{"number": float(row)} for row in rows])], found, verbose=False)
    assert [record.scores["number"] for record in Records(tmp_path, "killed", {})] == list(range(saved + 7))
    lines = found.path.read_bytes().splitlines()
    assert len({json.loads(line.partition(b" ")[2])[1] for line in lines}) == len(lines) == saved + 7


def test_a_disk_that_was_full_for_a_while_costs_only_what_did_not_fit(records, tmp_path, monkeypatch):
    before = records.path.read_bytes()

    def full(descriptor):
        with open(records.path, "rb+") as file:  # what the system had written of the lines by then
            file.truncate(len(before) + 20)
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space left"):
            records.append([Record("IG", "cat.png", {"auc": 0.5})])
    assert records.path.read_bytes() == before
    records.append([Record("IG", "fox.png", {"auc": 0.25})])
    assert [record.explicand for record in again(tmp_path)] == ["dog.png", LAST.explicand, "fox.png"]


@pytest.mark.parametrize(
    "content", ['["a"]', "{}", '["a", "b", {"auc": "high"}]', '["a", "b", {"auc": NaN}]', "[" * 9999]
)
def test_a_whole_line_of_something_else_is_dropped_and_said(records, tmp_path, content):
    text = content.encode()
    with open(records.path, "ab") as file:
        file.write(b"%08x %b\n" % (zlib.crc32(text), text))
    with pytest.warns(UserWarning, match="1 of 3 lines"):
        assert list(again(tmp_path)) == [FIRST, LAST]


def test_what_records_depend_on_lies_beside_them(tmp_path):
    arms = {"IG": {"steps": 3}}
    path = Records(tmp_path, "test", {"seed": 0, "tf_ig2": "9"}, arms).path
    assert json.loads(path.with_suffix(".json").read_text()) == {"settings": {"seed": 0, "tf_ig2": "9"}, "arms": arms}


def test_records_of_an_arm_with_other_settings_are_dropped_for_good(tmp_path):
    Records(tmp_path, "test", {}, {"IG": {"steps": 3}, "IG²": {}}).append([FIRST, LAST])
    assert list(Records(tmp_path, "test", {}, {"IG": {"steps": 3}})) == [FIRST, LAST]
    assert list(Records(tmp_path, "test", {}, {"IG": {"steps": 4}})) == [LAST]
    assert list(Records(tmp_path, "test", {}, {"IG": {"steps": 4}})) == [LAST]
    assert list(Records(tmp_path, "test", {})) == [LAST]


def test_damaged_settings_are_written_anew(tmp_path):
    path = Records(tmp_path, "test", {}, {"IG": 1}).path.with_suffix(".json")
    path.write_text("{")
    Records(tmp_path, "test", {}, {"IG": 2})
    assert json.loads(path.read_text())["arms"] == {"IG": 2}

"""The progress of a job that other processes do."""

import re
import time

import pytest
from tqdm import tqdm

from tf_ig2.serving import progress


@pytest.fixture
def visible(monkeypatch):
    """Shows bars although nobody sits at a terminal."""
    monkeypatch.setattr(progress, "tqdm", lambda **options: tqdm(**{**options, "disable": False}))


def test_finished_shards_are_counted_while_others_write_them(visible, tmp_path, capsys):
    reports = tmp_path / "reports"
    with progress.watch(str(tmp_path), shards=3, seconds=0.01):
        reports.mkdir()
        (reports / "a.json").touch()
        shown, limit = "", time.monotonic() + 20
        while "1/3" not in shown and time.monotonic() < limit:
            time.sleep(0.01)
            shown += capsys.readouterr().err
        assert "1/3" in shown
        (reports / "b.json").touch()
    assert re.findall(r"\d/3", capsys.readouterr().err)[-1] == "2/3"


def test_reports_of_records_that_are_gone_do_not_exceed_the_total(visible, tmp_path, capsys):
    (tmp_path / "reports").mkdir()
    for name in "abcd":
        (tmp_path / "reports" / name).touch()
    with progress.watch(str(tmp_path), shards=3):
        pass
    assert "3/3" in capsys.readouterr().err


def test_a_failure_passes_through(tmp_path):
    with pytest.raises(RuntimeError, match="the pipeline failed"), progress.watch(str(tmp_path), shards=1):
        raise RuntimeError("the pipeline failed")

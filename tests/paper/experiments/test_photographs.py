"""The leading tables of photographs, on small data: every row, killed and gone on with, the same to the digit."""

import csv

import numpy as np
import pytest

from tests.paper.experiments import stubs
from tf_ig2.paper.experiments import photographs
from tf_ig2.paper.experiments.methods import IG2
from tf_ig2.paper.experiments.options import Options
from tf_ig2.paper.experiments.records import Record
from tf_ig2.paper.experiments.table import Column, Table
from tf_ig2.paper.experiments.tasks.photographs import Photographs


@pytest.fixture
def explained(monkeypatch):
    """What is explained; few stubs on three photographs in the place of everything."""
    calls = []
    stubs.few_trials(monkeypatch, calls)
    monkeypatch.setattr(photographs.imagenet, "load", lambda *args, **options: stubs.masked_task(3))

    def load(view, source, references, seed):
        task = stubs.masked_task(3)
        names = tuple(f"other {i}" for i in range(3))
        return Photographs(view, task.inputs, names, np.eye(3), np.array([[1, 2], [0, 2], [0, 1]]))

    monkeypatch.setattr(photographs.photographs, "load", load)
    monkeypatch.setattr(photographs, "CURVE_STEPS", 1)
    monkeypatch.setattr(Table, "files", lambda table: {"csv": table.csv().encode(), "png": b""})  # drawn elsewhere
    return calls


def options(folder, **more):
    return Options(folder, **{"references": 2, "samples": 2, "tasks": ("MobileNetV1",), "verbose": False, **more})


def tables(folder):
    return {path.name: path.read_text() for path in sorted(folder.glob("*.csv"))}


def test_the_page_has_all_tables_with_columns_for_both_kinds_of_photographs(explained, tmp_path):
    page = photographs.run(options(tmp_path))[0].read_text()
    assert page.count("## MobileNetV1, ") == 7
    assert "| GT-AUC ↑ | GT-SUM ↑ | SIC ADD ↑ | SIC DEL ↓ | SIC ADD, 400 ↑ | SIC DEL, 400 ↓ |" in page
    for row in (IG2, photographs.CONTROL, "Expected IG, inside", "XRAI", "IG², smoothed"):
        assert f"| {row} |" in page
    assert "2 photographs of the report half with masks; in the columns “400” 2 of the 3 photographs without" in page
    assert "after Holm's correction over the 42 comparisons of this table" in page


def test_the_numbers_are_those_of_the_maps(explained, tmp_path):
    photographs.run(options(tmp_path))
    first = list(csv.DictReader(tables(tmp_path)["photographs_1.csv"].splitlines()))
    (best,) = [row for row in first if row["arm"] == IG2 and row["metric"] == "auc/absolute"]
    assert float(best["mean"]) == 1.0
    assert best["lead_of_champion"] == ""
    others = [row for row in first if row["arm"] == "Blur IG" and row["metric"] == "auc/absolute"]
    assert float(others[0]["lead_of_champion"]) == pytest.approx(1 - float(others[0]["mean"]))


def test_more_photographs_go_on_where_fewer_stopped_and_a_rerun_explains_nothing(explained, tmp_path):
    photographs.run(options(tmp_path / "more", samples=3))
    explained.clear()
    photographs.run(options(tmp_path / "fewer"))
    explained.clear()
    photographs.run(options(tmp_path / "fewer", samples=3))
    assert set(explained) == {"image 2", "other 2"}
    assert tables(tmp_path / "fewer") == tables(tmp_path / "more")
    explained.clear()
    photographs.run(options(tmp_path / "fewer", samples=3))
    assert explained == []


def test_maps_are_shared_by_runs_that_score_anew(explained, tmp_path):
    photographs.run(options(tmp_path / "one", cache=tmp_path / "maps"))
    explained.clear()
    photographs.run(options(tmp_path / "two", cache=tmp_path / "maps"))
    assert explained == []
    assert tables(tmp_path / "two") == tables(tmp_path / "one")


def test_the_standing_counts_rows_by_direction():
    columns = (Column("auc", "AUC"), Column("del", "DEL", higher_is_better=False))
    scores = {"IG²": (0.5, 0.5), "worse": (0.4, 0.6), "better": (0.6, 0.6)}
    records = [Record(arm, f"{i}", {"auc": a, "del": b}) for arm, (a, b) in scores.items() for i in range(30)]
    standing = photographs.standing({("N", "T"): Table("", columns, records, "IG²", corrected=True)})
    assert standing.splitlines()[-1] == "| T | N | 1 / 0 / 1 | 2 / 0 / 0 |"

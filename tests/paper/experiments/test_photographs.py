"""The leading tables of photographs, on small data: every row, killed and gone on with, the same to the digit."""

import csv

import numpy as np
import pytest

from tests.paper.experiments import stubs
from tf_ig2.metrics.ground_truth import GT_AUC
from tf_ig2.metrics.information_curves import SIC_ADD
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
    own = {"references": 2, "samples": 2, "tasks": ("MobileNetV1",), "verbose": False, "metrics": (GT_AUC, SIC_ADD)}
    return Options(folder, **{**own, **more})


def tables(folder):
    return {path.name: path.read_text() for path in sorted(folder.glob("*.csv"))}


def test_the_page_has_all_tables_with_columns_for_both_kinds_of_photographs(explained, tmp_path):
    page = photographs.run(options(tmp_path))[0].read_text()
    first = list(csv.DictReader(tables(tmp_path)["photographs_1.csv"].splitlines()))
    auc = {row["arm"]: row for row in first if row["metric"] == "auc/absolute"}
    assert float(auc[IG2]["mean"]) == 1.0
    assert float(auc["Blur IG"]["lead_of_champion"]) == pytest.approx(1 - float(auc["Blur IG"]["mean"]), abs=1e-5)
    assert page.count("## MobileNetV1, ") == 7
    assert "| GT-AUC ↑ | SIC ADD ↑ | SIC ADD, no masks ↑ |" in page
    for row in (IG2, photographs.CONTROL, "Expected IG, inside", "XRAI", "IG², smoothed"):
        assert f"| {row} |" in page
    assert "2 photographs of the report half with masks; in the columns “no masks” 2 of the 400" in page
    assert "after Holm's correction over the 21 comparisons of this table" in page


def test_more_photographs_go_on_where_fewer_stopped_and_a_rerun_explains_nothing(explained, tmp_path):
    photographs.run(options(tmp_path / "fewer", samples=1, cache=tmp_path / "maps"))
    explained.clear()
    photographs.run(options(tmp_path / "fewer", cache=tmp_path / "maps"))
    assert set(explained) == {"image 1", "other 1"}
    explained.clear()
    before = tables(tmp_path / "fewer")
    photographs.run(options(tmp_path / "fewer", samples=3, finished=True))
    assert tables(tmp_path / "fewer") == before
    photographs.run(options(tmp_path / "anew", cache=tmp_path / "maps"))  # scored anew, from the same maps
    assert explained == []
    assert tables(tmp_path / "anew") == tables(tmp_path / "fewer")


def test_the_standing_counts_rows_by_direction():
    columns = (Column("auc", "AUC"), Column("del", "DEL", higher_is_better=False))
    scores = {"IG²": (0.5, 0.5), "worse": (0.4, 0.6), "better": (0.6, 0.6)}
    records = [Record(arm, f"{i}", {"auc": a, "del": b}) for arm, (a, b) in scores.items() for i in range(30)]
    standing = photographs.standing({("N", "T"): Table("", columns, records, "IG²", corrected=True)})
    assert standing.splitlines()[-1] == "| T | N | 1 / 0 / 1 | 2 / 0 / 0 |"

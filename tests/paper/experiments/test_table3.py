"""Table 3 takes a metric of one's own: what is defined in this file alone is a column of the page."""

from dataclasses import replace

import numpy as np
import pytest

from tests.paper.experiments.small import small_task
from tf_ig2.metrics.metric import Metric
from tf_ig2.paper.experiments import table3, tasks
from tf_ig2.paper.experiments.methods import IG2
from tf_ig2.paper.experiments.options import Options
from tf_ig2.paper.experiments.task import METRICS


def hits(maps, explicands):
    """1 where the largest number of a map lies inside the mask."""
    largest = maps.reshape(len(maps), -1).argmax(axis=1)
    return explicands.masks.reshape(len(maps), -1)[np.arange(len(maps)), largest]


POINTING = Metric("pointing", "pointing game", True, hits, needs=("masks",))


@pytest.fixture
def task():
    masks = np.zeros([2, 12, 12], bool)
    masks[:, 3:8, 3:8] = True
    return replace(small_task(), masks=masks, curve_steps=2, background=0.0)


@pytest.fixture
def explained(monkeypatch, task):
    """The task in the place of every data set; how often each of two methods of the paper explains."""
    calls = []

    def method(name, sign):
        def explain(part):
            calls.extend((name, explicand) for explicand in part.names)
            return sign * part.masks.astype(float)

        return explain

    monkeypatch.setattr(tasks, "load", lambda name, options: task)
    monkeypatch.setattr(table3, "methods", lambda task: {"Gradient": method("Gradient", -1), IG2: method(IG2, 1)})
    return calls


def cells(page, arm):
    """The first table's row of an arm, by heading."""
    lines = [[cell.strip() for cell in line.split("|")[2:-1]] for line in page.splitlines() if line.startswith("|")]
    names = [line.split("|")[1].strip() for line in page.splitlines() if line.startswith("|")]
    return dict(zip(lines[0], lines[names.index(arm)], strict=True))


def page(folder, *metrics, task="planted"):
    files = table3.run(Options(folder, tasks=(task,), verbose=False, metrics=(*METRICS, *metrics)))
    return files[0].read_text()


def test_a_new_metric_is_a_column_and_the_papers_numbers_stay_where_they_were(explained, tmp_path):
    made = page(tmp_path, POINTING)
    assert list(cells(made, IG2)) == ["GT-AUC ↑", "GT-SUM ↑", "SIC ADD ↑", "SIC DEL ↓", "pointing game ↑"]
    assert cells(made, IG2)["pointing game ↑"].startswith("**1.000**")
    assert cells(made, "Gradient")["pointing game ↑"].startswith("0.000")
    assert "(" not in cells(made, IG2)["pointing game ↑"]
    assert cells(made, IG2)["GT-AUC ↑"].endswith("(0.849)")
    assert cells(made, IG2)["SIC DEL ↓"].endswith("(0.036)")


def test_rows_of_before_are_completed_and_their_numbers_stay(explained, tmp_path):
    before = page(tmp_path)
    explained.clear()
    after = page(tmp_path, POINTING)
    assert sorted(explained) == sorted((arm, f"image {i}") for arm in ("Gradient", IG2) for i in range(2))
    assert cells(before, IG2).items() <= cells(after, IG2).items()
    explained.clear()
    assert page(tmp_path) == before
    assert page(tmp_path, POINTING) == after
    assert explained == []


def test_where_there_is_no_ground_truth_there_is_no_such_column(explained, tmp_path, monkeypatch, task):
    blind = replace(task, masks=None)
    monkeypatch.setattr(tasks, "load", lambda name, options: blind)
    monkeypatch.setattr(table3, "methods", lambda task: {IG2: lambda part: part.points})
    assert list(cells(page(tmp_path, POINTING, task="wafers"), IG2)) == ["SIC ADD ↑", "SIC DEL ↓"]
    assert "(0.898)" in page(tmp_path, POINTING, task="wafers")


@pytest.mark.parametrize("task_name", ["imagenet", "trec", "planted", "wafers"])
def test_the_paper_has_seven_methods_on_each_task(task_name):
    assert len(table3._PAPER[task_name]) == 7

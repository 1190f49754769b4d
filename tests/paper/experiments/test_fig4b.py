"""Curves along three paths, resumable."""

import csv

import numpy as np
import pytest

from tests.paper.experiments.small import small_task
from tf_ig2.paper.experiments import fig4b
from tf_ig2.paper.experiments.options import Options


@pytest.fixture
def options(monkeypatch, tmp_path):
    monkeypatch.setattr(fig4b, "LOADERS", {"mnist": lambda **more: small_task(3)})
    return Options(tmp_path, verbose=False)


def test_all_paths_end_with_the_prediction(options):
    task = small_task(3)
    found = fig4b.curves(task, options)
    expected = task.view.model(task.inputs).numpy()[np.arange(3), task.target]
    for curve in found.values():
        np.testing.assert_allclose(curve[:, -1], expected, rtol=1e-5)


def test_what_is_finished_is_not_walked_again(options, monkeypatch):
    first = fig4b.curves(small_task(3), options)
    monkeypatch.setattr(fig4b, "softmax_along", None)
    again = fig4b.curves(small_task(3), options)
    np.testing.assert_array_equal(first["IG²"], again["IG²"])


def test_the_figure_is_written(options):
    page, _, table = fig4b.run(options)
    rows = list(csv.DictReader(table.read_text("utf-8").splitlines()))
    assert {row["path"] for row in rows} == {"straight line from black", "Guided IG from black", "GradPath"}
    assert {row["alpha"] for row in rows} >= {"0", "1"}
    assert {row["explicands"] for row in rows} == {"3"}
    assert "A small task." in page.read_text("utf-8")

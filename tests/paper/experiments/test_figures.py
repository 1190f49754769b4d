"""The files of a figure hold what was drawn."""

import csv

import numpy as np
from matplotlib.figure import Figure

from tf_ig2.paper.experiments import figures


def test_a_band_is_the_mean_and_its_interval():
    axes = Figure().subplots()
    samples = np.array([[0.0, 5.0], [2.0, 5.0], [4.0, 5.0]])
    first, second = figures.band(axes, np.array([0.0, 1.0]), samples, "curve", "red")
    np.testing.assert_array_equal(axes.lines[0].get_ydata(), [2, 5])
    assert first.low < 2 < first.high
    assert (second.low, second.high, second.count) == (5, 5, 3)
    assert len(axes.collections) == 1


def test_one_explicand_has_no_band():
    axes = Figure().subplots()
    figures.band(axes, np.array([0.0, 1.0]), np.array([[1.0, 2.0]]), "curve", "red")
    assert not axes.collections


def test_three_files(tmp_path):
    figure = Figure()
    files = figures.write(tmp_path, "fig", "A title", figure, ("a", "b"), [("x", 1 / 3)], ["What is seen."])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["fig.csv", "fig.md", "fig.png"]
    assert files[0].read_text("utf-8").startswith("# A title\n\n![A title](fig.png)\n\nWhat is seen.")
    assert list(csv.reader(files[2].read_text().splitlines())) == [["a", "b"], ["x", "0.333333"]]
    assert files[1].read_bytes().startswith(b"\x89PNG")

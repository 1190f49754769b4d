"""A notebook shows every picture once, wherever in a cell it was drawn; a script none that it did not ask for."""

import nbformat
import pytest

from tf_ig2.plots import notebook

CELLS = {
    "last": ("explanation.plot()", 1),
    "not last": ("figure = explanation.plot()\n1 + 1", 1),
    "nothing said": ("explanation.plot();", 1),
    "in a loop": ("for _ in range(3):\n    explanation.plot()", 3),
    "twice in a cell": ("explanation.plot()\nexplanation.plot()", 2),
    "kept and last": ("figure = explanation.plot()\nfigure", 1),
    "changed and last": ("figure = explanation.plot()\n_ = figure.suptitle('other')\nfigure", 1),
    "again in another cell": ("figure", 1),
    "with pyplot": ("import matplotlib.pyplot as plt\nexplanation.plot()", 1),
    "into the user's axes": ("_, axes = plt.subplots()\nexplanation.plot(ax=axes);", 1),
    "after pyplot": ("explanation.plot()", 1),
}
SETUP = """
import numpy as np
from tf_ig2 import Attribution
outputs = np.array([[3.0, 2.0, 0.0]])
explanation = Attribution(np.array([1.0, 2.0]), np.ones(2), outputs, np.zeros_like(outputs), settings={})
"""


@pytest.mark.filterwarnings("ignore")  # of the notebook machinery
def test_every_picture_once(tmp_path, monkeypatch):
    from nbclient import NotebookClient

    monkeypatch.delenv("MPLBACKEND", raising=False)  # the kernel has its own

    sources = [SETUP, *(source for source, _ in CELLS.values())]
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources])
    NotebookClient(book, timeout=120, kernel_name="python3", resources={"metadata": {"path": tmp_path}}).execute()
    pictures = [sum("image/png" in output.get("data", {}) for output in cell.outputs) for cell in book.cells]
    assert dict(zip(CELLS, pictures[1:], strict=True)) == {name: count for name, (_, count) in CELLS.items()}


def test_a_script_is_no_notebook(capsys):
    assert notebook.notebook() is None
    figure = notebook.new(1, 1)
    assert notebook.show(figure) is figure
    assert capsys.readouterr().out == ""


def test_a_figure_is_a_png_of_its_own():
    assert notebook.new(1, 1)._repr_png_().startswith(b"\x89PNG")

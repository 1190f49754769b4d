"""Every notebook is its script, run: in step, from top to bottom, in two minutes, with its pictures and no noise."""

import json
import re
import resource
from pathlib import Path

import nbformat
import pytest

from tests.scripts import loaded

ROOT = Path(__file__).parents[1]
PICTURES = {
    "01_quickstart": 3,
    "02_photographs_and_references": 3,
    "03_next_to_saliency": 6,
    "04_words": 1,
    "05_wafers": 4,
    "06_tables": 5,
    "07_inside_the_network": 4,
    "08_export_serve_batch": 2,
    "09_which_method_to_trust": 2,
    "10_write_your_own_path": 1,
}
"""How many pictures each shows without any data; with ImageNet weights the second has one more."""


@pytest.fixture(scope="module")
def building():
    """`notebooks/build.py` as a module."""
    return loaded(ROOT / "notebooks" / "build.py")


def script(name):
    return ROOT / "notebooks" / f"{name}.py"


def stored(name):
    return nbformat.read(ROOT / "notebooks" / f"{name}.ipynb", as_version=4)


def test_these_are_the_notebooks(building):
    assert [path.stem for path in building.scripts()] == list(PICTURES)
    made = {path.stem for path in (ROOT / "notebooks").glob("*.ipynb")}
    assert made == {*PICTURES, "quickstart"}  # the last says where the first is now


@pytest.mark.parametrize("name", PICTURES)
@pytest.mark.filterwarnings("ignore")  # of the notebook machinery; what the notebook itself says is looked at
def test_a_script_runs_as_a_notebook_without_data(name, building, tmp_path, monkeypatch):
    monkeypatch.delenv("TF_IG2_DATA_DIR", raising=False)
    book = building.notebook(script(name))
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    building.run(book, tmp_path)  # a cell that fails raises
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    # Of the kernel, however busy the machine is with others.
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    assert 1 < spent < building.SECONDS
    assert building.faults(book) == []
    assert building.pictures(book) >= PICTURES[name]


@pytest.mark.parametrize("name", PICTURES)
def test_what_is_stored_is_the_script_and_was_run(name, building):
    book, source = stored(name), building.notebook(script(name))
    assert [(cell.cell_type, cell.id, cell.source) for cell in book.cells] == [
        (cell.cell_type, cell.id, cell.source) for cell in source.cells
    ]
    assert book.metadata == source.metadata
    code = [cell for cell in book.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    assert building.faults(book) == []
    assert building.pictures(book) >= PICTURES[name]


@pytest.mark.parametrize("name", PICTURES)
def test_a_notebook_begins_with_title_badge_and_installation(name, building):
    first, second, *_ = building.notebook(script(name)).cells
    title, badge, said = first.source.split("\n\n", 2)
    assert title.startswith("# ")
    assert len(said) > 100
    address = re.search(r"colab\.research\.google\.com/github/([\w.-]+/[\w.-]+)/blob/main/notebooks/(.+)\.ipynb", badge)
    assert address[2] == name
    assert second.source == building.notebook(script("01_quickstart")).cells[1].source
    assert f'REPOSITORY = "https://github.com/{address[1]}"' in second.source


def test_all_notebooks_together_are_small():
    assert sum(path.stat().st_size for path in (ROOT / "notebooks").glob("*.ipynb")) < 3_000_000


def test_the_old_name_leads_to_the_new_one():
    (cell,) = stored("quickstart").cells
    assert "(01_quickstart.ipynb)" in cell.source


@pytest.mark.parametrize("name", PICTURES)
def test_links_lead_somewhere(name):
    text = "\n".join(cell.source for cell in stored(name).cells if cell.cell_type == "markdown")
    places = [place for place in re.findall(r"\]\(([^)#]+)", text) if "://" not in place]
    assert all((ROOT / "notebooks" / place).exists() for place in places)


@pytest.mark.parametrize(
    ("output", "what"),
    [
        ({"output_type": "error", "ename": "E", "evalue": "e", "traceback": []}, "cell 0: e"),
        ({"output_type": "stream", "name": "stderr", "text": "careful"}, "careful"),
        ({"output_type": "stream", "name": "stdout", "text": "/home/me/x.npz"}, "a path"),
        ({"output_type": "stream", "name": "stdout", "text": "Traceback (most recent call last):"}, "a traceback"),
        ({"output_type": "stream", "name": "stdout", "text": "oneDNN custom operations are on"}, "noise"),
        ({"output_type": "display_data", "metadata": {}, "data": {"text/plain": "<f at 0x7f00aa00>"}}, "an address"),
    ],
)
def test_what_must_not_be_stored_is_found(output, what, building):
    cell = nbformat.v4.new_code_cell("x", outputs=[nbformat.from_dict(output)])
    assert what in " ".join(building.faults(nbformat.v4.new_notebook(cells=[cell])))


def test_the_address_of_the_repository_is_written_everywhere(building, tmp_path, monkeypatch):
    for suffix in (".py", ".ipynb"):
        text = script("01_quickstart").with_suffix(suffix).read_text(encoding="utf-8")
        (tmp_path / f"01_quickstart{suffix}").write_text(text, encoding="utf-8")
    monkeypatch.setattr(building, "FOLDER", tmp_path)
    building.set_repository("someone/else")
    for suffix in (".py", ".ipynb"):
        before = script("01_quickstart").with_suffix(suffix).read_text(encoding="utf-8")
        after = (tmp_path / f"01_quickstart{suffix}").read_text(encoding="utf-8")
        assert after.count("someone/else") == before.count("OWNER/tf_ig2") == 2
        assert "OWNER/tf_ig2" not in after
    json.loads((tmp_path / "01_quickstart.ipynb").read_text(encoding="utf-8"))
    with pytest.raises(ValueError, match="OWNER/NAME"):
        building.set_repository("https://github.com/someone/else")

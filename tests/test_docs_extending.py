"""What the page on extending shows is run: each block of Python is the file that its first line names."""

import re
import sys
from pathlib import Path

import pytest

from tests.paper.experiments.small import small_task
from tests.scripts import loaded
from tf_ig2.paper.experiments.commands import named_metric

PAGE = (Path(__file__).parents[1] / "docs" / "extending.md").read_text(encoding="utf-8")
FILES = dict(re.findall(r"```python\n# (\w+\.py)\n(.*?)```", PAGE, flags=re.DOTALL))


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """All files of the page, beside each other."""
    for name, text in FILES.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path
    for name in FILES:
        sys.modules.pop(name.removesuffix(".py"), None)


def pages_tests():
    return [
        (name, test)
        for name, text in FILES.items()
        for test in re.findall(r"^def (test_\w+)\(\):", text, flags=re.MULTILINE)
    ]


def test_every_block_has_a_file_of_its_own_and_every_file_its_test():
    assert len(FILES) == PAGE.count("```python")
    assert {f"test_{name}" for name in FILES if not name.startswith("test_")} <= set(FILES)


@pytest.mark.parametrize(("name", "test"), pages_tests())
def test_the_pages_own_tests_pass(name, test):
    getattr(loaded(name), test)()


def test_the_command_of_the_page_finds_its_metric():
    (place,) = re.findall(r"--metric (\S+)", PAGE.split("```bash")[1])
    metric = named_metric(place)
    task = small_task()
    assert task.keys([metric]) == []
    assert metric.label in PAGE


def test_the_files_that_the_page_names_are_there():
    links = re.findall(r"\]\(([^)#]+)\)", PAGE)
    assert links
    assert all((Path(__file__).parents[1] / "docs" / link).exists() for link in links if "://" not in link)

"""README's leading table is that of the results."""

import re
from pathlib import Path

import pytest

from tests.scripts import loaded

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def making():
    """`docs/readme_table.py` as a module."""
    return loaded(ROOT / "docs" / "readme_table.py")


@pytest.fixture(scope="module")
def readme():
    return (ROOT / "README.md").read_text(encoding="utf-8")


def test_readme_has_the_numbers_of_the_results(making, readme):
    assert making.written(readme, ROOT / "docs" / "results") == readme
    assert making.table(ROOT / "docs" / "results") in readme


def test_readme_says_how_many_photographs_there_are(making, readme):
    counts = making.counts(ROOT / "docs" / "results")
    said = re.search(r"(\d+) with object masks and (\d+) without", readme)
    assert {int(said[1])} == set(counts["with"])
    assert {int(said[2])} == set(counts["without"])


def test_marks_and_bold_are_those_of_the_csv(making, tmp_path):
    rows = [("IG²", 0.5, "", ""), ("worse", 0.4, 0.1, 0.01), ("level", 0.45, 0.05, 0.2), ("better", 0.61, -0.1, 0.04)]
    text = "arm,metric,mean,lead_of_champion,corrected_p\n"
    text += "".join(f"{arm},{metric},{mean},{lead},{p}\n" for metric in making.METRICS for arm, mean, lead, p in rows)
    for number in (1, 2, 8, 9, 15, 16):
        (tmp_path / f"photographs_{number}.csv").write_text(text)
    lines = making.table(tmp_path).splitlines()
    assert lines[3].startswith("| worse | .400▾ .400▾ .400▾ | .400▾")
    assert "| .450 .450 .450 |" in lines[4]
    assert "| **.610**▴ **.610**▴ **.610**▴ |" in lines[5]
    assert "| **.400**▾ **.400**▾ **.400**▾ |" in lines[3]  # of what should be small

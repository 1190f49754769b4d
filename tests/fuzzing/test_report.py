"""The page keeps what others wrote on it."""

from collections import Counter

from tests.fuzzing import report
from tests.fuzzing.run import ERROR, OTHER


def test_a_row_takes_its_kinds_place_and_all_else_stays(tmp_path):
    page = tmp_path / "robustness.md"
    table = [report.HEAD, "|---|---|---|---|---|---|---|"]
    a, c = "| a | 5 | 5 | 0 | 0 | 0 | 0.10 |", "| c | 7 | 7 | 0 | 0 | 0 | 0.10 |"
    page.write_text("\n".join(["# Robustness", "", *table, a, c, "", "*Said by hand.*", "", "| b | of others |", ""]))
    b = report.row("b", Counter({ERROR: 1200, OTHER: 34}), 0.256)
    assert b == "| b | 1,234 | 1,200 | 0 | 0 | 34 | 0.26 |"
    report.write(b, ["a", "b", "c"], page)
    newer = report.row("a", Counter({ERROR: 10}), 0.5)
    report.write(newer, ["a", "b", "c"], page)
    assert page.read_text().splitlines() == [
        "# Robustness", "", *table, newer, b, c, "", "*Said by hand.*", "", "| b | of others |",
    ]  # fmt: skip


def test_the_page_has_the_table():
    assert report.HEAD in report.PAGE.read_text(encoding="utf-8").splitlines()

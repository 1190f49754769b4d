"""Tables: who is best, who is told apart from whom, and files that others can read."""

import csv
import io

import numpy as np
import pytest

from tf_ig2.paper.experiments.records import Record
from tf_ig2.paper.experiments.table import Column, Table

COLUMNS = (Column("auc", "AUC"), Column("del", "DEL", higher_is_better=False))


def scores(arm, auc=None, deleted=None):
    given = {key: values for key, values in (("auc", auc), ("del", deleted)) if values is not None}
    return [
        Record(arm, f"image {i}", {key: values[i] for key, values in given.items()})
        for i in range(len(next(iter(given.values()))))
    ]


EASE = np.random.default_rng(0).normal(0.5, 0.1, 30)
RECORDS = [
    *scores("IG²", EASE, EASE),
    *scores("worse", EASE - 0.01, EASE + 0.01),
    *scores("better", EASE + 0.01, EASE - 0.01),
    *scores("same", EASE[::-1], EASE[::-1]),
    *scores("no DEL", EASE),
]


@pytest.fixture
def table():
    return Table("Title, |φ|", COLUMNS, RECORDS, "IG²", {("worse", "auc"): 0.123, ("IG²", "del"): 0.5})


def rows(table):
    """Arm → cells of the Markdown table."""
    lines = [line for line in table.markdown().splitlines() if line.startswith("|")]
    assert len({line.replace("\\|", "").count("|") for line in lines}) == 1
    cells = [[cell.strip() for cell in line.replace("\\|", "¦").strip("|").split("|")] for line in lines]
    return {first: rest for first, *rest in cells}


def test_headings_say_where_better_is(table):
    assert rows(table)[""] == ["AUC ↑", "DEL ↓"]


def test_the_best_is_bold_by_direction(table):
    bold = {(arm, place) for arm, cells in rows(table).items() for place in (0, 1) if "**" in cells[place]}
    assert bold == {("better", 0), ("better", 1)}


def test_all_that_are_best_are_bold():
    table = Table("", COLUMNS[:1], [*scores("a", [1.0, 2.0]), *scores("b", [2.0, 1.0]), *scores("c", [1.0, 1.0])])
    assert [cells[0].count("**") for arm, cells in rows(table).items() if len(arm) == 1] == [2, 2, 0]


@pytest.mark.parametrize(("arm", "mark"), [("worse", "▾"), ("better", "▴"), ("same", ""), ("IG²", "")])
def test_marks_say_who_is_told_apart_from_the_champion_in_either_direction(table, arm, mark):
    for cell in rows(table)[arm]:
        assert [sign for sign in "▾▴" if sign in cell] == [*mark]


def test_the_lead_is_positive_where_the_champion_is_better(table):
    for column in COLUMNS:
        assert table.lead("worse", column).mean == pytest.approx(0.01)
        assert table.lead("better", column).mean == pytest.approx(-0.01)
    assert table.lead("IG²", COLUMNS[0]) is None


def test_pairs_are_found_by_name_and_only_shared_ones_count():
    other = [Record("b", record.explicand, {"auc": record.scores["auc"] - 1}) for record in scores("a", EASE)[:10]]
    table = Table("", COLUMNS[:1], [*scores("a", EASE), *other[::-1]], "a")
    assert table.lead("b", COLUMNS[0])[:] == pytest.approx((1, 1, 1, 10))


def test_without_a_champion_there_are_no_marks():
    for champion in (None, "nobody"):
        page = Table("", COLUMNS, RECORDS, champion).markdown()
        assert not set("▾▴") & set(page)


def test_a_metric_that_is_not_defined_is_a_dash(table):
    assert rows(table)["no DEL"][1] == "–"


def test_a_column_without_any_number_is_left_out():
    table = Table("", [*COLUMNS, Column("float64", "float64")], RECORDS)
    assert table.columns == list(COLUMNS)
    assert "float64" not in table.markdown()
    assert len(table.picture().axes) == len(COLUMNS)


def test_the_papers_numbers_stand_beside_ours(table):
    found = rows(table)
    assert found["worse"][0].endswith("(0.123)")
    assert found["IG²"][1].endswith("(0.500)")
    assert "(" not in found["better"][0]
    assert "the paper's number" in table.markdown()


def test_one_explicand_has_a_mean_and_no_interval():
    table = Table("", COLUMNS[:1], [*scores("a", [0.25]), *scores("b", [0.5])], "a")
    assert rows(table)["a"] == ["0.250"]
    assert "nan" not in table.markdown() + table.csv()
    table.picture()


def test_bars_in_names_and_line_breaks_do_not_break_the_table():
    table = Table("", (Column("auc", "|φ|"),), scores("a | b\nc", [1.0, 2.0]), notes=("either | or",))
    assert rows(table)["a ¦ b c"][0].startswith("**1.500**")
    assert "* either | or" in table.markdown().splitlines()


def test_the_csv_file_has_the_numbers():
    table = Table("", COLUMNS, [*RECORDS, *scores('a "b", c', [1.0, 3.0])], "IG²", {("worse", "auc"): 0.123})
    found = {(row["arm"], row["metric"]): row for row in csv.DictReader(io.StringIO(table.csv()))}
    assert len(found) == 4 * 2 + 2
    worse, estimate = found["worse", "auc"], table.estimate("worse", COLUMNS[0])
    assert [float(worse[key]) for key in ("mean", "low", "high")] == pytest.approx(estimate[:3], rel=1e-5)
    assert float(worse["lead_of_champion"]) == pytest.approx(0.01)
    assert (worse["explicands"], worse["paper"], found["better", "auc"]["paper"]) == ("30", "0.123", "")
    assert found["IG²", "auc"]["lead_of_champion"] == ""
    assert found['a "b", c', "auc"]["mean"] == "2"


def test_arms_are_in_the_order_of_the_records(table):
    assert table.arms == ["IG²", "worse", "better", "same", "no DEL"]


def test_the_legend_says_how_many_explicands(table):
    assert "Mean over 30 explicands" in table.markdown()
    assert "Mean over 2–30 explicands" in Table("", COLUMNS, [*RECORDS, *scores("few", [1.0, 2.0])]).markdown()


def test_the_picture_is_made_without_a_warning_and_has_every_cell(table):
    figure = table.picture()
    dots = [line for axes in figure.axes for line in axes.lines if line.get_marker() == "o"]
    assert len(dots) == 9
    assert table.files()["png"].startswith(b"\x89PNG")


@pytest.mark.parametrize("records", [[], scores("a", deleted=[1.0])])
def test_a_table_of_nothing_is_refused(records):
    with pytest.raises(ValueError, match="no records"):
        Table("Title", COLUMNS[:1], records)


def test_marks_that_are_corrected_are_fewer():
    """Thirty rivals that differ by chance alone: some are told apart one by one, none together."""
    rng = np.random.default_rng(3)
    chance = [record for i in range(30) for record in scores(f"chance {i}", EASE + rng.normal(0, 0.05, 30))]
    records = [*scores("IG²", EASE), *scores("far", EASE + 0.1 + rng.normal(0, 0.01, 30)), *chance]
    marked = []
    for corrected in (False, True):
        table = Table("", COLUMNS[:1], records, "IG²", corrected=corrected)
        marked.append({arm for arm in table.arms if table.ahead_of(arm, COLUMNS[0])})
        assert ("▴" in rows(table)["far"][0]) is True
    assert marked[1] == {"far"} < marked[0]


def test_the_correction_is_said_and_its_p_values_are_in_the_csv_file():
    table = Table("", COLUMNS, RECORDS, "IG²", corrected=True)
    assert "Holm's correction over the 7 comparisons of this table" in table.markdown()
    found = {(row["arm"], row["metric"]): row["corrected_p"] for row in csv.DictReader(io.StringIO(table.csv()))}
    assert found["IG²", "auc"] == ""
    assert float(found["worse", "auc"]) == pytest.approx(7 * 2 / 20_001, rel=1e-3)
    assert float(found["same", "auc"]) > 0.5

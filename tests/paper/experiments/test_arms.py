"""Arms are run over what is missing, batch by batch."""

import pytest

from tf_ig2.paper.experiments.arms import Arm, run
from tf_ig2.paper.experiments.records import Record, Records

NAMES = ("ant", "bee", "cat", "dog", "elk")


class Scorer:
    """Scores a row by its number, and remembers what it was asked for; fails at a row."""

    def __init__(self, fails_at=None):
        self.calls, self.fails_at = [], fails_at

    def __call__(self, rows):
        self.calls.append(rows.tolist())
        if self.fails_at in rows:
            raise KeyboardInterrupt
        return [{"row": float(row)} for row in rows]


@pytest.fixture
def records(tmp_path):
    return Records(tmp_path, "test", {})


def test_batches_are_as_long_as_asked_and_the_last_may_be_shorter(records):
    score = Scorer()
    run([Arm("a", NAMES, score, batch=2)], records, verbose=False)
    assert score.calls == [[0, 1], [2, 3], [4]]
    assert [(record.explicand, record.scores["row"]) for record in records] == list(zip(NAMES, range(5), strict=True))


def test_what_is_finished_is_not_computed_again(records):
    run([Arm("a", NAMES, Scorer())], records, verbose=False)
    score = Scorer()
    run([Arm("a", NAMES, score)], records, verbose=False)
    assert score.calls == []


def test_an_interrupted_run_loses_one_batch_and_goes_on_from_there(records, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        run([Arm("a", NAMES, Scorer(fails_at=3), batch=2)], records, verbose=False)
    again, score = Records(tmp_path, "test", {}), Scorer()
    run([Arm("a", NAMES, score, batch=2)], again, verbose=False)
    assert score.calls == [[2, 3], [4]]
    assert [record.scores["row"] for record in again] == [0, 1, 2, 3, 4]


def test_gaps_are_filled(records):
    records.append([Record("a", "bee", {"row": 1.0}), Record("b", "ant", {"row": 0.0})])
    score = Scorer()
    run([Arm("a", NAMES, score)], records, verbose=False)
    assert score.calls == [[0, 2, 3, 4]]


def test_a_record_that_lacks_a_metric_is_completed(records, tmp_path):
    run([Arm("a", NAMES, Scorer())], records, verbose=False)
    run([Arm("a", NAMES, lambda rows: [{"new": 1.0} for _ in rows], metrics=("row", "new"))], records, verbose=False)
    for found in (records, Records(tmp_path, "test", {})):
        assert [record.scores for record in found] == [{"row": float(row), "new": 1.0} for row in range(5)]


def test_arms_of_one_name_are_refused_before_anything_is_computed(records):
    score = Scorer()
    with pytest.raises(ValueError, match=r"share a name.*'a'"):
        run([Arm("a", NAMES, score), Arm("a", NAMES, score)], records, verbose=False)
    assert score.calls == []


def test_explicands_of_one_name_are_refused_before_anything_is_computed(records):
    score = Scorer()
    with pytest.raises(ValueError, match=r"'b' share a name: \['cat'\]"):
        run([Arm("a", NAMES, score), Arm("b", ("cat", "dog", "cat"), score)], records, verbose=False)
    assert score.calls == []


def test_too_few_scores_are_refused_and_nothing_of_the_batch_is_kept(records):
    with pytest.raises(ValueError, match="shorter"):
        run([Arm("a", NAMES, lambda rows: [{"row": 0.0}])], records, verbose=False)
    assert len(records) == 0


def test_the_bar_begins_with_what_is_done(records, capsys, monkeypatch):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    records.append([Record("a", "ant", {"row": 0.0})])
    run([Arm("a", NAMES, Scorer())], records)
    assert "5/5" in capsys.readouterr().err

"""Options are checked when they are made."""

from pathlib import Path

import pytest

from tf_ig2.experiments.options import Options


@pytest.mark.parametrize("wrong", [{"samples": 0}, {"references": -1}, {"seed": -1}])
def test_numbers_out_of_range_are_refused_by_name(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Options(Path("out"), **wrong)


def test_all_tasks_are_wanted_unless_some_are_named():
    assert Options(Path("out")).wants("trec")
    assert Options(Path("out"), tasks=("trec",)).wants("trec")
    assert not Options(Path("out"), tasks=("trec",)).wants("wafers")

"""Options are checked when they are made."""

from pathlib import Path

import pytest

from tf_ig2.paper.experiments.options import Options
from tf_ig2.paper.experiments.task import METRICS


@pytest.mark.parametrize("wrong", [{"samples": 0}, {"references": -1}, {"seed": -1}])
def test_numbers_out_of_range_are_refused_by_name(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Options(Path("out"), **wrong)


@pytest.mark.parametrize("metrics", [(), (METRICS[0], METRICS[0])])
def test_metrics_that_records_cannot_tell_apart_are_refused(metrics):
    with pytest.raises(ValueError, match="`metrics` must be one or more"):
        Options(Path("out"), metrics=metrics)


def test_all_tasks_are_done_unless_some_are_named():
    known = ("imagenet", "trec", "wafers")
    assert Options(Path("out")).chosen(known) == list(known)
    assert Options(Path("out"), tasks=("wafers", "imagenet")).chosen(known) == ["imagenet", "wafers"]


def test_a_task_that_an_experiment_has_not_is_refused_also_beside_known_ones():
    with pytest.raises(ValueError, match="No task named 'wafer' here: choose from imagenet, wafers"):
        Options(Path("out"), tasks=("imagenet", "wafer")).chosen(("imagenet", "wafers"))

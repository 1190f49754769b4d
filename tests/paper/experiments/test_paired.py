"""Differences are taken explicand by explicand."""

from tf_ig2.paper.experiments.paired import differences
from tf_ig2.paper.experiments.records import Record

RECORDS = [
    Record("a", "dog", {"auc": 0.75, "add": 1.0}),
    Record("a", "cat", {"auc": 0.5}),
    Record("b", "cat", {"auc": 1.0}),
    Record("b", "dog", {"auc": 0.25}),
]


def test_pairs_are_found_by_name_and_not_by_place():
    found = differences(RECORDS, "a", "b")
    assert [(record.arm, record.explicand, record.scores["auc"]) for record in found] == [
        ("a", "dog", 0.5),
        ("a", "cat", -0.5),
    ]


def test_metrics_and_explicands_that_one_arm_lacks_are_left_out():
    found = differences([*RECORDS, Record("a", "fox", {"auc": 1.0})], "a", "b", "gap")
    assert [(record.arm, record.explicand, set(record.scores)) for record in found] == [
        ("gap", "dog", {"auc"}),
        ("gap", "cat", {"auc"}),
    ]

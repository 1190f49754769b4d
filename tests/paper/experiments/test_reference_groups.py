"""Groups of references go from near to far, and every one of them is scored once."""

import numpy as np
import pytest

from tf_ig2.paper.experiments.records import Records
from tf_ig2.paper.experiments.reference_groups import Groups, draw, near_to_far, score_groups


def test_groups_go_from_the_nearest_to_the_farthest():
    distances = np.arange(10.0)[None]
    found = near_to_far([np.arange(10)], distances, groups=3, count=2)
    assert found.rows.tolist() == [[[0, 1], [4, 5], [8, 9]]]
    assert found.distance.tolist() == [[0.5, 4.5, 8.5]]


def test_too_few():
    with pytest.raises(ValueError, match="2 references are wanted; explicand 0 can have 1"):
        near_to_far([np.array([3])], np.zeros([1, 5]), groups=2, count=2)


def test_scores_become_curves(tmp_path):
    rows = np.arange(12).reshape(2, 3, 2)
    groups = {"counterfactual": Groups(rows, np.array([[1.0, 2, 3], [3, 4, 5]]))}
    groups["not counterfactual"] = Groups(rows[:, ::-1], np.ones([2, 3]))
    seen = []

    def score(explicands, references):
        seen.append(references.shape)
        return [{"add": float(row.sum()), "del": 0.5} for row in references]

    records = Records(tmp_path, "groups", {})
    score_groups(["a", "b"], groups, score, records, verbose=False)
    assert seen == [(2, 2)] * 6
    figure, numbers, header = draw(records, "title", "distance")
    assert [axes.get_title() for axes in figure.axes] == ["SIC ADD ↑", "SIC DEL ↓"]
    assert header[0] == "metric"
    first = numbers[0]
    assert first[:4] == ("add", "counterfactual, group 1", 2.0, (1 + 13) / 2)
    assert ("add", "counterfactual, nearest − farthest", "", -8.0) in [row[:4] for row in numbers]

"""TREC's questions as a task: what settings are chosen on is not what is reported."""

from functools import cache

import numpy as np
import pytest

from tf_ig2.experiments.tasks import trec
from tf_ig2.metrics.predict import Predictor


@pytest.fixture(scope="module")
def load(data_dir):
    return cache(trec.load)


def test_the_halves_are_disjoint_and_cover_the_test_questions(load):
    study, report = load(half="study", references=5), load(half="report", references=5)
    assert len(study) == 100
    assert not set(study.names) & set(report.names)
    assert len({*study.names, *report.names}) == len(trec.trec.load("test"))


def test_references_are_of_the_five_other_classes(load):
    task = load(half="study", samples=4, references=10)
    assert task.references.shape == (4, 10, task.inputs.shape[1])
    assert (task.references != task.inputs[:, None]).any(axis=2).all()


def test_the_target_is_the_predicted_class(load):
    task = load(half="study", samples=4, references=5)
    np.testing.assert_array_equal(Predictor(task.view)(task.points, task.inputs).argmax(axis=1), task.target)


def test_only_padding_is_absent(load):
    task = load(half="study", samples=4, references=5)
    np.testing.assert_array_equal(task.absent, task.inputs == 0)
    assert (~task.absent).any(axis=1).all()


@pytest.mark.parametrize("wrong", [{"references": 7}, {"references": 0}, {"half": "all"}])
def test_what_cannot_be_is_refused_before_anything_is_loaded(wrong, monkeypatch):
    monkeypatch.delattr(trec.saved_models, "load")
    with pytest.raises(ValueError, match=next(iter(wrong))):
        trec.load(**wrong)

"""TREC's questions as a task: what settings are chosen on is not what is reported."""

from functools import cache

import numpy as np
import pytest

from tf_ig2.metrics.predict import Predictor
from tf_ig2.paper.experiments.tasks import trec


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
    training = trec.trec.load("train")
    vocabulary = trec.trec.Vocabulary.read(trec.saved_models.path("text_cnn").with_suffix(".txt"))
    labels: dict[bytes, set[int]] = {}  # unknown words make some questions alike
    for words, label in zip(vocabulary.encode(training.texts), training.labels, strict=True):
        labels.setdefault(words.tobytes(), set()).add(int(label))
    for references, target in zip(task.references, task.target, strict=True):
        possible = [labels[words.tobytes()] - {int(target)} for words in references]
        assert all(possible)
        assert set.union(*possible) == set(range(6)) - {int(target)}


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

"""Relevant references are the likeliest other classes that the pool has; subsets are compared pair by pair."""

import numpy as np
import pytest

from tests.paper.experiments.small import small_task
from tf_ig2.explainers.ig2 import IG2Explainer
from tf_ig2.metrics.predict import Predictor
from tf_ig2.paper.experiments import table5, tasks
from tf_ig2.paper.experiments.options import Options
from tf_ig2.paper.experiments.records import Record


def one_task(samples=2, references=2):
    return small_task(samples, references, **{"IG²": {"steps": 3, "step_size": 0.5}})


@pytest.fixture(scope="module")
def pool():
    """Two inputs that the small network predicts each of its three classes for."""
    run, rng = Predictor(one_task().view), np.random.default_rng(1)
    x = rng.random([2000, 12, 12, 3], np.float32) * rng.random([2000, 1, 1, 3], np.float32)
    labels = run(x).argmax(axis=1)
    return np.concatenate([x[labels == c][:2] for c in range(3)])


def test_references_are_of_the_likeliest_other_classes_in_their_order(pool):
    task = one_task()
    chosen, ranks = table5.relevant_references(task, pool, 2)
    ranked = np.argsort(-Predictor(task.view)(task.inputs), axis=1)
    np.testing.assert_array_equal(Predictor(task.view)(pool).argmax(axis=1)[chosen], ranked[:, 1:])
    np.testing.assert_array_equal(ranks, [[2, 3], [2, 3]])


def test_a_class_that_the_pool_lacks_is_passed_over(pool):
    task = one_task(samples=1)
    ranked = np.argsort(-Predictor(task.view)(task.inputs), axis=1)[0]
    labels = Predictor(task.view)(pool).argmax(axis=1)
    chosen, ranks = table5.relevant_references(task, pool[labels != ranked[1]], 1)
    assert labels[labels != ranked[1]][chosen] == ranked[2]
    assert ranks == 3


def test_too_few_classes_are_refused(pool):
    with pytest.raises(ValueError, match="wanted"):
        table5.relevant_references(one_task(), pool[:1], 2)


def test_the_first_half_of_the_references_is_relevant():
    task = one_task(references=4)
    explainer = IG2Explainer(task.view, steps=3, step_size=0.5, clip_min_max=(0.0, 1.0))
    for arm, references in (("Relevant", task.references[:, :2]), ("Irrelevant", task.references[:, 2:])):
        expected = explainer.explain(task.inputs, references, task.target).values
        np.testing.assert_allclose(table5.two_strategies(task)[arm](task), expected, atol=1e-6)


def test_a_record_counts_in_its_subset_and_in_the_whole():
    records = [Record(arm, name, {"auc": 1.0}) for arm in ("Irrelevant", "Relevant") for name in ("dog", "cat")]
    found = [(record.arm, record.explicand) for record in table5.by_subset(records, {"cat"})]
    assert found[:4] == [
        ("Relevant, with interference", "cat"),
        ("Relevant, pure background", "dog"),
        ("Relevant, whole", "dog"),
        ("Relevant, whole", "cat"),
    ]
    assert len(found) == 8


def test_the_page_has_rows_for_strategies_and_subsets_beside_the_papers(pool, tmp_path, monkeypatch):
    class Photographs:
        x = pool

        def __len__(self):
            return len(pool)

    monkeypatch.setattr(tasks, "load", lambda name, options: one_task(references=options.references))
    monkeypatch.setattr(table5.imagenet, "load", Photographs)
    monkeypatch.setattr(table5, "has_interference", lambda names: np.array([True, False]))
    page = table5.run(Options(tmp_path, references=2, seed=3, verbose=False))[0].read_text()
    assert all(f"| {strategy}, {subset} |" in page for strategy in table5.STRATEGIES for subset in table5.SUBSETS)
    assert all(text in page for text in ("(0.901)", "(0.025)", "| whole |", "Seed 3", "A small task."))


def test_another_task_is_refused(tmp_path):
    with pytest.raises(ValueError, match="No task named 'trec' here: choose from imagenet"):
        table5.run(Options(tmp_path, tasks=("trec",)))

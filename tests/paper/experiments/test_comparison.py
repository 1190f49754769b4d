"""Comparisons go on where they were stopped, and never mix what cannot be compared."""

from dataclasses import replace

import numpy as np
import pytest

from tests.paper.experiments.small import small_task
from tf_ig2.explainers.ig2 import IG2Explainer
from tf_ig2.metrics.metric import Metric
from tf_ig2.models.model_view import ModelView
from tf_ig2.paper.experiments.comparison import compare, tables
from tf_ig2.paper.experiments.methods import AgainstReferences
from tf_ig2.paper.experiments.options import Options
from tf_ig2.paper.experiments.records import Record
from tf_ig2.paper.experiments.task import METRICS, Task


class Counting:
    """A method that counts the explicands it explains."""

    def __init__(self):
        self.explained = 0

    def __call__(self, part):
        self.explained += len(part)
        return part.points


@pytest.fixture
def task():
    return replace(small_task(), curve_steps=2, background=0.0)


def count(task, options, **settings):
    """How many explicands are explained anew."""
    method = Counting()
    compare("test", task, {"a": method}, options, **settings)
    return method.explained


@pytest.fixture
def options(tmp_path, task):
    options = Options(tmp_path, verbose=False)
    assert count(task, options) == 2
    return options


def test_what_is_finished_is_not_explained_again(task, options):
    assert count(task, options) == 0


@pytest.mark.parametrize("change", ["references", "inputs", "target", "curve_steps", "options", "background"])
def test_another_task_is_explained_anew(task, options, change):
    changed = {
        "references": task.references[:, ::-1],
        "inputs": task.inputs[::-1],
        "target": (task.target + 1) % 3,
        "curve_steps": 3,
        "options": {"IG²": {"steps": 3}},
        "background": task.points[::-1],
    }
    assert count(replace(task, **{change: changed[change]}), options) == 2


def test_another_representation_layer_is_explained_anew(task, options):
    assert count(replace(task, view=ModelView(task.view.model, layer=0)), options) == 2


def test_a_trained_network_is_explained_anew(task, options):
    task.view.model.set_weights([weights * 2 for weights in task.view.model.get_weights()])
    assert count(task, options) == 2


def test_another_seed_or_setting_is_explained_anew(task, options):
    assert count(task, replace(options, seed=1)) == 2
    assert count(task, options, gradients=5) == 2


def test_ig2_with_other_settings_is_explained_anew(options, monkeypatch):
    task, explained = replace(small_task(), curve_steps=2, background=0.0), []
    explain = IG2Explainer.explain

    def counted(self, x, *args, **more):
        explained.append(len(x))
        return explain(self, x, *args, **more)

    monkeypatch.setattr(IG2Explainer, "explain", counted)
    for steps, anew in ((1, True), (1, False), (2, True)):
        explained.clear()
        compare("ig2", task, {"IG²": AgainstReferences(IG2Explainer(task.view, steps=steps))}, options)
        assert bool(explained) == anew


def test_records_are_those_asked_for_in_their_order(task, options):
    compare("test", task, {"c": Counting(), "b": Counting()}, options)
    found = compare("test", task, {"b": Counting(), "a": Counting()}, options)
    assert [(record.arm, record.explicand) for record in found] == [
        (arm, name) for arm in ("b", "a") for name in task.names
    ]


def records(*keys):
    return [Record(arm, f"{i}", {key: float(i) for key in keys}) for arm in ("a", "b") for i in range(3)]


def test_there_is_a_table_for_each_way_that_the_records_have():
    both = tables("T", records("add/absolute", "add/signed", "del/signed"), "a")
    assert [[column.key for column in table.columns] for table in both] == [
        ["add/absolute"],
        ["add/signed", "del/signed"],
    ]
    assert len(tables("T", records("add/signed"), "a")) == 1


def test_only_del_is_better_when_lower():
    keys = [f"{metric.key}/signed" for metric in METRICS]
    (table,) = tables("T", records(*keys), "a")
    assert [column.higher_is_better for column in table.columns] == [True, True, True, False]


def test_the_papers_numbers_go_to_their_columns():
    (table,) = tables("T", records("add/signed", "del/signed"), "a", {"a": {"auc": 0.5, "add": 0.25, "del": 0.75}})
    assert table.paper == {("a", "add/signed"): 0.25, ("a", "del/signed"): 0.75}
    assert "(0.250)" in table.markdown()


def test_a_metric_that_the_paper_does_not_have_is_blank():
    (table,) = tables("T", records("add/signed", "del/signed"), "a", {"a": {"add": 0.25}})
    assert table.paper == {("a", "add/signed"): 0.25}


def test_the_scores_are_the_tasks(task, options):
    values = np.random.default_rng(0).normal(size=task.points.shape)
    by_name = dict(zip(task.names, values, strict=True))
    found = compare("test", task, {"r": lambda part: np.stack([by_name[name] for name in part.names])}, options)
    assert [record.scores for record in found] == task.scores(values)


LARGEST = Metric("largest", "largest value", True, lambda maps, explicands: maps.max(axis=(1, 2)))


def test_a_new_metric_completes_what_is_there_and_computes_no_other_metric_again(task, options, monkeypatch):
    before = compare("test", task, {"a": Counting()}, options)
    scored, own = [], Task.scores

    def watched(part, values, metrics):
        scored.extend(metric.key for metric in metrics)
        return own(part, values, metrics)

    monkeypatch.setattr(Task, "scores", watched)
    more = replace(options, metrics=(*METRICS, LARGEST))
    assert count(task, more) == 2
    assert scored == ["largest"]
    after = compare("test", task, {"a": Counting()}, more)
    assert [set(record.scores) - set(old.scores) for record, old in zip(after, before, strict=True)] == [
        {"largest/absolute", "largest/signed"}
    ] * 2
    assert all(old.scores.items() <= record.scores.items() for record, old in zip(after, before, strict=True))
    assert count(task, more) == 0


def test_without_the_new_metric_records_are_finished_as_before(task, options):
    before = compare("test", task, {"a": Counting()}, options)
    compare("test", task, {"a": Counting()}, replace(options, metrics=(*METRICS, LARGEST)))
    assert count(task, options) == 0
    assert compare("test", task, {"a": Counting()}, options) == before


def test_of_a_batch_only_explicands_that_lack_a_metric_are_explained(task, options):
    more = replace(options, metrics=(*METRICS, LARGEST))
    (path,) = (options.out / "records").glob("*.jsonl")
    compare("test", task, {"a": Counting()}, more)
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:-1]))  # killed before the second was written
    assert len(lines) == 4
    assert count(task, more) == 1


def test_a_task_with_another_way_to_read_maps_is_completed(task, tmp_path):
    options = Options(tmp_path, verbose=False)
    assert count(replace(task, channels=("absolute",)), options) == 2
    assert count(task, options) == 2
    assert count(task, options) == 0

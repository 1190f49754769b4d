"""Compiled graphs are kept, but not without end."""

import threading

import numpy as np
import pytest
import tensorflow as tf

from tests.paths.smooth import draw, view
from tf_ig2 import IG2Explainer, Keep
from tf_ig2.explainers.gradient import GradientExplainer
from tf_ig2.explainers.graphs import LIMIT, Graphs


def test_a_graph_is_made_once():
    graphs, made = Graphs(), []
    for _ in range(3):
        assert graphs.get("a", lambda: made.append(1) or "graph") == "graph"
    assert made == [1]


def test_the_least_recently_used_gives_way():
    graphs = Graphs(limit=2)
    for key in "abac":  # b has been used least recently
        graphs.get(key, lambda key=key: key)
    made = [graphs.get(key, lambda: "anew") for key in "acb"]
    assert made == ["a", "c", "anew"]
    assert len(graphs) == 2


def test_threads_make_a_graph_once():
    graphs, made = Graphs(), []
    threads = [threading.Thread(target=graphs.get, args=("a", lambda: made.append(1))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert made == [1]


def test_a_fresh_target_in_every_call_fills_no_memory(monkeypatch):
    explainer, (x, _) = GradientExplainer(view()), draw()
    traced = tf.function  # of the walk nothing is traced: only what is kept counts
    monkeypatch.setattr(
        tf,
        "function",
        lambda function, input_signature, **_: (
            traced(function, input_signature=input_signature) if len(input_signature) == 1 else function
        ),
    )
    for scale in range(40):
        values = explainer.explain(x, target=lambda outputs, scale=scale: scale * outputs[:, 0]).values
        np.testing.assert_allclose(values, scale * explainer.explain(x, target=0).values)
    assert len(explainer._graphs) == LIMIT


def test_what_a_graph_depends_on_is_another_graph():
    explainer, (x, references) = IG2Explainer(view(), steps=1, step_size=0.1), draw()
    explainer.explain(x, references)
    for options in ({"keep": Keep(path=True)}, {"target": lambda outputs: outputs[:, 0]}):
        before = len(explainer._graphs)
        explainer.explain(x, references, **options)
        assert len(explainer._graphs) == before + 1


@pytest.mark.parametrize("changed", [{"steps": 5}, {"nodes": 6}])
def test_numbers_given_for_one_call_share_the_graph(changed):
    explainer, (x, references) = IG2Explainer(view(), rule="segment", step_size=0.1, steps=2), draw()
    before = explainer.GetMask(x[0], references=references)
    assert not np.array_equal(explainer.GetMask(x[0], references=references, **changed), before)
    (function,) = explainer._graphs._graphs.values()
    assert function.experimental_get_tracing_count() == 1

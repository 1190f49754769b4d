"""Progress bars: each call has its own, also where threads share a graph."""

import threading

import numpy as np
import pytest
import tensorflow as tf

from tests.paths.smooth import draw, view
from tf_ig2 import IG2Explainer
from tf_ig2.explainers import progress
from tf_ig2.explainers.integrated_gradients import IntegratedGradientsExplainer


class Bar:
    """Stands in for tqdm."""

    def __init__(self, total, unit, desc):
        self.total, self.unit, self.description, self.count, self.open = total, unit, desc, 0, True

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.open = False

    def update(self, count):
        assert self.open
        self.count += count


@pytest.fixture
def bars(monkeypatch):
    shown = []

    def tqdm(**options):
        shown.append(Bar(**options))
        return shown[-1]

    monkeypatch.setattr(progress, "tqdm", tqdm)
    return shown


def test_counts_from_inside_a_graph(bars):
    @tf.function(autograph=False, input_signature=[tf.TensorSpec([], tf.int64), tf.TensorSpec([], tf.int32)])
    def count(number, step):
        progress.reporter(number)(step)
        return step

    with progress.bar(5, "step", "Walk", verbose=True) as number:
        for step in (2, 3):
            count(tf.constant(number, tf.int64), step)
    count(tf.constant(number, tf.int64), 7)  # nobody listens any more
    count(tf.constant(progress.SILENT, tf.int64), 7)
    (bar,) = bars
    assert (bar.total, bar.unit, bar.description, bar.count, bar.open) == (5, "step", "Walk", 5, False)


def test_nothing_is_shown_unasked(bars):
    with progress.bar(5, "step", "Walk", verbose=False) as number:
        assert number == progress.SILENT
    assert not bars


def test_a_bar_is_closed_after_an_error(bars):
    with pytest.raises(ZeroDivisionError), progress.bar(5, "step", "Walk", verbose=True):
        raise ZeroDivisionError
    assert not bars[0].open
    assert not progress._bars


EXPLAINERS = {
    "fixed": lambda: IG2Explainer(view(), steps=4, step_size=0.1),
    "calibrated, rows stop early": lambda: IG2Explainer(view(), steps=4),
    "nodes": lambda: IntegratedGradientsExplainer(view(), steps=4),
}


@pytest.mark.parametrize("name", EXPLAINERS)
def test_a_bar_comes_to_its_end(bars, name):
    explainer, (x, references) = EXPLAINERS[name](), draw()
    for batch_size in (1, 5, 32):
        explainer.explain(x, references, batch_size=batch_size, verbose=True)
    assert [bar.count for bar in bars] == [bar.total for bar in bars] == [3 * 2 * explainer.walk.segments] * 3


def test_threads_share_an_explainer_and_each_has_its_bar(bars):
    explainer, found, (_, references) = IG2Explainer(view(), steps=4), {}, draw()
    explicands = [draw(seed, explicands=seed + 1)[0] for seed in range(4)]

    def explain(number):
        for _ in range(3):
            found[number] = explainer.explain(explicands[number], references, target=0, verbose=True)

    threads = [threading.Thread(target=explain, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(bar.total for bar in bars) == sorted(3 * [4 * 2 * count for count in (1, 2, 3, 4)])
    assert all(bar.count == bar.total for bar in bars)
    for number, x in enumerate(explicands):
        np.testing.assert_array_equal(found[number].values, explainer.explain(x, references, target=0).values)
    assert len(explainer._graphs) == 1

"""Micro-batches go on with fewer rows when memory is exhausted. Memory is faked: too many rows raise."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tf_ig2.explainers.deep_shap import DeepSHAPExplainer
from tf_ig2.explainers.integrated_gradients import IntegratedGradientsExplainer
from tf_ig2.explainers.micro_batches import micro_batches
from tf_ig2.models.explained_output import ExplainedOutput

from ..networks import conv_net


def memory_for(rows):
    def check(count):
        if count > rows:
            raise tf.errors.ResourceExhaustedError(None, None, f"{count} rows")

    return check


def test_all_rows_are_run_in_order():
    batches = list(micro_batches(5, 2, lambda rows, batch_size: (rows.tolist(), batch_size)))
    assert [(rows.tolist(), result) for rows, result in batches] == [
        ([0, 1], ([0, 1], 2)),
        ([2, 3], ([2, 3], 2)),
        ([4], ([4], 2)),
    ]


def test_the_batch_is_halved_until_it_fits_and_stays_so():
    def run(rows, batch_size):
        memory_for(3)(len(rows))
        return batch_size

    with pytest.warns(UserWarning, match=r"batch_size=(4|2)\.") as caught:
        batches = [(rows.tolist(), size) for rows, size in micro_batches(5, 8, run)]
    assert batches == [([0, 1], 2), ([2, 3], 2), ([4], 2)]
    assert [str(warning.message)[-2] for warning in caught] == ["4", "2"]
    assert caught[0].filename == __file__


def test_nothing_finished_is_run_again():
    done = []

    def run(rows, batch_size):
        memory_for(4 if len(done) < 4 else 1)(len(rows))
        done.extend(rows.tolist())

    with pytest.warns(UserWarning, match="Out of memory"):
        list(micro_batches(7, 4, run))
    assert done == list(range(7))


def test_a_single_row_too_large_is_an_error():
    with pytest.raises(tf.errors.ResourceExhaustedError, match="1 rows"):
        list(micro_batches(3, 1, lambda rows, batch_size: memory_for(0)(len(rows))))


def test_deep_shap_goes_on_with_fewer_pairs(monkeypatch):
    model = conv_net()
    rng = np.random.default_rng(0)
    x, references = (rng.random([count, *model.input_shape[1:]]) for count in (3, 2))
    explainer = DeepSHAPExplainer(model)
    whole = explainer.explain(x, references)
    attribute, check = explainer._function(ExplainedOutput(explainer.view)), memory_for(2)

    def small(points, background, pairs, *rest):
        check(len(pairs))
        return attribute(points, background, pairs, *rest)

    monkeypatch.setattr(explainer, "_function", lambda target: small)
    with pytest.warns(UserWarning, match=r"batch_size=(3|1)\.") as caught:
        explanation = explainer.explain(x, references)
    assert all(warning.filename == __file__ for warning in caught)
    np.testing.assert_allclose(explanation.values, whole.values, atol=1e-6)
    np.testing.assert_allclose(explanation.outputs, whole.outputs, atol=1e-6)


def test_paths_evaluate_fewer_nodes_together_too(monkeypatch):
    """One explicand of one baseline is one row; what fills the memory are the nodes of its path."""
    explainer = IntegratedGradientsExplainer(keras.Sequential([keras.Input([3]), keras.layers.Dense(2)]), steps=16)
    whole = explainer.explain(np.ones([1, 3]))
    compiled = explainer._compiled

    def small(*arguments):
        run = compiled(*arguments)

        def checked(explicand, inside, target, given, tableau, batch_size, bar):
            memory_for(5)(batch_size)
            return run(explicand, inside, target, given, tableau, batch_size, bar)

        return checked

    monkeypatch.setattr(explainer, "_compiled", small)
    with pytest.warns(UserWarning, match="Out of memory") as caught:
        explanation = explainer.explain(np.ones([1, 3]))
    assert [str(warning.message).split("=")[1] for warning in caught] == ["16.", "8.", "4."]
    np.testing.assert_allclose(explanation.values, whole.values, rtol=1e-6)

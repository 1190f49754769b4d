"""Many explainers in one process are no sign of retracing."""

import logging

import numpy as np
import pytest
import tensorflow as tf

from tf_ig2 import ExpectedIGExplainer, GradCAMExplainer, IG2Explainer, OcclusionExplainer


def small_windows(model):
    return OcclusionExplainer(model, size=3)


@pytest.mark.parametrize("explainer", [IG2Explainer, ExpectedIGExplainer, small_windows, GradCAMExplainer])
def test_many_explainers_are_not_said_to_retrace(explainer, image_net, caplog, monkeypatch):
    monkeypatch.setattr(tf.get_logger(), "propagate", True)
    x, references = np.full([1, 8, 8, 3], 100.0), np.zeros([2, 8, 8, 3])
    given = [references] if explainer in (IG2Explainer, ExpectedIGExplainer) else []
    with caplog.at_level(logging.WARNING):
        for _ in range(5):
            explainer(image_net).explain(x, *given, target=0)
    assert not [record for record in caplog.records if "retracing" in record.getMessage()]


def test_what_is_seen_by_the_test_above_is_said_of_plain_functions(caplog, monkeypatch):
    monkeypatch.setattr(tf.get_logger(), "propagate", True)
    with caplog.at_level(logging.WARNING):
        for _ in range(5):
            tf.function(lambda x: x, autograph=False)(tf.zeros([1]))
    assert [record for record in caplog.records if "retracing" in record.getMessage()]

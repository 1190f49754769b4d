"""Defaults on words and images, on small networks."""

from dataclasses import replace

import numpy as np
import pytest

from tests.paper.experiments.small import small_task
from tf_ig2.paper.experiments import calibrated, rivals
from tf_ig2.paper.experiments.methods import IG2
from tf_ig2.paper.experiments.options import Options


@pytest.fixture
def asked(monkeypatch):
    calls = []

    def load(samples, references, seed):
        calls.append((samples, references, seed))
        return replace(small_task(), curve_steps=2, background=0.0)

    monkeypatch.setitem(calibrated.LOADERS, "digits", load)
    return calls


def test_a_table_for_each_task_with_ig2_last(asked, monkeypatch, tmp_path):
    arms = ("Gradient", rivals.SQUARES)
    few = dict.fromkeys((*arms, IG2), lambda part: part.points)
    monkeypatch.setattr(rivals, "defaults", lambda task: dict(few))
    monkeypatch.setattr(calibrated, "AgainstReferences", lambda explainer, batch_size: few[IG2])
    page = calibrated.run(Options(tmp_path, tasks=("digits",), verbose=False))[0].read_text("utf-8")
    assert asked == [(calibrated.SAMPLES["digits"], 8, 0)]
    rows = [line.split("|")[1].strip() for line in page.splitlines() if line.startswith("| ")]
    assert rows[1:] == [*arms, rivals.INTEGRAL, calibrated.FIXED, IG2]


def test_ig2_with_fixed_steps_takes_the_tasks_own():
    task = small_task(**{IG2: {"steps": 3, "step_size": 0.5}})
    found = calibrated.methods("digits", task)
    assert {"BIG"}.isdisjoint(found)
    assert not np.allclose(found[calibrated.FIXED](task), found[IG2](task))

"""Every oracle finds the fault that it is there for."""

import copy
import dataclasses
import threading
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from tests.differential import oracles
from tests.differential.description import Description
from tests.differential.methods import BY_NAME
from tests.differential.models import build
from tests.differential.oracles import Trial
from tf_ig2 import Attribution


class Faulty:
    """An explainer whose explanations are spoiled: `spoil(explanation, x, references, options) -> explanation`."""

    def __init__(self, explainer, spoil):
        self.explainer, self.spoil = explainer, spoil
        self.view, self.walk = explainer.view, explainer.walk

    def explain(self, x, references, **options):
        return self.spoil(self.explainer.explain(x, references, **options), x, references, options)

    def __reduce__(self):
        return _spoiled_twin, (id(self),)

    def __deepcopy__(self, memo):
        return self


TWINS = {}


def _spoiled_twin(key):
    return Faulty(TWINS[key].explainer, lambda explanation, *_: _times(explanation, 1.01))


def _times(explanation, factor):
    return dataclasses.replace(explanation, values=explanation.values * factor)


def _in_batches(explanation, x, references, options):
    return _times(explanation, 1.01) if x.ndim > 1 else explanation


def _first_row(explanation, x, references, options):
    values = explanation.values.copy()
    if x.ndim > 1:
        values[0] *= 1.01
    return dataclasses.replace(explanation, values=values)


def _first_reference(explanation, x, references, options):
    return _times(explanation, 1 + references.ravel()[0] / 10)


def _elsewhere(explanation, *_):
    return _times(explanation, 1.0 if threading.current_thread() is threading.main_thread() else 1.01)


def _without_graphs(explanation, *_):
    return _times(explanation, 1.01 if tf.config.functions_run_eagerly() else 1.0)


def _not_finite(explanation, *_):
    return _times(explanation, np.nan)


def _other_output(explanation, *_):
    return dataclasses.replace(explanation, outputs=explanation.outputs + 0.01)


FAULTS = {
    "finite_and_shaped": _not_finite,
    "predicted": _other_output,
    "one_by_one": _in_batches,
    "batch_size": lambda explanation, x, references, options: _times(
        explanation, 1 + options.get("batch_size", 0) / 99
    ),
    "order_of_explicands": _first_row,
    "order_of_references": _first_reference,
    "own_references": lambda explanation, x, references, options: _times(explanation, references.ndim),
    "threads": _elsewhere,
    "eager": _without_graphs,
    "pickled": lambda explanation, *_: explanation,
    "exported": lambda explanation, *_: _times(explanation, 1.01),
    "adds_up": lambda explanation, *_: _times(explanation, 1.01),
    "outputs_at_both_ends": _other_output,
}


@pytest.fixture(scope="module")
def right():
    """A trial of an explainer that is right, traced once."""
    return Trial(build(Description("vector", ("dense",), seed=3)), BY_NAME["IG, IDGI"])


@pytest.fixture
def trial(right):
    return copy.copy(right)


@pytest.mark.parametrize("name", FAULTS)
def test_an_oracle_finds_its_fault(trial, name):
    oracles.finite_and_shaped(trial)
    faulty = trial.explainer = Faulty(trial.explainer, FAULTS[name])
    if name == "exported":
        trial.explanation, trial.explainer = (
            faulty.explain(trial.case.x, trial.references, target=trial.case.target),
            faulty.explainer,
        )
    else:
        trial.explanation = trial.explain()
    TWINS[id(faulty)] = faulty
    with pytest.raises(AssertionError):
        getattr(oracles, name)(trial)


CONTAINERS = {
    "a tensor": lambda x, references: tf.is_tensor(x),
    "a wide array": lambda x, references: x.dtype == np.float64,
    "references in a tensor": lambda x, references: tf.is_tensor(references),
    "references in a wide array": lambda x, references: references.dtype == np.float64,
}


@pytest.mark.parametrize("kind", CONTAINERS)
def test_what_is_read_otherwise_from_another_container_is_found(trial, kind):
    oracles.other_containers(trial)

    def spoil(explanation, x, references, options):
        return _times(explanation, 1.01 if CONTAINERS[kind](x, references) else 1.0)

    trial.explainer = Faulty(trial.explainer, spoil)
    with pytest.raises(AssertionError, match="values"):
        oracles.other_containers(trial)


MASKS = {
    "scaled": lambda verb, x, target, baselines: 1.01 * verb(x, target=target, baselines=baselines),
    "another class": lambda verb, x, target, baselines: verb(x, target=(target + 1) % 3, baselines=baselines),
    "another baseline": lambda verb, x, target, baselines: verb(x, target=target, baselines=baselines[:1]),
    "another shape": lambda verb, x, target, baselines: verb(x, target=target, baselines=baselines)[None],
}


@pytest.mark.parametrize("kind", MASKS)
def test_a_mask_that_is_not_the_explanation_is_found(trial, kind):
    oracles.pairs_verb(trial)
    verb = trial.explainer.GetMask
    trial.explainer = Faulty(trial.explainer, lambda explanation, *_: explanation)
    trial.explainer.GetMask = lambda x, target, baselines: MASKS[kind](verb, x, target, baselines)
    with pytest.raises(AssertionError, match="GetMask"):
        oracles.pairs_verb(trial)


def _scaled(explanation, x, references, options, explain):
    return _times(explanation, 1.01 if callable(options["target"]) else 1.0)


def _first_class(explanation, x, references, options, explain):
    return explain(x, references, target=0) if callable(options["target"]) else explanation


@pytest.mark.parametrize("spoil", [_scaled, _first_class])
def test_a_callable_that_explains_another_number_is_found(trial, spoil):
    oracles.target_callable(trial)
    right = trial.explainer.explain
    trial.explainer = Faulty(trial.explainer, lambda *args: spoil(*args, right))
    with pytest.raises(AssertionError, match="a callable"):
        oracles.target_callable(trial)


def test_every_oracle_has_a_fault():
    source = Path(__file__).read_text(encoding="utf-8")
    for oracle in (*oracles.ALWAYS, *oracles.DEAR):
        assert oracle.__name__ in FAULTS or f"oracles.{oracle.__name__}(trial)" in source, oracle.__name__


def test_a_softmax_that_is_taken_for_logits_is_found(trial):
    oracles.predicted(trial)
    trial.explainer = BY_NAME["IG, IDGI"].make(trial.case.model, output="raw")
    trial.explanation = trial.explain()
    with pytest.raises(AssertionError, match=r"model\.predict"):
        oracles.predicted(trial)


def test_weights_that_were_kept_are_found(trial):
    first = trial.explanation
    trial.explainer = Faulty(trial.explainer, lambda *_: first)
    with pytest.raises(AssertionError, match="outputs"):
        oracles.weights_changed(trial)
    oracles.nothing_changed(trial)  # they are put back


def test_weights_that_explaining_changed_are_found(trial):
    weight = trial.case.model.weights[0]
    weight.assign_add(np.full(weight.shape, 1e-6))
    with pytest.raises(AssertionError):
        oracles.nothing_changed(trial)
    trial.case.model.set_weights(trial.weights)


def test_a_file_that_holds_other_numbers_is_found(trial, monkeypatch):
    monkeypatch.setattr(Attribution, "load", lambda file: _times(trial.explanation, 1 + 1e-6))
    with pytest.raises(AssertionError):
        oracles.saved(trial)

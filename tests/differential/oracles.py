"""What must hold of any explanation of any model, whatever the right attributions are.

Each oracle compares the package with Keras's `predict`, with a promise, or with itself asked in another way.
"""

from __future__ import annotations

import copy
import pickle
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import tensorflow as tf

from tests.differential.methods import Method, is_walk, structure
from tests.differential.models import Case, randomise
from tests.differential.tolerances import close, integrated, outputs_close, same
from tf_ig2 import Attribution, DeepSHAPExplainer, OutputActivationError
from tf_ig2.serving import export


class DoesNotApply(Exception):
    """The oracle says nothing of this case."""


class Trial:
    """A method at a case: its explainer, and the explanation that the oracles compare with."""

    def __init__(self, case: Case, method: Method):
        self.case, self.method = case, method
        self.weights = case.model.get_weights()
        self.output = "logits"
        try:
            self.explainer = self.fresh()
        except OutputActivationError:  # by right: the error says what to do
            self.output = "raw"
            self.explainer = self.fresh()
        self.references = method.references(self.explainer, case)
        self.explanation = self.explain()

    def fresh(self) -> Any:
        """A new explainer."""
        return self.method.explainer(self.case, output=self.output)

    def explain(
        self, rows: Any = slice(None), explainer: Any = None, references: Any = None, target: Any = None, **options: Any
    ) -> Attribution:
        """Some of the explicands, explained in one way or another; of their predicted classes unless told otherwise."""
        x = structure(lambda part: part[rows], self.case.x)
        target = self.case.target[rows] if target is None else target
        explainer = self.explainer if explainer is None else explainer
        references = self.references if references is None else references
        given = [] if references is None else [references]
        return explainer.explain(x, *given, target=target, **options)


def predicted(trial: Trial) -> None:
    """The explained output is the model's: its logits' softmax or sigmoid is what `predict` says."""
    case = trial.case
    predicted = case.predict(case.x)
    logits = _outputs(trial)
    _agree_with_predictions(trial, logits, predicted)
    index = np.arange(len(logits)), case.target
    np.testing.assert_allclose(
        trial.explanation.output, logits[index], **outputs_close(trial), err_msg="the output that was explained"
    )
    given = [] if trial.references is None else [trial.references]
    free = trial.explainer.explain(case.x, *given)
    margins = np.sort(predicted, axis=-1)
    clear = np.ones(len(logits), bool) if predicted.shape[-1] == 1 else margins[:, -1] - margins[:, -2] > 0.05
    np.testing.assert_array_equal(free.target[clear], case.target[clear], err_msg="the class without a target")


def _outputs(trial: Trial) -> np.ndarray:
    view, case = trial.explainer.view, trial.case
    given = view.enter(structure(tf.constant, case.x))
    return np.asarray(view.outputs(given[0], inside=given[1]), np.float64)


def _agree_with_predictions(trial: Trial, logits: np.ndarray, predicted: np.ndarray) -> None:
    ending = trial.case.description.ending if trial.output == "logits" else "linear"
    if ending.startswith("softmax"):
        powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
        logits = powers / powers.sum(axis=-1, keepdims=True)
    elif ending.startswith("sigmoid"):
        logits = 1 / (1 + np.exp(-logits))
    np.testing.assert_allclose(
        logits, predicted, **outputs_close(trial, np.abs(predicted).max()), err_msg="model.predict"
    )


def finite_and_shaped(trial: Trial) -> None:
    """Values are finite, in the structure and the shape of the explicands, and float32 or float64."""
    explanation = trial.explanation
    tf.nest.assert_same_structure(explanation.values, explanation.explicand)
    maps = trial.method.name in ("XRAI", "Grad-CAM")
    for values, x in zip(tf.nest.flatten(explanation.values), tf.nest.flatten(explanation.explicand), strict=True):
        assert values.shape == (x.shape[:3] if maps else x.shape)
        assert values.dtype == x.dtype
        assert values.dtype in (np.float32, np.float64)
        assert np.isfinite(values).all()


def nothing_changed(trial: Trial) -> None:
    """Explaining leaves the model as it was, to the bit."""
    for before, after in zip(trial.weights, trial.case.model.get_weights(), strict=True):
        np.testing.assert_array_equal(before, after)


def one_by_one(trial: Trial) -> None:
    """A batch is explained as its explicands are alone."""
    for row in range(3):
        _compare(trial, trial.explanation[row], trial.explain(row), close)


def batch_size(trial: Trial) -> None:
    """`batch_size` changes nothing."""
    for size in (1, 4):
        _compare(trial, trial.explanation, trial.explain(batch_size=size), close)


def order_of_explicands(trial: Trial) -> None:
    """Explicands in another order have the same explanations."""
    rows = np.array([2, 0, 1])
    _compare(trial, trial.explanation[rows], trial.explain(rows), close)


def other_containers(trial: Trial) -> None:
    """Tensors, and arrays of other types, are explained as the arrays with their numbers are."""
    wide = {"float32": "float64", "float64": "float64", "int32": "int64"}
    for convert in (tf.constant, lambda part: part.astype(wide[part.dtype.name])):
        given = [] if trial.references is None else [structure(convert, trial.references)]
        explanation = trial.explainer.explain(structure(convert, trial.case.x), *given, target=trial.case.target)
        _compare(trial, trial.explanation, explanation, same)


def pairs_verb(trial: Trial) -> None:
    """`GetMask` gives the values that `explain` gives."""
    if trial.method.name == "Grad-CAM":
        raise DoesNotApply  # a picture of the map, as PAIR makes it
    x = structure(lambda part: part[1], trial.case.x)
    given = {} if trial.references is None else {"baselines" if trial.method.inside else "references": trial.references}
    given = {"baselines": trial.references} if trial.method.name == "XRAI" else given
    mask = trial.explainer.GetMask(x, target=int(trial.case.target[1]), **given)
    for ours, theirs in _pairs(trial.explanation[1].values, mask):
        np.testing.assert_allclose(theirs, ours, **close(trial), err_msg="GetMask")


def target_callable(trial: Trial) -> None:
    """A callable that picks a class explains that class."""
    index = 0 if trial.case.description.ending == "number" else 1
    if trial.method.classes:
        raise DoesNotApply
    by_index = trial.explain(target=np.full(3, index, np.int32))
    picked = trial.explain(target=lambda outputs: outputs[:, index])
    for ours, theirs in _pairs(by_index.values, picked.values):
        np.testing.assert_allclose(theirs, ours, **close(trial), err_msg="a callable")


def order_of_references(trial: Trial) -> None:
    """The mean over references does not know their order."""
    if not trial.method.contrasted or not trial.method.reordered:
        raise DoesNotApply
    reversed_ = structure(lambda part: part[::-1].copy(), trial.references)
    explanation = trial.explain(references=reversed_)
    for ours, theirs in _pairs(trial.explanation.values, explanation.values):
        np.testing.assert_allclose(theirs, ours, **close(trial), err_msg="references in reverse")


def own_references(trial: Trial) -> None:
    """Shared references are the same as everyone's own."""
    if not trial.method.contrasted:
        raise DoesNotApply
    own = structure(lambda part: np.stack([part] * 3), trial.references)
    _compare(trial, trial.explanation, trial.explain(references=own), close)


def threads(trial: Trial) -> None:
    """Several threads with one explainer get what one gets."""
    with ThreadPoolExecutor(3) as pool:
        for explanation in pool.map(lambda _: trial.explain(), range(3)):
            _compare(trial, trial.explanation, explanation, same)


def eager(trial: Trial) -> None:
    """Without graphs the same comes out; DeepSHAP does not know rows apart then, and integrates all of them finer."""
    tf.config.run_functions_eagerly(True)
    try:
        explanation = trial.explain()
    finally:
        tf.config.run_functions_eagerly(False)
    _compare(trial, trial.explanation, explanation, integrated if trial.method.name == "DeepSHAP" else close)


def saved(trial: Trial) -> None:
    """A saved explanation is the same, to the bit."""
    with tempfile.TemporaryDirectory() as folder:
        trial.explanation.save(f"{folder}/saved.npz")
        loaded = Attribution.load(f"{folder}/saved.npz")
    for ours, theirs in _pairs(trial.explanation.values, loaded.values):
        np.testing.assert_array_equal(ours, theirs)
    np.testing.assert_array_equal(trial.explanation.outputs, loaded.outputs)


def pickled(trial: Trial) -> None:
    """A pickled and a copied explainer explain the same."""
    twins = [pickle.loads(pickle.dumps(trial.explainer)), copy.deepcopy(trial.explainer)]
    for twin in twins:
        _compare(trial, trial.explanation, trial.explain(explainer=twin), same)


def exported(trial: Trial) -> None:
    """The exported explainer, loaded without this package, predicts and explains the same."""
    case = trial.case
    if not (is_walk(trial.explainer) and trial.method.exports):
        raise DoesNotApply
    with tempfile.TemporaryDirectory() as folder:
        path = export(trial.explainer, folder, trial.references)
        loaded = tf.saved_model.load(path)
        explain, predict = (loaded.signatures[name] for name in ("explain", "serving_default"))
        request = dict(zip(_names("x", case.x), map(tf.constant, tf.nest.flatten(case.x)), strict=True))
        predictions = predict(**request)
        answer = explain(**request, target=tf.constant(case.target))
        one = explain(**{name: part[:1] for name, part in request.items()}, target=tf.constant(case.target[0]))
    found = case.predict(case.x)
    if len(predictions) == 1:
        given = np.asarray(next(iter(predictions.values())), np.float64)
        np.testing.assert_allclose(given, found, **outputs_close(trial, np.abs(found).max()), err_msg="serving_default")
    values = trial.explanation.values
    for key, ours in zip(_names("attributions", values), tf.nest.flatten(values), strict=True):
        np.testing.assert_allclose(answer[key], ours, **close(trial), err_msg=key)
        np.testing.assert_allclose(one[key], ours[:1], **close(trial), err_msg=f"{key}, one alone")


def _names(name: str, parts: Any) -> list[str]:
    """How signatures call the parts of an input."""
    if isinstance(parts, dict):
        return sorted(parts) if name == "x" else [f"{name}_{key}" for key in sorted(parts)]
    return [f"{name}_{part}" for part in range(len(parts))] if isinstance(parts, (list, tuple)) else [name]


def adds_up(trial: Trial) -> None:
    """Where Completeness is promised, the gap is rounding, or within the tolerance that was asked for."""
    method, explanation = trial.method, trial.explanation
    if method.gap is None:
        raise DoesNotApply
    if method.name == "DeepSHAP":
        try:
            DeepSHAPExplainer(trial.case.model, trial.output, **trial.case.options)
        except ValueError as error:
            raise DoesNotApply("an operation has no rule") from error
    differences = np.abs(explanation.output[:, None] - explanation.counterfactual_output).mean(axis=1)
    allowed = close(trial)["atol"] + method.gap * differences
    gap = np.abs(explanation.completeness_gap)
    assert (gap <= allowed).all(), f"the gap is {gap}, of differences {differences}; allowed is {allowed}"


def outputs_at_both_ends(trial: Trial) -> None:
    """The explained output at a path's end is the model's there."""
    explanation, case = trial.explanation, trial.case
    if explanation.counterfactuals is None or not is_walk(trial.explainer) or trial.explainer.view.attributes_inside:
        raise DoesNotApply
    view = trial.explainer.view
    for row in range(3):
        ends = structure(lambda part, row=row: tf.constant(part[row]), explanation.counterfactuals)
        there = np.asarray(view.outputs(ends))[:, case.target[row]]
        found = explanation.counterfactual_output[row]
        np.testing.assert_allclose(found, there, **outputs_close(trial), err_msg="the output at the end")


def weights_changed(trial: Trial) -> None:
    """After the weights changed, an explainer made before explains the new model, like one made now."""
    randomise(trial.case.model, np.random.default_rng(trial.case.description.seed + 1))
    try:
        before, fresh = trial.explain(), trial.explain(explainer=trial.fresh())
        predicted = trial.case.predict(trial.case.x)
        _agree_with_predictions(trial, _outputs(trial), predicted)
        _compare(trial, fresh, before, same)
    finally:
        trial.case.model.set_weights(trial.weights)


ALWAYS: tuple[Callable[[Trial], None], ...] = (
    finite_and_shaped,
    predicted,
    one_by_one,
    batch_size,
    order_of_explicands,
    order_of_references,
    other_containers,
    pairs_verb,
    threads,
    eager,
    saved,
    adds_up,
    outputs_at_both_ends,
    nothing_changed,
)
"""What a traced explainer answers quickly."""

DEAR: tuple[Callable[[Trial], None], ...] = (own_references, target_callable, pickled, exported, weights_changed)
"""What another graph must be traced for."""


def _pairs(ours: Any, theirs: Any) -> list[tuple[np.ndarray, np.ndarray]]:
    tf.nest.assert_same_structure(ours, theirs)
    return list(zip(tf.nest.flatten(ours), tf.nest.flatten(theirs), strict=True))


def _compare(trial: Trial, ours: Attribution, theirs: Attribution, tolerance: Any) -> None:
    np.testing.assert_array_equal(theirs.target, ours.target)
    allowed = outputs_close(trial)
    np.testing.assert_allclose(theirs.outputs[..., 0], ours.outputs[..., 0], **allowed, err_msg="outputs")
    for one, other in _pairs(ours.values, theirs.values):
        np.testing.assert_allclose(other, one, **tolerance(trial), err_msg="values")

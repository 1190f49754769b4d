"""PAIR's callback contract with the authors' keys: any framework's model through the same class."""

import numpy as np
import pytest

from tests import numpy_ig2
from tf_ig2 import IG2Explainer, SparseL1
from tf_ig2.pair.authors import IG2
from tf_ig2.pair.callback_view import INPUT_OUTPUT_GRADIENTS, REP_DISTANCE_GRADIENTS, REP_LAYER_VALUES

OPTIONS = {"steps": 30, "step_size": 0.05, "clip_min_max": (-1, 1)}


@pytest.fixture
def callback(tanh_net):
    """A model that is not TensorFlow's: NumPy, through the contract of the authors' notebooks."""
    model = numpy_ig2.Mlp(tanh_net, 1, "tanh")

    def call_model_function(x_value_batch, call_model_args=None, expected_keys=None):
        call_model_function.seen.append(call_model_args.get("note"))
        if expected_keys == [REP_LAYER_VALUES]:
            return {REP_LAYER_VALUES: np.stack([model.representation(x) for x in x_value_batch])}
        if expected_keys == [INPUT_OUTPUT_GRADIENTS]:
            return {INPUT_OUTPUT_GRADIENTS: np.stack([model.output_gradient(x) for x in x_value_batch])}
        assert expected_keys == [REP_DISTANCE_GRADIENTS]
        goals = call_model_args["layer_baseline"]
        ascent = [
            -numpy_ig2.distance_gradient(model, x, goal, "euclidean")
            for x, goal in zip(x_value_batch, goals, strict=True)
        ]
        return {REP_DISTANCE_GRADIENTS: np.stack(ascent), "loss": 0.0}

    call_model_function.seen = []
    return call_model_function


@pytest.mark.parametrize("rule", ["explicand", "counterfactual", "trapezoid", "segment"])
def test_the_callback_walks_as_the_compiled_model_does(tanh_net, callback, x, references, rule):
    compiled = IG2Explainer(tanh_net, rule=rule, **OPTIONS).GetMask(x[0], references=references, target=1)
    called = IG2Explainer(rule=rule, **OPTIONS).GetMask(x[0], callback, {}, references=references)
    np.testing.assert_allclose(called, compiled, rtol=1e-7, atol=1e-10)


@pytest.mark.parametrize("norm", ["l2", SparseL1(50)])
def test_a_step_that_no_distance_calibrates_is_a_fraction_of_the_diagonal(callback, x, references, norm):
    explainer = IG2Explainer(steps=1, clip_min_max=(-2, 2), norm=norm)
    explanation = explainer._explain_callback(x[0], callback, {}, references=references)
    moved = np.linalg.norm(explanation.counterfactuals - x[0], axis=-1)
    np.testing.assert_allclose(moved, 0.04 * np.sqrt(6 * 4**2), rtol=1e-9)


def test_defaults_without_distances_are_those_of_fixed_steps(callback, x, references):
    explanation = IG2Explainer()._explain_callback(x[0], callback, {}, references=references)
    assert (explanation.steps_taken == 10).all()
    expected = IG2Explainer(steps=10, rule="explicand").GetMask(x[0], callback, references=references)
    np.testing.assert_array_equal(explanation.values, expected)


def test_micro_batches_take_their_own_references(callback, x, references):
    explainer = IG2Explainer(**OPTIONS)
    whole = explainer.GetMask(x[0], callback, references=references)
    parts = explainer.GetMask(x[0], callback, references=references, batch_size=1)
    np.testing.assert_allclose(whole, parts, rtol=1e-9)


def test_smoothed_masks(callback, x, references):
    explainer = IG2Explainer(steps=3)
    smooth = explainer.GetSmoothedMask(
        x[0], callback, references=references, stdev_spread=0.0, nsamples=2, magnitude=False
    )
    np.testing.assert_allclose(smooth, explainer.GetMask(x[0], callback, references=references), rtol=1e-9)


def test_the_callers_arguments_are_passed_and_not_changed(callback, x, references):
    arguments = {"note": "mine"}
    IG2Explainer(steps=2).GetMask(x[0], callback, arguments, references=references)
    assert set(callback.seen) == {"mine"}
    assert arguments == {"note": "mine"}


def test_the_authors_signature(tanh_net, callback, x, references):
    mask, path = IG2().GetMask(
        x[0], references, callback, {}, steps=30, step_size=0.05, clip_min_max=[-1, 1], return_path=True
    )
    expected = IG2Explainer(tanh_net, **OPTIONS).GetMask(x[0], references=references, target=1)
    np.testing.assert_allclose(mask, expected, rtol=1e-7, atol=1e-10)
    assert len(path) == 31
    assert path[0].shape == references.shape


BAD = {
    "not callable": (TypeError, "callable", "model"),
    "missing key": (ValueError, "asked for REP_LAYER_VALUES and returned", lambda *a, **k: {"other": 1}),
    "wrong rows": (
        ValueError,
        "REP_LAYER_VALUES has 5 rows for 2",
        lambda *a, **k: {REP_LAYER_VALUES: np.zeros([5, 3])},
    ),
    "wrong shape": (
        ValueError,
        r"has shape \(2, 3\); it must be that of x_value_batch, \(2, 6\)",
        lambda *a, **k: {
            key: np.zeros([2, 3]) for key in (REP_LAYER_VALUES, INPUT_OUTPUT_GRADIENTS, REP_DISTANCE_GRADIENTS)
        },
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_callbacks(x, references, case):
    kind, message, function = BAD[case]
    with pytest.raises(kind, match=message):
        IG2Explainer().GetMask(x[0], function, references=references)


def test_without_a_model_the_callback_is_asked_for(x, references):
    with pytest.raises(ValueError, match="call_model_function"):
        IG2Explainer().GetMask(x[0], references=references)


def test_a_torch_like_tensor_is_detached(callback, x, references):
    detached = []

    class Tensor(np.ndarray):
        def detach(self):
            detached.append(self.shape)
            return self.view(np.ndarray)

    def torch_like(*args, **kwargs):
        return {key: np.asarray(value).view(Tensor) for key, value in callback(*args, **kwargs).items()}

    mask = IG2Explainer(steps=3).GetMask(x[0], torch_like, references=references)
    np.testing.assert_allclose(mask, IG2Explainer(steps=3).GetMask(x[0], callback, references=references))
    assert detached == [(2, 8)]

"""MFABA against a plain reading of its algorithm, and what must hold of it whatever the model."""

import numpy as np
import pytest
import tensorflow as tf

from tests.numpy_tanh import TanhNet
from tests.serving.conftest import check
from tf_ig2 import Keep, MFABAExplainer, ModelView
from tf_ig2.serving import export

NET = TanhNet()
X = np.random.default_rng(1).uniform(-1, 1, [6, 5])


def read(x, steps, step, sign=False, low=-1.0, high=1.0):
    """Algorithm 1 for one explicand: attributions, the points that were visited."""
    target, points, values = NET.outputs(x).argmax(), [x], np.zeros_like(x)
    for _ in range(steps):
        gradient = NET.class_gradient(points[-1], target)
        direction = np.sign(gradient) if sign else gradient / np.linalg.norm(gradient)
        points.append(np.clip(points[-1] - step * direction, low, high))
        values -= gradient * (points[-1] - points[-2])
        if NET.outputs(points[-1]).argmax() != target:
            break
    return values, points


@pytest.mark.parametrize(("norm", "step"), [("l2", 0.2), ("sign", 0.05)])
def test_it_does_what_the_paper_says_row_by_row(norm, step):
    explainer = MFABAExplainer(NET.view, steps=12, step_size=step, norm=norm, value_range=(-1, 1))
    explanation = explainer.explain(X, keep=Keep(path=True))
    taken = set()
    for row, x in enumerate(X):
        values, points = read(x, 12, step, norm == "sign")
        np.testing.assert_allclose(explanation.values[row], values, atol=1e-12)
        np.testing.assert_allclose(explanation.counterfactuals[row, 0], points[-1], atol=1e-12)
        assert explanation.steps_taken[row, 0] == len(points) - 1
        changed = NET.outputs(points[-1]).argmax() != explanation.target[row]
        assert explanation.stop_reason[row, 0] == ("arrived" if changed and len(points) <= 12 else "steps")
        taken.add(len(points) - 1)
    assert len(taken) > 2  # rows did end at different steps


def test_a_linear_model_has_its_closed_form():
    """Straight down −w/‖w‖ in steps of η: after n of them φ = n·η·w²/‖w‖, and nothing is missed."""
    weights = np.array([3.0, -4.0])
    head = np.stack([weights, np.zeros(2)], axis=1)
    view = ModelView.from_callables(lambda x: x, lambda x: x @ head, tf.TensorSpec([None, 2], tf.float64))
    x = np.array([[0.5, 0.1], [0.2, -0.2]])  # f = 1.1 and 1.4: 3 and 3 steps of 0.1·5 to get below zero
    explanation = MFABAExplainer(view, step_size=0.1, value_range=(-5, 5)).explain(x)
    np.testing.assert_array_equal(explanation.steps_taken[:, 0], [3, 3])
    np.testing.assert_allclose(explanation.values, np.tile(0.3 * weights**2 / 5, [2, 1]))
    np.testing.assert_allclose(explanation.completeness_gap, 0, atol=1e-12)


def test_the_automatic_step_is_a_fraction_of_the_range():
    auto = MFABAExplainer(NET.view, steps=9).explain(X[0])
    explicit = MFABAExplainer(NET.view, steps=9, step_size=0.02 * np.ptp(X[0]), value_range=(X[0].min(), X[0].max()))
    np.testing.assert_allclose(auto.values, explicit.explain(X[0]).values, rtol=1e-12)


def test_a_batch_is_its_rows_one_by_one_and_xla_changes_nothing():
    options = {"steps": 20, "step_size": 0.1, "value_range": (-1, 1)}
    whole = MFABAExplainer(NET.view, **options).explain(X, batch_size=4)
    compiled = MFABAExplainer(NET.view, jit_compile=True, **options).explain(X)
    np.testing.assert_allclose(compiled.values, whole.values, atol=1e-10)
    for row, x in enumerate(X):
        alone = MFABAExplainer(NET.view, **options).explain(x)
        np.testing.assert_allclose(alone.values, whole.values[row], atol=1e-12)
        assert alone.steps_taken[0] == whole.steps_taken[row, 0]


def test_another_class_than_the_predicted_one_has_arrived():
    worst = NET.outputs(X).argmin(axis=1)
    explanation = MFABAExplainer(NET.view).explain(X, target=worst)
    assert not explanation.values.any()
    assert not explanation.steps_taken.any()
    assert not explanation.completeness_gap.any()


def test_a_callable_target_goes_as_far_as_the_limit():
    explanation = MFABAExplainer(NET.view, steps=7).explain(X, target=lambda outputs: outputs[:, 0] - outputs[:, 1])
    assert (explanation.steps_taken == 7).all()


def test_idgi_adds_up():
    explanation = MFABAExplainer(NET.view, step_size=0.3, rule="idgi", value_range=(-1, 1)).explain(X)
    np.testing.assert_allclose(explanation.completeness_gap, 0, atol=1e-12)


def test_a_callback_gives_the_same_walk_without_its_end():
    explainer = MFABAExplainer(steps=5, step_size=0.05, value_range=(-1, 1))

    def callback(x, call_model_args, expected_keys):
        return {"INPUT_OUTPUT_GRADIENTS": np.stack([NET.class_gradient(row, 2) for row in x])}

    mask = explainer.GetMask(X[0], callback)
    linear = MFABAExplainer(NET.view, steps=5, step_size=0.05, value_range=(-1, 1))
    expected = linear.explain(X[0], target=lambda outputs: outputs[:, 2])
    np.testing.assert_allclose(mask, expected.values, atol=1e-12)


def test_it_is_exported(tmp_path):
    explainer = MFABAExplainer(NET.view, steps=20, step_size=0.1, value_range=(-1, 1))
    explain = tf.saved_model.load(export(explainer, tmp_path, batch_size=4, max_steps=30)).signatures["explain"]
    answer = explain(x=tf.constant(X), target=tf.constant(-1), steps=tf.constant(20))
    check({name: value.numpy() for name, value in answer.items()}, explainer.explain(X))
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"`x` must lie in \[-1, 1\]"):
        explain(x=tf.constant(X + 2), target=tf.constant(-1), steps=tf.constant(20))


def test_settings_say_how_it_was_made():
    settings = MFABAExplainer(NET.view, steps=3, norm="sign").settings
    assert settings["method"] == "MFABAExplainer"
    assert (settings["steps"], settings["norm"], settings["step_size"]) == (3, "sign", "auto")


@pytest.mark.parametrize(
    ("options", "error", "word"),
    [
        ({"steps": 0}, ValueError, "steps"),
        ({"step_size": -1.0}, ValueError, "step_size"),
        ({"norm": "l1"}, ValueError, "norm"),
        ({"rule": "middle"}, ValueError, "rule"),
        ({"value_range": (1, 0)}, ValueError, "value_range"),
        ({"value_range": None}, TypeError, "value_range"),
    ],
)
def test_wrong_arguments_are_named(options, error, word):
    with pytest.raises(error, match=word):
        MFABAExplainer(NET.view, **options)


def test_noisy_copies_stay_in_the_range():
    mask = MFABAExplainer(NET.view, steps=3, value_range=(X.min(), X.max())).GetSmoothedMask(X[0], nsamples=4, seed=0)
    assert mask.shape == (5,)
    assert np.isfinite(mask).all()


def test_explicands_out_of_range_are_refused():
    with pytest.raises(ValueError, match="does not contain the explicand"):
        MFABAExplainer(NET.view, value_range=(-0.1, 0.1)).explain(X)

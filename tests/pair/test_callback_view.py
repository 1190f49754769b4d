"""PAIR's callback contract with the authors' keys: any framework's model through the same class."""

import numpy as np
import pytest

from tests import numpy_ig2
from tf_ig2 import (
    BlurIGExplainer,
    ExpectedIGExplainer,
    GradientExplainer,
    GuidedIGExplainer,
    IG2Explainer,
    IntegratedGradientsExplainer,
    MFABAExplainer,
    SparseL1,
)
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


def test_a_callback_for_single_rows_is_asked_row_by_row():
    """PAIR's own default: a callback may be written for one row."""
    rows = []

    def single(x_value_batch, call_model_args=None, expected_keys=None):
        rows.append(len(x_value_batch))
        return {INPUT_OUTPUT_GRADIENTS: np.cos(x_value_batch[:1])}

    image = np.linspace(0, 1, 20).reshape(4, 5)
    for explainer, calls in [
        (IntegratedGradientsExplainer(steps=70), 70),
        (GuidedIGExplainer(steps=5), 5),
        (BlurIGExplainer(steps=5, max_sigma=2), 5),
        (GradientExplainer(), 1),
        (MFABAExplainer(steps=5), 5),
    ]:
        rows.clear()
        assert explainer.GetMask(image, single).shape == image.shape
        assert rows == [1] * calls


def test_rows_that_a_callback_gets_change_nothing(callback, x, references):
    for explainer, contrast in [
        (IntegratedGradientsExplainer(steps=150), {"baselines": references}),
        (ExpectedIGExplainer(steps=70), {"references": references}),
        (IG2Explainer(steps=60, step_size=0.05), {"references": references}),
    ]:
        masks = [explainer.GetMask(x[0], callback, {}, batch_size=size, **contrast) for size in (1, 7, 1000)]
        np.testing.assert_allclose(masks[1], masks[0], rtol=1e-9)
        np.testing.assert_allclose(masks[2], masks[0], rtol=1e-9)


def test_many_steps_are_traced_and_the_same(callback, x):
    explainer = GuidedIGExplainer(steps=60)
    traced = explainer.GetMask(x[0], callback, {})
    again = explainer.GetMask(x[0], callback, {})
    (steps,) = explainer._graphs._graphs.values()
    assert steps.step.experimental_get_tracing_count() == 1
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tf_ig2.explainers.path_explainer._MANY_STEPS", 1000)
        np.testing.assert_allclose(explainer.GetMask(x[0], callback, {}), traced, rtol=1e-12)
    np.testing.assert_array_equal(again, traced)


@pytest.mark.parametrize("clip", [(-0.1, 1.1), None])
def test_step_size_and_range_are_float64s(clip):
    """With a linear model, in float64, ends are where arithmetic in float64 puts them."""

    def linear(x_value_batch, call_model_args=None, expected_keys=None):
        toward = {REP_DISTANCE_GRADIENTS: lambda: call_model_args["layer_baseline"] - x_value_batch}
        return {key: toward.get(key, lambda: x_value_batch)() for key in expected_keys}

    x, references = np.full(4, 0.3), np.full((1, 4), 7.7)
    explainer = IG2Explainer(steps=3, step_size=0.1 if clip is None else 0.7, clip_min_max=clip)
    end = explainer._explain_callback(x, linear, None, references=references).counterfactuals
    np.testing.assert_allclose(end, 0.3 + 3 * 0.1 / 2 if clip is None else 1.1, rtol=1e-15)


@pytest.mark.parametrize(
    ("dtype", "walked"),
    [
        ("uint8", "float32"),
        ("int64", "float64"),
        ("float16", "float32"),
        ("float32", "float32"),
        ("float64", "float64"),
    ],
)
def test_what_a_callback_gets_holds_the_explicands_values(dtype, walked):
    seen = []

    def call(x_value_batch, call_model_args=None, expected_keys=None):
        seen.append(x_value_batch)
        return {INPUT_OUTPUT_GRADIENTS: x_value_batch}

    large = np.iinfo(dtype).max if dtype == "uint8" else 2**24 + 1 if dtype in ("int64", "float64") else 2**10
    explicand = np.array([large, 1], dtype)
    assert GradientExplainer().GetMask(explicand, call).dtype == walked
    np.testing.assert_array_equal(seen[0][0], explicand)


def test_ig2_needs_a_place_for_the_representations(callback, x, references):
    with pytest.raises(TypeError, match=r"`call_model_args` must be a dict or None here.*not str"):
        IG2Explainer().GetMask(x[0], callback, "airplane", references=references)


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

"""Steps that are calibrated on the model: what they do not depend on, and when rows stop."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from tf_ig2 import IG2Explainer, Keep, ModelView, NonFiniteGradientError, Representations
from tf_ig2.models.explained_output import ExplainedOutput
from tf_ig2.paths.base import Stop
from tf_ig2.paths.stepping import FIXED, Calibrated, Descent, Trust

from . import smooth
from .smooth import Recorder, draw, view


def numbers(*values):
    return tf.constant(values, tf.float64)


def descent(distance, slope, output=1.0, reference_output=()):
    reference = () if isinstance(reference_output, tuple) else numbers(reference_output)
    return Descent(numbers(distance), numbers(slope), numbers(output), (), reference)


def trust(fraction, distance, predicted):
    return Trust(numbers(fraction), numbers(distance), numbers(predicted))


class TestOneStep:
    """What the controller does, by hand."""

    def test_the_first_covers_its_fraction_of_the_distance(self):
        controller = Calibrated(fraction=0.3)
        step = controller.step(descent(10.0, 2.0), controller.init(numbers(0.0)))
        np.testing.assert_allclose(step.length, [1.5])
        assert step.stop.numpy().tolist() == [Stop.RUNNING]

    @pytest.mark.parametrize(
        ("distance", "fraction"),
        [(7.0, 0.4), (7.7, 0.4), (7.8, 0.2), (9.2, 0.2), (9.3, 0.1)],
        ids=["as promised", "more than three quarters", "less", "more than a quarter", "less than that"],
    )
    def test_the_fraction_follows_what_the_last_step_achieved(self, distance, fraction):
        step = Calibrated().step(descent(distance, 1.0), trust(0.2, 10.0, 3.0))
        np.testing.assert_allclose(step.state.fraction, [fraction])
        np.testing.assert_allclose(step.length, [fraction * distance])

    def test_the_fraction_does_not_exceed_one(self):
        step = Calibrated().step(descent(4.0, 1.0), trust(0.8, 10.0, 6.0))
        np.testing.assert_allclose(step.state.fraction, [1.0])

    @pytest.mark.parametrize(
        ("given_", "state", "stop"),
        [
            (descent(0.0, 1.0), trust(0.3, 1.0, 1.0), Stop.ARRIVED),
            (descent(0.0, 0.0), trust(0.3, 0.0, 0.0), Stop.ARRIVED),
            (descent(1.0, 0.0), trust(0.3, 0.0, 0.0), Stop.STALLED),
            (descent(1.0, 1.0), trust(0.3, 1.0, 0.2), Stop.STALLED),
            (descent(1.5, 1.0), trust(0.3, 1.0, 0.2), Stop.STALLED),
            (descent(1.0, 1.0), trust(0.3, 1.0, 0.0), Stop.STALLED),
            (descent(0.9, 1.0), trust(0.3, 1.0, 0.2), Stop.RUNNING),
            (descent(0.9, 1.0, 0.5, 0.5), trust(0.3, 1.0, 0.2), Stop.ARRIVED),
            (descent(0.9, 1.0, 0.5, 0.4), trust(0.3, 1.0, 0.2), Stop.RUNNING),
            (descent(1.5, 1.0, 0.5, 0.6), trust(0.3, 1.0, 0.2), Stop.ARRIVED),
            (descent(1.0, 1.0, 0.5, 0.6), trust(0.3, 0.0, 0.0), Stop.RUNNING),
        ],
        ids=[
            "at distance zero",
            "at distance zero from the start",
            "flat",
            "as far as before",
            "further than before",
            "clipped to where it was",
            "nearer",
            "the output is the reference's",
            "the output is not yet the reference's",
            "the output counts first",
            "the output does not count before the first step",
        ],
    )
    def test_why_a_row_ends(self, given_, state, stop):
        assert Calibrated().step(given_, state).stop.numpy().tolist() == [stop]

    def test_the_output_need_not_count(self):
        step = Calibrated(to_reference=False).step(descent(0.9, 1.0, 0.5, 0.6), trust(0.3, 1.0, 0.2))
        assert step.stop.numpy().tolist() == [Stop.RUNNING]

    @pytest.mark.parametrize(("tolerance", "stop"), [(0.05, Stop.RUNNING), (0.2, Stop.STALLED)])
    def test_a_step_has_to_bring_the_tolerance(self, tolerance, stop):
        step = Calibrated(tolerance=tolerance).step(descent(0.9, 1.0), trust(0.3, 1.0, 0.2))
        assert step.stop.numpy().tolist() == [stop]

    def test_with_a_negative_tolerance_it_goes_on_whatever_happens(self):
        step = Calibrated(tolerance=-np.inf).step(descent(1.5, 1.0), trust(0.3, 1.0, 0.2))
        assert step.stop.numpy().tolist() == [Stop.RUNNING]

    def test_a_fixed_step_is_what_was_given(self):
        step = FIXED.step(Descent(numbers(1.0), numbers(0.0), numbers(0.0), numbers(0.7), ()), ())
        np.testing.assert_allclose(step.length, [0.7])
        assert step.stop == ()


def linear(weights):
    """A model that is its own representation."""
    weights = tf.constant(weights, tf.float64)
    return ModelView.from_callables(
        lambda x: x, lambda x: tf.linalg.matvec(x, weights)[:, None], tf.TensorSpec([None, len(weights)], tf.float64)
    )


def picture():
    """A model of pictures of four pixels, which are its representation; the first is its output."""
    return ModelView.from_callables(
        lambda x: tf.reshape(x, [-1, 4]), lambda x: x[:, :1], tf.TensorSpec([None, 2, 2, 1], tf.float64)
    )


def test_a_straight_descent_takes_five_steps():
    """10 %, then 20, 40 and 80 % of what remains, then all of it."""
    explanation = IG2Explainer(linear([1.0, 0.0])).explain(np.array([[1.0, 0.0]]), np.zeros([1, 2]))
    np.testing.assert_allclose(explanation.distances[0, 0], [1, 0.9, 0.72, 0.432, 0.0864, 0, 0, 0, 0], atol=1e-12)
    np.testing.assert_allclose(explanation.values, [[1.0, 0.0]], atol=1e-12)
    assert explanation.steps_taken.tolist() == [[5]]
    assert explanation.stop_reason.tolist() == [["arrived"]]


def test_a_straight_descent_between_pictures_takes_three_steps():
    """30 %, then 60 % of what remains, then all of it."""
    x = np.array([1.0, 0.0, 0.0, 0.0]).reshape(1, 2, 2, 1)
    explanation = IG2Explainer(picture(), noise=0).explain(x, np.zeros([1, 2, 2, 1]))
    np.testing.assert_allclose(explanation.distances[0, 0], [1, 0.7, 0.28, 0], atol=1e-12)
    assert explanation.stop_reason.tolist() == [["steps"]]


@pytest.mark.parametrize(("steps", "taken", "reason"), [(1, 1, "steps"), (2, 2, "steps"), (9, 5, "arrived")])
def test_steps_are_a_limit(steps, taken, reason):
    explanation = IG2Explainer(linear([1.0, 0.0]), steps=steps).explain(np.array([[1.0, 0.0]]), np.zeros([1, 2]))
    assert explanation.steps_taken.tolist() == [[taken]]
    assert explanation.stop_reason.tolist() == [[reason]]
    assert explanation.outputs.shape == explanation.distances.shape == (1, 1, steps + 1)


def test_a_row_goes_on_though_its_reference_says_more():
    explanation = IG2Explainer(linear([1.0, 0.0])).explain(np.zeros([1, 2]), np.array([[1.0, 0.0]]))
    np.testing.assert_allclose(explanation.outputs[0, 0, -1], 1.0)
    assert explanation.steps_taken.tolist() == [[5]]


def test_a_picture_whose_reference_says_more_arrives_after_a_step():
    reference = np.array([1.0, 0.0, 0.0, 0.0]).reshape(1, 2, 2, 1)
    explanation = IG2Explainer(picture()).explain(np.zeros([1, 2, 2, 1]), reference)
    assert explanation.steps_taken.tolist() == [[1]]
    assert explanation.stop_reason.tolist() == [["arrived"]]


def test_a_row_that_clipping_holds_stalls():
    explainer = IG2Explainer(linear([1.0, 0.0]), clip_min_max=(0, 1), steps=6)
    explanation = explainer.explain(np.zeros([1, 2]), np.array([[-1.0, 0.0]]))
    assert explanation.steps_taken.tolist() == [[1]]
    assert explanation.stop_reason.tolist() == [["stalled"]]
    assert not explanation.values.any()


def test_a_row_stalls_where_a_step_brings_less_than_the_tolerance():
    explainer = IG2Explainer(linear([1.0, 0.0]), tolerance=0.5, steps=6)
    explanation = explainer.explain(np.array([[1.0, 0.0]]), np.zeros([1, 2]))
    assert explanation.steps_taken.tolist() == [[1]]
    assert explanation.stop_reason.tolist() == [["stalled"]]


def test_the_explicand_is_its_own_reference():
    x, _ = draw()
    explanation = IG2Explainer(view(), clip_min_max=None).explain(x, x[:, None], target=0)
    assert not explanation.steps_taken.any()
    assert (explanation.stop_reason == "arrived").all()
    assert not explanation.values.any()
    assert not explanation.completeness_gap.any()


def test_fixed_steps_never_stop():
    x, references = draw()
    explanation = IG2Explainer(view(), step_size=0.1).explain(x, references)
    assert (explanation.steps_taken == 10).all()
    assert (explanation.stop_reason == "steps").all()


@pytest.mark.parametrize(
    ("shape", "settled"),
    [
        ([6], (8, "segment", 0)),
        ([7, 2], (8, "segment", 0)),
        ([4, 4, 1], (3, "idgi", 0.1)),
    ],
    ids=["vectors", "signals", "pictures"],
)
def test_defaults_go_with_what_is_explained(shape, settled):
    model = ModelView.from_callables(lambda x: x, lambda x: x, tf.TensorSpec([None, *shape], tf.float64))
    explainer = IG2Explainer(model)
    assert (explainer.steps, explainer.rule, explainer.noise) == settled


@pytest.mark.parametrize(
    ("options", "settled"),
    [
        ({"step_size": 1.0}, (10, "explicand", 0)),
        ({"noise": 0.1}, (8, "idgi", 0.1)),
        ({"rule": "idgi"}, (8, "idgi", 0)),
        ({"steps": 5, "rule": "trapezoid"}, (5, "trapezoid", 0)),
    ],
)
def test_what_is_said_counts_and_the_rest_goes_with_it(options, settled):
    explainer = IG2Explainer(view(), **options)
    assert (explainer.steps, explainer.rule, explainer.noise) == settled


def test_without_a_model_steps_are_of_the_value_range():
    explainer = IG2Explainer()
    assert (explainer.steps, explainer.rule) == (10, "explicand")


def test_a_completeness_tolerance_asks_for_the_integral():
    assert IG2Explainer(picture(), completeness_tolerance=0.01).rule == "segment"


OPTIONS = {
    "default": {},
    "free": {"clip_min_max": None, "steps": 6},
    "sparse": {"norm": "l1", "steps": 5},
    "cosine": {"distance": "cosine", "rule": "trapezoid"},
    "squared": {"distance": "squared_euclidean", "rule": "segment"},
}


def explained(options, units=1.0, representation=1.0, logits=1.0):
    x, references = draw(3)
    explainer = IG2Explainer(view(units, representation, logits), **options)
    return explainer.explain(units * x, units * references, target=1)


PLAIN = {name: explained(options) for name, options in OPTIONS.items()}


@pytest.mark.parametrize("name", OPTIONS)
@pytest.mark.parametrize(
    ("units", "representation", "logits"),
    [(255.0, 1.0, 1.0), (1e-3, 1.0, 1.0), (1.0, 50.0, 1.0), (1.0, 1.0, 0.01), (7.0, 0.2, 30.0)],
)
def test_it_knows_no_units(name, units, representation, logits):
    """In other units of the input, the representation and the logits the path is the same, step by step."""
    plain, scaled = PLAIN[name], explained(OPTIONS[name], units, representation, logits)
    np.testing.assert_array_equal(scaled.steps_taken, plain.steps_taken)
    np.testing.assert_allclose(scaled.counterfactuals / units, plain.counterfactuals, atol=1e-9)
    np.testing.assert_allclose(scaled.values / logits, plain.values, atol=1e-9)


@settings(deadline=None, max_examples=10)
@given(st.floats(-6, 6))
def test_it_knows_no_scale_whatever_the_numbers(exponent):
    scale, (x, references) = 10.0**exponent, draw(5)
    plain = smooth.explain(IG2Explainer(view(), steps=2), x, references)
    scaled = smooth.explain(IG2Explainer(view(units=scale), steps=2), scale * x, scale * references)
    np.testing.assert_allclose(scaled.values, plain.values, atol=1e-8)


@pytest.fixture(scope="module")
def many():
    """Rows that stop after different numbers of steps, for different reasons."""
    x, references = draw(11, explicands=5, references=3)
    x[0] = references[0]
    return IG2Explainer(view(), steps=9, rule="idgi-both"), x, references


def test_rows_stop_at_different_steps(many):
    explanation = many[0].explain(many[1], many[2], target=0)
    assert len(np.unique(explanation.steps_taken)) > 2
    assert len(np.unique(explanation.stop_reason)) > 1
    assert explanation.steps_taken.max() <= 9


def test_rows_that_have_stopped_are_not_evaluated_again(many):
    explainer, x, references = many
    recorder = Recorder(ExplainedOutput(explainer.view))
    found = smooth.explain(explainer, x, references, model=recorder)
    assert sum(recorder.rows) == int(tf.reduce_sum(found.steps_taken + 1))
    assert recorder.rows == sorted(recorder.rows, reverse=True)


def test_neighbours_that_stop_earlier_or_later_do_not_matter(many):
    explainer, x, references = many
    together = explainer.explain(x, references, target=0)
    for i in range(len(x)):
        alone = explainer.explain(x[i], references, target=0)
        np.testing.assert_allclose(alone.values, together.values[i], atol=1e-13)
        np.testing.assert_array_equal(alone.steps_taken, together.steps_taken[i])
        np.testing.assert_allclose(alone.outputs, together.outputs[i], atol=1e-13)


@pytest.mark.parametrize("batch_size", [1, 4, 15])
def test_micro_batches_do_not_matter(many, batch_size):
    explainer, x, references = many
    whole = explainer.explain(x, references, target=0)
    parts = explainer.explain(x, references, target=0, batch_size=batch_size)
    np.testing.assert_allclose(parts.values, whole.values, atol=1e-13)
    np.testing.assert_array_equal(parts.stop_reason, whole.stop_reason)


@pytest.mark.parametrize("static", [False, True])
def test_eager_walks_are_compiled_ones(many, static):
    explainer, x, references = many
    compiled = explainer.explain(x, references, target=0)
    eager = smooth.explain(explainer, x, references, static=static)
    np.testing.assert_allclose(eager.values, compiled.values, atol=1e-13)
    np.testing.assert_allclose(eager.outputs, compiled.outputs, atol=1e-13)
    np.testing.assert_allclose(eager.distances, compiled.distances, atol=1e-13)
    np.testing.assert_array_equal(eager.steps_taken, compiled.steps_taken)
    np.testing.assert_array_equal(eager.stop, compiled.stop)


def test_walks_compiled_by_xla_are_the_same(many):
    explainer, x, references = many
    plain = explainer.explain(x, references, target=0)
    xla = IG2Explainer(view(), steps=9, rule="idgi-both", jit_compile=True).explain(x, references, target=0)
    np.testing.assert_allclose(xla.values, plain.values, atol=1e-12)
    # The first explicand is its first reference: whether a distance of 1e-17 is zero is a matter of rounding.
    np.testing.assert_array_equal(xla.steps_taken.ravel()[1:], plain.steps_taken.ravel()[1:])
    np.testing.assert_array_equal(xla.stop.ravel()[1:], plain.stop.ravel()[1:])


@pytest.mark.parametrize("every", [1, 2, 3])
def test_kept_points_of_rows_that_stopped(many, every):
    explainer, x, references = many
    whole = explainer.explain(x, references, target=0, keep=Keep(path=True))
    kept = explainer.explain(x, references, target=0, keep=Keep(path=True, every=every)).path
    wanted = np.minimum(np.arange(0, 9 + every, every), 9)
    np.testing.assert_array_equal(kept, whole.path[:, :, wanted])
    for i, r in np.ndindex(whole.steps_taken.shape):
        points, taken = whole.path[i, r], whole.steps_taken[i, r]
        np.testing.assert_array_equal(
            points[taken:], np.broadcast_to(whole.counterfactuals[i, r], points[taken:].shape)
        )
        assert np.abs(np.diff(points[: taken + 1], axis=0)).max(axis=1, initial=0).astype(bool).all()


@pytest.mark.parametrize("rule", ["explicand", "counterfactual", "trapezoid", "segment", "idgi"])
def test_every_rule_sums_along_the_same_path(many, rule):
    explainer, x, references = many
    expected = explainer.explain(x, references, target=0)
    other = IG2Explainer(view(), steps=9, rule=rule).explain(x, references, target=0)
    np.testing.assert_allclose(other.counterfactuals, expected.counterfactuals, atol=1e-13)
    if rule in ("segment", "idgi"):
        np.testing.assert_allclose(other.completeness_gap, 0, atol=1e-4 if rule == "segment" else 1e-12)


def test_a_gradient_that_is_not_finite_is_told_with_its_step():
    """log(x₁ + 0.55) is finite at the explicand, and not where the path leads: 1, 0.8, 0.44, −0.14, −0.83."""
    model = ModelView.from_callables(
        lambda x: x, lambda x: tf.math.log(x[:, :1] + 0.55), tf.TensorSpec([None, 2], tf.float64)
    )
    explainer = IG2Explainer(model, steps=8, rule="explicand", clip_min_max=None)
    own = Representations(np.array([[[5.0, 0.0]], [[-1.0, 0.0]]]))
    with pytest.raises(NonFiniteGradientError, match=r"step 4 .*explicand\(s\) 1") as error:
        explainer.explain(np.array([[9.0, 0.0], [1.0, 0.0]]), own)
    assert error.value.step == 4
    np.testing.assert_array_equal(error.value.explicands, [1])


def test_settings_say_how_steps_were_chosen():
    settings_ = IG2Explainer(view(), tolerance=0.01).explain(*draw()).settings
    assert (settings_["step_size"], settings_["tolerance"], settings_["steps"]) == ("auto", 0.01, 8)
    assert "tolerance" not in IG2Explainer(view(), step_size=0.1).explain(*draw()).settings


def test_other_controllers_are_other_graphs():
    assert len({Calibrated(), Calibrated(), dataclasses.replace(Calibrated(), fraction=0.5)}) == 2

"""What every path method must give where the answer is known, and what must not matter to any of them."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tf_ig2 import IG2Explainer, Keep, ModelView
from tf_ig2.explainers.blur_ig import BlurIGExplainer
from tf_ig2.explainers.expected_ig import ExpectedIGExplainer
from tf_ig2.explainers.gradient import GradientExplainer
from tf_ig2.explainers.guided_ig import GuidedIGExplainer
from tf_ig2.explainers.integrated_gradients import IntegratedGradientsExplainer

SHAPE = (6, 5, 2)
EXPLAINERS = {
    "IG": lambda model: IntegratedGradientsExplainer(model, steps=8),
    "IG, PAIR's weights": lambda model: IntegratedGradientsExplainer(model, steps=8, rule="pair"),
    "Expected IG": lambda model: ExpectedIGExplainer(model, steps=5),
    "Expected IG, fixed": lambda model: ExpectedIGExplainer(model, steps=5, sample_alpha=False),
    "Guided IG": lambda model: GuidedIGExplainer(model, steps=8, max_dist=0.2),
}


def view(f, features, dtype=tf.float64):
    """A model `[B, features] -> [B, 1]` that is its own representation."""
    return ModelView.from_callables(lambda x: x, lambda x: f(x)[:, None], tf.TensorSpec([None, features], dtype))


@pytest.fixture(scope="module")
def linear():
    weights = tf.constant(np.random.default_rng(0).normal(size=4))
    return view(lambda x: tf.linalg.matvec(x, weights), 4), weights.numpy()


@pytest.mark.parametrize("name", EXPLAINERS)
def test_a_linear_model_is_shared_out_by_its_weights(linear, rng, name):
    model, weights = linear
    x, baselines = rng.normal(size=[3, 4]), rng.normal(size=[2, 4])
    explanation = EXPLAINERS[name](model).explain(x, baselines)
    assert np.allclose(explanation.values, weights * (x - baselines.mean(axis=0)))
    assert np.allclose(explanation.completeness_gap, 0)


def test_gradient_and_gradient_times_input_of_a_linear_model(linear, rng):
    model, weights = linear
    x = rng.normal(size=[3, 4])
    gradient = GradientExplainer(model).explain(x)
    assert np.array_equal(gradient.values, np.broadcast_to(weights, x.shape))
    assert gradient.completeness_gap is None
    product = GradientExplainer(model, times_input=True).explain(x)
    assert np.allclose(product.values, weights * x)
    assert np.allclose(product.completeness_gap, 0)


def test_blur_ig_of_a_linear_model(rng):
    weights = rng.normal(size=SHAPE)
    spec = tf.TensorSpec([None, *SHAPE], tf.float64)
    model = ModelView.from_callables(lambda x: x, lambda x: tf.reduce_sum(x * weights, [1, 2, 3])[:, None], spec)
    x = rng.normal(size=[2, *SHAPE])
    # Below σ = 1 the truncated kernel jumps as its radius grows, and finite differences do not see that.
    explanation = BlurIGExplainer(model, steps=400, max_sigma=0.6, grad_step=None, rule="midpoint").explain(x)
    smooth = BlurIGExplainer(model, steps=400, max_sigma=0.12, grad_step=None).explain(x)
    assert np.allclose(explanation.values, weights * (x - explanation.counterfactuals[:, 0]), atol=2e-3)
    assert not smooth.values.any()  # a kernel of one pixel


def test_the_toy_of_figure_5():
    """f = max(x₁, x₂) from (1, 0.8) to the origin: x₂ is always the smaller, and gets nothing on the straight line."""
    model = view(lambda x: tf.reduce_max(x, axis=-1), 2)
    x = np.array([[1.0, 0.8]])
    assert np.allclose(IntegratedGradientsExplainer(model).explain(x).values, [[1, 0]])
    assert np.allclose(GradientExplainer(model).explain(x).values, [[1, 0]])
    # On Guided IG's path each feature moves while it is the smaller, without gradient; from 0.8 on x₁ goes alone.
    guided = GuidedIGExplainer(model, steps=100, max_dist=1.0, fraction=0.5).explain(x)
    assert np.allclose(guided.values, [[0.2, 0]], atol=0.02)


@pytest.mark.parametrize("rule", ["gauss-legendre", "midpoint", "trapezoid", "left", "right"])
def test_a_polynomial_has_its_closed_form(rng, rule):
    """For f = x₁²·x₂ from zero, IG is (2/3, 1/3)·f."""
    model = view(lambda x: x[:, 0] ** 2 * x[:, 1], 2)
    x = rng.normal(size=[3, 2])
    values = IntegratedGradientsExplainer(model, steps=300, rule=rule).explain(x).values
    f = x[:, 0] ** 2 * x[:, 1]
    tolerance = {"gauss-legendre": 1e-12, "midpoint": 1e-4, "trapezoid": 1e-4}.get(rule, 1e-2)
    assert np.allclose(values, f[:, None] * [2 / 3, 1 / 3], atol=tolerance * np.abs(f).max())


def test_expected_gradients_converge_to_integrated_ones(rng):
    model = view(lambda x: x[:, 0] ** 2 * x[:, 1], 2)
    x, references = rng.normal(size=[2, 2]), rng.normal(size=[3, 2])
    exact = ExpectedIGExplainer(model, steps=4, sample_alpha=False).explain(x, references)
    sampled = ExpectedIGExplainer(model, steps=500).explain(x, references, batch_size=3000)
    assert np.allclose(exact.completeness_gap, 0)
    assert np.allclose(sampled.values, exact.values, atol=0.25)
    assert not np.allclose(sampled.values, exact.values, atol=1e-8)


def test_expected_gradients_draw_by_their_seed(linear, rng):
    model = view(lambda x: tf.reduce_prod(x, axis=-1), 4)
    x, references = rng.normal(size=[2, 4]), rng.normal(size=[3, 4])
    values = [ExpectedIGExplainer(model, seed=seed).explain(x, references).values for seed in (1, 1, 2)]
    assert np.array_equal(values[0], values[1])
    assert not np.allclose(values[0], values[2])


@pytest.fixture(scope="module")
def images():
    keras.utils.set_random_seed(5)
    model = keras.Sequential(
        [
            keras.Input(SHAPE, dtype="float64"),
            keras.layers.Conv2D(4, 3, activation="relu", dtype="float64"),
            keras.layers.Flatten(dtype="float64"),
            keras.layers.Dense(3, dtype="float64"),
        ]
    )
    return ModelView(model), np.random.default_rng(3).normal(size=[4, *SHAPE])


ON_IMAGES = {
    **{name: (make, (0.5,)) for name, make in EXPLAINERS.items()},
    "Blur IG": (lambda model: BlurIGExplainer(model, steps=5, max_sigma=2), ()),
    "Gradient": (GradientExplainer, ()),
}


@pytest.mark.parametrize("name", ON_IMAGES)
def test_neither_the_order_nor_the_size_of_batches_matters(images, name):
    model, x = images
    make, baselines = ON_IMAGES[name]
    explainer, order = make(model), [2, 0, 3, 1]
    values = explainer.explain(x, *baselines).values
    assert np.allclose(explainer.explain(x[order], *baselines).values, values[order], atol=1e-13)
    for batch_size in (1, 3, 100):
        assert np.allclose(explainer.explain(x, *baselines, batch_size=batch_size).values, values, atol=1e-13)


@pytest.mark.parametrize("name", ["IG", "Guided IG"])
def test_any_path_takes_any_baseline(images, rng, name):
    """GradCF, of shape [N, R, ...], and named and given ones."""
    model, x = images
    cf = IG2Explainer(model, steps=2, step_size=1.0).explain(x, rng.normal(size=[2, *SHAPE])).counterfactuals
    explainer = EXPLAINERS[name](model)
    explanation = explainer.explain(x, baselines=cf)
    assert np.array_equal(explanation.counterfactuals, cf)
    mean = np.mean([explainer.explain(x, baselines=cf[:, r][:, None]).values for r in range(2)], axis=0)
    assert np.allclose(explanation.values, mean)
    for baselines in ("black_and_white", "uniform", "gaussian", "maximal_distance", "blurred", x[:2]):
        assert np.isfinite(explainer.explain(x, baselines=baselines).values).all()


def test_completeness_holds_for_ig_and_nearly_for_guided_ig(images):
    model, x = images
    assert (IntegratedGradientsExplainer(model, steps=200).explain(x).relative_completeness_gap < 0.01).all()
    assert (GuidedIGExplainer(model, steps=100).explain(x[:2]).relative_completeness_gap < 0.1).all()


def test_rules_inside_the_segments_close_guided_igs_gap(rng):
    weights, x = tf.constant(rng.normal(size=[6, 4])), rng.normal(size=[3, 6])
    model = view(lambda x: tf.reduce_sum(tf.tanh(tf.matmul(x, weights)), axis=-1), 6)

    def explain(rule):
        return GuidedIGExplainer(model, steps=8, max_dist=0.5, rule=rule).explain(x, keep=Keep(path=True))

    left, right, trapezoid, segment = map(explain, ("left", "right", "trapezoid", "segment"))
    assert np.allclose((left.values + right.values) / 2, trapezoid.values)
    assert (np.abs(left.completeness_gap) > 1e-3).all()
    assert (np.abs(segment.completeness_gap) < 1e-4 * np.abs(left.completeness_gap)).all()
    assert np.array_equal(segment.path, left.path)


def test_points_of_the_path_are_kept_from_explicand_to_baseline(images):
    model, x = images
    explanation = GuidedIGExplainer(model, steps=4).explain(x, keep=Keep(path=True))
    assert explanation.path.shape == (4, 1, 5, *SHAPE)
    assert np.array_equal(explanation.path[:, 0, 0], x)
    assert not explanation.path[:, 0, -1].any()


def test_settings_say_how_it_was_made(images):
    model, x = images
    settings = GuidedIGExplainer(model, steps=2, fraction=0.5).explain(x).settings
    assert settings["method"] == "GuidedIGExplainer"
    assert (settings["steps"], settings["fraction"], settings["max_dist"]) == (2, 0.5, 0.02)


def test_another_number_of_steps_is_not_traced_anew(images):
    model, x = images
    explainer = GuidedIGExplainer(model, steps=2)
    for steps in (2, 3, 4):
        explainer.GetMask(x[0], x_steps=steps)
    assert [function.experimental_get_tracing_count() for function in explainer._graphs._graphs.values()] == [1]


def test_smoothgrad_squared_and_vargrad(images):
    model, x = images
    explainer = GradientExplainer(model)
    mean = explainer.GetSmoothedMask(x[0], magnitude=False, seed=1, target=0)
    squares = explainer.GetSmoothedMask(x[0], seed=1, target=0)
    variance = explainer.GetSmoothedMask(x[0], variance=True, seed=1, target=0)
    assert np.allclose(variance, squares - mean**2)
    assert (variance >= 0).all()
    assert np.allclose(explainer.GetSmoothedMask(x[0], magnitude=False, stdev_spread=0.0), explainer.GetMask(x[0]))


def test_smoothing_understands_pairs_arguments(images):
    model, x = images
    smoothed = IntegratedGradientsExplainer(model).GetSmoothedMask(x[0], x_steps=3, nsamples=2, seed=0, x_baseline=x[1])
    assert smoothed.shape == SHAPE

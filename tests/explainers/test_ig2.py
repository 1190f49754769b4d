"""What IG2Explainer does with batches, references, targets, and the edges of its domain."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from tf_ig2 import IG2Explainer, Keep, ModelView, NonFiniteGradientError, Representations, SparseL1


def toy(points):
    """y = max(x₁, x₂ − 1), the example of Fig. 5."""
    return tf.maximum(points[:, :1], points[:, 1:] - 1)


TOY_SPEC = tf.TensorSpec([None, 2])


def test_figure_5_gives_the_hidden_feature_its_share():
    view = ModelView.from_callables(toy, tf.identity, TOY_SPEC)
    explanation = IG2Explainer(view, steps=300, step_size=0.02).explain(np.array([3.0, 3.0]), np.array([[0.0, 0.0]]))
    assert explanation.values[1] > 0.5
    np.testing.assert_allclose(explanation.counterfactuals[0], [0.0, 1.0], atol=0.05)


@pytest.mark.parametrize("rule", ["explicand", "counterfactual", "trapezoid", "segment"])
def test_a_linear_model_is_explained_exactly(rng, rule):
    w = rng.normal(size=[5]).astype(np.float32)
    view = ModelView.from_callables(lambda x: tf.linalg.matvec(x, w)[:, None], tf.identity, tf.TensorSpec([None, 5]))
    explanation = IG2Explainer(view, rule=rule).explain(rng.normal(size=[4, 5]), rng.normal(size=[2, 5]))
    expected = w * (explanation.explicand - explanation.counterfactuals.mean(axis=1))
    np.testing.assert_allclose(explanation.values, expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(explanation.completeness_gap, 0, atol=1e-4)


def test_shapes_of_a_batch(relu_net, x, references):
    explanation = IG2Explainer(relu_net, steps=7).explain(x, references, keep=Keep(path=True, every=3))
    assert explanation.values.shape == (3, 6)
    assert explanation.values.dtype == np.float32
    assert explanation.counterfactuals.shape == (3, 2, 6)
    assert explanation.outputs.shape == explanation.distances.shape == (3, 2, 8)
    assert explanation.path.shape == (3, 2, 4, 6)
    np.testing.assert_array_equal(explanation.path[:, :, 0], np.repeat(x[:, None].astype(np.float32), 2, 1))
    np.testing.assert_array_equal(explanation.path[:, :, -1], explanation.counterfactuals)


def test_one_explicand_comes_back_without_batch_axis(relu_net, x, references):
    explainer = IG2Explainer(relu_net)
    one, batch = explainer.explain(x[0], references), explainer.explain(x, references)
    assert one.values.shape == (6,)
    assert one.counterfactuals.shape == (2, 6)
    np.testing.assert_allclose(one.values, batch[0].values, rtol=1e-4, atol=1e-6)


def test_curves_are_the_models_own(relu_net, x, references):
    explanation = IG2Explainer(relu_net, steps=5).explain(x, references, target=3, keep=Keep(path=True))
    view = ModelView(relu_net)
    outputs = view.outputs(tf.constant(explanation.path.reshape(-1, 6))).numpy()[:, 3]
    np.testing.assert_allclose(explanation.outputs.ravel(), outputs, rtol=1e-4, atol=1e-5)
    goal = view.representation(tf.constant(references, tf.float32)).numpy()
    ends = view.representation(tf.constant(explanation.counterfactuals[0])).numpy()
    np.testing.assert_allclose(explanation.distances[0, :, -1], np.linalg.norm(ends - goal, axis=1), rtol=1e-4)


def test_the_walk_comes_nearer_to_the_reference(relu_net, x, references):
    distances = IG2Explainer(relu_net, steps=40, step_size=0.05).explain(x, references).distances
    assert (distances[..., -1] < 0.7 * distances[..., 0]).all()


@pytest.mark.parametrize("batch_size", [1, 2, 5])
def test_results_do_not_depend_on_micro_batches(tanh_net, x, references, batch_size):
    explainer = IG2Explainer(tanh_net, rule="segment", nodes=3)
    whole = explainer.explain(x, references, batch_size=32)
    parts = explainer.explain(x, references, batch_size=batch_size)
    np.testing.assert_allclose(parts.values, whole.values, rtol=1e-9)


def test_results_do_not_depend_on_the_neighbours_in_the_batch(tanh_net, x, references):
    explainer = IG2Explainer(tanh_net)
    order = [2, 0, 1]
    scaled = np.concatenate([x, 100 * x[:1]])
    np.testing.assert_allclose(
        explainer.explain(scaled, references).values[order], explainer.explain(x[order], references).values, rtol=1e-9
    )


def test_values_are_the_mean_over_references(tanh_net, x, references):
    explainer = IG2Explainer(tanh_net, clip_min_max=(-1, 1))
    each = [explainer.explain(x, references[r]).values for r in range(2)]
    np.testing.assert_allclose(explainer.explain(x, references).values, np.mean(each, axis=0), rtol=1e-9)


def test_references_of_each_explicand(tanh_net, x, rng):
    explainer = IG2Explainer(tanh_net)
    own = rng.uniform(-1, 1, [3, 2, 6])
    together = explainer.explain(x, own)
    for i in range(3):
        np.testing.assert_allclose(together[i].values, explainer.explain(x[i], own[i]).values, rtol=1e-9)


@pytest.mark.parametrize("batched", [False, True])
@pytest.mark.parametrize("labelled", [False, True])
def test_references_from_a_dataset(tanh_net, x, references, batched, labelled):
    dataset = tf.data.Dataset.from_tensor_slices((references, [0, 1]) if labelled else references)
    explainer = IG2Explainer(tanh_net)
    np.testing.assert_array_equal(
        explainer.explain(x, dataset.batch(2) if batched else dataset).values, explainer.explain(x, references).values
    )


def test_representations_can_be_computed_once(tanh_net, x, references):
    explainer = IG2Explainer(tanh_net)
    represented = explainer.represent(references)
    np.testing.assert_array_equal(explainer.explain(x, represented).values, explainer.explain(x, references).values)


def test_representations_of_another_layer_are_refused(tanh_net, x):
    with pytest.raises(ValueError, match="references"):
        IG2Explainer(tanh_net).explain(x, Representations(np.zeros([2, 3])))


def test_the_target_is_the_predicted_class_by_default(relu_net, x, references):
    explanation = IG2Explainer(relu_net).explain(x, references)
    np.testing.assert_array_equal(explanation.target, relu_net(x).numpy().argmax(axis=-1))


def test_a_target_for_each_explicand(tanh_net, x, references):
    explainer = IG2Explainer(tanh_net)
    together = explainer.explain(x, references, target=[3, 0, 2])
    np.testing.assert_allclose(together[0].values, explainer.explain(x[0], references, target=3).values, rtol=1e-9)


def test_a_callable_target(tanh_net, x, references):
    explainer = IG2Explainer(tanh_net, step_size=0.1)  # the path does not know the target, and the sum is linear
    difference = explainer.explain(x, references, target=lambda logits: logits[:, 1] - logits[:, 2])
    one, two = (explainer.explain(x, references, target=index) for index in (1, 2))
    np.testing.assert_allclose(difference.values, one.values - two.values, rtol=1e-6, atol=1e-12)
    assert difference.target is None


def test_a_callable_target_must_give_one_number_per_row(tanh_net, x, references):
    with pytest.raises(ValueError, match=r"shape \[B\]"):
        IG2Explainer(tanh_net).explain(x, references, target=lambda logits: logits)


def test_probabilities_on_request(relu_net, x, references):
    explanation = IG2Explainer(relu_net, output="probabilities").explain(x, references)
    np.testing.assert_allclose(explanation.output, relu_net(x).numpy().max(axis=-1), rtol=1e-5)


def test_integer_images_are_converted_not_wrapped(image_net, rng):
    images = rng.integers(0, 256, [2, 8, 8, 3]).astype(np.uint8)
    references = rng.integers(0, 256, [2, 8, 8, 3]).astype(np.uint8)
    explainer = IG2Explainer(image_net)
    np.testing.assert_array_equal(
        explainer.explain(images, references).values,
        explainer.explain(images.astype(np.float32), references.astype(np.float32)).values,
    )


def test_an_explicand_that_is_the_reference_gets_zeros(relu_net, x):
    explanation = IG2Explainer(relu_net).explain(x[0], x[:1])
    assert not explanation.values.any()
    np.testing.assert_array_equal(explanation.counterfactuals[0], x[0].astype(np.float32))


def test_a_dead_network_gives_zero_steps_not_nan(x, references):
    net = keras.Sequential([keras.Input((6,)), layers.Dense(3, "relu", kernel_initializer="zeros"), layers.Dense(2)])
    explanation = IG2Explainer(net, clip_min_max=None).explain(x, references)
    assert not explanation.values.any()
    np.testing.assert_array_equal(explanation.counterfactuals[:, 0], x.astype(np.float32))


def test_tiny_gradients_still_make_whole_steps(x, references):
    net = keras.Sequential([keras.Input((6,)), layers.Dense(3, "tanh"), layers.Dense(2)])
    net.layers[0].set_weights([net.layers[0].get_weights()[0] * 1e-18, np.zeros(3)])
    explanation = IG2Explainer(net, steps=1, step_size=0.25, clip_min_max=None).explain(x, references)
    moved = np.linalg.norm(explanation.counterfactuals - x[:, None], axis=-1)
    np.testing.assert_allclose(moved, 0.25, rtol=1e-4)


def test_clipping_keeps_the_path_in_its_range(relu_net, x, references):
    explanation = IG2Explainer(relu_net, step_size=5.0, clip_min_max=(-1, 1)).explain(
        x, references, keep=Keep(path=True)
    )
    assert np.abs(explanation.path).max() <= 1
    free = IG2Explainer(relu_net, step_size=5.0, clip_min_max=None).explain(x, references)
    assert np.abs(free.counterfactuals).max() > 1


def test_auto_clipping_is_the_range_of_explicand_and_references(relu_net, x, references):
    explanation = IG2Explainer(relu_net, step_size=5.0, steps=3).explain(x, references)
    for i in range(len(x)):
        both = np.concatenate([x[i], references.ravel()]).astype(np.float32)
        assert explanation[i].counterfactuals.min() >= both.min()
        assert explanation[i].counterfactuals.max() <= both.max()


@pytest.mark.parametrize("norm", ["l2", SparseL1(50)])
def test_a_step_size_is_a_length_in_the_norm_of_the_normalizer(relu_net, x, references, norm):
    explainer = IG2Explainer(relu_net, steps=1, clip_min_max=None, norm=norm, step_size=0.3)
    moved = explainer.explain(x, references).counterfactuals - x[:, None]
    np.testing.assert_allclose(np.linalg.norm(moved, ord=2 if norm == "l2" else 1, axis=-1), 0.3, rtol=1e-4)


def test_auto_settings_know_no_scale(x, references):
    """The same model of inputs in other units gives the same attributions."""
    plain = ModelView.from_callables(lambda p: tf.tanh(p @ W), lambda h: h @ V, tf.TensorSpec([None, 6], tf.float64))
    scaled = ModelView.from_callables(
        lambda p: tf.tanh(p / 255 @ W), lambda h: h @ V, tf.TensorSpec([None, 6], tf.float64)
    )
    np.testing.assert_allclose(
        IG2Explainer(plain).explain(x, references).values,
        IG2Explainer(scaled).explain(255 * x, 255 * references).values,
        rtol=1e-6,
    )


W = np.random.default_rng(4).normal(size=[6, 5])
V = np.random.default_rng(5).normal(size=[5, 3])


def test_nothing_is_traced_anew(tanh_net, x, references):
    """Other numbers of explicands, references, steps and nodes go through the same compiled walk."""
    explainer = IG2Explainer(tanh_net, rule="segment", steps=3)
    explainer.explain(x, references)
    explainer.explain(x[:2], references[:1], batch_size=1)
    explainer.explain(x[0], np.concatenate([references, references]))
    explainer.GetMask(x[0], references=references, steps=5, nodes=3)
    (function,) = explainer._graphs._graphs.values()
    assert function.experimental_get_tracing_count() == 1


def test_jit_compiled_walks_agree(tanh_net, x, references):
    plain, compiled = (IG2Explainer(tanh_net, jit_compile=jit).explain(x, references) for jit in (False, True))
    np.testing.assert_allclose(plain.values, compiled.values, rtol=1e-6)


def test_progress_is_shown_on_request(relu_net, x, references, capsys):
    IG2Explainer(relu_net, steps=4).explain(x, references, verbose=True)
    assert "24/24" in capsys.readouterr().err
    IG2Explainer(relu_net, steps=4).explain(x, references)
    assert capsys.readouterr().err == ""


def test_a_gradient_that_becomes_nan_stops_the_walk_with_the_step():
    """log(x₁ + 0.55) is finite at the explicand and not where the path leads."""
    view = ModelView.from_callables(lambda p: tf.math.log(p[:, :1] + 0.55), tf.identity, TOY_SPEC)
    explainer = IG2Explainer(view, step_size=0.5, steps=9, clip_min_max=None)
    far = Representations(np.full([1, 1], -100.0))
    with pytest.raises(NonFiniteGradientError, match=r"step 4 .*explicand\(s\) 1") as error:
        explainer.explain(np.array([[9.0, 0.0], [1.0, 0.0]]), far)
    assert error.value.step == 4
    np.testing.assert_array_equal(error.value.explicands, [1])
    assert error.value.finished is None
    with pytest.raises(NonFiniteGradientError) as error:
        explainer.explain(np.array([[9.0, 0.0], [8.0, 0.0], [1.0, 0.0]]), far, batch_size=1)
    np.testing.assert_array_equal(
        error.value.finished.values, explainer.explain(np.array([[9.0, 0.0], [8.0, 0.0]]), far).values
    )


class TestGetMask:
    def test_is_explain_for_one(self, relu_net, x, references):
        explainer = IG2Explainer(relu_net)
        mask = explainer.GetMask(x[0], references=references)
        assert isinstance(mask, np.ndarray)
        np.testing.assert_array_equal(mask, explainer.explain(x[0], references).values)

    def test_refuses_a_batch(self, relu_net, x, references):
        with pytest.raises(ValueError, match="x_value"):
            IG2Explainer(relu_net).GetMask(x, references=references)


class TestGetSmoothedMask:
    def test_without_noise_is_the_square_of_the_mask(self, tanh_net, x, references):
        explainer = IG2Explainer(tanh_net)
        mask = explainer.GetMask(x[0], references=references)
        smooth = explainer.GetSmoothedMask(x[0], references=references, stdev_spread=0.0, nsamples=2)
        np.testing.assert_allclose(smooth, mask**2, rtol=1e-9)

    def test_signed(self, tanh_net, x, references):
        explainer = IG2Explainer(tanh_net)
        smooth = explainer.GetSmoothedMask(x[0], references=references, stdev_spread=1e-6, magnitude=False, seed=0)
        np.testing.assert_allclose(smooth, explainer.GetMask(x[0], references=references), rtol=1e-3, atol=1e-5)

    def test_is_seeded(self, relu_net, x, references):
        explainer = IG2Explainer(relu_net)
        one, same, other = (explainer.GetSmoothedMask(x[0], references=references, seed=s) for s in (1, 1, 2))
        np.testing.assert_array_equal(one, same)
        assert (one != other).any()

    def test_leaves_numpys_global_state_alone(self, relu_net, x, references):
        np.random.seed(0)  # noqa: NPY002
        before = np.random.get_state()[1].copy()  # noqa: NPY002
        IG2Explainer(relu_net).GetSmoothedMask(x[0], references=references, nsamples=1)
        np.testing.assert_array_equal(before, np.random.get_state()[1])  # noqa: NPY002


def test_steps_of_the_value_range_are_four_percent_of_its_diagonal():
    model = keras.Sequential([keras.Input([6]), keras.layers.Dense(5, "tanh"), keras.layers.Dense(3)])
    x, references = np.random.default_rng(0).uniform(0, 2, [2, 4, 6]).astype(np.float32)
    named = IG2Explainer(model, step_size="range", clip_min_max=(0, 2)).explain(x, references)
    number = IG2Explainer(model, step_size=0.04 * 2 * 6**0.5, clip_min_max=(0, 2)).explain(x, references)
    np.testing.assert_allclose(named.values, number.values, atol=1e-6)
    assert named.settings["step_size"] == "range"


def test_noise_is_for_pixels_and_idgi_for_maps_inside():
    layers = [keras.Input([6, 6, 1]), keras.layers.Conv2D(2, 3, name="maps"), keras.layers.Flatten(name="flat")]
    model = keras.Sequential([*layers, keras.layers.Dense(4), keras.layers.Dense(3)])
    settings = {name: IG2Explainer(model, input_layer=name).settings for name in (None, "maps", "flat")}
    assert (settings[None]["rule"], settings[None]["noise"]) == ("idgi", 0.1)
    assert [settings[name]["rule"] for name in ("maps", "flat")] == ["idgi-both", "segment"]
    assert IG2Explainer(model, input_layer="maps", noise=0.03).settings["noise"] == 0.03

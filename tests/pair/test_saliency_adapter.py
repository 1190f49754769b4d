"""PAIR's own classes, and IG² by callback, run on any Keras model through the adapter."""

import keras
import numpy as np
import pytest
import saliency.core as saliency
import tensorflow as tf

from tests.networks import broken_net, conv_net
from tf_ig2 import (
    GradientExplainer,
    IG2Explainer,
    IntegratedGradientsExplainer,
    ModelView,
    NonFiniteGradientError,
)
from tf_ig2.pair.saliency_adapter import saliency_adapter

IMAGE = np.random.default_rng(0).random((12, 12, 3)).astype("float32")


@pytest.fixture(scope="module")
def model():
    return conv_net(activation="tanh")


@pytest.fixture(scope="module")
def call(model):
    return saliency_adapter(model, target=1)


def logit(model, x, target=1):
    return ModelView(model).outputs(tf.constant(x))[:, target]


def test_gradients_are_the_models(model, call):
    x = tf.constant(IMAGE[None])
    with tf.GradientTape() as tape:
        tape.watch(x)
        probability = model(x)[0, 1]
        odds = tf.math.log(probability)
    expected = tape.gradient(odds, x)[0]  # of log softmax; of the logit, it differs by the mean over classes
    logits = [saliency.GradientSaliency().GetMask(IMAGE, call, {"target": target}) for target in range(3)]
    mean = np.tensordot(model(x)[0].numpy(), np.stack(logits), axes=1)
    np.testing.assert_allclose(logits[1] - mean, expected, atol=1e-5)


def test_integrated_gradients_add_up(model, call):
    mask = saliency.IntegratedGradients().GetMask(IMAGE, call, x_steps=100, batch_size=25)
    change = logit(model, IMAGE[None]) - logit(model, np.zeros_like(IMAGE[None]))
    np.testing.assert_allclose(mask.sum(), change[0], rtol=0.05)


def test_all_of_pairs_classes_run(call, monkeypatch):
    quantile = np.quantile

    def old_quantile(values, q, interpolation=None, **options):  # the argument that GuidedIG still uses
        return quantile(values, q, **({"method": interpolation} if interpolation else options))

    monkeypatch.setattr(np, "quantile", old_quantile)
    assert saliency.GuidedIG().GetMask(IMAGE, call, x_steps=5, x_baseline=np.zeros_like(IMAGE)).shape == IMAGE.shape
    assert saliency.BlurIG().GetMask(IMAGE, call, max_sigma=3, steps=5).shape == IMAGE.shape
    segments = [np.arange(144).reshape(12, 12) < 72]
    assert saliency.XRAI().GetMask(IMAGE, call, segments=segments).shape == (12, 12)
    assert saliency.GradCam().GetMask(IMAGE, call).shape == IMAGE.shape
    assert saliency.Occlusion().GetMask(IMAGE, call, size=6).shape == IMAGE.shape
    assert saliency.GradientSaliency().GetSmoothedMask(IMAGE, call, nsamples=2).shape == IMAGE.shape


def around_another_class(model):
    """An explicand, and a baseline that the model takes for another class."""
    images = np.random.default_rng(3).normal(size=(64, 12, 12, 3)).astype("float32")
    classes = model.predict(images, verbose=0).argmax(axis=1)
    other = int(np.flatnonzero(classes != classes[0])[0])
    return images[0], images[other], int(classes[0])


PAIRS_OWN = {
    "gradient": lambda x, other, call: saliency.GradientSaliency().GetMask(x, call),
    "integrated gradients": lambda x, other, call: saliency.IntegratedGradients().GetMask(
        x, call, x_baseline=other, x_steps=9
    ),
    "occlusion": lambda x, other, call: saliency.Occlusion().GetMask(x, call, size=11, value=9),
    "xrai": lambda x, other, call: saliency.XRAI().GetMask(x, call, baselines=[other]),
}
OURS = {
    "integrated gradients": lambda x, other, call: IntegratedGradientsExplainer(steps=9).GetMask(
        x, call, x_baseline=other
    ),
    "smooth": lambda x, other, call: GradientExplainer().GetSmoothedMask(x, call, stdev_spread=0.5, nsamples=4, seed=0),
}


@pytest.mark.parametrize("way", OURS)
def test_without_a_target_our_explainers_explain_the_class_of_the_explicand_all_the_way(model, way):
    x, other, target = around_another_class(model)
    alone = OURS[way](x, other, saliency_adapter(model))
    np.testing.assert_array_equal(alone, OURS[way](x, other, saliency_adapter(model, target)))


@pytest.mark.parametrize("way", PAIRS_OWN)
def test_pairs_own_classes_explain_the_class_of_the_explicand_that_they_are_told(model, way):
    x, other, target = around_another_class(model)
    told = PAIRS_OWN[way](x, other, saliency_adapter(model).of_explicand(x))
    np.testing.assert_array_equal(told, PAIRS_OWN[way](x, other, saliency_adapter(model, target)))


@pytest.mark.parametrize("way", PAIRS_OWN)
def test_without_target_and_explicand_no_class_is_guessed(model, way):
    x, other, _ = around_another_class(model)
    with pytest.raises(ValueError, match=r"Nobody said which output.*of_explicand\(x\)"):
        PAIRS_OWN[way](x, other, saliency_adapter(model))


def test_what_needs_no_output_needs_no_target(model):
    found = saliency_adapter(model)(IMAGE[None], expected_keys=["REP_LAYER_VALUES"])
    assert found["REP_LAYER_VALUES"].shape == (1, 576)


def test_of_one_output_nobody_has_to_say_which(model):
    keras.utils.set_random_seed(0)
    one = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
    mask = saliency.IntegratedGradients().GetMask(np.ones(4), saliency_adapter(one), x_steps=3)
    np.testing.assert_allclose(mask, one.get_weights()[0][:, 0], rtol=1e-6)


def test_the_class_is_that_of_the_model_as_it_is(model):
    x, _, target = around_another_class(model)
    other = keras.models.clone_model(model)
    other.set_weights(model.get_weights())
    call, keys = saliency_adapter(other), ["OUTPUT_LAYER_VALUES"]
    before = call.of_explicand(x)(x[None], expected_keys=keys)[keys[0]]
    np.testing.assert_allclose(before, logit(model, x[None], target), rtol=1e-5)
    other.weights[-1].assign_add(100 * np.eye(3, dtype="float32")[target - 1])
    after = call.of_explicand(x)(x[None], expected_keys=keys)[keys[0]]
    np.testing.assert_allclose(after, logit(other, x[None], target - 1), rtol=1e-5)


def test_a_callable_is_what_it_computes_now(model):
    k = [0]
    call = saliency_adapter(model, lambda outputs: outputs[:, k[0]])
    keys = ["INPUT_OUTPUT_GRADIENTS", "OUTPUT_LAYER_VALUES"]
    maps = ["CONVOLUTION_OUTPUT_GRADIENTS"]
    for k[0] in (0, 1):
        fixed = saliency_adapter(model, k[0])
        for ask in (call, call.of_explicand(IMAGE)):
            for asked in (keys, keys[1:], maps):
                expected = fixed(IMAGE[None], expected_keys=asked)
                found = ask(IMAGE[None], expected_keys=asked)
                for key in asked:
                    np.testing.assert_allclose(found[key], expected[key], rtol=1e-6, err_msg=key)


def test_an_index_among_the_arguments_comes_before_any_target(model):
    by_index = saliency_adapter(model, 2)
    for target in (None, 0, lambda outputs: outputs[:, 1]):
        call = saliency_adapter(model, target)
        for ask in (call, call.of_explicand(IMAGE)):
            found = saliency.GradientSaliency().GetMask(IMAGE, ask, {"target": 2})
            np.testing.assert_array_equal(found, saliency.GradientSaliency().GetMask(IMAGE, by_index))


def test_a_target_without_gradient_is_refused_where_gradients_are_wanted(model):
    call = saliency_adapter(model, lambda outputs: tf.cast(outputs[:, 0] > 0, tf.float32))
    assert saliency.Occlusion().GetMask(IMAGE, call, size=6).shape == IMAGE.shape
    with pytest.raises(ValueError, match="has no gradient"):
        saliency.GradientSaliency().GetMask(IMAGE, call)


@pytest.mark.parametrize("args", [None, "airplane", 3, ["a"], {}])
def test_call_model_args_is_any_object(model, call, args):
    mask = GradientExplainer().GetMask(IMAGE, call, args)
    np.testing.assert_array_equal(mask, GradientExplainer().GetMask(IMAGE, call))


def test_output_values_are_the_explained_output(model, call):
    x = np.stack([IMAGE, 2 * IMAGE])
    values = call(x, expected_keys=["OUTPUT_LAYER_VALUES"])["OUTPUT_LAYER_VALUES"]
    np.testing.assert_allclose(values, logit(model, x), rtol=1e-5)
    margin = saliency_adapter(model, lambda outputs: outputs[:, 0] - outputs[:, 1])
    values = margin(x, expected_keys=["OUTPUT_LAYER_VALUES"])["OUTPUT_LAYER_VALUES"]
    np.testing.assert_allclose(values, logit(model, x, 0) - logit(model, x, 1), rtol=1e-4)


def test_every_key_at_once(call):
    x = np.stack([IMAGE, 2 * IMAGE])
    representation = call(x, expected_keys=["REP_LAYER_VALUES"])["REP_LAYER_VALUES"]
    keys = [
        "CONVOLUTION_LAYER_VALUES",
        "CONVOLUTION_OUTPUT_GRADIENTS",
        "INPUT_OUTPUT_GRADIENTS",
        "OUTPUT_LAYER_VALUES",
        "REP_DISTANCE_GRADIENTS",
        "REP_LAYER_VALUES",
    ]
    answer = call(x, {"layer_baseline": representation[::-1]}, keys)
    assert sorted(answer) == keys
    assert all(isinstance(value, np.ndarray) and len(value) == 2 for value in answer.values())
    assert answer["CONVOLUTION_LAYER_VALUES"].shape == answer["CONVOLUTION_OUTPUT_GRADIENTS"].shape == (2, 12, 12, 4)


@pytest.mark.parametrize("distance", ["euclidean", "cosine"])
def test_ig2_by_callback_is_ig2_compiled(model, distance):
    references = np.random.default_rng(1).random((3, 12, 12, 3)).astype("float32")
    options = {"steps": 4, "step_size": 0.5, "clip_min_max": (0, 1), "distance": distance}
    compiled = IG2Explainer(model, **options).GetMask(IMAGE, references=references, target=1)
    callback = saliency_adapter(model, target=1, distance=distance)
    ours = IG2Explainer(**options).GetMask(IMAGE, callback, references=references)
    np.testing.assert_allclose(ours, compiled, rtol=1e-3, atol=1e-5 * np.abs(compiled).max())


def test_any_batch_size_is_traced_once(model):
    traced = [0]

    class Counted(ModelView):
        def forward(self, *args, **options):
            traced[0] += 1
            return super().forward(*args, **options)

    call = saliency_adapter(Counted(model), lambda outputs: outputs[:, 1])
    for count in (1, 2, 7):
        call(np.zeros((count, 12, 12, 3)), {}, ["INPUT_OUTPUT_GRADIENTS"])
    assert traced == [1]


def test_integer_and_double_images_are_converted(call):
    gradient = ["INPUT_OUTPUT_GRADIENTS"]
    whole = call(np.full((1, 12, 12, 3), 200, np.uint8), expected_keys=gradient)[gradient[0]]
    double = call(np.full((1, 12, 12, 3), 200.0), expected_keys=gradient)[gradient[0]]
    np.testing.assert_array_equal(whole, double)
    assert whole.dtype == np.float32


def test_nan_does_not_reach_pairs_loops():
    call = saliency_adapter(broken_net(), target=0)
    with pytest.raises(NonFiniteGradientError):
        saliency.GradientSaliency().GetMask(-np.ones((12, 12, 3)), call)


def test_bad_arguments(model, call):
    with pytest.raises(ValueError, match="Unknown expected_keys"):
        call(IMAGE[None], expected_keys=["GRADIENTS"])
    with pytest.raises(ValueError, match="batch axis"):
        call(IMAGE, expected_keys=["OUTPUT_LAYER_VALUES"])
    with pytest.raises(ValueError, match="layer_baseline"):
        call(IMAGE[None], expected_keys=["REP_DISTANCE_GRADIENTS"])
    with pytest.raises(ValueError, match="1 rows for 2"):
        call(np.stack([IMAGE, IMAGE]), {"layer_baseline": np.zeros((1, 576))}, ["REP_DISTANCE_GRADIENTS"])
    with pytest.raises(ValueError, match="out of range"):
        saliency_adapter(model, target=3)
    with pytest.raises(ValueError, match="belong to the ModelView"):
        saliency_adapter(ModelView(model), target=1, output="raw")
    a, b = keras.Input((3,)), keras.Input((2,))
    two = keras.Model([a, b], keras.layers.Dense(2)(keras.layers.Concatenate()([a, b])))
    with pytest.raises(ValueError, match="one input"):
        saliency_adapter(two, target=1)

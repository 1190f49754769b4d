"""Known answers for SIC AUC-ADD and AUC-DEL."""

import keras
import numpy as np
import pytest
from keras import layers

from tf_ig2 import ModelView
from tf_ig2.contrasts.baselines import Constant
from tf_ig2.metrics.information_curves import information_curve
from tf_ig2.metrics.predict import Predictor


def share(x):
    """The probability of class 0 is the mean of the features."""
    mean = x.reshape(len(x), -1).mean(axis=1)
    return np.stack([mean, 1 - mean], axis=1)


def first(x):
    """The probability of class 0 is the first feature."""
    flat = x.reshape(len(x), -1)[:, 0]
    return np.stack([flat, 1 - flat], axis=1)


X = np.ones([1, 4])
BEST, WORST = np.array([[4.0, 3, 2, 1]]), np.array([[1.0, 2, 3, 4]])


@pytest.mark.parametrize("by", ["pixel", "percentile"])
def test_one_decisive_feature_first_and_last(by):
    def auc(maps, direction):
        return information_curve(first, X, maps, direction=direction, background=0.0, by=by, steps=4, target=0).auc[0]

    assert auc(BEST, "add") == pytest.approx(7 / 8)
    assert auc(WORST, "add") == pytest.approx(1 / 8)
    assert auc(BEST, "delete") == pytest.approx(1 / 8)
    assert auc(WORST, "delete") == pytest.approx(7 / 8)


def test_adding_features_that_count_alike_is_a_straight_line(rng):
    curve = information_curve(share, np.ones([3, 8]), rng.random([3, 8]), background=0.0, steps=8, target=0)
    np.testing.assert_allclose(curve.probabilities, np.tile(np.linspace(0, 1, 9), (3, 1)))
    np.testing.assert_allclose(curve.auc, 0.5)


@pytest.mark.parametrize("by", ["pixel", "percentile"])
def test_curves_begin_and_end_at_background_and_explicand(rng, by):
    x, background = rng.random([2, 5, 4, 3]), rng.random([5, 4, 3])
    ends = [share(np.broadcast_to(background, x.shape))[:, 0], share(x)[:, 0]]
    options = {"background": background, "target": 0, "by": by, "steps": 7}
    add = information_curve(share, x, rng.random([2, 5, 4]), direction="add", **options).probabilities
    delete = information_curve(share, x, rng.random([2, 5, 4]), direction="delete", **options).probabilities
    np.testing.assert_allclose(add[:, [0, -1]].T, ends, rtol=1e-6)
    np.testing.assert_allclose(delete[:, [-1, 0]].T, ends, rtol=1e-6)


def test_channels_move_together():
    x = np.ones([1, 2, 2, 3])
    curve = information_curve(share, x, np.ones([1, 2, 2, 3]), background=0.0, steps=4, target=0)
    np.testing.assert_allclose(curve.probabilities[0], [0, 0.25, 0.5, 0.75, 1])


def test_ties_move_together_by_percentile_and_apart_by_pixel():
    ties = np.array([[1.0, 1, 0, 0]])
    by_percentile = information_curve(share, X, ties, background=0.0, by="percentile", steps=4, target=0)
    by_pixel = information_curve(share, X, ties, background=0.0, by="pixel", steps=4, target=0)
    np.testing.assert_allclose(by_percentile.probabilities[0], [0, 0.5, 0.5, 1, 1])
    np.testing.assert_allclose(by_pixel.probabilities[0], [0, 0.25, 0.5, 0.75, 1])


def test_the_order_of_ties_is_seeded(rng):
    x = rng.random([1, 64])

    def curve(seed):
        return information_curve(share, x, np.ones([1, 64]), background=0.0, target=0, seed=seed).probabilities

    np.testing.assert_array_equal(curve(1), curve(1))
    assert not np.array_equal(curve(1), curve(2))


def test_the_batch_size_does_not_matter(rng):
    x, maps = rng.random([3, 6, 6, 3]), rng.random([3, 6, 6])
    small, large = (information_curve(share, x, maps, batch_size=size).probabilities for size in (1, 64))
    np.testing.assert_allclose(small, large)


def test_the_predicted_class_is_the_target_by_default():
    curve = information_curve(share, np.array([[0.9, 0.9], [0.1, 0.2]]), np.ones([2, 2]), background=0.0)
    np.testing.assert_array_equal(curve.target, [0, 1])


@pytest.mark.parametrize(
    ("background", "expected"),
    [("black", 0.2), ("mean", 0.5), (0.7, 0.7), (Constant(0.3), 0.3), (np.full([3, 3, 1], 0.4), 0.4)],
)
def test_backgrounds(background, expected):
    x = np.full([1, 3, 3, 1], 0.5)
    x[0, 0, 0], x[0, 2, 2] = 0.2, 0.8
    curve = information_curve(share, x, np.ones([1, 3, 3]), background=background, target=0)
    assert curve.probabilities[0, 0] == pytest.approx(expected, abs=1e-6)


def test_a_blurred_background_keeps_the_mean_of_a_large_flat_image_and_noise_is_seeded(rng):
    flat = np.full([1, 8, 8, 1], 0.25)
    assert information_curve(share, flat, np.ones([1, 8, 8]), target=0).probabilities[0, 0] == pytest.approx(0.25)
    x, maps = rng.random([1, 8, 8, 1]), np.ones([1, 8, 8])
    starts = [
        information_curve(share, x, maps, background="noise", seed=s, target=0).probabilities[0, 0] for s in (1, 1, 2)
    ]
    assert starts[0] == starts[1] != starts[2]
    assert x.min() < starts[0] < x.max()


def test_a_keras_model_a_view_of_logits_and_a_predictor_agree(image_net, rng):
    x, maps = rng.uniform(0, 255, [2, 8, 8, 3]), rng.random([2, 8, 8])
    run = Predictor(image_net)
    whole, again = (information_curve(model, x, maps).probabilities for model in (image_net, run))
    logits = information_curve(ModelView(image_net), x, maps, activation="softmax").probabilities
    np.testing.assert_allclose(whole, again, rtol=1e-6)
    np.testing.assert_allclose(whole, logits, rtol=1e-4)


def test_words_are_added_at_the_embedding():
    keras.utils.set_random_seed(0)
    inputs = keras.Input((5,), dtype="int32")
    vectors = layers.Embedding(9, 4, name="embedding")(inputs)
    model = keras.Model(inputs, layers.Dense(3, "softmax")(layers.GlobalMaxPooling1D()(vectors)))
    view = ModelView(model, output="probabilities", input_layer="embedding")
    words = np.array([[1, 2, 3, 4, 5]], np.int32)
    points = view.points(words).numpy()
    curve = information_curve(view, points, np.ones([1, 5, 4]), inputs=words, background=0.0, steps=5)
    assert curve.probabilities[0, -1] == pytest.approx(model.predict(words, verbose=0).max(), rel=1e-5)
    with pytest.raises(ValueError, match="pass the model's own `inputs`"):
        information_curve(view, points, np.ones([1, 5, 4]), background=0.0)


class TestBadInput:
    def refused(self, error, match, *, model=share, x=X, maps=BEST, **options):
        with pytest.raises(error, match=match):
            information_curve(model, x, maps, **{"background": 0.0, **options})

    def test_words_that_are_not_known(self):
        self.refused(ValueError, "Unknown `direction`", direction="up")
        self.refused(ValueError, "Unknown `by`", by="row")
        self.refused(ValueError, "Unknown `background`: 'green'", background="green")

    def test_logits(self, image_net, rng):
        match = 'pass activation="softmax"'
        x = rng.uniform(0, 255, [1, 8, 8, 3])
        self.refused(ValueError, match, model=lambda x: 10 * share(x), x=x, maps=np.ones([1, 8, 8]))

    def test_maps_of_another_shape_or_number(self):
        self.refused(ValueError, r"shape \(1, 3\)", maps=np.ones([1, 3]))
        self.refused(ValueError, "2 attributions for 1 explicands", maps=np.ones([2, 4]))

    def test_nan(self):
        self.refused(ValueError, "`attributions` contains NaN", maps=BEST * np.nan)
        self.refused(ValueError, "`x` contains NaN", x=X * np.nan)
        self.refused(ValueError, "the model's output` contains NaN", model=lambda x: share(x) * np.nan)

    def test_a_background_of_another_shape_or_kind(self):
        self.refused(ValueError, r"`background` has shape \(3,\)", background=np.ones(3))
        self.refused(TypeError, "`background` must be", background=None)

    def test_a_target_out_of_range(self):
        self.refused(ValueError, "`target` 2 is out of range", target=2)

    def test_explicands_without_a_batch_axis(self):
        self.refused(ValueError, r"batch \[N", x=np.ones(4))
        self.refused(TypeError, "`x` must hold numbers", x=np.array([["a"]]))

    def test_steps(self):
        self.refused(ValueError, "`steps` must be positive", steps=0)

    def test_no_model(self):
        self.refused(TypeError, "`model` must be a keras.Model", model="model")

    def test_a_model_that_loses_rows(self):
        self.refused(
            ValueError,
            r"shape \(1, 2\) for 4 rows",
            model=lambda x: share(x)[:1],
            x=np.ones([4, 4]),
            maps=np.ones([4, 4]),
        )

"""What people build: shared and keyword layers, strings, state; each with the model's own answer."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from tf_ig2 import GradientExplainer, IG2Explainer, IntegratedGradientsExplainer, ModelView
from tf_ig2.paths.distances import Distance

X = np.random.default_rng(0).normal(size=[3, 4]).astype("float32")


@pytest.fixture
def net():
    keras.utils.set_random_seed(0)
    return keras.Sequential([keras.Input((4,)), layers.Dense(5, "tanh"), layers.Dense(3)])


def by_keyword():
    inputs = keras.Input((4,))
    return keras.Model(inputs, layers.Dense(3)(inputs=layers.Dense(5, "tanh")(inputs)))


def attention_by_keywords():
    inputs = keras.Input((4,))
    hidden = layers.Reshape((5, 1))(layers.Dense(5, "tanh")(inputs))
    attended = layers.MultiHeadAttention(1, 2)(query=hidden, value=hidden)
    return keras.Model(inputs, layers.Flatten()(attended))


@pytest.mark.parametrize("make", [by_keyword, attention_by_keywords])
def test_the_last_layer_may_be_called_by_keywords(make):
    model = make()
    view = ModelView(model)
    expected = model.layers[1](X)
    np.testing.assert_allclose(tf.reshape(view.representation(tf.constant(X)), [3, 5]), expected, rtol=1e-6)
    explanation = IG2Explainer(model).explain(X[:2], X[2:])
    np.testing.assert_allclose(explanation.output, np.max(model(X[:2]), axis=-1), rtol=1e-5)


def siamese():
    keras.utils.set_random_seed(0)
    a, b = keras.Input((4,), dtype="int32"), keras.Input((4,), dtype="int32")
    embedding = layers.Embedding(9, 3, name="embedding")
    both = layers.Concatenate()([layers.Flatten()(embedding(a)), layers.Flatten()(embedding(b))])
    return keras.Model([a, b], layers.Dense(2)(layers.Dense(5, "tanh")(both)))


def test_a_shared_embedding_is_entered_at_every_call():
    model = siamese()
    x = [np.array([[1, 2, 3, 4]]), np.array([[5, 6, 7, 8]])]
    explanation = IntegratedGradientsExplainer(model, input_layer="embedding", steps=50).explain(x, target=0)
    assert [part.shape for part in explanation.values] == [(1, 4, 3)] * 2
    np.testing.assert_allclose(explanation.output, model(x)[:, 0], rtol=1e-5)
    np.testing.assert_allclose(explanation.completeness_gap, 0, atol=1e-3)
    rows = model.get_layer("embedding").embeddings.numpy()
    np.testing.assert_array_equal(explanation.explicand[1], rows[x[1]])
    assert np.isfinite(IG2Explainer(model, input_layer="embedding").explain(x, [x[1], x[0]]).values[0]).all()


WORDS = ["good", "bad", "dull", "fine"]
FIRST = {
    "StringLookup": lambda: layers.StringLookup(vocabulary=WORDS),
    "Hashing": lambda: layers.Hashing(6),
    "TextVectorization": lambda: layers.TextVectorization(vocabulary=WORDS, output_sequence_length=4),
}


def of_strings(first, features):
    keras.utils.set_random_seed(0)
    inputs = keras.Input((features,), dtype="string", name="text")
    embedded = layers.Embedding(8, 3, name="embedding")(FIRST[first]()(inputs))
    return keras.Model({"text": inputs}, layers.Dense(2)(layers.Dense(5, "tanh")(layers.Flatten()(embedded))))


@pytest.mark.parametrize("first", FIRST)
def test_strings_are_explained_at_the_embedding(first):
    features = 1 if first == "TextVectorization" else 4
    x = [["good bad"], ["dull"]] if features == 1 else [["good", "bad", "dull", "größer"], ["fine"] * 4]
    model = of_strings(first, features)
    expected = np.asarray(model({"text": tf.constant(x)}))
    explainer = IntegratedGradientsExplainer(model, input_layer="embedding", steps=5)
    for given in (x, np.array(x), np.array(x, object), tf.constant(x), np.array(tf.constant(x))):
        explanation = explainer.explain({"text": given}, target=1)
        np.testing.assert_allclose(explanation.output, expected[:, 1], rtol=1e-5)
    assert explanation.values.shape == (2, 4, 3)
    one = IG2Explainer(model, input_layer="embedding").explain({"text": x[0]}, {"text": x})
    assert one.values.shape == (4, 3)


def test_numbers_are_no_strings():
    explainer = GradientExplainer(of_strings("StringLookup", 4), input_layer="embedding")
    with pytest.raises(TypeError, match=r"`x\['text'\]` must hold strings"):
        explainer.explain({"text": np.ones([2, 4])})


@pytest.mark.parametrize("x", [np.ma.masked_greater(X, 0), [np.ma.masked_greater(row, 0) for row in X]])
def test_masked_arrays_are_refused(net, x):
    with pytest.raises(TypeError, match="masked array"):
        GradientExplainer(net).explain(x)


def test_explaining_leaves_the_state_of_a_stateful_layer():
    keras.utils.set_random_seed(0)
    inputs = keras.Input(batch_shape=(2, 3, 4))
    model = keras.Model(inputs, layers.Dense(2)(layers.GRU(5, stateful=True)(inputs)))
    x = np.random.default_rng(0).normal(size=[2, 3, 4]).astype("float32")
    model.predict(x, verbose=0)
    state = [v.numpy() for v in model.layers[1].non_trainable_variables]
    assert np.abs(state[-1]).max() > 0
    explainer = GradientExplainer(model)
    before = explainer.explain(x, target=0)
    np.testing.assert_array_equal(explainer.explain(x, target=0).values, before.values)
    for now, then in zip(model.layers[1].non_trainable_variables, state, strict=True):
        np.testing.assert_array_equal(now, then)


def test_representations_of_another_model_are_refused(net):
    other = keras.models.clone_model(net)
    represented = IG2Explainer(net).represent(X)
    assert IG2Explainer(net, steps=2).explain(X, represented).values.shape == X.shape
    with pytest.raises(ValueError, match="another model"):
        IG2Explainer(other).explain(X, represented)
    net.layers[0].kernel.assign(2 * net.layers[0].kernel)
    with pytest.raises(ValueError, match="the weights that the model had before"):
        IG2Explainer(net).explain(X, represented)


class Scaled:
    def __init__(self):
        self.factor = 1.0

    def __call__(self, gradient):
        return self.factor * tf.math.l2_normalize(gradient, axis=-1)

    def unit_length(self, features):
        return 1.0


def test_what_a_normalizer_remembers_is_seen(net):
    norm = Scaled()
    explainer = IG2Explainer(net, norm=norm, step_size=0.1, steps=1, clip_min_max=None)
    moved = []
    for norm.factor in (1.0, 2.0, 1.0):
        moved.append(np.linalg.norm(explainer.explain(X[0], X[1:]).counterfactuals - X[0], axis=-1))
    np.testing.assert_allclose(moved, [[0.1, 0.1], [0.2, 0.2], [0.1, 0.1]], rtol=1e-4)
    assert len(explainer._graphs) == 2


def test_what_a_distance_remembers_is_seen(net):
    sign = [1.0]
    distance = Distance("own", lambda a, b: sign[0] * tf.reduce_sum(tf.square(a - b), axis=-1))
    explainer = IG2Explainer(net, distance=distance, step_size=0.1, steps=1, clip_min_max=None)
    forth = explainer.explain(X[0], X[1:]).counterfactuals - X[0]
    sign[0] = -1.0
    np.testing.assert_allclose(explainer.explain(X[0], X[1:]).counterfactuals - X[0], -forth, rtol=1e-4, atol=1e-6)


def test_representations_with_another_output_are_refused():
    model = keras.Sequential([keras.Input([X.shape[1]]), layers.Dense(4, "tanh"), layers.Dense(3, "softmax")])
    represented = IG2Explainer(model).represent(X)
    with pytest.raises(ValueError, match="another model"):
        IG2Explainer(model, output="probabilities").explain(X, represented)

"""Sequential IG against a plain reading of it, closed forms, and its doors."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.serving.conftest import check
from tf_ig2 import IG2Explainer, ModelView, SequentialIGExplainer
from tf_ig2.serving import export

TOKENS = np.array([[3, 1, 4, 0], [2, 5, 5, 6]], np.int32)


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(0)
    inputs = keras.Input([4], dtype="int32")
    words = keras.layers.Embedding(8, 3, name="words")(inputs)
    hidden = keras.layers.Dense(6, "tanh")(keras.layers.Flatten()(words))
    return keras.Model(inputs, keras.layers.Dense(3, "softmax")(hidden))


@pytest.mark.parametrize("token", [None, 7])
def test_each_word_has_a_line_of_its_own(model, token):
    explanation = SequentialIGExplainer(model, input_layer="words", token=token, steps=20).explain(TOKENS)
    table = model.get_layer("words").embeddings.numpy().astype(np.float64)
    dense, last = (layer.get_weights() for layer in model.layers[-2:])
    nothing = np.zeros(3) if token is None else table[token]

    def gradient(x, target):
        hidden = np.tanh(x.reshape(-1) @ dense[0] + dense[1])
        return (dense[0] @ ((1 - hidden**2) * last[0][:, target])).reshape(4, 3)

    def output(x, target):
        return (np.tanh(x.reshape(-1) @ dense[0] + dense[1]) @ last[0] + last[1])[target]

    for row, tokens in enumerate(TOKENS):
        x, target = table[tokens], explanation.target[row]
        for word in range(4):
            start = x.copy()
            start[word] = nothing
            alphas = (np.arange(400) + 0.5) / 400
            mean = np.mean([gradient(start + a * (x - start), target)[word] for a in alphas], axis=0)
            np.testing.assert_allclose(explanation.values[row, word], mean * (x - start)[word], atol=1e-5)
            np.testing.assert_allclose(
                explanation.values[row, word].sum(), output(x, target) - output(start, target), atol=1e-5
            )
    np.testing.assert_allclose(explanation.completeness_gap, 0, atol=1e-5)


def test_a_product_of_words_gives_all_of_it_to_each():
    """f = a·b: without a there is none of it, so each word has a·b, and IG's halves would be half of that."""
    view = ModelView.from_callables(
        lambda x: tf.reduce_prod(x, axis=1), lambda x: x, tf.TensorSpec([None, 2, 1], tf.float64)
    )
    explanation = SequentialIGExplainer(view).explain(np.array([[[3.0], [4.0]]]))
    np.testing.assert_allclose(explanation.values[0, :, 0], [12, 12])
    np.testing.assert_allclose(explanation.completeness_gap, 0, atol=1e-10)


def test_a_word_that_is_the_pad_token_has_nothing(model):
    explanation = SequentialIGExplainer(model, input_layer="words", token=0).explain(TOKENS)
    assert not explanation.values[0, 3].any()
    assert explanation.values[0, :3].any(axis=-1).all()


def test_a_batch_is_its_rows_one_by_one_and_xla_changes_nothing(model):
    explainer = SequentialIGExplainer(model, input_layer="words", steps=8)
    whole = explainer.explain(TOKENS, batch_size=3)
    compiled = SequentialIGExplainer(model, input_layer="words", steps=8, jit_compile=True).explain(TOKENS)
    np.testing.assert_allclose(compiled.values, whole.values, atol=1e-6)
    for row, tokens in enumerate(TOKENS):
        np.testing.assert_allclose(explainer.explain(tokens).values, whole.values[row], atol=1e-6)


def test_it_is_exported(model, tmp_path):
    explainer = SequentialIGExplainer(model, input_layer="words", token=7, steps=8)
    path = export(explainer, tmp_path, batch_size=3, counterfactuals=False)
    answer = tf.saved_model.load(path).signatures["explain"](x=tf.constant(TOKENS), target=tf.constant(-1))
    check({name: value.numpy() for name, value in answer.items()}, explainer.explain(TOKENS))


def test_a_callback_gives_the_same():
    view = ModelView.from_callables(
        lambda x: tf.reduce_prod(x, axis=1), lambda x: x, tf.TensorSpec([None, 2, 1], tf.float64)
    )

    def callback(x, call_model_args, expected_keys):
        return {"INPUT_OUTPUT_GRADIENTS": x[:, ::-1]}

    x = np.array([[3.0], [4.0]])
    expected = SequentialIGExplainer(view).explain(x).values
    np.testing.assert_allclose(SequentialIGExplainer().GetMask(x, callback), expected)
    with pytest.raises(ValueError, match="token"):
        SequentialIGExplainer(token=1).GetMask(x, callback)


@pytest.mark.parametrize(
    ("options", "error", "word"),
    [
        ({"token": -1}, ValueError, "token"),
        ({"token": 0.5}, TypeError, "token"),
        ({"steps": 0}, ValueError, "steps"),
        ({"rule": "middle"}, ValueError, "rule"),
    ],
)
def test_wrong_arguments_are_named(model, options, error, word):
    with pytest.raises(error, match=word):
        SequentialIGExplainer(model, input_layer="words", **options)


@pytest.mark.parametrize(("token", "there"), [(8, "0 … 7"), (999, "0 … 7"), (2**40, "int32")])
def test_a_token_without_a_vector_is_named(model, token, there):
    explainer = SequentialIGExplainer(model, input_layer="words", token=token)
    with pytest.raises(ValueError, match=rf"^`token`: {token} is no token of this model: .*{there}\.$"):
        explainer.explain(TOKENS)


def test_words_without_a_vector_are_named(model):
    with pytest.raises(ValueError, match=r"^1003 is no token of this model: .* 0 … 7\.$"):
        SequentialIGExplainer(model, input_layer="words").explain(TOKENS + 1000)
    with pytest.raises(ValueError, match=r"^1003 is no token of this model"):
        IG2Explainer(model, input_layer="words").explain(TOKENS, TOKENS + 1000)


def test_what_is_no_words_is_refused():
    flat = keras.Sequential([keras.Input([4]), keras.layers.Dense(3)])
    with pytest.raises(ValueError, match=r"\[N, W, E\]"):
        SequentialIGExplainer(flat).explain(np.ones([1, 4]))
    vectors = keras.Sequential([keras.Input([2, 4]), keras.layers.Flatten(), keras.layers.Dense(3)])
    with pytest.raises(ValueError, match="`token` is looked up"):
        SequentialIGExplainer(vectors, token=0).explain(np.ones([1, 2, 4]))


def test_settings_roundtrip_through_get_mask(model):
    mask = SequentialIGExplainer(model, input_layer="words").GetMask(TOKENS[0], token=7, steps=5)
    expected = SequentialIGExplainer(model, input_layer="words", token=7, steps=5).explain(TOKENS[0])
    np.testing.assert_array_equal(mask, expected.values)

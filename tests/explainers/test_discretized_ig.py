"""Discretised IG against a plain reading of it, closed forms, and its doors."""

import keras
import numpy as np
import pytest

from tf_ig2 import DiscretizedIGExplainer, IntegratedGradientsExplainer, Keep, ModelView
from tf_ig2.serving import export

TOKENS = np.array([[3, 1, 4, 0], [2, 5, 5, 6], [11, 8, 3, 7]], np.int32)
WORDS = 12


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(0)
    inputs = keras.Input([4], dtype="int32")
    embedding = keras.layers.Embedding(WORDS, 3, embeddings_initializer="random_normal", name="words")
    hidden = keras.layers.Dense(6, "tanh")(keras.layers.Flatten(name="flatten")(embedding(inputs)))
    model = keras.Model(inputs, keras.layers.Dense(3, "softmax")(hidden))
    embedding.embeddings.assign(embedding.embeddings * 20)
    return model


def way(table, word, baseline, steps, neighbours, strategy):
    """The paper's algorithm word by word and coordinate by coordinate, from a word to the baseline."""
    others = [v for v in range(len(table)) if not np.array_equal(table[v], baseline)]
    current, passed, points = word, {word}, [table[word]]
    for k in range(1, steps):
        w = points[-1]
        around = sorted((v for v in others if v != current), key=lambda v: np.sum((table[v] - table[current]) ** 2))
        found = []
        for candidate in around[:neighbours]:
            if candidate in passed:
                continue
            point, between = table[candidate].copy(), 0
            for i in range(len(w)):
                if min(w[i], baseline[i]) <= point[i] <= max(w[i], baseline[i]):
                    between += 1
                else:
                    point[i] = w[i] - (w[i] - baseline[i]) / steps
            far = np.sqrt(np.sum((table[candidate] - point) ** 2))
            found.append((far if strategy == "greedy" else -between, len(found), candidate, point))
        if not found or np.array_equal(table[word], baseline):
            points.append(w + (baseline - w) / (steps - k + 1))
            continue
        _, _, current, point = min(found, key=lambda one: one[:2])
        passed.add(current)
        points.append(point)
    return np.array([*points, baseline])


@pytest.mark.parametrize("strategy", ["greedy", "max count"])
@pytest.mark.parametrize("token", [None, 7])
def test_it_is_what_the_paper_says(model, strategy, token):
    explainer = DiscretizedIGExplainer(
        model, input_layer="words", token=token, steps=5, neighbours=6, strategy=strategy, rule="left"
    )
    explanation = explainer.explain(TOKENS, keep=Keep(path=True))
    table = model.get_layer("words").embeddings.numpy().astype(np.float64)
    dense, last = (layer.get_weights() for layer in model.layers[-2:])
    baseline = np.zeros(3) if token is None else table[token]

    def gradient(x, target):
        hidden = np.tanh(x.reshape(-1) @ dense[0] + dense[1])
        return (dense[0] @ ((1 - hidden**2) * last[0][:, target])).reshape(4, 3)

    for row, tokens in enumerate(TOKENS):
        path = np.stack([way(table, word, baseline, 5, 6, strategy) for word in tokens], axis=1)
        np.testing.assert_allclose(explanation.path[row, 0], path, atol=1e-6)
        values = sum(gradient(path[k + 1], explanation.target[row]) * (path[k] - path[k + 1]) for k in range(5))
        np.testing.assert_allclose(explanation.values[row], values, atol=1e-5)


@pytest.mark.parametrize(("rule", "strategy"), [("left", "greedy"), ("right", "max count"), ("trapezoid", "greedy")])
def test_on_a_linear_model_every_path_gives_gradient_times_difference(rule, strategy):
    keras.utils.set_random_seed(1)
    layers = [keras.Input([4], dtype="int32"), keras.layers.Embedding(9, 3, name="words"), keras.layers.Flatten()]
    linear = keras.Sequential([*layers, keras.layers.Dense(2)])
    tokens = np.array([[1, 2, 3, 4], [8, 8, 0, 5]])
    options = {"input_layer": "words", "rule": rule}
    values = DiscretizedIGExplainer(linear, strategy=strategy, steps=4, **options).explain(tokens).values
    expected = IntegratedGradientsExplainer(linear, steps=4, **options).explain(tokens, 0.0).values
    np.testing.assert_allclose(values, expected, atol=1e-6)
    assert np.abs(expected).max() > 0.01


@pytest.mark.parametrize("rule", ["idgi", "idgi-both"])
def test_attributions_add_up_to_rounding(model, rule):
    explanation = DiscretizedIGExplainer(model, input_layer="words", token=0, steps=6, rule=rule).explain(TOKENS)
    np.testing.assert_allclose(explanation.completeness_gap, 0, atol=1e-5)
    assert np.abs(explanation.output - explanation.counterfactual_output[:, 0]).min() > 0.1


def test_attributions_nearly_add_up_where_words_are_dense():
    keras.utils.set_random_seed(2)
    words = keras.layers.Embedding(400, 2, embeddings_initializer=keras.initializers.RandomUniform(-1, 1), name="words")
    layers = [keras.Input([3], dtype="int32"), words, keras.layers.Flatten()]
    dense = keras.Sequential([*layers, keras.layers.Dense(8, "tanh"), keras.layers.Dense(3)])
    tokens = np.arange(30).reshape(10, 3)

    def gap(**options):
        explanation = DiscretizedIGExplainer(dense, input_layer="words", **options).explain(tokens)
        return np.median(np.abs(explanation.relative_completeness_gap))

    assert gap(steps=40) < 0.01 < gap(steps=40, rule="left")


def test_a_word_that_is_the_baseline_has_nothing(model):
    explanation = DiscretizedIGExplainer(model, input_layer="words", token=0, steps=8).explain(TOKENS)
    assert not explanation.values[0, 3].any()
    assert explanation.values[0, :3].any(axis=-1).all()


def test_the_path_is_reported_from_the_explicand_to_the_baseline(model):
    explainer = DiscretizedIGExplainer(model, input_layer="words", token=7, steps=4)
    explanation = explainer.explain(TOKENS, target=1, keep=Keep(path=True, counterfactuals=True))
    table = model.get_layer("words").embeddings.numpy()
    np.testing.assert_array_equal(explanation.path[:, 0, 0], table[TOKENS])
    np.testing.assert_array_equal(explanation.path[:, 0, -1], np.broadcast_to(table[7], (3, 4, 3)))
    np.testing.assert_array_equal(explanation.counterfactuals[:, 0], explanation.path[:, 0, -1])
    view = ModelView(model, input_layer="words")
    for k in range(5):
        outputs = view.outputs(explanation.path[:, 0, k], TOKENS)[:, 1]
        np.testing.assert_allclose(explanation.outputs[:, 0, k], outputs, atol=1e-5)


def test_a_batch_is_its_rows_one_by_one_and_xla_changes_nothing(model):
    options = {"input_layer": "words", "steps": 6, "neighbours": 5}
    whole = DiscretizedIGExplainer(model, **options).explain(TOKENS, batch_size=2)
    compiled = DiscretizedIGExplainer(model, jit_compile=True, **options).explain(TOKENS)
    np.testing.assert_allclose(compiled.values, whole.values, atol=1e-6)
    explainer = DiscretizedIGExplainer(model, **options)
    for row, tokens in enumerate(TOKENS):
        np.testing.assert_allclose(explainer.explain(tokens).values, whole.values[row], atol=1e-6)
    several = explainer.explain(TOKENS, target=[[0, 1], [1, 2], [2, 0]])
    np.testing.assert_allclose(several.values[1, 0], explainer.explain(TOKENS, target=1).values[1], atol=1e-6)


def test_weights_that_change_change_the_path():
    layers = [keras.Input([2], dtype="int32"), keras.layers.Embedding(5, 2, name="words"), keras.layers.Flatten()]
    model = keras.Sequential([*layers, keras.layers.Dense(2, "tanh"), keras.layers.Dense(2)])
    explainer = DiscretizedIGExplainer(model, input_layer="words", steps=3)
    before = explainer.explain([[1, 2]], keep=Keep(path=True)).path
    model.layers[0].embeddings.assign(model.layers[0].embeddings[::-1])
    after = explainer.explain([[3, 2]], keep=Keep(path=True)).path
    np.testing.assert_array_equal(after, before)


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "float64"])
def test_words_in_other_precisions(policy):
    layers = keras.layers
    inputs = keras.Input([3], dtype="int32")
    words = layers.Embedding(8, 4, name="words", dtype=policy)(inputs)
    hidden = layers.Dense(5, "tanh", dtype=policy)(layers.Flatten()(words))
    model = keras.Model(inputs, layers.Dense(2, dtype="float64" if policy == "float64" else "float32")(hidden))
    explanation = DiscretizedIGExplainer(model, input_layer="words", steps=4, rule="idgi").explain([[1, 2, 3]])
    assert explanation.values.dtype == (np.float64 if policy == "float64" else np.float32)
    np.testing.assert_allclose(explanation.completeness_gap, 0, atol=1e-12 if policy == "float64" else 1e-6)


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"token": -1}, ValueError, "token"),
        ({"token": 0.5}, TypeError, "token"),
        ({"token": WORDS}, ValueError, r"`token`: 12 is no token of this model: .* 0 … 11\."),
        ({"steps": 0}, ValueError, "steps"),
        ({"neighbours": 0}, ValueError, "neighbours"),
        ({"neighbours": 2.5}, TypeError, "neighbours"),
        ({"neighbours": WORDS}, ValueError, r"`neighbours` is 12, and beside a word .* has 11 others"),
        ({"strategy": "maxcount"}, ValueError, "Unknown strategy: 'maxcount'. Choose one of .*'max count'"),
        ({"rule": "midpoint"}, ValueError, "Unknown rule: 'midpoint'. Choose one of .*'trapezoid'"),
    ],
)
def test_wrong_arguments_are_named(model, options, error, words):
    with pytest.raises(error, match=words):
        DiscretizedIGExplainer(model, input_layer="words", **options)


def test_attributions_anywhere_but_at_one_embedding_are_refused(model):
    with pytest.raises(ValueError, match=r"made inside, at .*name the embedding"):
        DiscretizedIGExplainer(model, input_layer="flatten")
    flat = keras.Sequential([keras.Input([4]), keras.layers.Dense(3)])
    with pytest.raises(ValueError, match="made at the input: name the embedding"):
        DiscretizedIGExplainer(flat)
    with pytest.raises(ValueError, match="name the embedding"):
        DiscretizedIGExplainer(model, input_layer=["words"])
    with pytest.raises(ValueError, match="has no model"):
        DiscretizedIGExplainer(None)


def test_an_embedding_that_is_not_finite_is_refused():
    layers = [keras.Input([2], dtype="int32"), keras.layers.Embedding(5, 2, name="words"), keras.layers.Flatten()]
    broken = keras.Sequential([*layers, keras.layers.Dense(2)])
    broken.layers[0].embeddings.assign(np.full([5, 2], np.nan, np.float32))
    with pytest.raises(ValueError, match="'words' has vectors that are not finite"):
        DiscretizedIGExplainer(broken, input_layer="words").explain([[1, 2]], target=0)


def test_neither_export_nor_callbacks(model, tmp_path):
    explainer = DiscretizedIGExplainer(model, input_layer="words")
    with pytest.raises(ValueError, match="is not exported"):
        export(explainer, tmp_path)
    with pytest.raises(ValueError, match="a callback has none"):
        explainer.GetMask(np.zeros([4, 3]), lambda x, args, keys: {"INPUT_OUTPUT_GRADIENTS": x})


def test_settings_roundtrip_through_get_mask(model):
    mask = DiscretizedIGExplainer(model, input_layer="words").GetMask(TOKENS[0], token=7, steps=5)
    expected = DiscretizedIGExplainer(model, input_layer="words", token=7, steps=5).explain(TOKENS[0])
    np.testing.assert_array_equal(mask, expected.values)

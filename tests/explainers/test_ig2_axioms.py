"""The axioms of section 4.3, as properties of IG² and GradCFE on random networks."""

import numpy as np
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from tf_ig2 import IG2Explainer, ModelView

HIDDEN, WIDTH, FEATURES = 7, 5, 4


class Network:
    """f(x) = V·tanh(B·tanh(A·x)), with weights that can be changed without tracing anew."""

    def __init__(self, hidden=HIDDEN):
        self.a = tf.Variable(tf.zeros([FEATURES, hidden], tf.float64))
        self.b = tf.Variable(tf.zeros([hidden, WIDTH], tf.float64))
        self.v = tf.Variable(tf.zeros([WIDTH, 2], tf.float64))

    def encode(self, x):
        return tf.tanh(tf.tanh(x @ self.a) @ self.b)

    def view(self):
        spec = tf.TensorSpec([None, FEATURES], tf.float64)
        return ModelView.from_callables(self.encode, lambda h: h @ self.v, spec)

    def assign(self, a, b, v):
        self.a.assign(a)
        self.b.assign(b)
        self.v.assign(v)


def draw(seed):
    rng = np.random.default_rng(seed)
    weights = [rng.normal(size=shape) for shape in ([FEATURES, HIDDEN], [HIDDEN, WIDTH], [WIDTH, 2])]
    return rng, weights, rng.uniform(-1, 1, [2, FEATURES]), rng.uniform(-1, 1, [3, FEATURES])


NETWORK = Network()
OPTIONS = {"steps": 30, "step_size": 0.05, "clip_min_max": None}
EXPLAINERS = {
    rule: IG2Explainer(NETWORK.view(), rule=rule, **OPTIONS) for rule in ("explicand", "counterfactual", "segment")
}
DOUBLED = Network(2 * HIDDEN)
DOUBLED_EXPLAINER = IG2Explainer(DOUBLED.view(), rule="explicand", **OPTIONS)
seeds = st.integers(0, 2**32 - 1)
rules = st.sampled_from(sorted(EXPLAINERS))


@given(seeds, rules, st.integers(0, FEATURES - 1))
@settings(deadline=None, max_examples=40)
def test_dummy(seed, rule, feature):
    """A feature that the representation does not see gets nothing, from IG² and from GradCFE."""
    _, weights, x, references = draw(seed)
    weights[0][feature] = 0
    NETWORK.assign(*weights)
    explanation = EXPLAINERS[rule].explain(x, references, target=0)
    assert not explanation.values[:, feature].any()
    assert not explanation.gradcfe[:, feature].any()
    assert explanation.values.any()


@given(seeds, rules)
@settings(deadline=None, max_examples=40)
def test_symmetry(seed, rule):
    """Features that the model treats alike, and that are equal in the explicand, get equal attributions.

    The references' own values may differ (Remark 4).
    """
    _, weights, x, references = draw(seed)
    weights[0][1] = weights[0][2]
    x[:, 1] = x[:, 2]
    NETWORK.assign(*weights)
    explanation = EXPLAINERS[rule].explain(x, references, target=0)
    np.testing.assert_allclose(explanation.values[:, 1], explanation.values[:, 2], rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(explanation.gradcfe[:, 1], explanation.gradcfe[:, 2], rtol=1e-9, atol=1e-12)
    assert np.abs(explanation.values[:, 0] - explanation.values[:, 1]).max() > 0


@given(seeds)
@settings(deadline=None, max_examples=40)
def test_implementation_invariance(seed):
    """Another network that computes the same function (every hidden unit twice, at half the weight, shuffled)."""
    rng, (a, b, v), x, references = draw(seed)
    NETWORK.assign(a, b, v)
    shuffled = rng.permutation(2 * HIDDEN)
    DOUBLED.assign(np.tile(a, 2)[:, shuffled], np.tile(b / 2, [2, 1])[shuffled], v)
    one = EXPLAINERS["explicand"].explain(x, references, target=0)
    other = DOUBLED_EXPLAINER.explain(x, references, target=0)
    np.testing.assert_allclose(one.values, other.values, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(one.gradcfe, other.gradcfe, rtol=1e-6, atol=1e-9)


@given(seeds)
@settings(deadline=None, max_examples=40)
def test_completeness_of_the_segment_rule(seed):
    """On smooth networks the attributions add up to within 1 % of the output's change along the path."""
    _, weights, x, references = draw(seed)
    NETWORK.assign(*weights)
    explanation = EXPLAINERS["segment"].explain(x, references, target=0)
    change = np.abs(np.diff(explanation.outputs, axis=-1)).sum(axis=-1).mean(axis=-1)
    assert (np.abs(explanation.completeness_gap) <= 0.01 * change).all()

"""What the page on choosing says that each method costs and gives is counted, and looked at, on a small network."""

import re
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

import tf_ig2
from tf_ig2.contrasts.boundary import Attack

ROOT = Path(__file__).parents[1]
HEADINGS = ["method", "forward", "backward", "holds", "needs", "adds_up", "signed", "data", "inside"]
N, K, R, M, C, S, W, SIDE, WINDOW = 2, 4, 3, 2, 2, 3, 5, 6, 3
SAMPLES = 12  # of coalitions: fewer leave the regression of KernelSHAP singular
NUMBERS = {"K": K, "R": R, "M": M, "C": C, "A": 2, "S": S, "W": W, "H": SIDE, "s": WINDOW}


def table():
    """Row → column → cell, of the comparison on the page."""
    page = (ROOT / "docs" / "choose.md").read_text(encoding="utf-8")
    (section,) = re.findall(r"(?ms)^## What each costs and gives$(.*?)^## ", page)
    rows = [
        [cell.strip() for cell in line.strip(" |").split(" | ")]
        for line in section.splitlines()
        if "](methods/" in line
    ]
    assert all(len(row) == len(HEADINGS) for row in rows)
    return {re.sub(r"\[(.*?)\]\(.*?\)", r"\1", row[0]): dict(zip(HEADINGS, row, strict=True)) for row in rows}


TABLE = table()


class Counted(keras.layers.Layer):
    """Counts the rows that go through it, forward and backward."""

    def __init__(self, **options):
        super().__init__(**options)
        self.passes = {"forward": 0, "backward": 0}

    def count(self, way, x):
        def add(size):
            self.passes[way] += int(size)
            return size

        with tf.control_dependencies([tf.numpy_function(add, [tf.shape(x)[0]], tf.int32)]):
            return tf.identity(x)

    def call(self, x):
        @tf.custom_gradient
        def counted(x):
            return self.count("forward", x), lambda gradient: self.count("backward", gradient)

        return counted(x)


def network(shape, *before, dtype="float32"):
    """A network of three classes and the layer that counts, behind the layers `before`."""
    keras.utils.set_random_seed(0)
    counted = Counted(name="counted")
    top = [keras.layers.Flatten(), keras.layers.Dense(8, "tanh"), keras.layers.Dense(3, "softmax")]
    return keras.Sequential([keras.Input(shape, dtype=dtype), *before, counted, *top]), counted


def data(*shape):
    return np.random.default_rng(0).random(shape).astype(np.float32)


IMAGE, VECTOR = (SIDE, SIDE, 1), (W,)
FIXED = {"steps": K, "step_size": 0.01}  # paths that go on to the limit
RANGE = {"value_range": (0.0, 1.0)}
ATTACKS = [Attack("l2", 1e-6, S), Attack("sign", 1e-6, S)]  # which find nothing
CASES = {
    "IG², pictures": (IMAGE, "IG2Explainer", {"rule": "idgi", "noise": 0.1, **FIXED}, "references"),
    "IG², maps inside": (IMAGE, "IG2Explainer", {"rule": "idgi-both", **FIXED}, "references"),
    "IG², vectors, words, signals": (VECTOR, "IG2Explainer", {"rule": "segment", "nodes": M, **FIXED}, "references"),
    "Integrated Gradients": (VECTOR, "IntegratedGradientsExplainer", {"steps": K}, "baselines"),
    "Expected IG": (VECTOR, "ExpectedIGExplainer", {"steps": K}, "references"),
    "Guided IG": (VECTOR, "GuidedIGExplainer", {"steps": K}, "baselines"),
    "Blur IG": (IMAGE, "BlurIGExplainer", {"steps": K, "max_sigma": 2}, None),
    "Gradient": (VECTOR, "GradientExplainer", {}, None),
    "DeepSHAP": (VECTOR, "DeepSHAPExplainer", {"unknown": "gradient"}, "references"),
    "KernelSHAP": (VECTOR, "KernelSHAPExplainer", {"samples": SAMPLES}, "references"),
    "XRAI on IG": (IMAGE, "XRAIExplainer", {"min_size": 2, "min_new_pixels": 1, "dilation": 0}, "baselines"),
    "Grad-CAM": (IMAGE, "GradCAMExplainer", {"layer": "maps"}, None),
    "MFABA": (VECTOR, "MFABAExplainer", {"steps": K, "step_size": 1e-3, **RANGE}, None),
    "AGI": (VECTOR, "AGIExplainer", {"steps": K, "step_size": 1e-6, "classes": C, **RANGE}, None),
    "BIG": (VECTOR, "BIGExplainer", {"steps": K, "attacks": ATTACKS, **RANGE}, None),
    "IDG": (VECTOR, "IDGExplainer", {"steps": K, "coarse": M}, "baselines"),
    "Sequential IG": ("words", "SequentialIGExplainer", {"steps": K, "input_layer": "words"}, None),
    "Discretised IG": ("words", "DiscretizedIGExplainer", {"steps": K, "input_layer": "words"}, None),
    "Occlusion": (IMAGE, "OcclusionExplainer", {"size": WINDOW}, None),
}
"""Row → shape of the input, explainer and its arguments, and what it is given to contrast with."""


def explained(row):
    """The explanation of N explicands, and the rows that went through the network for it."""
    shape, name, options, wanted = CASES[row]
    if shape == "words":
        model, counted = network([W], keras.layers.Embedding(9, 4, name="words"), dtype="int32")
        x = np.arange(N * W).reshape(N, W) % 9
    else:
        model, counted = network(shape, *([keras.layers.Conv2D(2, 3, name="maps")] if row == "Grad-CAM" else []))
        x = data(N, *shape)
    target = np.argmax(model(x), axis=-1)
    base = tf_ig2.IntegratedGradientsExplainer(model, steps=K) if row == "XRAI on IG" else model
    given = {} if wanted is None else {wanted: data(R, *shape) + 0.5}
    explainer = getattr(tf_ig2, name)(base, **options)
    counted.passes.update({"forward": 0, "backward": 0})
    return explainer.explain(x, target=target, **given), dict(counted.passes)


def number(formula, row):
    own = {"KernelSHAP": {"K": SAMPLES}, "Occlusion": {"W": SIDE}}.get(row, {})
    return eval(formula.replace("·", "*").replace("−", "-"), {}, {**NUMBERS, **own})


def test_every_explainer_has_a_row_and_every_row_a_case():
    assert set(TABLE) == set(CASES)
    methods = {name for name in tf_ig2.__all__ if name.endswith("Explainer") and name != "WalkExplainer"}
    assert {case[1] for case in CASES.values()} == methods


@pytest.mark.parametrize("row", CASES)
def test_a_method_costs_and_gives_what_its_row_says(row):
    said = TABLE[row]
    explanation, passes = explained(row)
    for way in ("forward", "backward"):
        each, *once = (number(formula, row) for formula in re.findall("`(.*?)`", said[way]))
        assert passes[way] == N * each + sum(once), way
    if said["adds_up"].startswith(("yes", "with")) and row != "XRAI on IG":
        np.testing.assert_allclose(explanation.completeness_gap, 0, atol=1e-5)
    if said["adds_up"] == "no" and row in ("Grad-CAM", "Occlusion"):
        gap = explanation.completeness_gap
        assert gap is None or np.isnan(gap).all()
    if said["signed"] == "no: positive":
        assert (explanation.values >= 0).all()
    if said["signed"] == "yes" and row not in ("AGI", "BIG"):  # whose ways are too short here for another sign
        assert explanation.values.min() < 0 < explanation.values.max()


@pytest.mark.parametrize("row", [row for row in CASES if TABLE[row]["inside"] in ("yes", "no", "feature maps")])
def test_where_a_method_explains_inside_is_what_its_row_says(row):
    _, name, options, _ = CASES[row]
    model, _ = network(IMAGE, keras.layers.Conv2D(2, 3, name="maps"))

    def make():
        return getattr(tf_ig2, name)(model, **{**options, "input_layer": "maps"})

    if TABLE[row]["inside"] == "no":
        with pytest.raises(ValueError, match="at the input"):
            make()
    else:
        assert make().view.attributes_inside

"""Every bad input is refused at the door, by an exception that names the argument, what came, and what is wanted."""

import numpy as np
import pytest
import tensorflow as tf

from tf_ig2 import IG2Explainer, Keep, SparseL1
from tf_ig2.paths.rules import gauss_legendre

GOOD_X, GOOD_REFERENCES = np.zeros([2, 6]), np.ones([3, 6])
NAN, INFINITE = np.full([2, 6], np.nan), np.full([2, 6], np.inf)

EXPLAIN = {
    "rank of x": (ValueError, r"`x` has shape \(2, 6, 1, 1\).*\[6\]", {"x": np.zeros([2, 6, 1, 1])}),
    "shape of x": (ValueError, r"`x` has shape \(2, 5\).*\[6\]", {"x": np.zeros([2, 5])}),
    "no explicand": (ValueError, "`x` is empty", {"x": np.zeros([0, 6])}),
    "NaN in x": (ValueError, r"`x` contains NaN.*\(0, 0\)", {"x": NAN}),
    "infinite x": (ValueError, "`x` contains NaN or infinite", {"x": INFINITE}),
    "too large for float32": (TypeError, "`x` holds float64 values.*float32", {"x": np.full([2, 6], 1e300)}),
    "too large an integer": (TypeError, "`x` holds int64 values", {"x": np.full([2, 6], 2**24 + 1)}),
    "text": (TypeError, "`x` must hold numbers", {"x": [["a"] * 6]}),
    "ragged": (TypeError, "`x` cannot be read", {"x": [[1.0, 2.0], [1.0]]}),
    "complex": (TypeError, "`x` must hold numbers", {"x": np.zeros([2, 6], complex)}),
    "shape of references": (ValueError, r"`references` has shape \(3, 5\)", {"references": np.zeros([3, 5])}),
    "rank of references": (ValueError, "`references`", {"references": np.zeros([2, 3, 4, 6])}),
    "references of other explicands": (ValueError, r"\[2, R, 6\]", {"references": np.zeros([4, 3, 6])}),
    "no references": (ValueError, "`references` is empty", {"references": np.zeros([0, 6])}),
    "no references each": (ValueError, "`references` is empty", {"references": np.zeros([2, 0, 6])}),
    "NaN in references": (ValueError, "`references` contains NaN", {"references": NAN}),
    "infinite dataset": (
        ValueError,
        r"infinite dataset.*take",
        {"references": tf.data.Dataset.from_tensor_slices(GOOD_REFERENCES).repeat()},
    ),
    "empty dataset": (
        ValueError,
        "empty dataset",
        {"references": tf.data.Dataset.from_tensor_slices(GOOD_REFERENCES).take(0)},
    ),
    "target out of range": (ValueError, r"`target` 4 is out of range.*0 … 3", {"target": 4}),
    "negative target": (ValueError, r"`target` -1 is out of range", {"target": [-1, 0]}),
    "number of targets": (ValueError, r"`target` has shape \(3,\).*2 explicand", {"target": [0, 1, 2]}),
    "fractional target": (TypeError, "`target` must be class indices", {"target": 1.5}),
    "batch size": (ValueError, "`batch_size` must be positive", {"batch_size": 0}),
}


@pytest.mark.parametrize("case", EXPLAIN)
def test_explain(relu_net, case):
    kind, message, options = EXPLAIN[case]
    with pytest.raises(kind, match=message):
        IG2Explainer(relu_net).explain(**{"x": GOOD_X, "references": GOOD_REFERENCES, **options})


CONSTRUCT = {
    "rule": (ValueError, "Unknown rule: 'middle'.*explicand", {"rule": "middle"}),
    "norm": (ValueError, "Unknown norm: 'l3'", {"norm": "l3"}),
    "distance": (ValueError, "Unknown distance: 'far'.*cosine", {"distance": "far"}),
    "layer": (ValueError, "'nope' is not a layer", {"layer": "nope"}),
    "no steps": (ValueError, "`steps` must be positive", {"steps": 0}),
    "fractional steps": (TypeError, "`steps` must be an integer", {"steps": 2.5}),
    "step size zero": (ValueError, "`step_size` must be positive", {"step_size": 0.0}),
    "step size negative": (ValueError, "`step_size` must be positive", {"step_size": -1}),
    "step size NaN": (ValueError, "`step_size` must be positive", {"step_size": float("nan")}),
    "step size in words": (TypeError, "`step_size` must be a number", {"step_size": "large"}),
    "nodes": (ValueError, "`nodes` must be positive", {"nodes": 0}),
    "clip reversed": (ValueError, r"`clip_min_max` must be \(low, high\)", {"clip_min_max": (1, 0)}),
    "clip of three": (TypeError, "`clip_min_max` must be", {"clip_min_max": (0, 1, 2)}),
    "clip in words": (TypeError, "`clip_min_max` must be", {"clip_min_max": "all"}),
}


@pytest.mark.parametrize("case", CONSTRUCT)
def test_construct(relu_net, case):
    kind, message, options = CONSTRUCT[case]
    with pytest.raises(kind, match=message):
        IG2Explainer(relu_net, **options)


def test_a_clip_range_must_hold_the_explicand(relu_net):
    with pytest.raises(ValueError, match=r"`clip_min_max` \(0.0, 1.0\) does not contain .*\[2, 2\]"):
        IG2Explainer(relu_net, clip_min_max=(0, 1)).explain(GOOD_X + 2, GOOD_REFERENCES)


def test_a_grey_image_without_channel_axis_is_told_what_to_do():
    import keras

    net = keras.Sequential([keras.Input((4, 4, 1)), keras.layers.Flatten(), keras.layers.Dense(2)])
    with pytest.raises(ValueError, match=r"x\[\.\.\., None\]"):
        IG2Explainer(net).explain(np.zeros([4, 4]), np.zeros([2, 4, 4, 1]))


def test_an_explainer_without_model_says_so():
    with pytest.raises(ValueError, match="call_model_function"):
        IG2Explainer().explain(GOOD_X, GOOD_REFERENCES)


@pytest.mark.parametrize("percentile", [-1, 100])
def test_sparsity_percentile(percentile):
    with pytest.raises(ValueError, match="percentile"):
        SparseL1(percentile)


def test_keep_every():
    with pytest.raises(ValueError, match="every"):
        Keep(path=True, every=0)


def test_no_nodes():
    with pytest.raises(ValueError, match="nodes"):
        gauss_legendre(0)

"""Numbers may be NumPy's wherever they are asked for: the same explanation, whose settings are JSON."""

import json

import numpy as np
import pytest

import tf_ig2
from tests.networks import conv_net
from tf_ig2 import Attribution, Keep, SparseL1
from tf_ig2.contrasts.baselines import Blurred, GaussianNoise, Uniform

X = np.random.default_rng(0).random((2, 12, 12, 3)).astype("float32")
REFERENCES = np.random.default_rng(1).random((2, 12, 12, 3)).astype("float32")

INT, SINGLE, DOUBLE, NONE = np.int64, np.float32, np.float64, np.asarray
CASES = {
    "ig": ("IntegratedGradientsExplainer", {"steps": INT(3), "value_range": np.array([0, 1])}, ()),
    "ig, tolerance": ("IntegratedGradientsExplainer", {"steps": NONE(3), "completeness_tolerance": SINGLE(0.5)}, ()),
    "ig2": (
        "IG2Explainer",
        {
            "steps": np.uint8(2),
            "step_size": SINGLE(0.5),
            "clip_min_max": [SINGLE(0), INT(1)],
            "norm": SparseL1(INT(90)),
            "layer": INT(-2),
        },
        (REFERENCES,),
    ),
    "ig2, noise": (
        "IG2Explainer",
        {"noise": DOUBLE(0.1), "seed": INT(3), "tolerance": SINGLE(0.25), "steps": NONE(2)},
        (REFERENCES,),
    ),
    "ig2, nodes": (
        "IG2Explainer",
        {"rule": "segment", "nodes": INT(2), "steps": INT(2), "completeness_tolerance": DOUBLE(0.5)},
        (REFERENCES,),
    ),
    "expected ig": ("ExpectedIGExplainer", {"steps": INT(2), "seed": INT(1)}, (REFERENCES,)),
    "guided ig": (
        "GuidedIGExplainer",
        {"steps": INT(3), "fraction": SINGLE(0.5), "max_dist": DOUBLE(0.25), "nodes": INT(2), "rule": "segment"},
        (),
    ),
    "blur ig": ("BlurIGExplainer", {"steps": INT(3), "max_sigma": INT(2), "grad_step": SINGLE(0.5)}, ()),
    "mfaba": ("MFABAExplainer", {"steps": INT(3), "step_size": SINGLE(0.5), "value_range": (INT(0), SINGLE(1))}, ()),
    "occlusion": ("OcclusionExplainer", {"size": INT(10), "value": SINGLE(0.5), "stride": INT(2)}, ()),
    "grad-cam": ("GradCAMExplainer", {"layer": INT(0)}, ()),
    "kernel shap": (
        "KernelSHAPExplainer",
        {"samples": INT(30), "superpixels": INT(6), "seed": INT(1), "l1": SINGLE(0.5)},
        (REFERENCES,),
    ),
    "deep shap": ("DeepSHAPExplainer", {}, (REFERENCES,)),
    "xrai": (
        "XRAIExplainer",
        {
            "scales": np.array([100, 200]),
            "sigma": SINGLE(0.5),
            "min_size": INT(20),
            "dilation": INT(2),
            "min_new_pixels": INT(5),
            "area": SINGLE(0.5),
        },
        (),
    ),
}


def python(value):
    """The same with Python's own numbers."""
    if isinstance(value, (np.ndarray, np.generic)):
        return value.tolist()
    return type(value)(python(part) for part in value) if isinstance(value, (list, tuple)) else value


@pytest.fixture(scope="module")
def model():
    return conv_net()


@pytest.mark.parametrize("case", CASES)
def test_explainers(model, case, tmp_path):
    name, options, arguments = CASES[case]
    kind = getattr(tf_ig2, name)
    explainer = kind(model, **options)
    explanation = explainer.explain(X, *arguments, target=INT(1), batch_size=INT(3))
    plain = kind(model, **{name: python(value) for name, value in options.items()})
    assert json.dumps(explainer.settings) == json.dumps(plain.settings)
    explanation.save(tmp_path / "explanation.npz")
    loaded = Attribution.load(tmp_path / "explanation.npz")
    assert loaded.settings == json.loads(json.dumps(explanation.settings))
    assert np.isfinite(loaded.values).all()


@pytest.mark.parametrize(
    "baselines", [INT(0), SINGLE(0.5), GaussianNoise(SINGLE(0.5), INT(2), INT(1)), Uniform(INT(2))]
)
def test_baselines(model, baselines):
    explainer = tf_ig2.IntegratedGradientsExplainer(model, steps=2)
    assert np.isfinite(explainer.explain(X, baselines).values).all()
    assert Blurred(SINGLE(2)).sigma == 2


def test_the_rest(model):
    explainer = tf_ig2.IG2Explainer(model, steps=4, step_size=0.5)
    references = explainer.represent(REFERENCES, batch_size=INT(1))
    path = explainer.explain(X, references, keep=Keep(path=True, every=INT(2))).path
    assert path.shape[2] == 3
    assert tf_ig2.WalkExplainer(model, explainer.walk.replace(segments=INT(2))).settings["steps"] == 2
    smooth = tf_ig2.GradientExplainer(model).GetSmoothedMask(
        X[0], nsamples=INT(2), stdev_spread=SINGLE(0.1), seed=INT(0)
    )
    expected = tf_ig2.GradientExplainer(model).GetSmoothedMask(
        X[0], nsamples=2, stdev_spread=SINGLE(0.1).item(), seed=0
    )
    np.testing.assert_array_equal(smooth, expected)
    mask = tf_ig2.IntegratedGradientsExplainer(model).GetMask(X[0], x_steps=INT(3), batch_size=INT(2))
    assert mask.shape == X[0].shape


@pytest.mark.parametrize("wrong", [np.True_, True, "3", 2.5, np.float64(2), None, [3], np.array([3])])
def test_what_is_no_integer_is_refused(model, wrong):
    with pytest.raises(TypeError, match=r"`steps` must be an integer"):
        tf_ig2.IntegratedGradientsExplainer(model, steps=wrong)
    with pytest.raises(TypeError, match=r"`batch_size` must be an integer"):
        tf_ig2.GradientExplainer(model).explain(X, batch_size=wrong)


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("IG2Explainer", {"tolerance": np.nan}),
        ("IG2Explainer", {"noise": -0.5}),
        ("IG2Explainer", {"step_size": np.float32("inf")}),
        ("GuidedIGExplainer", {"fraction": np.nan}),
        ("GuidedIGExplainer", {"max_dist": np.float64(1.5)}),
        ("XRAIExplainer", {"area": np.float32("nan")}),
        ("KernelSHAPExplainer", {"l1": -1.0}),
        ("OcclusionExplainer", {"value": np.nan}),
    ],
)
def test_what_is_out_of_range_is_refused(model, kind, options):
    with pytest.raises(ValueError, match=f"`{next(iter(options))}` must"):
        getattr(tf_ig2, kind)(model, **options)


def test_a_huge_batch_is_everything_at_once(model):
    explainer = tf_ig2.IntegratedGradientsExplainer(model, steps=3)
    np.testing.assert_allclose(
        explainer.explain(X, batch_size=10**12).values, explainer.explain(X).values, rtol=1e-4, atol=1e-6
    )

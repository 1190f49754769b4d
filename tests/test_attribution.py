"""Attribution: slicing, saving, loading, and what it says of itself."""

import dataclasses
import json
import tracemalloc

import numpy as np
import pytest

from tf_ig2 import Attribution, IG2Explainer, Keep


@pytest.fixture(scope="module")
def explanation(relu_net):
    """By a rule that misses something."""
    rng = np.random.default_rng(0)
    explainer = IG2Explainer(relu_net, rule="explicand")
    return explainer.explain(rng.normal(size=[4, 6]), rng.normal(size=[2, 6]), keep=Keep(path=True))


def test_the_gap_is_what_the_sum_misses(explanation):
    missed = explanation.values.sum(axis=1) - (explanation.output - explanation.counterfactual_output.mean(axis=1))
    np.testing.assert_allclose(explanation.completeness_gap, missed, atol=1e-4)
    expected = np.abs(missed / (explanation.output - explanation.counterfactual_output.mean(axis=1)))
    np.testing.assert_allclose(explanation.relative_completeness_gap, expected, rtol=1e-3)


def test_nothing_to_explain_and_nothing_explained_is_no_gap():
    zeros = np.zeros([1, 1, 2])
    assert Attribution(np.zeros([1, 3]), np.zeros([1, 3]), zeros, zeros).relative_completeness_gap == [0.0]


def test_gradcfe_is_explicand_minus_gradcf(explanation):
    expected = (explanation.explicand[:, None] - explanation.counterfactuals).mean(axis=1)
    np.testing.assert_array_equal(explanation.gradcfe, expected)


def test_gradcfe_needs_the_counterfactuals(relu_net, x, references):
    explanation = IG2Explainer(relu_net).explain(x, references, keep=Keep(counterfactuals=False))
    assert explanation.counterfactuals is None
    with pytest.raises(ValueError, match="counterfactuals=True"):
        explanation.gradcfe  # noqa: B018


def test_slices(explanation):
    assert len(explanation) == 4
    assert explanation[1:3].values.shape == (2, 6)
    one = explanation[-1]
    assert one.values.shape == (6,)
    assert one.completeness_gap == explanation.completeness_gap[-1]
    assert one.settings == explanation.settings
    with pytest.raises(TypeError, match="one explicand"):
        one[0]
    with pytest.raises(TypeError, match="no length"):
        len(one)
    with pytest.raises(IndexError):
        explanation[4]


@pytest.mark.parametrize("index", [slice(None), 0])
def test_saved_and_loaded_it_is_the_same(explanation, tmp_path, index):
    explanation[index].save(tmp_path / "explanation.npz")
    loaded = Attribution.load(tmp_path / "explanation.npz")
    for name in ("values", "explicand", "outputs", "distances", "target", "counterfactuals", "path"):
        np.testing.assert_array_equal(getattr(loaded, name), getattr(explanation[index], name))
    assert loaded.settings == explanation.settings
    assert loaded.settings["method"] == "IG2Explainer"
    assert loaded.settings["layer"] is None


def test_no_half_file_is_left(explanation, tmp_path, monkeypatch):
    def full(*args, **kwargs):
        raise OSError("No space left on device")

    monkeypatch.setattr(np, "savez_compressed", full)
    with pytest.raises(OSError, match="No space"):
        explanation.save(tmp_path / "explanation.npz")
    assert not list(tmp_path.iterdir())


def test_corrupt_and_foreign_files_are_refused(explanation, tmp_path):
    path = tmp_path / "explanation.npz"
    explanation.save(path)
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(ValueError, match="corrupt"):
        Attribution.load(path)
    np.savez(path, something=np.zeros(3))
    with pytest.raises(ValueError, match="not a saved Attribution"):
        Attribution.load(path)
    with pytest.raises(FileNotFoundError):
        Attribution.load(tmp_path / "nothing.npz")


def test_a_pickle_inside_is_not_opened(tmp_path):
    path = tmp_path / "evil.npz"
    np.savez(path, header=np.array(json.dumps({"format": 1, "structure": {"values": "v"}, "settings": {}})), v=[{1: 2}])
    with pytest.raises(ValueError, match="not a saved Attribution"):
        Attribution.load(path)


@pytest.mark.parametrize(
    ("part", "change"),
    [
        ("outputs", lambda x: x[:-1]),
        ("distances", lambda x: x[..., :-1]),
        ("values", lambda x: x[:-1]),
        ("counterfactuals", lambda x: x[:, :-1]),
        ("steps_taken", lambda x: x[:, :-1]),
        ("stop", lambda x: x.astype(float)),
        ("target", lambda x: x[:-1]),
        ("values", lambda x: x.astype(str)),
    ],
)
def test_parts_that_do_not_fit_each_other_are_refused(explanation, tmp_path, part, change):
    dataclasses.replace(explanation, **{part: change(getattr(explanation, part))}).save(tmp_path / "explanation.npz")
    with pytest.raises(ValueError, match=r"explanation\.npz.*corrupt"):
        Attribution.load(tmp_path / "explanation.npz")


def saved(tmp_path, **parts):
    """A file of two explicands, three references and four steps, with other parts where they are given."""
    explanation = {
        "values": np.zeros([2, 5], np.float32),
        "explicand": np.zeros([2, 5], np.float32),
        "outputs": np.zeros([2, 3, 5], np.float32),
        "distances": np.zeros([2, 3, 5], np.float32),
        "target": np.zeros(2, np.int32),
        "counterfactuals": np.zeros([2, 3, 5], np.float32),
        "path": np.zeros([2, 3, 5, 5], np.float32),
        "steps_taken": np.zeros([2, 3], np.int32),
    }
    arrays = {**explanation, **parts}
    header = {"format": 1, "kind": "Attribution", "structure": {name: name for name in arrays}, "settings": {}}
    np.savez_compressed(tmp_path / "parts.npz", header=np.array(json.dumps(header)), **arrays)
    return tmp_path / "parts.npz"


def test_parts_that_fit_each_other_are_believed(tmp_path):
    assert Attribution.load(saved(tmp_path)).values.shape == (2, 5)


@pytest.mark.parametrize(
    "parts",
    [
        {"values": np.zeros([3, 5], np.float32)},
        {"values": np.zeros([2, 5], np.int32)},
        {"explicand": np.zeros([1, 5], np.float32)},
        {"outputs": np.zeros([2, 5], np.float32)},
        {"outputs": np.zeros([2, 3, 5], np.int64)},
        {"distances": np.zeros([2, 3, 6], np.float32)},
        {"target": np.zeros(3, np.int32)},
        {"target": np.zeros(2, np.float32)},
        {"counterfactuals": np.zeros([2, 4, 5], np.float32)},
        {"counterfactuals": np.zeros([2, 3, 4], np.float32)},
        {"path": np.zeros([2, 3, 6, 5], np.float32)},
        {"path": np.zeros([2, 3, 2, 1], np.float32)},
        {"steps_taken": np.zeros([2, 2], np.int32)},
        {"stop": np.zeros([2, 3], np.float32)},
        {"summed": np.zeros(2, bool)},
        {"somebody_elses": np.zeros([2], np.float32)},
        {"settings": np.zeros([2], np.float32)},
    ],
)
def test_parts_of_another_shape_or_type_are_refused(tmp_path, parts):
    with pytest.raises(ValueError, match="not a saved Attribution"):
        Attribution.load(saved(tmp_path, **parts))


def test_a_small_file_does_not_become_a_large_one_in_memory(tmp_path):
    path = saved(tmp_path, values=np.zeros([2, 40_000_000], np.float32))
    assert path.stat().st_size < 2**20
    tracemalloc.start()
    with pytest.raises(ValueError, match=r"unpacks to 320,\d+,\d+ bytes, and 268,435,456 are allowed"):
        Attribution.load(path)
    assert tracemalloc.get_traced_memory()[1] < 2**22
    tracemalloc.stop()


def test_whoever_trusts_a_file_may_allow_more_and_whoever_does_not_less(tmp_path):
    path = saved(tmp_path)
    with pytest.raises(ValueError, match="allowed: pass `max_bytes`"):
        Attribution.load(path, max_bytes=100)
    assert Attribution.load(path, max_bytes=10_000).values.shape == (2, 5)


def test_words_are_saved_as_words(tmp_path):
    outputs = np.zeros([2, 1, 2])
    words = np.array([b"a cup", b"of coffee"], object)
    Attribution(np.zeros([2, 1]), np.zeros([2, 1]), outputs, outputs, inputs=words).save(tmp_path / "words.npz")
    assert Attribution.load(tmp_path / "words.npz").inputs.tolist() == words.tolist()
    with pytest.raises(TypeError, match="`inputs` holds objects"):
        Attribution(words, words, outputs, outputs, inputs=np.array([{}, {}])).save(tmp_path / "objects.npz")

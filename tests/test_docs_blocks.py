"""The Python on the README's page and in the docs is run, on a small model that has what the pages speak of."""

import re
from pathlib import Path

import keras
import numpy as np
import pytest
import saliency.core as saliency

from tf_ig2 import ModelView, saliency_adapter

ROOT = Path(__file__).parents[1]
ELSEWHERE = {"extending.md": "tests/test_docs_extending.py", "coming_from.md": "tests/test_docs_blocks.py"}
"""Pages whose blocks have a test of their own; the second's is the last one here."""


def blocks(page):
    """The blocks of Python of a page; those of other libraries, marked `python theirs`, are not ours to run."""
    return re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), flags=re.DOTALL)


PAGES = [page for page in (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))) if blocks(page)]


@pytest.fixture
def names(tmp_path, monkeypatch):
    """What the pages take for granted."""
    monkeypatch.chdir(tmp_path)
    keras.utils.set_random_seed(0)
    layers = [keras.Input([8, 8, 3]), keras.layers.Conv2D(4, 3, activation="relu", name="hidden")]
    model = keras.Sequential([*layers, keras.layers.Flatten(), keras.layers.Dense(3, activation="softmax")])
    images, references = np.random.default_rng(0).random([2, 4, 8, 8, 3]).astype(np.float32)
    by_class = {index: saliency_adapter(model, target=index) for index in range(3)}

    def call_model_function(x, call_model_args=None, expected_keys=None):
        return by_class[call_model_args["class_idx"]](x, {}, expected_keys)

    return {
        "model": model,
        "x": images,
        "images": images,
        "references": references,
        "baseline": np.zeros([8, 8, 3], np.float32),
        "one_hot": np.eye(3)[[0, 1, 2, 0]],
        "call_model_function": call_model_function,
    }


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_the_blocks_of_a_page_run_one_after_the_other(page, names):
    if page.name in ELSEWHERE:
        assert (ROOT / ELSEWHERE[page.name]).exists()
        return
    for block in blocks(page):
        exec(compile(block, str(page), "exec"), names)


def test_what_is_said_to_be_the_same_is_the_same(names):
    exec("".join(blocks(ROOT / "docs" / "coming_from.md")), names)
    model, x, baseline = names["model"], names["x"], names["baseline"]
    pairs = saliency.IntegratedGradients().GetMask(
        x[0], names["call_model_function"], {"class_idx": 0}, x_steps=25, x_baseline=baseline
    )
    np.testing.assert_allclose(names["same"], pairs, atol=1e-6)
    logits = ModelView(model).outputs(np.stack([x[0], baseline])).numpy()[:, 0]
    captums_delta = names["attributions"][0].sum() - (logits[0] - logits[1])
    np.testing.assert_allclose(names["delta"][0], captums_delta, atol=1e-5)
    assert names["inside"].shape == (4, 6, 6, 4)
    explanation = names["explanation_of_shap"]
    total = explanation.values.sum(axis=(1, 2, 3)) + names["base_values"]
    np.testing.assert_allclose(total, explanation.output, atol=1e-4)  # as SHAP has it


@pytest.mark.parametrize("library", ["PAIR `saliency`", "Captum", "SHAP", "Xplique and tf-explain"])
def test_every_library_has_its_task_there_and_here_in_five_lines(library):
    page = (ROOT / "docs" / "coming_from.md").read_text(encoding="utf-8")
    (section,) = re.findall(rf"(?ms)^## From {library}$(.*?)(?=^## )", page)
    theirs = re.search("(?s)```python theirs\n(.*?)```", section)
    ours = re.search("(?s)```python\n(.*?)```", section)
    assert theirs
    assert theirs.start() < ours.start()
    assert len(re.findall(r"(?m)^[a-z].*=", ours[1])) <= 5

"""The page of XAI-TRIS on untrained networks; methods that are compiled once explain the network that is looked at."""

import keras
import numpy as np
import pytest

from tests.paper.experiments.small import small_task
from tf_ig2.explainers.gradient import GradientExplainer
from tf_ig2.models.model_view import ModelView
from tf_ig2.paper.experiments import rivals, xai_tris
from tf_ig2.paper.experiments.methods import IG2
from tf_ig2.paper.experiments.options import Options
from tf_ig2.paper.zoo.tetromino_nets import cells, one, output_name, tetromino_nets


@pytest.fixture
def nets(monkeypatch):
    keras.utils.set_random_seed(0)  # untrained, another draw may know one class alone
    nets = tetromino_nets()
    monkeypatch.setattr(xai_tris.saved_models, "load", lambda name: nets)
    monkeypatch.setattr(xai_tris, "LEAST", 0.0)
    return nets


def few(task, batch_size=512):
    """Two families, whose maps need no compiling: the image, and where the image is not."""
    arms = {"": lambda part: part.points, "idgi": lambda part: 1 / (1 + part.points**2)}
    return {
        family: {f"{family}, {name}" if name else family: method for name, method in arms.items()}
        for family in ("MFABA", IG2)
    }


def test_the_page_has_defaults_and_every_sum(nets, monkeypatch, tmp_path):
    monkeypatch.setattr(xai_tris, "cells", lambda: [("xor", "white", "mlp"), ("xor", "correlated", "mlp")])
    monkeypatch.setattr(xai_tris, "REPORT_NETWORKS", (1,))
    monkeypatch.setattr(rivals, "variants", few)

    def defaults(task):
        random = xai_tris._control(xai_tris.CONTROLS["random"])
        return {"random": random, **{family: next(iter(arms.values())) for family, arms in few(task).items()}}

    monkeypatch.setattr(xai_tris, "defaults", defaults)
    options = Options(tmp_path, samples=4, references=2, tasks=("xor",), verbose=False)
    files = xai_tris.run(options)
    page = files[0].read_text("utf-8")
    assert "## With defaults" in page
    assert "XOR correlated" in page
    assert page.count("| random |") == 6
    assert "| MFABA, idgi |" in page.split("## With other sums")[1]
    before = {path: path.read_bytes() for path in (tmp_path / "records").iterdir()}
    assert xai_tris.run(options)[0].read_text("utf-8") == page
    assert {path: path.read_bytes() for path in (tmp_path / "records").iterdir()} == before


def test_methods_explain_the_network_that_is_looked_at(nets):
    def methods(task):
        gradient = GradientExplainer(task.view)
        return {
            "Gradient": lambda part: gradient.explain(part.inputs, target=part.target).values,
            rivals.SQUARES: rivals.squared_smoothgrad(task.view, 2),
        }

    own = [("linear", "white", "linear"), ("linear", "correlated", "linear")]
    nets.get_layer(output_name(*own[1])).set_weights([np.ones([64, 2]) * [1, -1], np.zeros(2)])
    parts = list(xai_tris.tasks(nets, own, methods, 3, 2, 5))
    part, made = parts[1]
    fresh = methods(xai_tris.task(ModelView(one(nets, *own[1])), *own[1], 3, 2, 5))
    for name, method in made.items():
        np.testing.assert_allclose(method(part), fresh[name](part), rtol=1e-5)
    with pytest.raises(ValueError, match="has no network"):
        one(nets, "xor", "white", "linear")


def test_networks_that_have_not_learned_are_left_out(nets, monkeypatch):
    monkeypatch.setattr(xai_tris, "LEAST", 0.8)
    assert not list(xai_tris.tasks(nets, [("xor", "white", "mlp")], lambda task: {}, 3, 2, 5))


def test_networks_are_a_linear_one_only_where_it_can_learn():
    assert len(cells()) == 18
    assert [cell for cell in cells() if cell[2] == "linear"] == [
        ("linear", "white", "linear"),
        ("linear", "correlated", "linear"),
    ]


def test_without_boundaries_and_with_images_and_all_sums():
    task = small_task()
    found = rivals.defaults(task, gradients=2, boundary=False)
    assert {"MFABA", "AGI", "BIG"}.isdisjoint(found)
    assert list(found)[-1] == IG2
    assert set(rivals.variants(task)["Blur IG"]) == {"Blur IG", "Blur IG, idgi", "Blur IG, idgi-both"}
    for name in ("IDG", rivals.SQUARES, rivals.NO_NOISE):
        assert found[name](task).shape == task.points.shape

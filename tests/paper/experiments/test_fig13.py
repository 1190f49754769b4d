"""References by labels or representations; the path of CelebA on mock data, which say what they are."""

import keras
import numpy as np
import pytest

from tests.networks import needs_data
from tf_ig2.contrasts import strategies
from tf_ig2.paper.datasets.folder import MissingDataError
from tf_ig2.paper.experiments import fig13
from tf_ig2.paper.experiments.options import Options


@pytest.fixture
def small_backbone(monkeypatch):
    layers = keras.layers
    backbone = keras.Sequential(
        [
            keras.Input((16, 16, 3)),
            layers.Rescaling(1 / 255),
            layers.Conv2D(4, 3, activation="relu"),
            layers.Flatten(),
            layers.Dense(3, "softmax"),
        ]
    )
    monkeypatch.setattr(fig13, "mobilenet_v2", lambda weights: backbone)


@pytest.fixture
def labels():
    rng = np.random.default_rng(0)
    return rng.integers(0, 2, [50, 6]), rng.integers(0, 2, [3, 6]), np.array([0, 2, 5])


def test_kinds_differ_in_the_explained_label_or_not(labels):
    pool, own, explained = labels
    found = fig13.label_groups(pool, own, explained, groups=3, count=4, seed=0)
    for kind, differs in zip(found, (True, False), strict=True):
        for i, label in enumerate(explained):
            assert ((pool[found[kind].rows[i], label] != own[i, label]) == differs).all()


def test_the_distance_is_that_of_the_other_labels_and_grows(labels):
    pool, own, explained = labels
    for found in fig13.label_groups(pool, own, explained, groups=3, count=4, seed=0).values():
        others = np.delete(np.arange(6), explained[1])
        distance = (pool[found.rows[1]][..., others] != own[1, others]).sum(axis=-1).mean(axis=-1)
        np.testing.assert_allclose(found.distance[1], distance)
        assert (np.diff(found.distance, axis=1) >= 0).all()


def test_the_nearest_group_is_that_of_the_strategy(labels):
    pool, own, explained = labels
    found = fig13.label_groups(pool, own, explained, groups=2, count=4, seed=0)["counterfactual"]
    nearest = strategies.label_distance(pool, own, explained, count=4, seed=1)
    others = (pool[nearest] != own[:, None]).sum(axis=-1) - 1
    np.testing.assert_allclose(found.distance[:, 0], others.mean(axis=1))


def test_representations_near_and_far():
    pool, own = np.array([[0.0], [3.0], [1.0], [2.0]]), np.array([[0.0]])
    differs = np.array([[False, True, True, True]])
    found = fig13.representation_groups(pool, own, differs, groups=3, count=1)["counterfactual"]
    assert found.rows.tolist() == [[[2], [3], [1]]]
    with pytest.raises(ValueError, match="can have 1"):
        fig13.representation_groups(pool, own, differs, groups=2, count=2)


def test_mock_faces_say_so_everywhere(small_backbone, tmp_path):
    files = fig13.run(Options(tmp_path, tasks=("celeba",), verbose=False))
    assert [path.name for path in files] == ["fig13_mock.md", "fig13_mock.png", "fig13_mock.csv"]
    page = files[0].read_text("utf-8")
    assert page.splitlines()[0].endswith(f"({fig13.MOCK})")
    assert page.count(fig13.MOCK) >= 3
    assert files[2].read_text("utf-8").count("counterfactual, group 5") == 4


def test_real_faces_want_a_trained_network(monkeypatch, tmp_path):
    class Prepared:
        def is_prepared(self):
            return True

    monkeypatch.setattr("tensorflow_datasets.builder", lambda name: Prepared())
    with pytest.raises(MissingDataError, match=r"zoo\.train faces"):
        fig13.run(Options(tmp_path, tasks=("celeba",), verbose=False))


def test_what_is_explained_is_there_and_seen():
    labels = np.array([1.0, 1.0, 0.0])
    assert fig13._explainable(np.array([-1.0, 2.0, 3.0]), labels).tolist() == [1]
    assert fig13._explainable(np.array([-1.0, -2.0, 3.0]), labels).tolist() == [0, 1]
    assert fig13._explainable(np.array([-1.0, -2.0, 3.0]), np.zeros(3)).tolist() == [0, 1, 2]


@needs_data
def test_planted_wafers(monkeypatch, tmp_path):
    monkeypatch.setattr(fig13, "GROUPS", 2)
    files = fig13.run(Options(tmp_path, samples=6, references=1, tasks=("planted",), verbose=False))
    assert "auc,counterfactual, group 1" in files[2].read_text("utf-8").replace('"', "")

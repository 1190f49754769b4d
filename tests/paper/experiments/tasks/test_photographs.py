"""A folder of one's own photographs is a task: any names, no labels."""

import numpy as np
import pytest
from PIL import Image

from tests.paper.experiments.small import small_task
from tf_ig2.models.model_view import ModelView
from tf_ig2.paper.datasets.folder import CorruptDataError, MissingDataError
from tf_ig2.paper.experiments.tasks import photographs


@pytest.fixture
def view():
    return small_task().view


@pytest.fixture
def classes(monkeypatch):
    """Predictions by brightness: four classes."""

    class Bright:
        def __init__(self, view, batch_size, activation):
            assert activation == "softmax"

        def __call__(self, x):
            return np.eye(4)[(x.mean(axis=(1, 2, 3)) // 64).astype(int)]

    monkeypatch.setattr(photographs, "Predictor", Bright)


@pytest.fixture
def folder(tmp_path):
    for i in range(8):
        Image.new("RGB", (20, 16), (i * 32,) * 3).save(tmp_path / f"{i} own.png")
    return tmp_path


def test_references_are_of_random_other_predicted_classes(view, classes, folder):
    found = photographs.load(view, folder, references=3)
    assert found.inputs.shape == (8, 12, 12, 3)
    task = found.task(np.array([2, 0]))
    assert task.names == (found.names[2], found.names[0])
    for x, target, references in zip(task.inputs, task.target, task.references, strict=True):
        assert x.mean() // 64 == target
        assert sorted([target, *(references.mean(axis=(1, 2, 3)) // 64)]) == [0, 1, 2, 3]


def test_the_order_is_drawn_once_and_names_go_with_pictures(view, classes, folder):
    found, again = (photographs.load(view, folder, references=3) for _ in range(2))
    assert found.names == again.names != tuple(sorted(found.names))
    assert [x[0, 0, 0] / 32 for x in found.inputs] == [int(name[0]) for name in found.names]
    np.testing.assert_array_equal(found.chosen, again.chosen)


def test_pictures_may_lie_in_images(view, classes, folder):
    inner = folder / "images"
    inner.mkdir()
    for path in folder.glob("*.png"):
        path.rename(inner / path.name)
    assert len(photographs.load(view, folder, references=3)) == 8


def test_an_empty_folder_and_a_broken_picture_are_said(view, folder, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(MissingDataError, match="labels are not needed"):
        photographs.load(view, tmp_path / "empty")
    (folder / "0 own.png").write_bytes(b"no picture")
    with pytest.raises(CorruptDataError, match=r"0 own\.png"):
        photographs.load(ModelView(view.model), folder)

"""CelebA through TensorFlow Datasets, on mock data: the pictures themselves cannot come with the package."""

import numpy as np
import pytest
import tensorflow_datasets as tfds

from tf_ig2.paper.datasets import celeb_a
from tf_ig2.paper.datasets.folder import MissingDataError


def test_mock_faces():
    with tfds.testing.mock_data(num_examples=4):
        x, attributes = celeb_a.load(3, "validation", size=32)
    assert (x.shape, x.dtype, attributes.shape) == ((3, 32, 32, 3), np.float32, (3, 40))
    assert (x.min() >= 0, x.max() <= 255) == (True, True)
    assert set(np.unique(attributes)) <= {0, 1}


def test_the_attributes_are_those_of_tensorflow_datasets():
    assert set(tfds.builder("celeb_a").info.features["attributes"]) == set(celeb_a.ATTRIBUTES)
    assert len(celeb_a.ATTRIBUTES) == 40


def test_without_the_data_it_says_how_to_get_them(monkeypatch, tmp_path):
    def refused(*args, **options):
        raise tfds.download.DownloadError("no network")

    monkeypatch.setattr(tfds, "load", refused)
    with pytest.raises(MissingDataError, match=r"no network.*img_align_celeba"):
        celeb_a.dataset("test", data_dir=str(tmp_path))


def test_references_differ_in_the_attribute_and_are_closest_in_the_others():
    faces = np.array([[1, 0, 0], [0, 1, 1], [0, 0, 1], [0, 0, 0]])
    np.testing.assert_array_equal(celeb_a.closest_without(faces, np.array([1, 0, 0]), 0, 2), [3, 2])
    with pytest.raises(ValueError, match="4 faces that differ in attribute 0 are wanted, and there are 3"):
        celeb_a.closest_without(faces, np.array([1, 0, 0]), 0, 4)


def test_bad_arguments():
    with pytest.raises(ValueError, match="Unknown split"):
        celeb_a.dataset("all")
    with pytest.raises(ValueError, match="`size`"):
        celeb_a.dataset(size=0)
    with pytest.raises(ValueError, match="`count`"):
        celeb_a.load(0)

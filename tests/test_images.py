"""Reading image files."""

import numpy as np
import pytest
from PIL import Image

from tf_ig2 import images


@pytest.fixture
def picture(tmp_path):
    pixels = np.arange(6 * 4 * 3, dtype=np.uint8).reshape(6, 4, 3)
    Image.fromarray(pixels).save(tmp_path / "picture.png")
    return tmp_path / "picture.png", pixels


def test_pixels_are_read_as_they_are(picture):
    path, pixels = picture
    read = images.read(path, 6, 4, 3)
    assert read.dtype == np.float32
    np.testing.assert_array_equal(read, pixels)


def test_grey_resized_and_rescaled(picture):
    read = images.read(picture[0], 3, 5, 1, value_range=(-1, 1))
    assert read.shape == (3, 5, 1)
    assert read.min() >= -1
    assert read.max() < 0


def test_folders_are_listed_in_order(picture, tmp_path):
    (tmp_path / "b.JPG").write_bytes(b"")
    (tmp_path / "notes.txt").write_text("no image")
    assert [path.name for path in images.find([tmp_path, picture[0]])] == ["b.JPG", "picture.png", "picture.png"]


@pytest.mark.parametrize("content", [b"", b"not an image"])
def test_what_is_no_image_is_named(tmp_path, content):
    (tmp_path / "broken.png").write_bytes(content)
    with pytest.raises(ValueError, match=r"broken\.png.*cannot be read as an image"):
        images.read(tmp_path / "broken.png", 4, 4, 3)


def test_a_truncated_image_is_named(picture):
    path = picture[0]
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(ValueError, match="cannot be read as an image"):
        images.read(path, 4, 4, 3)


def test_missing_and_empty_folders(tmp_path):
    with pytest.raises(FileNotFoundError, match="nothing"):
        images.find([tmp_path / "nothing"])
    with pytest.raises(ValueError, match="holds no image"):
        images.find([tmp_path])


def test_channels(picture):
    with pytest.raises(ValueError, match="channels"):
        images.read(picture[0], 4, 4, 2)

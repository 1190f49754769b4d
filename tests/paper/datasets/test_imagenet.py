"""Photographs with masks and boxes, from a folder and from TensorFlow Datasets."""

import numpy as np
import pytest
import tensorflow_datasets as tfds
from PIL import Image

from tests.networks import needs_data
from tf_ig2.paper.datasets import imagenet
from tf_ig2.paper.datasets.folder import CorruptDataError, MissingDataError


@pytest.fixture
def home(tmp_path):
    for name in ("images", "masks"):
        (tmp_path / name).mkdir()
    for number, name in enumerate(["a b.png", "c.png"]):
        Image.new("RGB", (20, 10), (100 * number, 50, 0)).save(tmp_path / "images" / name)
    mask = np.zeros([10, 20], np.uint8)
    mask[:, :10] = 255
    Image.fromarray(mask).save(tmp_path / "masks" / "a b.png")
    (tmp_path / "labels.csv").write_text("file,class_index,class_name\na b.png,7,cock\nc.png,999,paper\n")
    (tmp_path / "masks.csv").write_text("file,mask\na b.png,masks/a b.png\n")
    (tmp_path / "boxes.csv").write_text("file,x0,y0,x1,y1\nc.png,1,2,3,4\nc.png,5,6,7,8\n")
    return tmp_path


def test_a_folder_is_read(home):
    photographs = imagenet.load(4, 8, home)
    assert (photographs.x.shape, photographs.x.dtype) == ((2, 4, 8, 3), np.float32)
    np.testing.assert_allclose(photographs.x[1, 0, 0], [100, 50, 0], atol=1e-3)
    assert photographs.labels.tolist() == [7, 999]
    assert photographs.class_names == ("cock", "paper")
    np.testing.assert_array_equal(photographs.masks[0], np.arange(8)[None] < np.full([4, 1], 4))
    assert not photographs.masks[1].any()
    assert photographs.boxes[0].shape == (0, 4)
    np.testing.assert_array_equal(photographs.boxes[1], [[1, 2, 3, 4], [5, 6, 7, 8]])
    assert photographs.sizes == ((10, 20), (10, 20))


def test_those_with_a_mask(home):
    masked = imagenet.load(4, 8, home).masked()
    assert (len(masked), masked.names, masked.boxes[0].shape) == (1, ("a b.png",), (0, 4))


def test_masks_and_boxes_may_be_absent(home):
    (home / "masks.csv").unlink()
    (home / "boxes.csv").unlink()
    assert len(imagenet.load(4, 8, home).masked()) == 0


@needs_data
def test_the_real_folder():
    photographs = imagenet.load(64, 64)
    assert (len(photographs), len(photographs.masked())) == (90, 77)
    assert sum(map(len, photographs.boxes)) == 99
    assert photographs.class_names[photographs.names.index("doberman.png")].lower() == "doberman"


def test_tensorflow_datasets():
    with tfds.testing.mock_data(num_examples=2):
        ((x, label), _) = imagenet.from_tfds("imagenet_v2", 16, 24).as_numpy_iterator()
    assert (x.shape, x.dtype) == ((16, 24, 3), np.float32)
    assert 0 <= label < 1000


class TestBadFolders:
    def test_no_folder(self, tmp_path):
        with pytest.raises(MissingDataError, match=r"images/, labels\.csv"):
            imagenet.load(source=tmp_path / "absent")

    def test_labels_missing(self, home):
        (home / "labels.csv").unlink()
        with pytest.raises(MissingDataError, match=r"labels\.csv"):
            imagenet.load(source=home)

    @pytest.mark.parametrize("label", ["", "dog", "1000", "-1"])
    def test_a_label_that_is_none(self, home, label):
        (home / "labels.csv").write_text(f"file,class_index\nc.png,{label}\n")
        with pytest.raises(CorruptDataError, match=r"the label of 'c\.png' is missing or no class index"):
            imagenet.load(source=home)

    def test_columns_missing_or_nothing_in_them(self, home):
        (home / "labels.csv").write_text("file,name\nc.png,x\n")
        with pytest.raises(CorruptDataError, match=r"lacks the column\(s\) \['class_index'\]"):
            imagenet.load(source=home)
        (home / "labels.csv").write_text("file,class_index\n")
        with pytest.raises(CorruptDataError, match="names no image"):
            imagenet.load(source=home)

    def test_an_image_missing_or_damaged(self, home):
        (home / "images" / "c.png").write_bytes(b"nothing")
        with pytest.raises(CorruptDataError, match="cannot be read as an image"):
            imagenet.load(source=home)
        (home / "images" / "c.png").unlink()
        with pytest.raises(MissingDataError, match=r"c\.png"):
            imagenet.load(source=home)

    def test_a_mask_of_another_size(self, home):
        Image.new("L", (20, 11)).save(home / "masks" / "a b.png")
        with pytest.raises(CorruptDataError, match="is 11 × 20 pixels, its image 10 × 20"):
            imagenet.load(source=home)

    def test_a_mask_that_is_no_image(self, home):
        (home / "masks" / "a b.png").write_bytes(b"nothing")
        with pytest.raises(CorruptDataError, match=r"The mask .* cannot be read"):
            imagenet.load(source=home)

    def test_a_box_that_is_none(self, home):
        (home / "boxes.csv").write_text("file,x0,y0,x1,y1\nc.png,1,2,3,\n")
        with pytest.raises(CorruptDataError, match="not four numbers"):
            imagenet.load(source=home)

    def test_unknown_sources(self, monkeypatch):
        with pytest.raises(ValueError, match="Unknown name"):
            imagenet.from_tfds("imagenet")

        def refused(*args, **options):
            raise AssertionError("Manual directory does not exist")

        monkeypatch.setattr(tfds, "load", refused)
        with pytest.raises(MissingDataError, match="Manual directory"):
            imagenet.from_tfds("imagenet2012")

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


def test_a_photograph_is_turned_as_its_camera_says(tmp_path):
    pixels = np.zeros([4, 6, 3], np.uint8)
    pixels[:, :3] = 255  # white on the left
    exif = Image.Exif()
    exif[0x0112] = 6  # turn by 90° clockwise: white on top
    Image.fromarray(pixels).save(tmp_path / "turned.png", exif=exif)
    read = images.read(tmp_path / "turned.png", 6, 4, 3)
    assert (read[:3] == 255).all()
    assert (read[3:] == 0).all()


@pytest.mark.parametrize("channels", [1, 3])
def test_sixteen_bits_are_not_cut_off(tmp_path, channels):
    ramp = np.linspace(0, 65535, 64).astype(np.uint16).reshape(8, 8)
    Image.fromarray(ramp).save(tmp_path / "deep.png")
    read = images.read(tmp_path / "deep.png", 8, 8, channels)
    np.testing.assert_allclose(read, np.repeat(ramp[..., None] / 257, channels, axis=-1), atol=1e-3)


def test_fractions_from_black_to_white(tmp_path):
    ramp = np.linspace(0, 1, 64, dtype=np.float32).reshape(8, 8)
    Image.fromarray(ramp).save(tmp_path / "fractions.tiff")
    np.testing.assert_allclose(images.read(tmp_path / "fractions.tiff", 8, 8, 1)[..., 0], 255 * ramp, atol=1e-3)


@pytest.mark.parametrize("worst", [2.0, -1.0, np.nan, 255.0])
def test_fractions_of_which_one_cannot_know_what_is_white_are_refused(tmp_path, worst):
    pixels = np.full([4, 4], 0.5, np.float32)
    pixels[1, 1] = worst
    Image.fromarray(pixels).save(tmp_path / "strange.tiff")
    with pytest.raises(ValueError, match=r"strange\.tiff.*save it with 8 bits"):
        images.read(tmp_path / "strange.tiff", 4, 4, 3)


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_what_is_transparent_is_white(tmp_path, mode):
    pixels = np.zeros([4, 4, 4], np.uint8)
    pixels[:2, :, 3] = 255  # the upper half is black, the lower half hidden
    picture = Image.fromarray(pixels)
    if mode == "P":
        picture = Image.fromarray(np.repeat([[0, 1]], 4, axis=0).repeat(2, axis=1).T.astype(np.uint8), "P")
        picture.putpalette([0, 0, 0, 10, 20, 30])
        picture.info["transparency"] = 1
    else:
        picture = picture.convert(mode)
    picture.save(tmp_path / "hidden.png")
    read = images.read(tmp_path / "hidden.png", 4, 4, 3)
    assert (read[:2] == 0).all()
    assert (read[2:] == 255).all()


def test_an_image_that_would_fill_the_memory_is_one_line(picture, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
    with pytest.raises(ValueError, match=r"picture\.png.*decompression bomb"):
        images.read(picture[0], 4, 4, 3)


TURNED = {1: 0, 3: 180, 6: 270, 8: 90}  # how far counterclockwise a viewer turns it


@pytest.mark.parametrize("orientation", TURNED)
def test_it_is_turned_as_its_exif_orientation_says(tmp_path, orientation):
    pixels = np.arange(6 * 4 * 3, dtype=np.uint8).reshape(6, 4, 3)
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(pixels).save(tmp_path / "turned.png", exif=exif)
    upright = np.rot90(pixels, TURNED[orientation] // 90)
    np.testing.assert_array_equal(images.read(tmp_path / "turned.png", *upright.shape), upright)
    with images.opened(tmp_path / "turned.png") as image:
        assert images.size(image) == upright.shape[:2]


@pytest.mark.parametrize(("suffix", "dtype"), [("png", np.uint16), ("tif", np.uint16), ("tif", ">u2")])
@pytest.mark.parametrize("channels", [1, 3])
def test_16_bits_are_scaled_and_not_cut(tmp_path, suffix, dtype, channels):
    values = np.linspace(0, 65535, 24).reshape(6, 4).astype(dtype)
    Image.fromarray(values.astype(np.uint16)).save(tmp_path / f"deep.{suffix}")
    read = images.read(tmp_path / f"deep.{suffix}", 6, 4, channels)
    expected = np.broadcast_to(values[..., None] / 257, [6, 4, channels])
    np.testing.assert_allclose(read, expected, rtol=1e-5)
    assert read.mean() == pytest.approx(127.5, rel=1e-3)


def test_floats_are_black_at_0_and_white_at_1(tmp_path):
    values = np.linspace(0, 1, 24, dtype=np.float32).reshape(6, 4)
    Image.fromarray(values).save(tmp_path / "float.tif")
    np.testing.assert_allclose(images.read(tmp_path / "float.tif", 6, 4, 1, (0, 1))[..., 0], values, atol=1e-6)


@pytest.mark.parametrize("bad", [np.full([4, 4], 200.0, np.float32), np.full([4, 4], np.nan, np.float32)])
def test_floats_of_which_nobody_knows_what_white_is_are_refused(tmp_path, bad):
    Image.fromarray(bad).save(tmp_path / "float.tif")
    with pytest.raises(ValueError, match=r"float\.tif.*not from 0 \(black\) to 1 \(white\)"):
        images.read(tmp_path / "float.tif", 4, 4, 1)


def test_32_bit_integers_are_refused(tmp_path):
    Image.fromarray(np.full([4, 4], 70_000, np.int32)).save(tmp_path / "integers.tif")
    with pytest.raises(ValueError, match="nobody knows what is white"):
        images.read(tmp_path / "integers.tif", 4, 4, 1)


def test_the_background_shines_through_transparent_pixels_and_not_what_they_hide(tmp_path):
    pixels = np.zeros([1, 3, 4], np.uint8)
    pixels[0, :, :3] = [200, 0, 0]
    pixels[0, :, 3] = [255, 0, 51]
    Image.fromarray(pixels).save(tmp_path / "transparent.png")
    read = images.read(tmp_path / "transparent.png", 1, 3, 3)
    np.testing.assert_allclose(read[0], [[200, 0, 0], [255, 255, 255], [244, 204, 204]], atol=1)
    blue = images.read(tmp_path / "transparent.png", 1, 3, 3, background=(0, 0, 255))
    np.testing.assert_allclose(blue[0], [[200, 0, 0], [0, 0, 255], [40, 0, 204]], atol=1)


def test_a_transparent_colour_of_a_palette_or_of_grey_is_transparent_too(tmp_path):
    palette = Image.new("P", (2, 1))
    palette.putpalette([10, 20, 30, 40, 50, 60])
    palette.putdata([0, 1])
    palette.save(tmp_path / "palette.png", transparency=1)
    np.testing.assert_array_equal(images.read(tmp_path / "palette.png", 1, 2, 3)[0], [[10, 20, 30], [255, 255, 255]])
    Image.fromarray(np.array([[7, 9]], np.uint8)).save(tmp_path / "grey.png", transparency=7)
    np.testing.assert_array_equal(images.read(tmp_path / "grey.png", 1, 2, 1)[0, :, 0], [255, 9])


def test_an_image_with_too_many_pixels_is_one_line(tmp_path, monkeypatch):
    Image.new("L", (100, 100)).save(tmp_path / "bomb.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    with pytest.raises(ValueError, match=r"bomb\.png' is refused as an image: .*exceeds limit") as error:
        images.read(tmp_path / "bomb.png", 4, 4, 3)
    assert "\n" not in str(error.value)

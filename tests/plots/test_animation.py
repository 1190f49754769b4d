"""A path as a GIF: as many frames as points, the explicand first."""

import io

import numpy as np
import pytest
from PIL import Image

from tf_ig2 import GradientExplainer, IG2Explainer, Keep, plots


def numbers(*shape):
    return np.random.default_rng(0).random(shape)


@pytest.fixture(scope="module")
def explanation(image_net):
    images = numbers(3, 8, 8, 3)
    return IG2Explainer(image_net, steps=5).explain(images[0], images[1:], 2, keep=Keep(path=True))


def frames(animation):
    picture = Image.open(io.BytesIO(animation.content))
    found = []
    for number in range(picture.n_frames):
        picture.seek(number)
        found.append(np.asarray(picture.convert("RGB")))
    return found


def test_it_begins_with_the_explicand_and_is_written_whole(explanation, tmp_path):
    animation = explanation.animate(tmp_path / "path.gif", pixels=64, value_range=(0, 1))
    assert (tmp_path / "path.gif").read_bytes() == animation.content
    shown = frames(animation)
    assert len(shown) == animation.frames == explanation.steps_taken[0] + 1
    assert shown[0].shape == (64 + 22, 64, 3)
    np.testing.assert_allclose(shown[0][4:64:8, 4:64:8] / 255, explanation.explicand, atol=0.05)
    assert "data:image/gif;base64," in animation._repr_html_()
    assert repr(animation).startswith(f"<Animation of {animation.frames} frames")


def test_grey_images_without_outputs_and_zeros_are_drawn():
    assert frames(plots.animation(numbers(4, 8, 6), pixels=6))[0].shape == (8, 6, 3)
    assert len(frames(plots.animation(np.zeros([3, 8, 8, 1])))) >= 1
    assert plots.animation(numbers(30, 4, 4), frames=5).frames == 5


WRONG = {
    "NaN": lambda: plots.animation(np.full([3, 8, 8], np.nan)),
    "one image": lambda: plots.animation(numbers(8, 8, 3)),
    "channels first": lambda: plots.animation(numbers(4, 3, 8, 8)),
    "a batch": lambda: plots.animation(numbers(2, 4, 8, 8, 3)),
    "frames": lambda: plots.animation(numbers(3, 8, 8), frames=1),
    "outputs": lambda: plots.animation(numbers(3, 8, 8), np.zeros(4)),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_no_path_of_images_is_refused(name):
    with pytest.raises(ValueError, match=r"NaN|points of one path|channels first|at least|one for each"):
        WRONG[name]()


def test_without_a_path_or_of_a_batch_it_says_what_to_do(image_net, explanation):
    with pytest.raises(ValueError, match=r"keep=Keep\(path=True\)"):
        GradientExplainer(image_net).explain(numbers(8, 8, 3)).animate()
    with pytest.raises(ValueError, match=r"explanation\[0\]"):
        explanation.flat().animate()

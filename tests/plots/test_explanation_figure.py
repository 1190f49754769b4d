"""An explanation in a row, of pictures where it is of pictures, and of bars where not."""

import pytest

from tf_ig2 import IG2Explainer


def test_the_figure_of_an_image(image_net, rng, tmp_path):
    images = rng.uniform(0, 255, [3, 8, 8, 3])
    explanation = IG2Explainer(image_net).explain(images[0], images[1:])
    figure = explanation.plot(reference=images[1], others={"other": images[0]}, class_names=list("abcd"))
    titles = [axes.get_title() for axes in figure.axes]
    assert titles[:6] == ["explicand", "reference", "GradCF", "GradCFE", "IG²", "other"]
    assert figure.get_suptitle().startswith("abcd"[int(explanation.target)])
    figure.savefig(tmp_path / "figure.png")


def test_the_figure_of_a_vector(relu_net, x, references, tmp_path):
    figure = IG2Explainer(relu_net).explain(x[0], references).plot()
    figure.savefig(tmp_path / "figure.png")
    bars = figure.axes[3].patches
    assert len(bars) == 6


def test_a_batch_is_refused(relu_net, x, references):
    with pytest.raises(ValueError, match=r"explanation\[0\]"):
        IG2Explainer(relu_net).explain(x, references).plot()

"""An explanation in a row, of pictures where it is of pictures, and of bars where not."""

import keras
import numpy as np
import pytest

from tf_ig2 import IG2Explainer, plots


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


def test_the_curves_end_where_the_last_path_has_ended():
    model = keras.Sequential([keras.Input([4]), keras.layers.Dense(8, "tanh"), keras.layers.Dense(3)])
    x, references = np.random.default_rng(0).normal(size=[2, 3, 4])
    explanation = IG2Explainer(model, steps=60).explain(x, references)[0]
    longest = int(explanation.steps_taken.max())
    assert longest < 60
    curves = plots.explanation(explanation).axes[-2].lines
    assert {len(line.get_xdata()) for line in curves} == {longest + 1}

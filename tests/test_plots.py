"""Pictures: what they document is what they do."""

import numpy as np
import pytest

from tf_ig2 import IG2Explainer, plots


class TestVisualizeImageDiverging:
    def test_zero_stays_zero_and_signs_stay(self):
        picture = plots.VisualizeImageDiverging(np.array([[[1.0], [0.0]], [[-2.0], [4.0]]]), percentile=100)
        np.testing.assert_allclose(picture, [[0.25, 0.0], [-0.5, 1.0]])

    def test_outliers_are_clipped_at_the_percentile(self, rng):
        values = rng.normal(size=[50, 50, 3])
        values[0, 0] = -1000
        picture = plots.VisualizeImageDiverging(values, percentile=99)
        assert picture.min() == -1
        assert np.abs(picture).mean() > 0.2


class TestVisualizeImageGrayscale:
    def test_absolute_values_fill_zero_to_one(self):
        picture = plots.VisualizeImageGrayscale(np.array([[[1.0, -1.0], [0.0, 0.0]]]), percentile=100)
        np.testing.assert_allclose(picture, [[1.0, 0.0]])


@pytest.mark.parametrize("draw", [plots.VisualizeImageDiverging, plots.VisualizeImageGrayscale])
class TestBoth:
    @pytest.mark.parametrize("value", [0.0, 2.0])
    def test_constant_maps_are_finite(self, draw, value):
        assert np.isfinite(draw(np.full([4, 4, 3], value))).all()

    def test_a_map_without_channels(self, draw):
        assert draw(np.eye(4)).shape == (4, 4)

    @pytest.mark.parametrize("values", [np.full([2, 2], np.nan), np.zeros(3)])
    def test_what_is_no_map_is_refused(self, draw, values):
        with pytest.raises(ValueError, match="finite values of shape"):
            draw(values)


def test_a_sparse_map_keeps_its_few_values():
    values = np.zeros([40, 40])
    values[3, 4] = -2.0
    assert plots.VisualizeImageDiverging(values)[3, 4] == -1


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

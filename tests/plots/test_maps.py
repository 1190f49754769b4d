"""Maps as arrays: what they document is what they do."""

import numpy as np
import pytest

from tf_ig2 import plots


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

    @pytest.mark.parametrize("values", [np.full([2, 2], np.nan), np.float64(3), np.zeros([0, 3])])
    def test_what_is_no_map_is_refused(self, draw, values):
        with pytest.raises(ValueError, match="finite values of shape"):
            draw(values)

    @pytest.mark.parametrize("shape", [(5,), (6, 5), (6, 5, 1), (6, 5, 3), (2, 6, 5, 3)])
    def test_masks_of_all_shapes(self, draw, shape, rng):
        picture = draw(rng.normal(size=shape))
        assert picture.shape == (shape if len(shape) < 3 else shape[:-1])
        assert np.abs(picture).max() == 1

    @pytest.mark.parametrize("scale", [5e-324, 1e-200, 1e308])
    def test_masks_of_all_sizes(self, draw, scale):
        values = np.array([[[1.0, 1.0, 1.0], [0.0, 0.0, 0.0]]])
        np.testing.assert_array_equal(draw(values * scale, percentile=100), [[1.0, 0.0]])

    @pytest.mark.parametrize("dtype", [bool, np.uint8, np.int64, np.float16, np.float32])
    def test_masks_of_all_types(self, draw, dtype):
        np.testing.assert_array_equal(draw(np.array([[1, 0, 0]], dtype), percentile=100), [[1.0, 0.0, 0.0]])

    def test_masks_of_several_inputs(self, draw, rng):
        one, other = rng.normal(size=[4, 4, 3]), rng.normal(size=[4, 4, 3])
        drawn = draw({"a": one, "b": [one, other]})
        np.testing.assert_array_equal(drawn["a"], draw(one))
        np.testing.assert_array_equal(drawn["b"][1], draw(other))

    def test_a_sparse_map_keeps_its_few_values(self, draw):
        values = np.zeros([40, 40])
        values[3, 4] = -2.0
        assert abs(draw(values)[3, 4]) == 1
        assert np.count_nonzero(draw(values)) == 1

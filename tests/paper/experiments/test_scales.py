"""Other scales of the same maps: known answers."""

import numpy as np
import pytest

from tests.paper.experiments.small import small_task
from tf_ig2.explainers.xrai import XRAIExplainer
from tf_ig2.paper.experiments import scales
from tf_ig2.paper.experiments.scales import Regions, smoothed


def test_a_point_becomes_a_bump_of_the_same_sum():
    point = np.zeros([1, 41, 41])
    point[0, 20, 20] = 1.0
    (bump,) = smoothed(lambda part: point, 4.0)(None)
    assert bump.sum() == pytest.approx(1.0)
    assert bump[20, 24] / bump[20, 20] == pytest.approx(np.exp(-0.5), rel=1e-3)


def test_regions_are_xrais_and_segments_are_found_once(monkeypatch):
    task, rng = small_task(), np.random.default_rng(1)
    maps = rng.random([2, 12, 12])
    expected = XRAIExplainer().explain(task.inputs, base_attribution=maps).values
    found = []
    own = scales.segmentation.felzenszwalb
    monkeypatch.setattr(scales.segmentation, "felzenszwalb", lambda *args: found.append(1) or own(*args))
    regions = Regions()
    np.testing.assert_array_equal(regions(lambda part: maps)(task), expected)
    regions(lambda part: -maps)(task)
    assert len(found) == 2
    regions.forget()
    regions(lambda part: maps)(task)
    assert len(found) == 4

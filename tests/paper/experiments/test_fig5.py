"""The toy function of Fig. 5, whose GradPath and attributions have closed forms."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from tf_ig2.paper.experiments import fig5
from tf_ig2.paper.experiments.options import Options


@pytest.fixture(scope="module")
def found():
    return fig5.explain()


def test_gradcf_is_0_1_up_to_a_step(found):
    assert_allclose(found.gradcf, [0, 1], atol=1.01 * fig5.STEP_SIZE)


def test_gradpath_goes_along_x1_to_the_kink_and_then_follows_it(found):
    first, second = found.path.T
    before = first > 2 + fig5.STEP_SIZE
    assert_allclose(second[before], 3)
    assert_allclose(first[~before], second[~before] - 1, atol=1.01 * fig5.STEP_SIZE)


def test_gradient_and_ig_give_x2_nothing(found):
    assert_allclose(found.attributions["Gradient"], [1, 0])
    assert_allclose(found.attributions["IG"], [3, 0])


def test_the_trapezoid_rule_gives_each_feature_what_it_does_along_the_kink(found):
    """One for the leg to the kink; along it, on which y falls by two, half for each feature."""
    values = found.attributions["IG², trapezoid rule"]
    assert_allclose(values, [2, 1], atol=2 * fig5.STEP_SIZE)
    difference = 3 - max(found.gradcf[0], found.gradcf[1] - 1)
    assert_allclose(values.sum(), difference, atol=fig5.STEP_SIZE)


def test_the_explicand_rule_gives_the_way_that_each_feature_went(found):
    assert_allclose(found.attributions["IG², explicand rule"], np.array([3, 3]) - found.gradcf)


def test_the_files_name_what_was_found(tmp_path):
    files = fig5.run(Options(tmp_path, verbose=False))
    assert {path.name for path in files} == {"fig5.md", "fig5.csv", "fig5_path.csv", "fig5.png"}
    assert (tmp_path / "fig5.csv").read_text().splitlines()[2].startswith("IG,3,")
    assert (tmp_path / "fig5.png").read_bytes().startswith(b"\x89PNG")
    assert "GradCF" in (tmp_path / "fig5.md").read_text()

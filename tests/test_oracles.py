"""With the same arguments every explainer gives the numbers of the releases before, and their files can be read."""

import json
from pathlib import Path

import numpy as np
import pytest

from tests.oracles.cases import CASES, SAVED, numbers
from tf_ig2 import Attribution, RegionAttribution

FOLDER = Path(__file__).parent / "oracles"
RELEASES = {file.stem.removeprefix("release_"): dict(np.load(file)) for file in sorted(FOLDER.glob("release_*.npz"))}
FILES = sorted((FOLDER / "explanations").glob("*/*.npz"))
TOLERANCES = {np.dtype("float32"): 1e-4, np.dtype("float64"): 1e-9}
"""Of the largest absolute value of an array; a folded BatchNorm rounds otherwise, and ReLU walks make that grow."""


def oracle(release, name):
    """The numbers that a release gave in a case, by name."""
    return {key.rpartition("/")[2]: part for key, part in RELEASES[release].items() if key.rpartition("/")[0] == name}


def assert_close(ours, theirs):
    assert ours.dtype == theirs.dtype
    assert ours.shape == theirs.shape
    if theirs.dtype not in TOLERANCES:
        np.testing.assert_array_equal(ours, theirs)
        return
    scale = np.max(np.abs(theirs), initial=0, where=np.isfinite(theirs))
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=TOLERANCES[theirs.dtype] * scale)


@pytest.mark.parametrize("name", CASES)
def test_the_numbers_are_those_of_the_releases(name):
    ours = numbers(CASES[name].run())
    assert all(np.isfinite(part).all() for key, part in ours.items() if key.startswith("values"))
    for release in RELEASES:
        for key, theirs in oracle(release, name).items():
            assert_close(ours[key], theirs)


def test_no_case_of_a_release_is_gone():
    assert RELEASES
    for arrays in RELEASES.values():
        assert {key.rpartition("/")[0] for key in arrays} <= set(CASES)


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parent.name}-{file.stem}")
def test_a_saved_explanation_is_what_it_was(file):
    loaded, release = Attribution.load(file), file.parent.name
    assert loaded.settings["tf_ig2"] == release
    ours, theirs = numbers(loaded), oracle(release, SAVED[file.stem])
    assert set(theirs) <= set(ours)
    for key, part in theirs.items():
        np.testing.assert_array_equal(ours[key], part)
    with np.load(file) as arrays:
        assert isinstance(loaded, RegionAttribution) == (json.loads(str(arrays["header"]))["kind"] != "Attribution")


def test_explanations_of_every_release_are_here():
    assert {file.parent.name for file in FILES} == set(RELEASES)

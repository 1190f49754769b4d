"""Every photograph was looked at, and put into one of two sets."""

import pytest

from tests.networks import needs_data
from tf_ig2.paper.datasets import imagenet
from tf_ig2.paper.experiments.interference import PURE_BACKGROUND, WITH_INTERFERENCE, has_interference


def test_no_photograph_is_in_both_sets():
    assert not PURE_BACKGROUND & WITH_INTERFERENCE.keys()


def test_a_photograph_that_nobody_has_looked_at_is_refused():
    with pytest.raises(ValueError, match="unseen"):
        has_interference(["acorn.jpg", "unseen.jpg"])


@needs_data
def test_the_sets_hold_all_masked_photographs_and_no_others():
    photographs = imagenet.load().masked()
    assert set(photographs.names) == PURE_BACKGROUND | WITH_INTERFERENCE.keys()

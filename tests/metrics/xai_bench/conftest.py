import pytest

from tf_ig2.paper.datasets.xai_bench import load


@pytest.fixture
def x():
    return load(20, seed=1).x.astype(float)

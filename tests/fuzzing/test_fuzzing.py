"""The short form: a few damaged files of every kind; the long one is `python -m tests.fuzzing`."""

import pytest

pytest.importorskip("pyarrow", reason="pyarrow is not installed: pip install tf_ig2[beam]")

from tests.fuzzing.kinds import KINDS
from tests.fuzzing.mutate import mutated
from tests.fuzzing.run import SAME, fuzz


@pytest.mark.parametrize("name", KINDS)
def test_a_damaged_file_is_what_it_was_or_an_error_by_name(name):
    counts, _ = fuzz(name, 50, seed=1)
    assert sum(counts.values()) == 50
    assert counts[SAME] < 50


def test_damage_depends_on_the_seed_alone_and_is_some():
    data = bytes(range(256))
    assert mutated(data, 3) == mutated(data, 3) != mutated(data, 4)
    assert all(mutated(data, seed) != data for seed in range(200))

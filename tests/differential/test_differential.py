"""The short form: what once failed, and a few random models, the same every time."""

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.differential.description import descriptions
from tests.differential.methods import METHODS
from tests.differential.oracles import DEAR
from tests.differential.regressions import EXAMPLES
from tests.differential.runs import Tally


@pytest.mark.parametrize("why", EXAMPLES)
def test_an_example_stands_up_to_every_oracle(why):
    description, method, dear = EXAMPLES[why]
    tally = Tally()
    tally.check(description, [method], dear)
    assert not tally.failures, "\n\n".join(map(str, tally.failures))
    assert tally.methods[method] == 1


QUICK = [method.name for method in METHODS if not method.walks and method.name not in ("XRAI", "DeepSHAP")]


@settings(
    max_examples=4,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(descriptions(), st.sampled_from(QUICK), st.sampled_from(DEAR))
def test_random_models_stand_up_to_every_oracle(description, method, dear):
    tally = Tally()
    tally.check(description, [method], [dear])
    assert not tally.failures, "\n\n".join(map(str, tally.failures))

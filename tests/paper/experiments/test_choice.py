"""What the package says was chosen is what the committed records of the study say."""

import json
from pathlib import Path

import pytest

from tf_ig2.paper.experiments.bench import INSIDE, PIXELS, SMOOTHED, Setting
from tf_ig2.paper.experiments.choice import CHOSEN, SIGMA, best, choose
from tf_ig2.paper.experiments.photographs_study import COLUMNS
from tf_ig2.paper.experiments.records import Record
from tf_ig2.paper.experiments.scales import SIGMAS

RECORDS = Path(__file__).parents[3] / "docs" / "results" / "records"


@pytest.fixture(scope="module")
def networks():
    """The records of each network, whose lines begin with a checksum."""
    paths = sorted(RECORDS.glob("photographs_study-*.jsonl"))
    assert len(paths) == 2
    return {
        path.name: [
            Record(*json.loads(line.partition(" ")[2])) for line in path.read_text(encoding="utf-8").splitlines()
        ]
        for path in paths
    }


@pytest.mark.parametrize(("scale", "method"), [(scale, method) for scale in CHOSEN for method in CHOSEN[scale]])
def test_the_trial_with_the_smallest_mean_rank_was_chosen(networks, scale, method):
    arms = dict.fromkeys(record.arm for records in networks.values() for record in records)
    tried = [arm.split(" | ") for arm in arms if arm.startswith(f"{scale} | {method} | ")]
    assert len(tried) >= 3
    order = {name: i for i, (_, _, name) in enumerate(tried)}
    settings = sorted((Setting(scale, method, name) for name in order), key=lambda setting: order[setting.trial])
    assert choose(networks, settings, COLUMNS).trial == CHOSEN[scale][method]


@pytest.mark.parametrize("method", SIGMA)
def test_the_width_with_the_smallest_mean_rank_was_chosen(networks, method):
    settings = [Setting(SMOOTHED, method, CHOSEN[PIXELS][method], sigma) for sigma in SIGMAS]
    assert choose(networks, settings, COLUMNS).sigma == SIGMA[method]


def test_the_best_of_a_scale_are_settings():
    assert Setting(SMOOTHED, "IG²", CHOSEN[PIXELS]["IG²"], SIGMA["IG²"]) in best(SMOOTHED)
    assert {setting.method for setting in best(INSIDE)} == set(CHOSEN[INSIDE])

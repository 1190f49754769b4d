"""Choosing one setting for several networks by mean ranks; and what was chosen."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from scipy import stats

from tf_ig2.paper.experiments.bench import INSIDE, PIXELS, REGIONS, SMOOTHED, Setting
from tf_ig2.paper.experiments.methods import IG2
from tf_ig2.paper.experiments.records import Record
from tf_ig2.paper.experiments.table import Column
from tf_ig2.paper.experiments.trials import (
    EXPECTED,
    FROM_ZERO,
    GRAD_CAM,
    IDGI,
    LAST,
    NOISY_IDGI,
    ON_PATH,
    SQUARES,
)

CHOSEN: dict[str, dict[str, str]] = {
    PIXELS: {
        "Gradient": SQUARES,
        "Vanilla IG": SQUARES,
        "Guided IG": IDGI,
        "Expected IG": SQUARES,
        "DeepSHAP": SQUARES,
        "Blur IG": NOISY_IDGI,
        IG2: ON_PATH,
    },
    INSIDE: {
        FROM_ZERO: f"late, {IDGI}",
        EXPECTED: f"middle, {IDGI}",
        GRAD_CAM: LAST,
        IG2: f"late, {IDGI}",
    },
}
"""Scale → method → trial."""

SIGMA: dict[str, float] = {
    "Gradient": 4.0,
    "Vanilla IG": 4.0,
    "Guided IG": 4.0,
    "Expected IG": 8.0,
    "DeepSHAP": 8.0,
    "Blur IG": 4.0,
    IG2: 8.0,
}
"""Method → σ of smoothed maps."""


def choose(networks: Mapping[str, Iterable[Record]], settings: Sequence[Setting], columns: Sequence[Column]) -> Setting:
    """The setting with the smallest mean rank over networks and metrics, of equals the first.

    Args:
      networks: name → records, the arms of which are the settings' names.
      settings: of one method, to choose from.
      columns: the metrics.

    Raises:
      ValueError: a network has no score of a setting.
    """
    ranks = []
    for name, records in networks.items():
        records = list(records)
        for column in columns:
            means = []
            for setting in settings:
                scores = [record.scores[column.key] for record in records if record.arm == str(setting)]
                if not scores:
                    raise ValueError(f"{name} has no score {column.key!r} of {setting}.")
                means.append(np.mean(scores))
            ranks.append(stats.rankdata([-mean if column.higher_is_better else mean for mean in means]))
    return settings[int(np.mean(ranks, axis=0).argmin())]


def best(scale: str) -> list[Setting]:
    """What was chosen at a scale, method by method."""
    if scale == INSIDE:
        return [Setting(INSIDE, method, trial) for method, trial in CHOSEN[INSIDE].items()]
    sigmas = SIGMA if scale == SMOOTHED else {}
    return [Setting(scale, method, trial, sigmas.get(method)) for method, trial in CHOSEN[PIXELS].items()]


SCALES = (PIXELS, SMOOTHED, REGIONS, INSIDE)

"""The long form: random models for some minutes, and their counts as a section of docs/results/robustness.md.

python -m tests.differential --minutes 60 --seed 0
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import itertools
import os
import platform
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import hypothesis
import keras
import tensorflow as tf
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.differential import report
from tests.differential.description import Description, descriptions
from tests.differential.methods import BY_NAME, METHODS
from tests.differential.oracles import DEAR
from tests.differential.runs import Oracle, Tally

Say = Callable[[Tally], None]


def run(minutes: float, seed: int, say: Say) -> Tally:
    """Tries random models, with each method in turn, until the time is up."""
    end, tally = time.monotonic() + 60 * minutes, Tally()
    names = itertools.cycle(method.name for method in METHODS)

    @hypothesis.seed(seed)
    @settings(
        max_examples=1_000_000,
        phases=[Phase.generate],
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(descriptions(), st.sampled_from(DEAR))
    def try_all(description: Description, dear: Oracle) -> None:
        if time.monotonic() > end:
            raise _TimeIsUp
        before = len(tally.failures)
        name = next(name for name in names if BY_NAME[name].explains(description))
        tally.check(description, [name], [dear])
        for failure in tally.failures[before:]:
            print(failure, flush=True)
        keras.backend.clear_session()
        gc.collect()
        say(tally)

    with contextlib.suppress(_TimeIsUp):
        try_all()
    return tally


class _TimeIsUp(BaseException):
    """Not an `Exception`, which Hypothesis would take for a failed example and try again."""


def main() -> int:
    """Runs, writes the section, and returns whether anything failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.differential", description=__doc__)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--page", type=Path, default=report.PAGE, help="the Markdown page that has the section")
    arguments = parser.parse_args()
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    tf.get_logger().setLevel("ERROR")
    warnings.simplefilter("ignore")
    versions = f"Python {platform.python_version()}, TensorFlow {tf.__version__}, Keras {keras.__version__}"
    began, before = time.monotonic(), time.process_time()

    def say(tally: Tally) -> None:
        minutes, busy = (time.monotonic() - began) / 60, (time.process_time() - before) / 60
        report.write(report.section(tally, minutes, busy, arguments.seed, versions), arguments.page)

    tally = run(arguments.minutes, arguments.seed, say)
    say(tally)
    return 1 if tally.failures else 0


if __name__ == "__main__":
    sys.exit(main())

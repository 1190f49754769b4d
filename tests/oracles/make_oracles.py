"""Stores the numbers of the installed release, for later ones to be held against.

Run by hand when a release is made, and only then: an oracle that is made anew says nothing about the old one.

    python -m tests.oracles.make_oracles

It writes `release_<version>.npz`, an array for each number of each case, and `explanations/<version>/`, explanations as
that release saves them; it refuses to replace files. `tests/test_oracles.py` reads the files of all releases.
"""

from __future__ import annotations

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

from pathlib import Path

import numpy as np

from tests.oracles.cases import CASES, SAVED, numbers
from tf_ig2 import __version__

FOLDER = Path(__file__).parent


def make(folder: Path = FOLDER) -> None:
    """Runs all cases and writes what they give.

    Raises:
      FileExistsError: this release's oracles are there already.
    """
    file, explanations = folder / f"release_{__version__}.npz", folder / "explanations" / __version__
    if file.exists():
        raise FileExistsError(f"{file} is there already: oracles are made once.")
    explanations.mkdir(parents=True)
    found = {}
    for name, case in CASES.items():
        answer = case.run()
        found |= {f"{name}/{key}": part for key, part in numbers(answer).items()}
        for short in (short for short, saved in SAVED.items() if saved == name):
            answer.save(explanations / f"{short}.npz")
    np.savez_compressed(file, **found)


if __name__ == "__main__":
    make()

"""The long form: counts of every kind of file, as a table in docs/results/robustness.md.

python -m tests.fuzzing --mutations 10000
"""

import argparse
from pathlib import Path

from tests.fuzzing import report
from tests.fuzzing.kinds import KINDS
from tests.fuzzing.run import fuzz

parser = argparse.ArgumentParser(prog="python -m tests.fuzzing", description=__doc__)
parser.add_argument("--mutations", type=int, default=10_000, help="of each kind of file")
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--only", default="", help="kinds whose names begin so")
parser.add_argument("--page", type=Path, default=report.PAGE, help="the Markdown page that has the table")
arguments = parser.parse_args()

print(report.HEAD, flush=True)
for name in KINDS:
    if name.startswith(arguments.only):
        line = report.row(name, *fuzz(name, arguments.mutations, arguments.seed))
        print(line, flush=True)
        report.write(line, KINDS, arguments.page)

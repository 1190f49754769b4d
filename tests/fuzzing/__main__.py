"""The long form: a line of a table for every kind of file."""

import argparse

from tests.fuzzing.kinds import KINDS
from tests.fuzzing.run import ERROR, FEWER, OTHER, SAME, fuzz

parser = argparse.ArgumentParser(prog="python -m tests.fuzzing", description=__doc__)
parser.add_argument("--mutations", type=int, default=10_000, help="of each kind of file")
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--only", default="", help="kinds whose names begin so")
arguments = parser.parse_args()

print("| file | mutations | error by name | the same content | records missing | other content | slowest, s |")
print("|---|---|---|---|---|---|---|", flush=True)
for name in KINDS:
    if name.startswith(arguments.only):
        counts, slowest = fuzz(name, arguments.mutations, arguments.seed)
        cells = [f"{counts[outcome]:,}" for outcome in (ERROR, SAME, FEWER, OTHER)]
        print(f"| {name} | {arguments.mutations:,} | {' | '.join(cells)} | {slowest:.2f} |", flush=True)

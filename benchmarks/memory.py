"""Peak memory against the number of steps: `python benchmarks/memory.py`.

Each run is a process of its own (the peak never falls within one). MobileNetV2 (alpha 0.35, 96², random weights), one
explicand, 8 references; with the path kept for comparison.
"""

from __future__ import annotations

import subprocess
import sys

RUN = """
import resource, sys
import numpy as np, keras
from tf_ig2 import IG2Explainer, Keep
keras.utils.set_random_seed(0)
model = keras.applications.MobileNetV2((96, 96, 3), alpha=0.35, weights=None)
rng = np.random.default_rng(0)
x, references = rng.uniform(-1, 1, [96, 96, 3]), rng.uniform(-1, 1, [8, 96, 96, 3])
IG2Explainer(model, steps=int(sys.argv[1])).explain(x, references, keep=Keep(path=sys.argv[2] == "path"))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def peak(steps: int, keep: str) -> float:
    """Peak resident memory in MiB."""
    done = subprocess.run(
        [sys.executable, "-c", RUN, str(steps), keep], capture_output=True, text=True, check=True, timeout=600
    )
    unit = 1024 if sys.platform != "darwin" else 1024 * 1024
    return int(done.stdout.split()[-1]) / unit


def main() -> None:
    print("| steps | peak, path streamed (MiB) | peak, path kept (MiB) |\n|---|---|---|")
    for steps in (50, 500):
        print(f"| {steps} | {peak(steps, 'stream'):.0f} | {peak(steps, 'path'):.0f} |")


if __name__ == "__main__":
    main()

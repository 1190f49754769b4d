"""How far attributions are from adding up, and what it takes that they do: `python benchmarks/completeness.py`.

`rule="idgi"` with nothing else named on four networks; `rule="segment"` with `completeness_tolerance=0.01` on
photographs through MobileNetV2. Needs TF_IG2_DATA_DIR.
"""

from __future__ import annotations

import argparse

import numpy as np

from tf_ig2 import IG2Explainer, Keep
from tf_ig2.paper.experiments import tasks
from tf_ig2.paper.experiments.task import Task
from tf_ig2.paper.experiments.tasks import imagenet

_NOTHING = Keep(counterfactuals=False)


def idgi(task: Task) -> np.ndarray:
    """`[N]`, the relative completeness gaps of IDGI's sum."""
    found = IG2Explainer(task.view, rule="idgi").explain(task.inputs, task.references, task.target, keep=_NOTHING)
    return found.relative_completeness_gap


def segment(task: Task, tolerance: float) -> tuple[np.ndarray, np.ndarray]:
    """The relative gaps of refined segments, and the numbers of gradients that all references took, `[N]` each."""
    explainer = IG2Explainer(task.view, rule="segment", completeness_tolerance=tolerance)
    found = explainer.explain(task.inputs, task.references, task.target, keep=_NOTHING, verbose=True)
    return found.relative_completeness_gap, found.gradients.sum(axis=-1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=int, default=20)
    parser.add_argument("--references", type=int, default=2)
    parser.add_argument("--tolerance", type=float, default=0.01)
    asked = parser.parse_args()
    few = {"samples": asked.samples, "references": asked.references}
    networks = {name: imagenet.load(half="study", network=name, **few) for name in ("MobileNetV2", "SqueezeNet")}
    others = {"TextCNN": "trec", "wafer CNN": "planted"}
    print("| network | explicands | largest relative gap of IDGI |\n|---|---|---|")
    for name, task in networks.items():
        print(f"| {name} | {len(task)} | {idgi(task).max():.1e} |", flush=True)
    for name, data in others.items():
        task = tasks.LOADERS[data](half="study", samples=asked.samples)
        print(f"| {name} | {len(task)} | {idgi(task).max():.1e} |", flush=True)
    gaps, gradients = segment(networks["MobileNetV2"], asked.tolerance)
    met = (gaps <= asked.tolerance).sum()
    print(
        f"\n`segment`, tolerance {asked.tolerance:g}: {met} of {len(gaps)} photographs within it, the largest gap "
        f"{gaps.max():.2%}; gradients per photograph, {asked.references} references together: median "
        f"{np.median(gradients):.0f}, range {gradients.min()}–{gradients.max()}."
    )


if __name__ == "__main__":
    main()

"""What calibrated steps, IDGI's sum and inner layers cost and save: `python benchmarks/calibrated_steps.py`.

MobileNetV2 at 224², photographs where TF_IG2_DATA_DIR names a folder of them and noise where it does not; all in one
process, in turn; ratios are medians over pairs with their range.
"""

from __future__ import annotations

import os
from collections.abc import Callable

import numpy as np
from common import mobilenet, paired_ratios, quote

from tf_ig2 import Attribution, IG2Explainer, IntegratedGradientsExplainer, Keep, ModelView
from tf_ig2.paper.datasets import imagenet

EXPLICANDS, REFERENCES, LAYER, NODES = 4, 4, "block_9_add", 32
_NOTHING = Keep(counterfactuals=False)


def images() -> np.ndarray:
    """float32 `[EXPLICANDS + REFERENCES, 224, 224, 3]`, values 0 … 255."""
    if "TF_IG2_DATA_DIR" in os.environ:
        return imagenet.load(224, 224).x[:: 90 // (EXPLICANDS + REFERENCES)][: EXPLICANDS + REFERENCES]
    shape = [EXPLICANDS + REFERENCES, 224, 224, 3]
    return np.random.default_rng(0).uniform(0, 255, shape).astype(np.float32)


def main() -> None:
    view, pictures = ModelView(mobilenet()), images()
    x, references = pictures[:EXPLICANDS], pictures[EXPLICANDS:]

    def walk(view: ModelView = view, **settings: object) -> Callable[[], Attribution]:
        explainer = IG2Explainer(view, **settings)  # type: ignore[arg-type]
        represented = explainer.represent(references)
        return lambda: explainer.explain(x, represented, keep=_NOTHING)

    def compare(what: str, ours: Callable[[], object], theirs: Callable[[], object]) -> None:
        print(f"| {what} | {quote(1 / paired_ratios(ours, theirs)[0])} |", flush=True)

    three = {"steps": 3, "noise": 0.0}
    fixed = walk(step_size="range", rule="explicand", steps=3)
    compare("IDGI's sum / the gradient's, three fixed steps", walk(step_size="range", rule="idgi", **three), fixed)
    unstopped = walk(rule="idgi", tolerance=-1.0, **three)
    compare("three calibrated steps that never stop / three fixed ones", unstopped, fixed)

    defaults = walk()
    taken = defaults().steps_taken
    print(
        f"Steps taken of at most 3: mean {taken.mean():.2f}, of {taken.size} paths {(taken < 3).sum()} stopped before."
    )
    compare("defaults / ten fixed steps with the gradient's sum", defaults, walk(step_size="range", rule="explicand"))
    line = IntegratedGradientsExplainer(view, steps=NODES)
    compare(f"defaults, {REFERENCES} references / one IG of {NODES} nodes", defaults, lambda: line.explain(x))
    long = walk(steps=20, noise=0.0)
    taken = long().steps_taken
    print(f"Steps taken of at most 20: mean {taken.mean():.2f}, range {taken.min()}–{taken.max()}.")
    compare(
        "rows that stop, at most 20 steps / 20 steps that never stop", long, walk(steps=20, noise=0.0, tolerance=-1.0)
    )
    inside = walk(ModelView(view.model, input_layer=LAYER))
    compare(f"defaults at {LAYER} / defaults at the pixels", inside, defaults)


if __name__ == "__main__":
    main()

"""Draws the pictures of the pages on the start and on how IG² works: `python docs/pictures.py`.

All on the digits and the network that come with the package.
"""

from __future__ import annotations

import os
import re
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

import tf_ig2
from tf_ig2.paper import saved_models
from tf_ig2.paper.datasets.digits import load_digits

DOCS = Path(__file__).parent
FOR, AGAINST, GREY = "#b2182b", "#2166ac", "#555555"


def first_picture() -> None:
    """What the first block of the start draws, as it stands there."""
    (block, *_) = re.findall(r"```python\n(.*?)```", (DOCS / "index.md").read_text(encoding="utf-8"), flags=re.DOTALL)
    before = os.getcwd()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        try:
            exec(compile(block, "index.md", "exec"), {})
            (DOCS / "first_picture.png").write_bytes(Path("why.png").read_bytes())
        finally:
            os.chdir(before)


def a_walk() -> None:
    """One GradPath from a five toward a six: its points, what the model says along it, and what is added up."""
    model = saved_models.load("digits_cnn")
    (x_train, y_train), (x_test, y_test) = load_digits()
    five, six = x_test[y_test == 5][0], x_train[y_train == 6][:1]
    options: dict[str, Any] = {"steps": 20, "clip_min_max": (0, 16), "noise": 0}
    keep = tf_ig2.Keep(path=True)
    explanation = tf_ig2.IG2Explainer(model, **options).explain(five, six, keep=keep)
    signed = tf_ig2.IG2Explainer(model, rule="segment", **options).explain(five, six)
    taken = int(explanation.steps_taken[0])
    points = explanation.path[0, : taken + 1]
    logits = model.predict(points, verbose=0)

    figure = Figure(figsize=(10, 4.6), layout="constrained")
    upper, lower = figure.subfigures(2, 1, height_ratios=[1, 1.15])
    strip = upper.subplots(1, taken + 2)
    for k, (axes, point, probabilities) in enumerate(zip(strip, points, logits, strict=False)):
        axes.imshow(point[..., 0], cmap="gray_r", vmin=0, vmax=16)
        name = "explicand" if k == 0 else "GradCF" if k == taken else ""
        axes.set_title(f"γ{'₀₁₂₃₄₅₆₇₈₉'[k]}  {name}\n5: {probabilities[5]:.0%}   6: {probabilities[6]:.0%}", fontsize=9)
    strip[-1].imshow(six[0, ..., 0], cmap="gray_r", vmin=0, vmax=16)
    strip[-1].set_title("reference\nxʳ", fontsize=9)

    curves, shares, signs, change = lower.subplots(1, 4, width_ratios=[1.5, 1, 1, 1])
    steps = np.arange(taken + 1)
    curves.plot(steps, explanation.outputs[0, : taken + 1], "o-", color=FOR, label="f, the logit of 5")
    curves.plot(steps, explanation.distances[0, : taken + 1], "s--", color=GREY, label="distance to the reference")
    curves.set_xticks(steps)
    curves.set_xlabel("step")
    curves.legend(fontsize=8, frameon=False)
    maps = {"φ, IDGI's sum": explanation.values, "φ, ∇f itself": signed.values, "x − GradCF": explanation.gradcfe}
    for axes, (name, values) in zip((shares, signs, change), maps.items(), strict=True):
        span = float(np.abs(values).max())
        axes.imshow(values[..., 0], cmap="RdBu_r", vmin=-span, vmax=span)
        axes.set_title(name, fontsize=9)
    for axes in (*strip, shares, signs, change):
        axes.set_xticks([])
        axes.set_yticks([])
    figure.savefig(DOCS / "how_ig2_works.png", dpi=130)


if __name__ == "__main__":
    first_picture()
    a_walk()

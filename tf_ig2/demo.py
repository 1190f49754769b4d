"""`tf-ig2 demo`: why is this handwritten digit a 5 and not a 6? Offline, on data and a model that are already here."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import tensorflow as tf

from tf_ig2 import plots
from tf_ig2.attribution import Attribution
from tf_ig2.explainers.ig2 import IG2Explainer
from tf_ig2.explainers.integrated_gradients import IntegratedGradientsExplainer
from tf_ig2.paper import saved_models
from tf_ig2.paper.datasets.digits import load_digits


def explain_digit(
    explained: int = 5, contrast: int = 6, references: int = 8
) -> tuple[Attribution, Attribution, np.ndarray]:
    """Explains the first test image of one digit, contrasted with training images of another.

    Args:
      explained, contrast: the digits, 0 … 9, different from each other.
      references: how many references.

    Returns:
      The IG² explanation, the IG explanation with a black baseline, and the references `[R, 8, 8, 1]`.

    Raises:
      ValueError: a digit is out of range, or both are the same.
    """
    for name, digit in (("explained", explained), ("contrast", contrast)):
        if digit not in range(10):
            raise ValueError(f"`{name}` must be a digit from 0 to 9, not {digit!r}.")
    if explained == contrast:
        raise ValueError(f"`explained` and `contrast` are both {explained}: there is nothing to contrast.")
    (x_train, y_train), (x_test, y_test) = load_digits()
    model = saved_models.load("digits_cnn")
    explicand = x_test[y_test == explained][0]
    others = x_train[y_train == contrast][:references]
    # Steps enough to arrive, so that GradCF is what it is to be; rows stop when they have.
    explainer = IG2Explainer(model, clip_min_max=(0, 16), steps=50, rule="segment", completeness_tolerance=0.001)
    ig2 = explainer.explain(explicand, others, target=explained)
    ig = IntegratedGradientsExplainer(model).explain(explicand, target=explained)
    return ig2, ig, others


def run(out: str | os.PathLike[str], explained: int = 5, contrast: int = 6) -> list[str]:
    """Runs the demo, writes its figure, and says what was found.

    Args:
      out: file name of the figure; one without an ending gets ".png".
      explained, contrast: see `explain_digit`.

    Returns:
      Lines to print.
    """
    ig2, ig, references = explain_digit(explained, contrast)
    model = saved_models.load("digits_cnn")
    before = model(ig2.explicand[None]).numpy()[0]
    after = model(tf.constant(ig2.counterfactuals)).numpy().mean(axis=0)
    figure = plots.explanation(
        ig2, reference=references[0], others={"IG (black)": ig.values}, class_names=[f"digit {d}" for d in range(10)]
    )
    out = Path(out)
    out = out if out.suffix else out.with_suffix(".png")
    figure.savefig(out, dpi=150)
    turned = int((model(tf.constant(ig2.counterfactuals)).numpy().argmax(axis=-1) == contrast).sum())
    return [
        f"Why is this a {explained} and not a {contrast}? {len(references)} references, "
        f"{ig2.steps_taken.min()} to {ig2.steps_taken.max()} steps.",
        f"  explicand:  P({explained}) = {before[explained]:.3f}   P({contrast}) = {before[contrast]:.3f}",
        f"  GradCF:     P({explained}) = {after[explained]:.3f}   P({contrast}) = {after[contrast]:.3f}   "
        f"(mean; {turned} of {len(references)} are now a {contrast})",
        f"  completeness gap: IG² {ig2.relative_completeness_gap:.1%}, IG {ig.relative_completeness_gap:.1%} "
        "of the difference in logits",
        f"  figure: {out}",
    ]

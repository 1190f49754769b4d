"""IG, Guided IG and Blur IG beside PAIR's: `python benchmarks/path_methods.py [--steps 50] [--repeats 5]
[--methods "Guided IG"]`.

One process, one Keras model, the same steps; PAIR's classes call the model through a compiled function. Ratios are
medians over pairs of runs, taken in turn, with their range. Prints a Markdown table.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import saliency.core as saliency
import tensorflow as tf
from common import mobilenet, paired_ratios, quote

from tf_ig2.explainers.blur_ig import BlurIGExplainer
from tf_ig2.explainers.guided_ig import GuidedIGExplainer
from tf_ig2.explainers.integrated_gradients import IntegratedGradientsExplainer
from tf_ig2.models.model_view import ModelView
from tf_ig2.paths.keep import Keep

TARGET, IMAGES, PASS = 236, 8, 8


def repair_quantile() -> None:
    """PAIR's Guided IG calls `numpy.quantile` with an argument that NumPy has renamed."""
    quantile = np.quantile

    def with_interpolation(a: Any, q: Any, interpolation: str = "linear", **options: Any) -> Any:
        return quantile(a, q, **{"method": interpolation, **options})

    np.quantile = with_interpolation  # type: ignore[assignment]


def callback(view: ModelView) -> Callable[..., dict[str, np.ndarray]]:
    """PAIR's `call_model_function`, compiled."""

    @tf.function(autograph=False, input_signature=[tf.TensorSpec([None, 224, 224, 3])])
    def gradient(x: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(x)
            explained = view.forward(x)[1][:, TARGET]
        return tape.gradient(explained, x)

    def call_model_function(x: Any, call_model_args: Any = None, expected_keys: Any = None) -> dict[str, np.ndarray]:
        return {"INPUT_OUTPUT_GRADIENTS": gradient(np.asarray(x, np.float32)).numpy()}

    return call_model_function


def per_image(batch: Callable[[], object], one: Callable[[], object], repeats: int) -> np.ndarray:
    """Ratios of the time of one image alone to the time of an image in a batch."""
    return paired_ratios(batch, one, repeats)[0] * IMAGES


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=50)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--methods", nargs="+", default=["IG", "Guided IG", "Blur IG"])
    steps, repeats = (arguments := parser.parse_args()).steps, arguments.repeats
    repair_quantile()
    model: keras.Model = mobilenet()
    view = ModelView(model)
    call = callback(view)
    images = np.random.default_rng(0).uniform(0, 255, [IMAGES, 224, 224, 3]).astype(np.float32)
    x = images[0]
    keep = Keep(counterfactuals=False)
    explainers: dict[str, Any] = {
        "IG": (IntegratedGradientsExplainer(view, rule="pair", steps=steps), saliency.IntegratedGradients()),
        "Guided IG": (GuidedIGExplainer(view, steps=steps), saliency.GuidedIG()),
        "Blur IG": (BlurIGExplainer(view, steps=steps), saliency.BlurIG()),
    }
    their_steps = {"IG": "x_steps", "Guided IG": "x_steps", "Blur IG": "steps"}

    print(f"MobileNetV2 at 224², {steps} steps, {repeats} pairs, {time.strftime('%Y-%m-%d')}\n")
    print("| method | PAIR / ours, one image | PAIR / the bare gradients | one image alone / in a batch of 8 |")
    print("|---|---|---|---|")
    for name in arguments.methods:
        explainer, pair = explainers[name]

        def ours(explainer: Any = explainer) -> object:
            return explainer.explain(x, target=TARGET, batch_size=PASS, keep=keep).values

        def batch(explainer: Any = explainer) -> object:
            return explainer.explain(images, target=TARGET, batch_size=PASS, keep=keep).values

        def theirs(pair: Any = pair, name: str = name) -> object:
            return pair.GetMask(x, call, **{their_steps[name]: steps})

        def bare() -> None:
            for _ in range(steps):
                call(x[None])

        columns = (
            paired_ratios(ours, theirs, repeats)[0],
            paired_ratios(bare, theirs, repeats)[0],
            per_image(batch, ours, max(repeats // 2, 2)),
        )
        print(f"| {name} | {' | '.join(map(quote, columns))} |", flush=True)
    explainer, pair = explainers["IG"]
    ratios, _ = paired_ratios(
        lambda: explainer.explain(x, target=TARGET, batch_size=PASS, keep=keep).values,
        lambda: pair.GetMask(x, call, x_steps=steps, batch_size=PASS),
        repeats,
    )
    print(f"| IG, PAIR's with `batch_size={PASS}` too | {quote(ratios)} | | |")


if __name__ == "__main__":
    main()

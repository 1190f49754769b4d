"""Draws the picture at the top of the README: `python docs/readme_picture.py`.

A photograph of a cup of coffee, public domain, from scikit-image, explained with MobileNetV2 as *espresso*, by four
methods with the same references: other photographs that scikit-image ships. The model is the file in TF_IG2_DATA_DIR,
or keras.applications' with ImageNet weights (downloaded).
"""

from __future__ import annotations

import os
from pathlib import Path

import keras
import numpy as np
import skimage.data
import skimage.transform
from matplotlib.figure import Figure

from tf_ig2 import (
    ExpectedIGExplainer,
    GuidedIGExplainer,
    IG2Explainer,
    IntegratedGradientsExplainer,
    SparseL1,
    plots,
)

ESPRESSO = 967


def mobilenet() -> keras.Model:
    """MobileNetV2 with ImageNet weights, for images in [0, 255]."""
    folder = os.environ.get("TF_IG2_DATA_DIR")
    if folder:
        return keras.models.load_model(Path(folder) / "models" / "mobilenet_v2_imagenet.keras", compile=False)
    inputs = keras.Input((224, 224, 3))
    return keras.Model(inputs, keras.applications.MobileNetV2()(keras.layers.Rescaling(1 / 127.5, -1.0)(inputs)))


def photograph(image: np.ndarray) -> np.ndarray:
    """The middle square of a photograph, 224 × 224, float32 in [0, 255]."""
    side = min(image.shape[:2])
    top, left = ((size - side) // 2 for size in image.shape[:2])
    square = image[top : top + side, left : left + side]
    return skimage.transform.resize(square, (224, 224), anti_aliasing=True, preserve_range=True).astype(np.float32)


def main() -> None:
    model = mobilenet()
    coffee = photograph(skimage.data.coffee())
    others = [
        skimage.data.astronaut(),
        skimage.data.rocket(),
        skimage.data.hubble_deep_field(),
        skimage.data.retina(),
        skimage.data.immunohistochemistry(),
        skimage.data.stereo_motorcycle()[0],
    ]
    references = np.stack([photograph(other) for other in others])
    # The settings that docs/results/study.md recommends for photographs.
    ig2 = IG2Explainer(
        model, steps=8, step_size="range", rule="counterfactual", norm=SparseL1(90), clip_min_max=(0, 255)
    )
    explanations = {
        "IG (black)": IntegratedGradientsExplainer(model, steps=60).explain(coffee, target=ESPRESSO),
        "Guided IG (black)": GuidedIGExplainer(model, steps=60).explain(coffee, target=ESPRESSO),
        "Expected IG": ExpectedIGExplainer(model, steps=10).explain(coffee, references, target=ESPRESSO),
        "IG²": ig2.explain(coffee, references, target=ESPRESSO),
    }
    figure = Figure(figsize=(12.5, 2.9), layout="constrained")
    axes = figure.subplots(1, 5)
    plots.image(axes[0], coffee, "espresso", (0, 255))
    for axis, (name, explanation) in zip(axes[1:], explanations.items(), strict=True):
        axis.imshow(plots.VisualizeImageGrayscale(explanation.values), cmap="inferno")
        axis.set_title(name)
        axis.axis("off")
    figure.savefig(Path(__file__).parent / "espresso.png", dpi=110)
    probability = float(model(coffee[None])[0, ESPRESSO])
    print(f"P(espresso) = {probability:.2f}, logit {explanations['IG²'].output:.2f}")


if __name__ == "__main__":
    main()

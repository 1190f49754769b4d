"""Models that an explanation once failed on, and one of each kind: these run first, and always."""

from __future__ import annotations

from tests.differential.description import Description
from tests.differential.oracles import exported, own_references, pickled, weights_changed
from tests.differential.runs import Oracle

Example = tuple[Description, str, tuple[Oracle, ...]]

EXAMPLES: dict[str, Example] = {
    "an embedding below, and padding": (
        Description("tokens", ("gru",), reduction="average", seed=1),
        "IG, IDGI",
        (),
    ),
    "half precision, preprocessing inside": (
        Description("image", ("convolution", "batch_norm"), "gelu", "mixed_bfloat16", "rescaling", "average"),
        "IG",
        (weights_changed,),
    ),
    "two inputs and two outputs, one trunk twice": (
        Description("vector", ("batch_norm", "dense"), "softplus", inputs="dict", outputs=2, packaging="twice"),
        "Guided IG, IDGI",
        (exported,),
    ),
    "float64, attention, a model in a model": (
        Description("signal", ("attention",), policy="float64", reduction="average", packaging="nested"),
        "Gradient × input",
        (weights_changed, pickled),
    ),
    "DeepSHAP through what it has no rule for": (
        Description("signal", ("lstm",), policy="float64", ending="softmax_op"),
        "DeepSHAP",
        (own_references,),
    ),
    "DeepSHAP through an operation that casts": (
        Description(
            "image",
            ("spectral", "spectral"),
            policy="mixed_float16",
            reduction="maximum",
            ending="softmax_layer",
            inputs="dict",
            packaging="sequential",
        ),
        "DeepSHAP",
        (),
    ),
    "a row of DeepSHAP was integrated as finely as the others in its batch needed": (
        Description(
            "tokens", ("attention", "convolution"), "silu", "float64", None, "maximum", "softmax_averaged", met=True
        ),
        "DeepSHAP",
        (),
    ),
    "coalitions of a vector, a model read from a file": (
        Description("vector", ("spectral", "gate"), "silu", ending="sigmoid", packaging="reloaded"),
        "KernelSHAP",
        (own_references, weights_changed),
    ),
    "regions of an image": (
        Description("image", ("separable",), "tanh", preprocessing="rescaling", packaging="sequential"),
        "XRAI",
        (),
    ),
    "where feature maps speak": (
        Description("image", ("transposed", "max_pool"), "relu", reduction="maximum", inputs="one"),
        "Grad-CAM",
        (weights_changed,),
    ),
}
"""By why they are here: what is explained, by which method, and which of the dear oracles are asked."""

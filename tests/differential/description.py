"""What a random model is made of, in words: a `Description` draws, prints and compares like a value."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import strategies as st

SMOOTH = ("tanh", "softplus", "gelu", "silu", "sigmoid")
KINKED = ("relu", "leaky_relu", "relu6", "hard_sigmoid")
POLICIES = ("float32", "float64", "mixed_float16", "mixed_bfloat16")

BLOCKS = {
    "vector": ("dense", "batch_norm", "layer_norm", "residual", "gate", "shared_layer", "spectral", "dropout", "prelu"),
    "signal": (
        "convolution",
        "separable",
        "depthwise",
        "transposed",
        "lstm",
        "gru",
        "simple_rnn",
        "bidirectional",
        "attention",
        "time_distributed",
        "max_pool",
        "average_pool",
        "batch_norm",
        "layer_norm",
        "residual",
        "shared_layer",
        "spectral",
    ),
    "image": (
        "convolution",
        "separable",
        "depthwise",
        "transposed",
        "dilated",
        "max_pool",
        "average_pool",
        "batch_norm",
        "layer_norm",
        "group_norm",
        "residual",
        "gate",
        "shared_layer",
        "spectral",
        "time_distributed",
        "upsampling",
    ),
}
"""What may stand in a trunk, by the shape of what runs through it."""

ENDINGS = (
    "softmax",
    "softmax_layer",
    "softmax_op",
    "softmax_reshaped",
    "softmax_float32",
    "softmax_wrapped",
    "softmax_clipped",
    "softmax_averaged",
    "sigmoid",
    "sigmoid_layer",
    "linear",
    "number",
)
"""How a model ends: with which activation, as part of the last layer, as a layer, as an operation, in a wrapper, and
what follows. Behind the wrapped, the clipped and the averaged softmax an explainer finds logits, or refuses."""

PACKAGINGS = ("plain", "sequential", "nested", "twice", "reloaded", "cloned")
"""What the trunk is: layers in the graph; a nested Sequential or functional model; one called on two inputs; a model
that was saved and loaded, or cloned."""


@dataclass(frozen=True)
class Description:
    """A model, its explicands and its references, up to the random numbers that `seed` draws.

    Attributes:
      shape: "vector" `[6]`, "signal" `[6, 3]`, "image" `[8, 8, 2]`, or "tokens", int32 `[6]` into an embedding.
      blocks: the layers of the trunk, from `BLOCKS`.
      activation: of every block that has one.
      policy: Keras's dtype policy of all layers.
      preprocessing: inside the model: "rescaling", "normalization", or None.
      reduction: how positions become a vector: "flatten", "average" or "maximum".
      ending: one of `ENDINGS`.
      inputs: "one", or the structure of two, "dict" or "list".
      outputs: 1, or 2 of which the one that `ending` describes is explained.
      packaging: one of `PACKAGINGS`.
      met: whether the first reference is the first explicand: a path of no length.
      seed: of weights, explicands and references.
    """

    shape: str = "vector"
    blocks: tuple[str, ...] = ("dense",)
    activation: str = "tanh"
    policy: str = "float32"
    preprocessing: str | None = None
    reduction: str = "flatten"
    ending: str = "softmax"
    inputs: str = "one"
    outputs: int = 1
    packaging: str = "plain"
    met: bool = False
    seed: int = 0

    @property
    def smooth(self) -> bool:
        """Whether gradients are continuous."""
        kinks = {"max_pool", "prelu"} & set(self.blocks)
        return self.activation in SMOOTH and not kinks and self.reduction != "maximum"

    @property
    def masked(self) -> bool:
        """Whether padding is masked: from the embedding to the reduction every layer must know what a mask is."""
        known = {"lstm", "gru", "simple_rnn", "bidirectional", "attention", "time_distributed"}
        flat = self.packaging in ("plain", "reloaded", "cloned") and self.reduction == "average"
        return self.shape == "tokens" and flat and known.issuperset(self.blocks)

    @property
    def half(self) -> bool:
        """Whether layers compute in half precision."""
        return self.policy.startswith("mixed")

    def __str__(self) -> str:
        shown = {name: value for name, value in vars(self).items() if value != type(self).__dict__[name]}
        return f"Description({', '.join(f'{name}={value!r}' for name, value in shown.items())})"


@st.composite
def descriptions(draw: st.DrawFn) -> Description:
    """Any model of the grammar."""
    shape = draw(st.sampled_from(("vector", "signal", "image", "tokens")))
    blocks = BLOCKS["signal" if shape == "tokens" else shape]
    return Description(
        shape=shape,
        blocks=tuple(draw(st.lists(st.sampled_from(blocks), min_size=1, max_size=3))),
        activation=draw(st.sampled_from(SMOOTH + KINKED)),
        policy=draw(st.sampled_from(POLICIES)),
        preprocessing=draw(st.sampled_from((None, "rescaling", "normalization"))) if shape != "tokens" else None,
        reduction=draw(st.sampled_from(("flatten", "average", "maximum"))) if shape != "vector" else "flatten",
        ending=draw(st.sampled_from(ENDINGS)),
        inputs=draw(st.sampled_from(("one", "one", "dict", "list"))),
        outputs=draw(st.sampled_from((1, 1, 2))),
        packaging=draw(st.sampled_from(PACKAGINGS)),
        met=draw(st.sampled_from((False, False, False, True))),
        seed=draw(st.integers(0, 9999)),
    )

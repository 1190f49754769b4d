"""The contrast of Discretised IG: for each word the way to a baseline word, through other words of the vocabulary."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from tf_ig2.contrasts.anchors import Anchors
from tf_ig2.contrasts.contrast import Contrast, Given, Prepared, count, gather
from tf_ig2.paths.base import Evaluator, Points

NEIGHBOURS = 500
"""As the authors' code has it."""

_ROWS = 2**14
"""How many words go through the embedding together."""


@dataclass(frozen=True)
class ThroughWords(Contrast):
    """For explicands `[N, ..., E]` the points `[N, 1, m + 1, ..., E]` from the baseline to each, see `Anchors`.

    All words of an explicand are on their way at once. The ways are looked for on the host, of each word of a batch
    once, and the points of a batch go to the device together.

    Attributes:
      token: whose vector is the baseline; None: zeros.
      steps: m, pieces of the way.
      neighbours: K, candidates for an anchor; None: 500, or all other words of a smaller vocabulary.
      strategy: how an anchor is chosen, one of `tf_ig2.contrasts.anchors.STRATEGIES`.
    """

    token: int | None
    steps: int
    neighbours: int | None
    strategy: str

    def embedding(self, view: Any) -> keras.layers.Embedding:
        """The embedding at whose output the view makes attributions.

        Raises:
          ValueError: they are made elsewhere, or it has no such token, or not so many words.
        """
        layer = view.embedding
        if layer is None:
            raise ValueError(
                "Discretised IG goes through the words of one keras.layers.Embedding, and attributions are made "
                f"{f'inside, at {view.points_spec}' if view.attributes_inside else 'at the input'}: name the embedding "
                "of the tokens, and it alone, with `input_layer`."
            )
        words = layer.input_dim
        if self.token is not None and self.token >= words:
            raise ValueError(
                f"`token`: {self.token} is no token of this model: the embedding {layer.name!r} has vectors for "
                f"0 … {words - 1}."
            )
        if self.neighbours is not None and self.neighbours >= words:
            raise ValueError(
                f"`neighbours` is {self.neighbours}, and beside a word the embedding {layer.name!r} has {words - 1} "
                "others: ask for as many, or leave it out."
            )
        return layer

    def give(self, view: Any, value: Any, explicand: Any, batch_size: int) -> Given:
        layer = self.embedding(view)
        vectors = _vectors(layer, explicand.dtype)
        baseline = np.zeros_like(vectors[0]) if self.token is None else vectors[self.token]
        neighbours = min(self.neighbours or NEIGHBOURS, len(vectors) - 1)
        anchors = Anchors(vectors, baseline, steps=self.steps, neighbours=neighbours, strategy=self.strategy)

        def part(rows: slice) -> np.ndarray:
            here = explicand[rows]
            words, which = np.unique(here.reshape(-1, here.shape[-1]), axis=0, return_inverse=True)
            points = anchors.points(words)[:, ::-1][which.reshape(here.shape[:-1])]
            return np.moveaxis(points, -2, 1)[:, None]

        return Given(1, True, part)

    def bake(self, view: Any, value: Any) -> Any:
        raise ValueError(
            "Discretised IG is not exported: the way of each word is looked for in the whole vocabulary, which a "
            "SavedModel here does not do. Explain in Python, or export SequentialIGExplainer."
        )

    def prepare(
        self, model: Evaluator, explicand: Points, inside: Points, target: Any, given: Any, own: bool
    ) -> Prepared:
        return Prepared(count(given, own), lambda i, r: gather(given, own, i, r))


def _vectors(layer: keras.layers.Embedding, dtype: np.dtype) -> np.ndarray:
    """`[V, E]`, what the layer makes of each token.

    Raises:
      ValueError: some of it is not finite.
    """
    pieces = [tf.range(first, min(first + _ROWS, layer.input_dim)) for first in range(0, layer.input_dim, _ROWS)]
    vectors = np.concatenate([layer(piece).numpy().astype(dtype) for piece in pieces])
    if not np.isfinite(vectors).all():
        raise ValueError(f"The embedding {layer.name!r} has vectors that are not finite, and no nearest words.")
    return vectors

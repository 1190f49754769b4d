"""Anchor words: the way from a word's vector to a baseline through the vectors of other words."""

from __future__ import annotations

from typing import Any

import numpy as np

STRATEGIES = ("greedy", "max count")

_PIECE = 2**22
"""How many numbers of candidates' vectors are looked at together."""


class Anchors:
    """Finds the points of Discretised IG: a few words on the way, each moved so that no coordinate turns back.

    From the point w, toward the baseline w′ in m pieces, a candidate a out of the K words nearest to the last anchor
    would become the next point c:

        cᵢ = aᵢ where aᵢ lies between wᵢ and w′ᵢ, and wᵢ + (w′ᵢ − wᵢ) / m elsewhere.

    `"greedy"` takes the candidate that is nearest to its own c, `"max count"` the one with the most coordinates between
    wᵢ and w′ᵢ; of equals, the word nearest to the last anchor. No word is passed twice, and none is passed that has the
    vector of the word itself or of the baseline. Where no candidate is left, the rest of the way is straight, in equal
    pieces. The neighbours of a word are looked for when they are first needed, and kept.

    Args:
      vectors: float `[V, E]`, the vocabulary.
      baseline: `[E]`.
      steps: m, pieces of the way: m − 1 anchors.
      neighbours: K.
      strategy: one of `STRATEGIES`.

    Example:
      >>> vectors = np.array([[0.0, 0.0], [4.0, 4.0], [3.0, 3.0], [2.0, 5.0], [1.0, 2.0]])
      >>> anchors = Anchors(vectors, vectors[0], steps=3, neighbours=3, strategy="greedy")
      >>> anchors.points(vectors[[1]]).tolist()
      [[[4.0, 4.0], [3.0, 3.0], [1.0, 2.0], [0.0, 0.0]]]

    Reference: Sanyal & Ren, Discretized Integrated Gradients for Explaining Language Models, EMNLP 2021, Section 2.3.
    """

    def __init__(self, vectors: np.ndarray, baseline: np.ndarray, *, steps: int, neighbours: int, strategy: str):
        self._words = vectors[(vectors != baseline).any(axis=-1)]
        self._baseline, self._steps, self._strategy = baseline, steps, strategy
        self._count = min(neighbours + 1, len(self._words))  # a word is among its own neighbours
        self._index: Any = None
        self._near: dict[int, np.ndarray] = {}
        self._found: dict[bytes, np.ndarray] = {}

    def points(self, words: np.ndarray) -> np.ndarray:
        """The ways of T words, `[T, m + 1, E]` from the word to the baseline, for `[T, E]`."""
        keys = [word.tobytes() for word in words]
        new = [row for row, key in enumerate(keys) if key not in self._found and (words[row] != self._baseline).any()]
        self._found.update(zip([keys[row] for row in new], self._search(words[new]), strict=True))
        nowhere = np.full([self._steps - 1], -1)
        anchors = np.stack([self._found.get(key, nowhere) for key in keys])
        points = np.empty([len(words), self._steps + 1, words.shape[1]], words.dtype)
        points[:, 0], points[:, -1] = words, self._baseline
        for k in range(1, self._steps):
            points[:, k] = self._next(points[:, k - 1], anchors[:, k - 1], k)
        return points

    def _search(self, words: np.ndarray) -> np.ndarray:
        """int `[T, m − 1]`, the anchors of T words, by their numbers in `_words`; -1 where there is none."""
        found = np.full([len(words), self._steps - 1], -1)
        if not found.size or not self._count:
            return found
        point, near = words, self._nearest(words)
        own = np.stack([(self._words[ids] == word).all(axis=-1) for ids, word in zip(near, words, strict=True)])
        passed = np.where(own, near, -1)[:, own.any(axis=0)]
        for k in range(1, self._steps):
            left = (near[:, :, None] != passed[:, None, :]).all(axis=-1)
            scores = np.where(left, self._scores(point, near), np.inf)
            best = scores.argmin(axis=1)[:, None]
            chosen = np.where(np.take_along_axis(left, best, axis=1), np.take_along_axis(near, best, axis=1), -1)
            found[:, k - 1] = chosen[:, 0]
            point = self._next(point, chosen[:, 0], k)
            passed = np.concatenate([passed, chosen], axis=1)
            near = np.where(chosen < 0, near, self._neighbours(chosen[:, 0]))
        return found

    def _next(self, point: np.ndarray, anchor: np.ndarray, number: int) -> np.ndarray:
        """Point k of T ways, from the point before and the anchor, `[T]`."""
        straight = point + (self._baseline - point) / (self._steps - number + 1)
        vectors = self._words[anchor] if len(self._words) else straight
        moved = np.where(self._between(vectors, point), vectors, self._inward(point))
        return np.where(anchor[:, None] < 0, straight, moved)

    def _inward(self, point: np.ndarray) -> np.ndarray:
        return point + (self._baseline - point) / self._steps

    def _between(self, vectors: np.ndarray, point: np.ndarray) -> np.ndarray:
        """Which coordinates lie between those of the point and of the baseline."""
        low, high = np.minimum(point, self._baseline), np.maximum(point, self._baseline)
        return (low <= vectors) & (vectors <= high)

    def _scores(self, point: np.ndarray, near: np.ndarray) -> np.ndarray:
        """`[T, K + 1]`, the less the better, for points `[T, E]` and candidates `[T, K + 1]`."""
        scores = np.empty(near.shape)
        rows = max(1, _PIECE // (near.shape[1] * point.shape[1]))
        for first in range(0, len(point), rows):
            here = slice(first, first + rows)
            vectors, points = self._words[near[here]], point[here, None]
            between = self._between(vectors, points)
            if self._strategy == "greedy":
                away = np.where(between, 0, vectors - self._inward(points))
                scores[here] = np.einsum("tke,tke->tk", away, away)
            else:
                scores[here] = -np.count_nonzero(between, axis=-1)
        return scores

    def _neighbours(self, words: np.ndarray) -> np.ndarray:
        """`[T, K + 1]`, the words nearest to words of the vocabulary, int `[T]`; anything for -1."""
        new = np.unique([word for word in words if word >= 0 and word not in self._near]).astype(int)
        if new.size:
            self._near.update(zip(new.tolist(), self._nearest(self._words[new]), strict=True))
        none = np.zeros([self._count], int)
        return np.stack([self._near.get(word, none) for word in words.tolist()])

    def _nearest(self, vectors: np.ndarray) -> np.ndarray:
        """int `[T, K + 1]`, the nearest words of the vocabulary, the nearest first."""
        if self._index is None:
            from sklearn.neighbors import NearestNeighbors

            self._index = NearestNeighbors(n_neighbors=self._count, algorithm="brute").fit(self._words)
        return self._index.kneighbors(vectors, return_distance=False)

"""TREC: 5,952 English questions, and which of six kinds of answer each wants (section 6.4).

Reference: Li & Roth, Learning Question Classifiers, COLING 2002.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tf_ig2 import extras
from tf_ig2.paper.datasets import folder

CLASSES = ("ABBR", "ENTY", "DESC", "HUM", "LOC", "NUM")
"""The coarse classes, in the order of the labels. (TensorFlow Datasets numbers them in another order.)"""

_SPLITS = ("train", "test")
_HOW_TO_GET = (
    "The question files are at https://cogcomp.seas.upenn.edu/Data/QA/QC/ (train_5500.label, TREC_10.label): save "
    'them as trec/TREC_train.txt and trec/TREC_test.txt; or pass source="tfds", which downloads them.'
)


@dataclass(frozen=True)
class Questions:
    """Questions with their kind.

    Attributes:
      texts: the questions, words and punctuation parted by blanks.
      labels: int64 array `[N]`, indices into `CLASSES`.
    """

    texts: tuple[str, ...]
    labels: np.ndarray

    def __len__(self) -> int:
        return len(self.texts)


def load(split: str = "test", source: str | os.PathLike[str] | None = None) -> Questions:
    """Loads TREC without duplicates.

    A question is kept once. Training questions that are also test questions are left out of the training split.

    Args:
      split: "train" or "test".
      source: a folder with TREC_train.txt and TREC_test.txt; "tfds" for TensorFlow Datasets; None: the folder `trec`
        in TF_IG2_DATA_DIR.

    Returns:
      The questions, in the order of the source.

    Raises:
      MissingDataError: the files are not there.
      CorruptDataError: a line has no known label.
      ValueError: unknown split.

    Example:
      >>> load("test").texts[0]  # doctest: +SKIP
      'How far is it from Denver to Aspen ?'
    """
    folder.choice("split", split, _SPLITS)
    read = _from_tfds if source == "tfds" else lambda part: _from_file(part, source)
    test = _without_duplicates(read("test"))
    if split == "test":
        return _questions(test)
    held_out = {_key(text) for text, _ in test}
    return _questions([pair for pair in _without_duplicates(read("train")) if _key(pair[0]) not in held_out])


class Vocabulary:
    """Maps questions to rows of word indices; 0 pads, 1 stands for unknown words.

    Args:
      words: the known words, in lower case; the first gets index 2.
      length: words per row; longer questions are cut, shorter ones padded at the end.

    Raises:
      ValueError: a word twice, or no positive length.

    Example:
      >>> Vocabulary(["who", "?"], length=4).encode(["Who sings ?"])
      array([[2, 1, 3, 0]], dtype=int32)
    """

    def __init__(self, words: Sequence[str], length: int = 40):
        if len(set(words)) != len(words):
            raise ValueError(f"`words` holds {Counter(words).most_common(1)[0][0]!r} more than once.")
        if length < 1:
            raise ValueError(f"`length` must be at least 1, not {length!r}.")
        self.words = ("", "<unknown>", *words)
        self.length = length
        self._index = {word: index for index, word in enumerate(self.words) if index > 1}

    @classmethod
    def of(cls, texts: Iterable[str], minimum: int = 1, length: int = 40) -> Vocabulary:
        """The words that occur at least `minimum` times, the most frequent first, ties in alphabetical order."""
        counts = Counter(word for text in texts for word in tokens(text))
        known = [word for word, count in counts.items() if count >= minimum]
        return cls(sorted(known, key=lambda word: (-counts[word], word)), length)

    @classmethod
    def read(cls, path: str | os.PathLike[str], length: int = 40) -> Vocabulary:
        """Reads one word per line, as `write` wrote them."""
        return cls(Path(path).read_text(encoding="utf-8").splitlines(), length)

    def write(self, path: str | os.PathLike[str]) -> None:
        """Writes one word per line."""
        Path(path).write_text("\n".join(self.words[2:]) + "\n", encoding="utf-8")

    def __len__(self) -> int:
        return len(self.words)

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """Word indices, int32 `[N, length]`."""
        if isinstance(texts, str):
            raise TypeError("`texts` must be a sequence of questions, not one string.")
        rows = np.zeros([len(texts), self.length], np.int32)
        for row, text in zip(rows, texts, strict=True):
            indices = [self._index.get(word, 1) for word in tokens(text)][: self.length]
            row[: len(indices)] = indices
        return rows


def tokens(text: str) -> list[str]:
    """The words of a question, in lower case; every digit becomes a 0, so that 1867 and 1912 are one word."""
    return re.sub(r"\d", "0", text.lower()).split()


def _from_file(split: str, source: str | os.PathLike[str] | None) -> list[tuple[str, int]]:
    name = f"TREC_{split}.txt"
    path = folder.find(f"trec/{name}", _HOW_TO_GET, None if source is None else Path(source) / name)
    pairs = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        label, _, text = line.partition(" ")
        coarse = label.partition(":")[0]
        if coarse not in CLASSES or not text.strip():
            raise folder.CorruptDataError(
                f"{str(path)!r}, line {number}: {line[:60]!r} is not `CLASS:kind question` with a class of {CLASSES}."
            )
        pairs.append((text.strip(), CLASSES.index(coarse)))
    return pairs


def _from_tfds(split: str) -> list[tuple[str, int]]:
    extras.need("tensorflow_datasets", "datasets", 'source="tfds"')
    import tensorflow_datasets as tfds

    data, info = tfds.load("trec", split=split, shuffle_files=False, with_info=True)
    classes = [CLASSES.index(name) for name in info.features["label-coarse"].names]
    return [(row["text"].decode(), classes[int(row["label-coarse"])]) for row in tfds.as_numpy(data)]


def _without_duplicates(pairs: list[tuple[str, int]]) -> list[tuple[str, int]]:
    seen: dict[str, tuple[str, int]] = {}
    for pair in pairs:
        seen.setdefault(_key(pair[0]), pair)
    return list(seen.values())


def _key(text: str) -> str:
    return " ".join(text.lower().split())


def _questions(pairs: list[tuple[str, int]]) -> Questions:
    return Questions(tuple(text for text, _ in pairs), np.array([label for _, label in pairs], np.int64))

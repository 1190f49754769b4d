"""TREC's test questions and TextCNN, explained at the word vectors (section 6.4)."""

from __future__ import annotations

import os

import numpy as np

from tf_ig2.contrasts import strategies
from tf_ig2.metrics.predict import Predictor
from tf_ig2.models.model_view import ModelView
from tf_ig2.paper import saved_models
from tf_ig2.paper.datasets import trec
from tf_ig2.paper.experiments.task import Task

_SPLIT_SEED = 2024
_STUDY = 100


def load(
    samples: int | None = None,
    half: str = "report",
    references: int = 10,
    seed: int = 0,
    source: str | os.PathLike[str] | None = None,
) -> Task:
    """Test questions with training questions of the other five classes as references, two of each.

    Args:
      samples: how many questions, drawn at random; None: all.
      half: "report", or "study" for the hundred test questions that settings are chosen on.
      references: R, a multiple of 5.
      seed: of both choices.
      source: see `tf_ig2.paper.datasets.trec.load`.

    Returns:
      The task.

    Raises:
      MissingDataError, CorruptDataError: see `tf_ig2.paper.datasets.trec.load`.
      ValueError: `references` is no multiple of 5.
    """
    if half not in ("report", "study"):
        raise ValueError(f'Unknown `half`: {half!r}. Choose "report" or "study".')
    others = len(trec.CLASSES) - 1
    if references < others or references % others:
        raise ValueError(f"`references` must be a multiple of {others}, the other classes, not {references!r}.")
    model = saved_models.load("text_cnn")
    view = ModelView(model, input_layer="embedding")
    vocabulary = trec.Vocabulary.read(saved_models.path("text_cnn").with_suffix(".txt"))
    test, training = trec.load("test", source), trec.load("train", source)
    order = np.random.default_rng(_SPLIT_SEED).permutation(len(test))
    part = np.sort(order[:_STUDY] if half == "study" else order[_STUDY:])
    rows = np.random.default_rng(seed).permutation(part)[:samples]
    words = vocabulary.encode([test.texts[row] for row in rows])
    points = np.asarray(view.points(words))
    target = Predictor(view)(points, words).argmax(axis=1).astype(np.int32)
    chosen = strategies.uniform(training.labels, target, per_class=references // others, seed=seed)
    known = vocabulary.encode(training.texts)
    vectors = model.get_layer("embedding").embeddings.numpy()
    return Task(
        name="TREC",
        view=view,
        inputs=words,
        names=tuple(f"{row}: {test.texts[row]}" for row in rows),
        target=target,
        references=known[chosen],
        value_range=(float(vectors.min()), float(vectors.max())),
        points=points,
        background=0.0,
        absent=words == 0,
        curve_steps=words.shape[1],
        options={"IG²": {"step_size": "range"}},
        notes=(
            f"TREC: {len(rows)} test questions, TextCNN explained at its word vectors; {references} training questions "
            "of the other classes as references. Words leave as zero vectors; padding counts for nothing.",
        ),
    )

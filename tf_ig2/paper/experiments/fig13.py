"""Fig. 13: which references explain well? Metrics against their distance, on faces, and on planted wafers."""

from __future__ import annotations

import contextlib
from pathlib import Path

import keras
import numpy as np
from scipy.spatial.distance import cdist

from tf_ig2 import extras
from tf_ig2._version import __version__
from tf_ig2.contrasts import strategies
from tf_ig2.explainers.ig2 import IG2Explainer
from tf_ig2.metrics.information_curves import information_curve
from tf_ig2.metrics.predict import Predictor
from tf_ig2.models.model_view import ModelView
from tf_ig2.paper import saved_models
from tf_ig2.paper.datasets import celeb_a, wm811k
from tf_ig2.paper.datasets.folder import MissingDataError
from tf_ig2.paper.experiments import figures
from tf_ig2.paper.experiments.methods import ig2_explainer, ig2_settings
from tf_ig2.paper.experiments.options import Options
from tf_ig2.paper.experiments.records import Records
from tf_ig2.paper.experiments.reference_groups import KINDS, Groups, draw, near_to_far, score_groups
from tf_ig2.paper.experiments.task import Task
from tf_ig2.paper.experiments.tasks import wafers
from tf_ig2.paper.zoo.face_attributes import face_attributes
from tf_ig2.paper.zoo.imagenet import mobilenet_v2

MOCK = "mock data: random pixels, no meaning"
FACES, POOL = 300, 5000
"""Explained test faces, as in the paper, and training faces that references are chosen from."""

MOCK_FACES, MOCK_POOL = 2, 24
WAFERS = 60
GROUPS = 5
_CURVE_STEPS = 20


def run(options: Options) -> list[Path]:
    """Explains by IG² with references from near to far.

    Where TensorFlow Datasets has no CelebA, the faces are mock data, which show that the code runs and nothing else.

    Args:
      options: see `Options`; tasks are "celeba" and "planted".

    Returns:
      The files of results.

    Raises:
      MissingDataError: there is CelebA, and no network trained on it.
    """
    parts = {"celeba": _faces, "planted": _wafers}
    return [file for name in options.chosen(parts) for file in parts[name](options)]


def label_groups(
    pool: np.ndarray, labels: np.ndarray, explained: np.ndarray, groups: int, count: int, seed: int
) -> dict[str, Groups]:
    """References by the Hamming distance of the labels that are not explained.

    Args:
      pool: `[M, L]` of 0 and 1, the labels of those to choose from.
      labels: `[N, L]`, of the explicands.
      explained: int array `[N]`, the explained label of each.
      groups, count: see `near_to_far`.
      seed: by which equally near ones are put in order.

    Returns:
      By kind: those that differ in the explained label, and those that do not.

    Raises:
      ValueError: there are too few of a kind.
    """
    pool, labels = np.asarray(pool, bool), np.asarray(labels, bool)
    orders: dict[str, list[np.ndarray]] = {kind: [] for kind in KINDS}
    distances = []
    for own, label in zip(labels, explained, strict=True):
        differs = pool != own
        distances.append(differs.sum(axis=1) - differs[:, label])
        other = own.copy()
        other[label] = ~own[label]  # what differs from this in the label is like the explicand in it
        for kind, wanted in zip(KINDS, (own, other), strict=True):
            many = int((pool[:, label] != wanted[label]).sum())
            found = strategies.label_distance(pool, wanted, int(label), count=many, seed=seed)[0] if many else []
            orders[kind].append(np.asarray(found, np.int64))
    table = np.array(distances, float)
    return {kind: near_to_far(order, table, groups, count) for kind, order in orders.items()}


def representation_groups(
    pool: np.ndarray, own: np.ndarray, differs: np.ndarray, groups: int, count: int
) -> dict[str, Groups]:
    """References by the Euclidean distance of representations.

    Args:
      pool: `[M, D]`, representations of those to choose from.
      own: `[N, D]`, of the explicands.
      differs: bool array `[N, M]`, whether one is of another class than the explicand.
      groups, count: see `near_to_far`.

    Returns:
      By kind: those of other classes, and those of the same.

    Raises:
      ValueError: there are too few of a kind.
    """
    distances = cdist(own, pool)

    def orders(allowed: np.ndarray) -> list[np.ndarray]:
        return [np.argsort(np.where(row, d, np.inf))[: row.sum()] for row, d in zip(allowed, distances, strict=True)]

    by_kind = zip(KINDS, (differs, ~differs), strict=True)
    return {kind: near_to_far(orders(allowed), distances, groups, count) for kind, allowed in by_kind}


def _faces(options: Options) -> list[Path]:
    extras.need("tensorflow_datasets", "datasets", "Faces")
    import tensorflow_datasets as tfds

    real = tfds.builder("celeb_a").is_prepared()
    samples, pool_size = (FACES, POOL) if real else (MOCK_FACES, MOCK_POOL)
    samples, count = options.samples or samples, options.references or (8 if real else 1)
    keras.utils.set_random_seed(options.seed)
    model = _trained_head() if real else face_attributes(mobilenet_v2(weights=None))
    size = model.input_shape[1]
    mocked = contextlib.nullcontext() if real else tfds.testing.mock_data(num_examples=max(pool_size, samples))
    with mocked:
        x, labels = celeb_a.load(samples, "test", size)
        pool, pool_labels = celeb_a.load(pool_size, "train", size)
    view = ModelView(model)
    rng = np.random.default_rng(options.seed)
    explained = np.array([rng.choice(_explainable(*row)) for row in zip(Predictor(view)(x), labels, strict=True)])
    explainer = IG2Explainer(view, step_size="range", clip_min_max=(0, 255))
    steps = _CURVE_STEPS if real else 4

    def score(rows: np.ndarray, references: np.ndarray) -> list[dict[str, float]]:
        target = explained[rows].astype(np.int32)
        values = explainer.explain(x[rows], pool[references], target).values
        areas = {
            name: information_curve(
                Predictor(view, activation="sigmoid"),
                x[rows],
                values,
                direction=direction,
                target=target,
                steps=steps,
                value_range=(0.0, 255.0),
            ).auc
            for name, direction in (("add", "add"), ("del", "delete"))
        }
        return [dict(zip(areas, map(float, row), strict=True)) for row in zip(*areas.values(), strict=True)]

    settings = _settings(options, explainer, faces="CelebA" if real else MOCK, references=count, pool=pool_size)
    records = Records(options.out / "records", "fig13_celeba" if real else "fig13_mock", settings)
    groups = label_groups(pool_labels, labels, explained, GROUPS, count, options.seed)
    score_groups([f"face {i}" for i in range(samples)], groups, score, records, verbose=options.verbose)
    title = "Fig. 13: references of CelebA" + ("" if real else f" ({MOCK})")
    figure, rows, header = draw(records, title, "label distance (Hamming, other labels)", options.seed)
    text = [
        "SIC ADD and SIC DEL of IG² against the distance of the labels of references to the explicand's, the explained "
        "label not counted. Counterfactual references differ in the explained label, the others do not. Groups are "
        "evenly spaced in rank; bands are 95 % bootstrap intervals over explicands.",
        f"{samples} test faces, {pool_size} training faces to choose from, {count} references each, seed "
        f"{options.seed}. The explained label is drawn from those that the face has and the network sees.",
    ]
    if not real:
        text.insert(
            0,
            f"**{MOCK}.** TensorFlow Datasets has no CelebA here, so that faces are its mock data, and the weights are "
            "random: this page shows that the code runs, and says nothing about IG². Where CelebA is, the same command "
            "uses it, with the network that `python -m tf_ig2.paper.zoo.train faces` makes.",
        )
    return figures.write(options.out, "fig13" if real else "fig13_mock", title, figure, header, rows, text)


def _trained_head() -> keras.Model:
    try:
        return saved_models.load("face_attributes")
    except FileNotFoundError as error:
        raise MissingDataError(
            "CelebA is here, and no network trained on it: run `python -m tf_ig2.paper.zoo.train faces` first."
        ) from error


def _explainable(logits: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Labels that a face has and the network sees; those that it has, or all, where there are none."""
    for candidates in ((labels > 0.5) & (logits > 0), labels > 0.5):
        if candidates.any():
            return np.flatnonzero(candidates)
    return np.arange(len(labels))


def _wafers(options: Options) -> list[Path]:
    task = wafers.planted(options.samples or WAFERS, seed=options.seed)
    count = options.references or 4
    training = wm811k.load("train")
    drawn = np.random.default_rng(options.seed).permutation(len(training))[:2000]
    pool = wm811k.one_hot(training.maps[drawn])
    known = Predictor(task.view, batch_size=128)(pool).argmax(axis=1)
    representation, own = _representations(task.view, pool), _representations(task.view, task.points)
    groups = representation_groups(representation, own, known != task.target[:, None], GROUPS, count)
    explainer = ig2_explainer(task)

    def score(rows: np.ndarray, references: np.ndarray) -> list[dict[str, float]]:
        part = task.take(rows)
        return _one_way(part, explainer.explain(part.inputs, pool[references], part.target).values)

    settings = _settings(options, explainer, task=task.name, references=count, pool=len(pool), samples=len(task))
    records = Records(options.out / "records", "fig13_planted", settings)
    score_groups(task.names, groups, score, records, verbose=options.verbose)
    title = "Fig. 13 for planted wafers: near and far references"
    figure, rows, header = draw(records, title, "distance of representations", options.seed)
    text = (
        "What the paper shows on CelebA, on data with a known ground truth: metrics of IG² against the distance of the "
        "references' representations to the explicand's (Euclidean, where the convolutions end). Counterfactual "
        "references are those that the network puts into another class. Groups are evenly spaced in rank, from the "
        "nearest to the farthest wafers; bands are 95 % bootstrap intervals over explicands. The CSV file has the "
        "paired differences between the nearest and the farthest, too.",
        f"{len(task)} wafers with a planted pattern that the network recognises; {len(pool)} training wafers of all "
        f"classes to choose from, {count} references each; |φ| summed over channels; seed {options.seed}.",
    )
    return figures.write(options.out, "fig13_planted", title, figure, header, rows, text)


def _one_way(part: Task, values: np.ndarray) -> list[dict[str, float]]:
    """The metrics of a task with |φ| summed over channels, without the mention of it in their names."""
    scores = part.scores(np.abs(values).sum(axis=-1))
    return [{key.partition("/")[0]: number for key, number in own.items()} for own in scores]


def _representations(view: ModelView, points: np.ndarray) -> np.ndarray:
    parts = [view.representation(points[i : i + 128]).numpy() for i in range(0, len(points), 128)]
    return np.concatenate(parts).reshape(len(points), -1)


def _settings(options: Options, explainer: IG2Explainer, **more: object) -> dict[str, object]:
    return {"seed": options.seed, "groups": GROUPS, "ig2": ig2_settings(explainer), "tf_ig2": __version__, **more}

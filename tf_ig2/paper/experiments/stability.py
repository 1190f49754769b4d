"""How far do maps move when nothing that matters changes, and do they move when the network becomes another?"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
from scipy import stats

from tf_ig2._version import __version__
from tf_ig2.explainers.ig2 import IG2Explainer
from tf_ig2.metrics.maps import feature_maps
from tf_ig2.models.model_view import ModelView
from tf_ig2.paper.experiments import arms, report, rivals, tablea3
from tf_ig2.paper.experiments.arms import Arm
from tf_ig2.paper.experiments.methods import GRADIENTS, IG2, AgainstReferences, Method, arm_settings
from tf_ig2.paper.experiments.options import Options
from tf_ig2.paper.experiments.records import Record, Records
from tf_ig2.paper.experiments.table import Column, Table
from tf_ig2.paper.experiments.task import METRICS, Task
from tf_ig2.paper.experiments.tasks import imagenet, mnist, wafers

TITLE = "Stability and sanity: what moves a map, and what should"
SAMPLES = {"digits": 60, "planted": 40, "imagenet": 8}
REFERENCES = {"digits": 8, "planted": 8, "imagenet": 4}
"""Explicands by task, and references for each."""

ARMS = ("Gradient", "Vanilla IG", "Guided IG", "Expected IG", "Blur IG", "DeepSHAP", rivals.SQUARES)
OF_IG2: dict[str, dict[str, Any]] = {
    rivals.NO_NOISE: {"noise": 0.0},
    rivals.INTEGRAL: {"rule": "segment"},
    "IG², noise 0.2": {"noise": 0.2},
    IG2: {},
}
"""Methods, and settings of IG²; the last are its defaults."""

_DRAWN = ("IG², noise 0.2", IG2)
"""Those that draw something."""

WITH_REFERENCES = ("Expected IG", "DeepSHAP", *OF_IG2)

CHANGES = (
    Column("noise", "noise of 1/255"),
    Column("rounding", "rounded to 8 bits"),
    Column("references", "other references"),
    Column("seed", "other draws"),
    Column("float64", "float64"),
    Column("top", "last layer random", False),
    Column("all", "all layers random", False),
)
"""Rank correlations of a map with that of the explicand as it is."""

COSTS = (
    Column("gradients", "gradients", False),
    Column("forward", "forward passes", False),
    Column("ratio", "time / Gradient's", False),
)

_PRECISE = "digits"
"""The task whose network is run in float64 too."""


def run(options: Options) -> list[Path]:
    """Measures how maps move, what they are worth, and what they cost.

    Args:
      options: see `Options`; tasks are "digits", "planted" and "imagenet".

    Returns:
      The files of results.
    """
    made = []
    for name in options.chosen(SAMPLES):
        task = load(name, options)
        settings = {
            "task": name,
            "samples": len(task),
            "references": int(task.references.shape[1]),
            "gradients": GRADIENTS,
            "seed": options.seed,
            "tf_ig2": __version__,
        }
        every = methods(task)
        records = Records(options.out / "records", "stability", settings, arm_settings(every))
        measured = compare(task, load(name, options, 1), records, options, precise=name == _PRECISE)
        times = Records(options.out / "records", "stability_time", settings)
        tablea3.time_rounds(task.take(np.arange(min(5, len(task)))), every, times)
        notes = (*task.notes, f"{GRADIENTS} gradients where a method lets one choose; seed {options.seed}.")
        title, seed = task.name, options.seed
        made.append(Table(f"{title}: rank correlations of |φ|", CHANGES, measured, IG2, {}, notes, seed))
        columns = [Column.of(metric, "absolute") for metric in METRICS]
        made.append(Table(f"{title}: what the maps are worth", columns, measured, IG2, {}, (), seed))
        made.append(Table(f"{title}: what they cost", COSTS, _costs(task, times), None, {}, (), seed))
    return report.write(made, options.out, "stability", TITLE, _NOTES)


def load(name: str, options: Options, more: int = 0) -> Task:
    """A task.

    Args:
      name: one of `SAMPLES`.
      options: see `Options`.
      more: added to the seed by which references are chosen; explicands stay the same.

    Returns:
      The task, with |φ| summed over channels alone, and without settings of methods.
    """
    samples, references = options.samples or SAMPLES[name], options.references or REFERENCES[name]
    if name == "imagenet":
        task = imagenet.load(samples, "study", references, options.seed + more)
    else:
        task = (mnist.load if name == "digits" else wafers.planted)(samples, references=references, seed=options.seed)
        if more:
            drawn = np.random.default_rng(more).permutation(len(task))
            task = replace(task, references=np.stack([task.references[row] for row in _others(task, drawn)]))
    return replace(task, channels=("absolute",), options={})


def methods(task: Task, seed: int = 0) -> dict[str, Method]:
    """The methods by name.

    Args:
      task: what is explained.
      seed: of what methods draw: positions, noise.
    """
    batch_size = 8 if task.name == "ImageNet" else rivals.BATCH
    found = {name: method for name, method in rivals.defaults(task, batch_size=batch_size).items() if name in ARMS}
    if seed:
        found = {rivals.SQUARES: rivals.squared_smoothgrad(task.view, 3 * task.references.shape[1], seed=seed)}
    for name, settings in OF_IG2.items():
        if not seed or name in _DRAWN:
            found[name] = AgainstReferences(IG2Explainer(task.view, seed=seed, **settings), batch_size)
    return found


def compare(task: Task, other: Task, records: Records, options: Options, precise: bool = False) -> list[Record]:
    """Explains each explicand as it is and changed, and correlates the maps.

    Args:
      task: the explicands.
      other: the same, with other references.
      records: grow.
      options: see `Options`.
      precise: with float64.

    Returns:
      The records of all methods, with the task's metrics of the map as it is.
    """
    usual, drawn = methods(task), methods(task, seed=1)
    exact = in_float64(task) if precise else None
    exactly = {} if exact is None else methods(exact)

    def arm(name: str, method: Method) -> Arm:
        def score(rows: np.ndarray) -> list[dict[str, float]]:
            part = task.take(rows)
            values = method(part)
            maps = _maps(part, values)
            changed = {key: _maps(part, method(shaken)) for key, shaken in _shaken(part, options.seed).items()}
            if name in WITH_REFERENCES:
                changed["references"] = _maps(part, method(replace(part, references=other.references[rows])))
            if name in drawn:
                changed["seed"] = _maps(part, drawn[name](part))
            if exact is not None:
                changed["float64"] = _maps(part, exactly[name](exact.take(rows)))
            for key in ("top", "all"):
                with randomised(_network(task), key == "all", options.seed):
                    changed[key] = _maps(part, method(part))
            scores = part.scores(values)
            for key, moved in changed.items():
                for own, a, b in zip(scores, maps, moved, strict=True):
                    own[key] = rank_correlation(a, b)
            return scores

        return Arm(name, task.names, score, batch=2 if task.name == "ImageNet" else 20)

    arms.run([arm(name, method) for name, method in usual.items()], records, options.verbose)
    return [Record(name, row, dict(records.known(name, row))) for name in usual for row in task.names]


def rank_correlation(a: np.ndarray, b: np.ndarray) -> float:
    """Spearman's, of two maps; 0 where one of them is constant, which tells nothing.

    Example:
      >>> rank_correlation(np.array([1.0, 2.0, 3.0]), np.array([0.0, 5.0, 7.0]))
      1.0
    """
    if np.ptp(a) == 0 or np.ptp(b) == 0:
        return 0.0
    return round(float(stats.spearmanr(a.ravel(), b.ravel()).statistic), 6)


@contextlib.contextmanager
def randomised(model: keras.Model, everywhere: bool, seed: int = 0) -> Iterator[None]:
    """Within it, weights are shuffled: in the last layer that has any, or in all.

    Shuffling keeps their distribution, so that activations stay in their range.

    Reference: Adebayo et al., Sanity Checks for Saliency Maps, NeurIPS 2018, section 4.
    """
    layers = [layer for layer in model.layers if layer.weights]
    changed = layers if everywhere else layers[-1:]
    kept = [layer.get_weights() for layer in changed]
    rng = np.random.default_rng(seed)
    try:
        for layer, weights in zip(changed, kept, strict=True):
            layer.set_weights([rng.permuted(weight.ravel()).reshape(weight.shape) for weight in weights])
        yield
    finally:
        for layer, weights in zip(changed, kept, strict=True):
            layer.set_weights(weights)


def in_float64(task: Task) -> Task:
    """The task with its network, and all that goes in, in float64; the representation is the penultimate layer's."""
    model = _network(task)
    config = json.loads(json.dumps(model.get_config()).replace("float32", "float64"))
    copy = model.__class__.from_config(config)
    copy.set_weights([weight.astype(np.float64) for weight in model.get_weights()])
    names = ("inputs", "references", "points")
    return replace(task, view=ModelView(copy), **{name: getattr(task, name).astype(np.float64) for name in names})


def _shaken(part: Task, seed: int) -> dict[str, Task]:
    low, high = part.value_range
    noise = np.random.default_rng(seed).uniform(-1, 1, part.inputs.shape) * (high - low) / 255
    moved = np.clip(part.inputs + noise, low, high).astype(part.inputs.dtype)
    rounded = (low + np.round((part.inputs - low) / (high - low) * 255) / 255 * (high - low)).astype(part.inputs.dtype)
    return {
        "noise": replace(part, inputs=moved, points=moved),
        "rounding": replace(part, inputs=rounded, points=rounded),
    }


def _network(task: Task) -> keras.Model:
    model = task.view.model
    if model is None:
        raise TypeError(f"The network of {task.name!r} is no Keras model: its weights cannot be changed.")
    return model


def _maps(part: Task, values: np.ndarray) -> np.ndarray:
    return feature_maps(values, part.points.shape[1:-1])


def _others(task: Task, order: np.ndarray) -> list[int]:
    """For each explicand another of the same class, whose references it can have; itself where it is the only one."""
    found = []
    for row, target in enumerate(task.target):
        alike = [int(other) for other in order if task.target[other] == target and other != row]
        found.append(alike[row % len(alike)] if alike else row)
    return found


def _costs(task: Task, times: Records) -> list[Record]:
    counted = counts(int(task.references.shape[1]))
    return [
        Record(
            record.arm,
            record.explicand,
            {"gradients": counted[record.arm][0], "forward": counted[record.arm][1], "ratio": record.scores["ratio"]},
        )
        for record in times
    ]


def counts(references: int) -> Mapping[str, tuple[int, int]]:
    """Gradients and forward passes of an explicand by arm, at most; DeepSHAP's pass back is counted as a gradient."""
    path = dict.fromkeys(OF_IG2, (6 * references, 7 * references))
    line = dict.fromkeys(("Vanilla IG", "Guided IG", "Expected IG", "Blur IG"), (GRADIENTS, GRADIENTS))
    return {
        "Gradient": (1, 1),
        **line,
        "DeepSHAP": (references, 2 * references),
        rivals.SQUARES: (3 * references, 3 * references),
        **path,
        rivals.NO_NOISE: (7 * references, 4 * references),
        rivals.INTEGRAL: (15 * references, 16 * references),
    }


_NOTES = (
    "Found, on photographs (eight of the study half, MobileNetV2): noise of 1/255 moves IG²'s map less than IG's "
    "(rank correlation .967; Vanilla IG .885, Guided IG .735, Gradient .754, Expected IG .878, DeepSHAP .935; Blur IG "
    ".979 and squared SmoothGrad .984 are stabler), and other references move it little (.976; DeepSHAP .351, "
    "Expected IG .339). It is noise that makes it stable (.893 without) and IDGI's sum (.797 with the integral of the "
    "gradient); the price are draws (.797 with others). Where all weights are shuffled little is kept (.161; Vanilla "
    "IG .328); where those of the last layer alone are, more than of most others (.630; Gradient .455, Vanilla IG "
    ".543, the control .731): the path is that of the layers below.",
    "Found, on digits: noise of 1/255 moves IG²'s map less than IG's (rank correlation .969 [.953, .982]; Vanilla IG "
    ".702, Guided IG .701, Gradient .806, Expected IG and DeepSHAP .901; Blur IG .989 and squared SmoothGrad .999 are "
    "stabler). The noise of its gradients is what does it: .914 without, .974 with twice as much; the price are "
    "draws, with other ones the correlation is .909. IDGI's sum does it, too: the integral along the same walk has "
    ".860. Other references move it less (.923) than Expected IG and DeepSHAP (.772, .775). Shuffled weights change "
    "it (.186), as they should; Vanilla IG, Guided IG, Expected IG and DeepSHAP keep the map of a network that has "
    "forgotten all it learned (.990, .990, .943, .944): there |φ| follows the image. But what is stable is not what "
    "is good: by ADD and DEL IG² and the control are the worst here (.583 and .394; Vanilla IG .932 and .141), see "
    "the page of defaults on words, wafers and digits.",
    "Each number is Spearman's correlation of |φ|, summed over channels, with the map of the explicand as it is. "
    "Uniform noise of at most 1/255 of the range is added to every pixel; rounding changes nothing where pixels have "
    "8 bits already; other references are those of another explicand of the same class; other draws are another seed "
    "of what a method draws. In float64 noise is drawn anew, so that column is one of other draws for IG² with noise; "
    "all else agrees to 1.000. The noise of IG² has a fixed seed (`seed=0`): the same explicand has the same map "
    "every time, and a moved one is met by the same noise.",
    "Weights are shuffled within each array, in the last layer and in all (Adebayo et al., Sanity Checks for Saliency "
    "Maps, NeurIPS 2018, re-initialise them layer by layer). Gradients and forward passes are counted for one "
    "explicand, at most; time is that of an explicand alone, on a busy machine, as a ratio to Gradient's timed in "
    "between: with so small a network it is mostly overhead.",
)

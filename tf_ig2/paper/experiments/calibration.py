"""Which defaults should calibrated steps have? Variants of IG² with nothing that names a network, on three of them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from tf_ig2.explainers.ig2 import IG2Explainer
from tf_ig2.models.model_view import ModelView
from tf_ig2.paper.experiments import comparison, report
from tf_ig2.paper.experiments.defaults import INSIDE
from tf_ig2.paper.experiments.methods import AgainstReferences, Method, toward_references_inside
from tf_ig2.paper.experiments.options import Options
from tf_ig2.paper.experiments.task import Task
from tf_ig2.paper.experiments.tasks import imagenet
from tf_ig2.paths.normalizers import SparseL1

TITLE = "Which defaults should calibrated steps have?"
SAMPLES = 16
DEFAULTS = "defaults"

VARIANTS: dict[str, dict[str, Any]] = {
    DEFAULTS: {},
    "noise 0.05": {"noise": 0.05},
    "noise 0.2": {"noise": 0.2},
    "no noise, idgi": {"noise": 0.0, "rule": "idgi"},
    "no noise, idgi-both": {"rule": "idgi-both"},
    "explicand": {"rule": "explicand"},
    "counterfactual": {"rule": "counterfactual"},
    "segment": {"rule": "segment"},
    "1 step": {"steps": 1},
    "2 steps": {"steps": 2},
    "8 steps": {"steps": 8},
    "8 steps, tolerance 0.1": {"steps": 8, "tolerance": 0.1},
    "sparse norm": {"norm": SparseL1(90)},
    "distance cosine": {"distance": "cosine"},
    "fixed, 10 × 4 % explicand (release 0.1)": {"step_size": "range"},
}
"""Arguments of `IG2Explainer` that differ from its defaults."""

INSIDE_VARIANTS: dict[str, dict[str, Any]] = {
    DEFAULTS: {},
    "noise 0.1": {"noise": 0.1},
    "noise 0.03": {"noise": 0.03},
    "no noise, idgi": {"noise": 0.0, "rule": "idgi"},
    "explicand": {"rule": "explicand"},
    "counterfactual": {"rule": "counterfactual"},
    "8 steps": {"steps": 8},
}
"""The same at an inner layer."""

POSITIONS = "positions one by one"
"""The variant whose representation is not pooled, for networks whose representation has positions."""


def run(options: Options) -> list[Path]:
    """Measures variants on the study half of the masked photographs.

    Args:
      options: see `Options`; tasks are the networks.

    Returns:
      The files of results.
    """
    made = []
    for network in options.chosen(imagenet.NETWORKS):
        task = imagenet.load(
            options.samples or SAMPLES, "study", options.references or 4, options.seed, network=network, pool="auto"
        )
        task = replace(task, channels=("absolute",), options={})
        notes = (*task.notes, f"{len(task)} photographs of the study half, seed {options.seed}.")
        for place, found in (("pixels", methods(task)), (INSIDE[network], inside(task, INSIDE[network]))):
            records = comparison.compare("calibration", task, found, options, network=network, place=place)
            title = f"{network}, {place}"
            made += comparison.tables(title, records, DEFAULTS, None, notes, options.seed, options.metrics)
    return report.write(made, options.out, "calibration", TITLE, _NOTES)


def inside(task: Task, layer: str) -> dict[str, Method]:
    """IG² at an inner layer, with each of `INSIDE_VARIANTS`, brought to the input."""
    view = ModelView(task.view.model, input_layer=layer)

    return {name: toward_references_inside(IG2Explainer(view, **more)) for name, more in INSIDE_VARIANTS.items()}


def methods(task: Task) -> dict[str, Method]:
    """IG² with each of `VARIANTS`, and unpooled where that is something else."""
    found: dict[str, Method] = {
        name: AgainstReferences(IG2Explainer(task.view, **more)) for name, more in VARIANTS.items()
    }
    unpooled = ModelView(task.view.model, pool=None)
    if unpooled.representation_spec.shape.rank > 2:
        found[POSITIONS] = AgainstReferences(IG2Explainer(unpooled))
    return found


_NOTES = (
    "IG² with at most 3 calibrated steps toward each of 4 references and IDGI's sum, at the pixels with gradients at "
    "noisy points, and what differs from that, one thing at a time. Marks compare with the defaults, in the first row.",
    "Read from it: noise makes the difference at the pixels, the number of steps, the norm, the distance and pooling "
    "hardly any. At inner layers the range of values says little of most features, and noise of a tenth of it hurts "
    "where a few are large (SqueezeNet), so there the default is none.",
)

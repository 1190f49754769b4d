"""Methods without gradients in the place of those of photographs, so that experiments are quick to test."""

from dataclasses import replace

import numpy as np

from tests.paper.experiments.small import small_task
from tf_ig2.paper.experiments import trials
from tf_ig2.paper.experiments.bench import INSIDE
from tf_ig2.paper.experiments.choice import CHOSEN
from tf_ig2.paper.experiments.map_store import Mapped
from tf_ig2.paper.experiments.methods import IG2


def mapped(number, calls=None):
    """Maps that are the better the smaller the number is: the mask, or what lies beside it, and noise."""

    def maps(part):
        if calls is not None:
            calls.extend(part.names)
        noise = np.random.default_rng(number).random(part.inputs.shape[1:3]) * part.inputs.mean(axis=-1)
        inside = np.zeros([12, 12])
        inside[3:8, 3:8] = 1
        return inside + 0.3 * number * noise

    return Mapped(maps, {"number": number})


def masked_task(samples=2):
    """A small task whose objects lie in the middle."""
    masks = np.zeros([samples, 12, 12], bool)
    masks[:, 3:8, 3:8] = True
    return replace(small_task(samples), masks=masks, background=0.0)


def few_trials(monkeypatch, calls=None):
    """Stubs for every method that was chosen, at pixels and inside; IG² is the best."""
    number = {method: i for i, method in enumerate([IG2, *(name for name in CHOSEN["pixels"] if name != IG2)])}

    def at_pixels(view, references):
        names = {method: {trials.PUBLISHED, trial} for method, trial in CHOSEN["pixels"].items()}
        names["Gradient"].add(trials.SQUARES)
        names[IG2].add(trials.ON_PATH)
        return {
            method: {trial: mapped(number[method] + 10 * i, calls) for i, trial in enumerate(sorted(tried))}
            for method, tried in names.items()
        }

    def inside(view, depths, references):
        usual = {trials.GRAD_CAM: trials.LAST, IG2: "middle, IDGI"}
        return {
            method: {name: mapped(i, calls) for name in {trial, usual.get(method, f"middle, {trials.PUBLISHED}")}}
            for i, (method, trial) in enumerate(CHOSEN[INSIDE].items())
        }

    monkeypatch.setattr(trials, "at_pixels", at_pixels)
    monkeypatch.setattr(trials, "inside", inside)
    monkeypatch.setattr(trials, "xrai_base", lambda view, value_range: mapped(5, calls))

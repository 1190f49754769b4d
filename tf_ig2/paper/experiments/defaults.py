"""What users get who name no setting: methods with their defaults on three ImageNet networks, at pixels and inside."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from tf_ig2.explainers.blur_ig import BlurIGExplainer
from tf_ig2.explainers.deep_shap import DeepSHAPExplainer
from tf_ig2.explainers.expected_ig import ExpectedIGExplainer
from tf_ig2.explainers.gradient import GradientExplainer
from tf_ig2.explainers.guided_ig import GuidedIGExplainer
from tf_ig2.explainers.ig2 import IG2Explainer
from tf_ig2.explainers.integrated_gradients import IntegratedGradientsExplainer
from tf_ig2.models.model_view import ModelView
from tf_ig2.paper.experiments import comparison, report, rivals
from tf_ig2.paper.experiments.methods import GRADIENTS, IG2, Method, toward_references_inside
from tf_ig2.paper.experiments.options import Options
from tf_ig2.paper.experiments.task import Task
from tf_ig2.paper.experiments.tasks import imagenet
from tf_ig2.paper.experiments.trials import DEPTHS
from tf_ig2.paths.keep import Keep

TITLE = "Defaults: three ImageNet networks, nothing named"

INSIDE = {network: depths["middle"] for network, depths in DEPTHS.items()}
"""The inner layer of each network: about in the middle, of 14 × 14 positions (SqueezeNet: 28 × 28)."""

_NOTHING = Keep(counterfactuals=False)


def run(options: Options) -> list[Path]:
    """Measures methods with their defaults on the study half of the masked photographs.

    Args:
      options: see `Options`; tasks are the networks.

    Returns:
      The files of results.
    """
    made = []
    for network in options.chosen(imagenet.NETWORKS):
        task = imagenet.load(
            options.samples, "study", options.references or 4, options.seed, network=network, pool="auto"
        )
        task = replace(task, channels=("absolute",), options={})
        for place, methods in (("pixels", pixels(task)), (INSIDE[network], inside(task, INSIDE[network]))):
            records = comparison.compare("defaults", task, methods, options, network=network, place=place)
            notes = (*task.notes, f"{len(task)} photographs of the study half, seed {options.seed}.")
            title = f"{network}, {place}"
            made += comparison.tables(title, records, IG2, None, notes, options.seed, options.metrics)
    return report.write(made, options.out, "defaults", TITLE, _NOTES)


def pixels(task: Task) -> dict[str, Method]:
    """Methods at the pixels: IG² and DeepSHAP with nothing named, others with 32 gradients."""
    view, shared = task.view, task.references.shape[1]
    return {
        "Gradient": _alone(GradientExplainer(view).explain),
        "Vanilla IG": _alone(IntegratedGradientsExplainer(view, steps=GRADIENTS).explain, 0.0),
        "Guided IG": _alone(GuidedIGExplainer(view, steps=GRADIENTS).explain, 0.0),
        "Blur IG": _alone(BlurIGExplainer(view, steps=GRADIENTS).explain),
        "Expected IG": _against(ExpectedIGExplainer(view, steps=GRADIENTS // shared).explain),
        "DeepSHAP": _against(DeepSHAPExplainer(view).explain),
        "IG², no noise": _against(IG2Explainer(view, noise=0).explain),
        rivals.SQUARES: rivals.squared_smoothgrad(view, 3 * shared),
        IG2: _against(IG2Explainer(view).explain),
    }


def inside(task: Task, layer: str) -> dict[str, Method]:
    """Methods at an inner layer, with IDGI's sum; maps of the input's size, channels added up with their sign."""
    view, shared = ModelView(task.view.model, input_layer=layer), task.references.shape[1]
    from_zero = IntegratedGradientsExplainer(view, steps=GRADIENTS, rule="idgi")
    expected = ExpectedIGExplainer(view, steps=GRADIENTS // shared, rule="idgi")

    return {
        "IG from zero, IDGI": lambda part: (
            from_zero.explain(part.inputs, 0.0, part.target, keep=_NOTHING).at_input().values
        ),
        "Expected IG, IDGI": toward_references_inside(expected),
        IG2: toward_references_inside(IG2Explainer(view)),
    }


def _alone(explain: Callable, *contrast: float) -> Method:
    return lambda part: explain(part.inputs, *contrast, target=part.target).values


def _against(explain: Callable) -> Method:
    return lambda part: explain(part.inputs, part.references, part.target).values


_NOTES = (
    "What a user gets who names nothing but the model and the references, on the study halves: settings of IG² were "
    "chosen on these photographs, so this page says what is possible, not what to expect elsewhere.",
    "IG² takes at most 3 steps toward each of 4 references, with one gradient of the distance and one of the output at "
    "a noisy point for each: 12 of either, and 28 forward passes; methods with a line or a path of their own take 32 "
    "gradients of the output with as many forward passes.",
    "“IG², no noise” is the same walk with the gradients at its own points. “Squared SmoothGrad” is a control: 12 "
    "squared gradients at the explicand with the same noise, without walk, references or completeness.",
    "Read from it: at the pixels IG² with its defaults is ahead of Gradient, Expected IG and DeepSHAP on every "
    "network by every metric, but for DEL on SqueezeNet, where DeepSHAP is level; Blur IG deletes as well. What "
    "makes the difference are the noise and the squares of IDGI's sum, not the path: without noise IG² is behind "
    "Guided IG and Blur IG on ADD and DEL, and the control, which has noise and squares and no path, is level "
    "with IG² (on SqueezeNet ahead by .005 in AUC). What the path adds is that attributions add up to the "
    "difference to a counterfactual, and GradCF itself.",
    "Inside the network, maps are sums over channels with their sign, brought to the size of the input (bicubic).",
)

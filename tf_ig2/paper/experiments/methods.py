"""The methods of Table 3 with Blur IG and XRAI, each from a batch of a task to attributions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from tf_ig2.explainers.blur_ig import BlurIGExplainer
from tf_ig2.explainers.deep_shap import DeepSHAPExplainer
from tf_ig2.explainers.expected_ig import ExpectedIGExplainer
from tf_ig2.explainers.gradient import GradientExplainer
from tf_ig2.explainers.guided_ig import GuidedIGExplainer
from tf_ig2.explainers.ig2 import IG2Explainer
from tf_ig2.explainers.integrated_gradients import IntegratedGradientsExplainer
from tf_ig2.explainers.kernel_shap import KernelSHAPExplainer
from tf_ig2.explainers.xrai import XRAIExplainer
from tf_ig2.paper.experiments.task import Task
from tf_ig2.paths.keep import Keep

Method = Callable[[Task], np.ndarray]
"""From a task, or a batch of it, to attributions `[N, ...]` like its points, or one number per feature."""

IG2 = "IG²"
IG2_REGIONS = "IG² in regions"
GRADIENTS = 32
"""Per explicand, of every method that lets one choose, so that none is favoured."""

_NOTHING = Keep(counterfactuals=False)


def methods(task: Task, batch_size: int = 32, gradients: int = GRADIENTS) -> dict[str, Method]:
    """The methods that make sense for a task, by name, in the order of the paper's tables.

    Vanilla IG, Guided IG and KernelSHAP contrast with nothing at all (a black image, zero word vectors, padding);
    Expected IG, DeepSHAP and IG² with the task's references. Gradient, Blur IG and XRAI need nothing or make their own.
    XRAI ranks regions by integrated gradients, as published; “IG² in regions” ranks them by IG².

    Args:
      task: its `options` are given to the explainers.
      batch_size: rows per forward pass.
      gradients: see `GRADIENTS`.

    Returns:
      The methods; their networks are compiled once, at the first call.
    """
    view, options = task.view, task.options
    shared = task.references.shape[1]
    nothing = np.zeros_like(task.inputs[:1])

    gradient = GradientExplainer(view)
    vanilla = IntegratedGradientsExplainer(view, steps=gradients, **options.get("Vanilla IG", {}))
    guided = GuidedIGExplainer(view, steps=gradients, **options.get("Guided IG", {}))
    expected = ExpectedIGExplainer(view, steps=max(1, gradients // shared), **options.get("Expected IG", {}))
    deep = DeepSHAPExplainer(view)
    kernel = KernelSHAPExplainer(view, **options.get("KernelSHAP", {}))

    found: dict[str, Method] = {
        "Gradient": lambda part: gradient.explain(part.inputs, target=part.target, batch_size=batch_size).values,
        "Vanilla IG": lambda part: (
            vanilla.explain(part.inputs, 0.0, part.target, batch_size=batch_size, keep=_NOTHING).values
        ),
        "Guided IG": lambda part: (
            guided.explain(part.inputs, 0.0, part.target, batch_size=batch_size, keep=_NOTHING).values
        ),
        "Expected IG": toward_references(expected, batch_size),
        "DeepSHAP": lambda part: deep.explain(part.inputs, part.references, part.target, batch_size=batch_size).values,
        "KernelSHAP": lambda part: kernel.explain(part.inputs, nothing, part.target, batch_size=batch_size).values,
    }
    if task.points.ndim == 4:
        blur = BlurIGExplainer(view, steps=gradients, **options.get("Blur IG", {}))
        regions = XRAIExplainer(
            IntegratedGradientsExplainer(view, steps=gradients // 2, value_range=task.value_range),
            **options.get("XRAI", {}),
        )
        found["Blur IG"] = lambda part: (
            blur.explain(part.inputs, target=part.target, batch_size=batch_size, keep=_NOTHING).values
        )
        found["XRAI"] = lambda part: (
            regions.explain(part.inputs, "black_and_white", part.target, batch_size=batch_size).values
        )
    ig2 = found[IG2] = AgainstReferences(ig2_explainer(task), batch_size)
    if task.points.ndim == 4:
        ranking = XRAIExplainer(**options.get("XRAI", {}))
        found[IG2_REGIONS] = lambda part: ranking.explain(part.inputs, base_attribution=ig2(part)).values
    return found


@dataclass(frozen=True)
class AgainstReferences:
    """A `Method`: attributions of each explicand against its references in the task.

    Attributes:
      explainer: IG², with its settings.
      batch_size: rows per forward pass.
    """

    explainer: IG2Explainer
    batch_size: int = 32

    def __call__(self, part: Task) -> np.ndarray:
        return toward_references(self.explainer, self.batch_size)(part)

    @property
    def settings(self) -> dict[str, Any]:
        """What the scores depend on, as JSON: with other defaults they are other scores."""
        return {**ig2_settings(self.explainer), "noise": self.explainer.noise}


def arm_settings(methods: Mapping[str, Method]) -> dict[str, Any]:
    """Those of IG²'s arms, for `Records`: what only their scores depend on."""
    return {arm: method.settings for arm, method in methods.items() if isinstance(method, AgainstReferences)}


def toward_references(explainer: IG2Explainer | ExpectedIGExplainer, batch_size: int) -> Method:
    """Attributions of each explicand against its references in the task."""
    return lambda part: (
        explainer.explain(part.inputs, part.references, part.target, batch_size=batch_size, keep=_NOTHING).values
    )


def toward_references_inside(explainer: IG2Explainer | ExpectedIGExplainer) -> Method:
    """The same of an explainer at an inner layer: maps of the input."""
    return lambda part: explainer.explain(part.inputs, part.references, part.target, keep=_NOTHING).at_input().values


def ig2_explainer(task: Task) -> IG2Explainer:
    """IG² with the task's options, and its own defaults where there are none."""
    return IG2Explainer(task.view, **{"clip_min_max": task.value_range, **task.options.get(IG2, {})})


def ig2_settings(explainer: IG2Explainer) -> dict[str, Any]:
    """What the records of an experiment depend on, as JSON."""
    return {
        "layer": explainer.view.layer,
        "steps": explainer.steps,
        "step_size": explainer.step_size,
        "rule": explainer.rule,
    }

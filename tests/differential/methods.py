"""Every explainer, small: how it is made for a case, and which of its promises hold there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

import tf_ig2
from tests.differential.description import Description
from tests.differential.models import Case
from tf_ig2.contrasts.boundary import Attack

Make = Callable[..., Any]


@dataclass(frozen=True)
class Method:
    """An explainer with its settings.

    Attributes:
      name: what it is called in counts.
      make: `make(model, **options)`.
      contrasted: whether `explain` takes references.
      inside: whether it takes them as values at an `input_layer`, not as inputs.
      shapes: the shapes of models that it explains; None: all.
      several: whether it explains models with several inputs.
      reordered: whether the order of references does not matter; it does where positions or noise are drawn for each.
      gap: what the attributions may miss beside rounding, as a fraction of the differences of the output; None: not
        promised.
      classes: whether it knows other classes: it explains no regression, and no callable target.
      exports: whether a walk of its can be exported.
      walks: whether later points depend on earlier gradients: roundings grow.
    """

    name: str
    make: Make
    contrasted: bool = True
    inside: bool = False
    shapes: tuple[str, ...] | None = None
    several: bool = True
    reordered: bool = True
    gap: float | None = None
    classes: bool = False
    walks: bool = False
    exports: bool = True

    def explains(self, described: Description) -> bool:
        """Whether the method is made for such models at all."""
        fits = self.shapes is None or described.shape in self.shapes
        answers = not self.classes or described.ending != "number"
        return fits and answers and (self.several or described.inputs == "one")

    def explainer(self, case: Case, **options: Any) -> Any:
        """A fresh explainer of the case's model."""
        return self.make(case.model, **case.options, **options)

    def references(self, explainer: Any, case: Case) -> Any:
        """What the case's explicands are contrasted with, as the explainer takes it; None if it takes nothing."""
        if not self.contrasted:
            return None
        view = explainer.view
        if not (self.inside and view.attributes_inside):
            return case.references
        return structure(np.asarray, view.points(structure(tf.constant, case.references)))


def _xrai(model: Any, **options: Any) -> Any:
    base = tf_ig2.IntegratedGradientsExplainer(model, steps=4, **options)
    return tf_ig2.XRAIExplainer(base, scales=(20.0, 50.0), min_size=4, min_new_pixels=1, dilation=1, channels="sum")


def _with(kind: Any, **settings: Any) -> Make:
    return lambda model, **options: kind(model, **settings, **options)


METHODS = (
    Method("IG², as it comes", _with(tf_ig2.IG2Explainer), reordered=False, gap=0.0, walks=True),
    Method("IG², no noise", _with(tf_ig2.IG2Explainer, noise=0, steps=2), gap=0.0, walks=True),
    Method("IG², Eq. 3", _with(tf_ig2.IG2Explainer, rule="counterfactual", steps=2, step_size=0.1), walks=True),
    Method(
        "IG², segments",
        _with(tf_ig2.IG2Explainer, rule="segment", steps=2, completeness_tolerance=0.05),
        gap=0.05,
        walks=True,
    ),
    Method("IG", _with(tf_ig2.IntegratedGradientsExplainer, steps=8), inside=True),
    Method(
        "IG, tolerance",
        _with(tf_ig2.IntegratedGradientsExplainer, steps=4, completeness_tolerance=0.05),
        gap=0.05,
        inside=True,
    ),
    Method("IG, IDGI", _with(tf_ig2.IntegratedGradientsExplainer, steps=4, rule="idgi"), gap=0.0, inside=True),
    Method("Expected IG", _with(tf_ig2.ExpectedIGExplainer, steps=4), reordered=False, inside=True),
    Method("Expected IG, nodes", _with(tf_ig2.ExpectedIGExplainer, steps=4, sample_alpha=False), inside=True),
    Method("Guided IG", _with(tf_ig2.GuidedIGExplainer, steps=3, max_dist=0.5), walks=True, inside=True),
    Method("Guided IG, IDGI", _with(tf_ig2.GuidedIGExplainer, steps=3, rule="idgi"), gap=0.0, walks=True, inside=True),
    Method(
        "Blur IG",
        _with(tf_ig2.BlurIGExplainer, steps=4, max_sigma=2.0),
        contrasted=False,
        shapes=("image",),
        several=False,
    ),
    Method("MFABA", _with(tf_ig2.MFABAExplainer, steps=3), contrasted=False, classes=True, walks=True),
    Method("AGI", _with(tf_ig2.AGIExplainer, classes=2, steps=2), contrasted=False, classes=True, walks=True),
    Method(
        "BIG",
        _with(tf_ig2.BIGExplainer, steps=4, attacks=(Attack("l2", 0.1, 2),)),
        contrasted=False,
        classes=True,
        walks=True,
    ),
    Method("IDG", _with(tf_ig2.IDGExplainer, steps=3, coarse=3), inside=True),
    Method(
        "Sequential IG",
        _with(tf_ig2.SequentialIGExplainer, steps=3),
        contrasted=False,
        shapes=("signal", "tokens"),
        several=False,
    ),
    Method(
        "Discretised IG",
        _with(tf_ig2.DiscretizedIGExplainer, steps=4, neighbours=5),
        contrasted=False,
        shapes=("tokens",),
        several=False,
        exports=False,
    ),
    Method(
        "Discretised IG, IDGI",
        _with(tf_ig2.DiscretizedIGExplainer, steps=3, strategy="max count", rule="idgi"),
        contrasted=False,
        shapes=("tokens",),
        several=False,
        gap=0.0,
        exports=False,
    ),
    Method(
        "Occlusion",
        _with(tf_ig2.OcclusionExplainer, size=3, stride=2),
        contrasted=False,
        shapes=("image",),
        several=False,
    ),
    Method("Gradient", _with(tf_ig2.GradientExplainer), contrasted=False),
    Method("Gradient × input", _with(tf_ig2.GradientExplainer, times_input=True), contrasted=False),
    Method("XRAI", _xrai, shapes=("image",), several=False),
    Method("Grad-CAM", _with(tf_ig2.GradCAMExplainer), contrasted=False, shapes=("image",), several=False),
    Method("DeepSHAP", _with(tf_ig2.DeepSHAPExplainer, unknown="integrate"), gap=0.0),
    Method("KernelSHAP", _with(tf_ig2.KernelSHAPExplainer, superpixels=4), several=False, gap=0.0),
)
"""The settings are those with which a trace and a walk are short; what they mean is in the explainers' own tests."""

BY_NAME = {method.name: method for method in METHODS}


def is_walk(explainer: Any) -> bool:
    """Whether it walks a path."""
    return hasattr(explainer, "walk") and isinstance(explainer.walk, tf_ig2.Walk)


def structure(function: Callable[..., Any], *parts: Any) -> Any:
    """Maps over the parts of explicands."""
    return tf.nest.map_structure(function, *parts)

"""Every method of the package on any task, with nothing named but the number of gradients, and with other sums."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from tf_ig2.explainers.agi import AGIExplainer
from tf_ig2.explainers.big import BIGExplainer
from tf_ig2.explainers.blur_ig import BlurIGExplainer
from tf_ig2.explainers.deep_shap import DeepSHAPExplainer
from tf_ig2.explainers.discretized_ig import DiscretizedIGExplainer
from tf_ig2.explainers.expected_ig import ExpectedIGExplainer
from tf_ig2.explainers.gradient import GradientExplainer
from tf_ig2.explainers.guided_ig import GuidedIGExplainer
from tf_ig2.explainers.idg import IDGExplainer
from tf_ig2.explainers.ig2 import IG2Explainer
from tf_ig2.explainers.integrated_gradients import IntegratedGradientsExplainer
from tf_ig2.explainers.kernel_shap import KernelSHAPExplainer
from tf_ig2.explainers.mfaba import MFABAExplainer
from tf_ig2.explainers.sequential_ig import SequentialIGExplainer
from tf_ig2.models.model_view import ModelView
from tf_ig2.paper.experiments.methods import GRADIENTS, IG2, AgainstReferences, Method, toward_references
from tf_ig2.paper.experiments.task import Task
from tf_ig2.paths.keep import Keep

NO_NOISE = "IG², no noise"
INTEGRAL, IDGI = "IG², integral", "IG², IDGI"
"""The same walk, and the other sum in the place of the default's."""
SQUARES = "squared SmoothGrad"
SEQUENTIAL = "Sequential IG"
DISCRETIZED = "Discretised IG"

BATCH = 128
"""Rows per forward pass: these networks are small."""

_NOTHING = Keep(counterfactuals=False)
_IDGI: dict[str, dict[str, Any]] = {rule: {"rule": rule} for rule in ("idgi", "idgi-both")}
_OF_IG2: dict[str, dict[str, Any]] = {
    "no noise": {"noise": 0.0},
    "Eq. 3": {"rule": "counterfactual"},
    "integral": {"rule": "segment"},
}


def defaults(
    task: Task, gradients: int = GRADIENTS, batch_size: int = BATCH, boundary: bool = True
) -> dict[str, Method]:
    """The methods with nothing named but what they contrast with, and how many gradients a line or a path may take.

    Vanilla IG, Guided IG, IDG and KernelSHAP contrast with zeros, and so do Sequential and Discretised IG, which words
    alone have; Expected IG, DeepSHAP and IG² with the task's references; the others need nothing. IG² takes at most
    three calibrated steps toward each reference of a picture, and eight of words. “Squared SmoothGrad” is a control: as
    many squared gradients as IG² takes in pictures, at the explicand with the same noise, without a path or references.

    Args:
      task: its `options` of KernelSHAP alone are heeded.
      gradients: of the methods with a line or a path of their own.
      batch_size: rows per forward pass.
      boundary: with the methods that ask which class is the largest, which makes no sense for several labels.

    Returns:
      The methods, IG² the last.
    """
    found = {family: next(iter(arms.values())) for family, arms in variants(task, gradients, batch_size).items()}
    view, zeros = task.view, np.zeros_like(task.inputs[:1])
    kernel = KernelSHAPExplainer(view, **task.options.get("KernelSHAP", {}))
    deep = DeepSHAPExplainer(view)
    words: dict[str, Method] = {}
    if _words(task):
        words[SEQUENTIAL] = _alone(SequentialIGExplainer(view, steps=gradients).explain, batch_size)
        if view.embedding is not None:  # its rule takes a gradient at both ends of the path
            words[DISCRETIZED] = _alone(DiscretizedIGExplainer(view, steps=max(1, gradients - 1)).explain, batch_size)
    ig2 = found.pop(IG2)
    if not boundary:
        found = {family: method for family, method in found.items() if family not in ("MFABA", "AGI")}
    else:
        found["BIG"] = _alone(BIGExplainer(view, steps=gradients).explain, batch_size)
    return {
        "Gradient": _alone(GradientExplainer(view).explain, batch_size),
        **found,
        "IDG": _alone(IDGExplainer(view, steps=gradients).explain, batch_size, 0.0),
        "DeepSHAP": lambda part: deep.explain(part.inputs, part.references, part.target, batch_size=batch_size).values,
        "KernelSHAP": lambda part: kernel.explain(part.inputs, zeros, part.target, batch_size=1024).values,
        **words,
        SQUARES: squared_smoothgrad(view, 3 * task.references.shape[1]),
        NO_NOISE: AgainstReferences(IG2Explainer(view, noise=0.0), batch_size),
        IG2: ig2,
    }


def variants(task: Task, gradients: int = GRADIENTS, batch_size: int = BATCH) -> dict[str, dict[str, Method]]:
    """The methods that can take other sums, with each: the own one, and IDGI's with the gradient at one end or at both.

    IG² has its own sum, the same without noise, where pictures have it, that of Eq. 3, and the integral.

    Args:
      task, gradients, batch_size: see `defaults`.

    Returns:
      Family → arm → method, the own sum first.
    """
    view, shared = task.view, task.references.shape[1]
    classes = int(view.output_spec.shape[-1]) - 1

    def made(build: Callable[..., Any], options: Mapping[str, Mapping[str, Any]], use: Callable[[Any], Method]) -> Any:
        return {name: use(build(view, **more)) for name, more in {"": {}, **options}.items()}

    def zero(explainer: Any) -> Method:
        return _alone(explainer.explain, batch_size, 0.0)

    def alone(explainer: Any) -> Method:
        return _alone(explainer.explain, batch_size)

    def expected(explainer: Any) -> Method:
        return toward_references(explainer, batch_size)

    def steps(kind: Callable[..., Any], count: int = gradients, **fixed: Any) -> Callable[..., Any]:
        return lambda view, **more: kind(view, steps=count, **fixed, **more)

    found = {
        "Vanilla IG": made(steps(IntegratedGradientsExplainer), _IDGI, zero),
        "Guided IG": made(steps(GuidedIGExplainer), _IDGI, zero),
        "Expected IG": made(steps(ExpectedIGExplainer, max(1, gradients // shared)), _IDGI, expected),
    }
    if task.points.ndim == 4:
        found["Blur IG"] = made(steps(BlurIGExplainer), _IDGI, alone)
    found["MFABA"] = made(MFABAExplainer, _IDGI, alone)
    found["AGI"] = made(lambda view, **more: AGIExplainer(view, classes=min(5, classes), **more), _IDGI, alone)
    found[IG2] = made(IG2Explainer, _OF_IG2, lambda explainer: AgainstReferences(explainer, batch_size))
    return {
        family: {f"{family}, {name}" if name else family: method for name, method in arms.items()}
        for family, arms in found.items()
    }


def squared_smoothgrad(view: ModelView, copies: int, noise: float = 0.1, seed: int = 0) -> Method:
    """The control: squared gradients at noisy copies of the explicand.

    Args:
      view: the network.
      copies: gradients for each explicand.
      noise: standard deviation, as a fraction of the task's range of values, which copies are clipped to.
      seed: of the noise, the same for all explicands.
    """

    @tf.function
    def gradient(points: tf.Tensor, inputs: Any, target: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            tape.watch(points)
            outputs = tf.gather(view.outputs(points, inputs), target, axis=1)
        return tape.gradient(outputs, points)

    def method(part: Task) -> np.ndarray:
        maps, (low, high) = [], part.value_range
        for x, points, target in zip(part.inputs, part.points, part.target, strict=True):
            draws = np.random.default_rng(seed).normal(0, noise * (high - low), [copies, *points.shape])
            noisy = np.clip(points + draws, low, high).astype(points.dtype)
            given = tf.constant(np.repeat(x[None], copies, axis=0)) if view.attributes_inside else ()
            found = gradient(tf.constant(noisy), given, tf.constant(target))
            maps.append(np.square(found.numpy()).mean(axis=0))
        return np.stack(maps)

    return method


def _alone(explain: Callable[..., Any], batch_size: int, *contrast: float) -> Method:
    return lambda part: explain(part.inputs, *contrast, target=part.target, batch_size=batch_size, keep=_NOTHING).values


def _words(task: Task) -> bool:
    return task.view.attributes_inside and task.inputs.dtype.kind in "iu"

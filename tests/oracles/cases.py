"""What the oracles hold fast: every explainer, with its arguments written out, on networks that never change.

A case says everything: defaults may change without moving an oracle. A case that a release has numbers of is not
changed any more; new ones may be added.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import tensorflow as tf
from tf_ig2.compat import IG2

from tests.oracles import networks
from tests.oracles.networks import OWN, REFERENCES, X
from tf_ig2 import (
    L2,
    Attribution,
    BlurIGExplainer,
    DeepSHAPExplainer,
    Distance,
    ExpectedIGExplainer,
    GradCAMExplainer,
    GradientExplainer,
    GuidedIGExplainer,
    IG2Explainer,
    IntegratedGradientsExplainer,
    Keep,
    KernelSHAPExplainer,
    SparseL1,
    XRAIExplainer,
    saliency_adapter,
)
from tf_ig2.contrasts import baselines

_SMALL = 500
"""Larger arrays of counterfactuals and paths are not stored."""
_MODEL_OPTIONS = {"layer", "output", "output_name", "input_layer"}
_MADE: list[tuple[Any, Any]] = []


@dataclass(frozen=True)
class Case:
    """One call of one explainer.

    Attributes:
      explainer: makes the explainer; takes the network first.
      network: its name; None for those that take none.
      options: the explainer's other arguments.
      arguments: the arguments of the call.
      call: the method's name, or a function of the explainer and the arguments.
    """

    explainer: Callable[..., Any]
    network: str | None
    options: Mapping[str, Any] = field(default_factory=dict)
    arguments: Mapping[str, Any] = field(default_factory=dict)
    call: str | Callable[..., Any] = "explain"

    def run(self) -> Any:
        """What the call returns."""
        explainer = self._made()
        call = getattr(type(explainer), self.call) if isinstance(self.call, str) else self.call
        return call(explainer, **self.arguments)

    def _made(self) -> Any:
        """The explainer, the same one for all cases that ask for the same: most of the time goes into tracing."""
        key = (self.explainer, self.network, dict(self.options))
        for other, made in _MADE:
            if other == key:
                return made
        args = []
        if self.network is not None:
            shared = self.explainer is not GradCAMExplainer and not _MODEL_OPTIONS & set(self.options)
            args = [(networks.view if shared else networks.model)(self.network)]
        _MADE.append((key, self.explainer(*args, **self.options)))
        return _MADE[-1][1]


def numbers(answer: Any) -> dict[str, np.ndarray]:
    """The numbers of an answer, by name: an explanation's values, outputs, distances, target and what else it kept.

    Arrays of counterfactuals and paths that are not small are left out.
    """
    if not isinstance(answer, Attribution):
        values, path = answer if isinstance(answer, tuple) else (answer, None)
        return _named("values", values) | ({} if path is None else _named("path", np.stack(path)))
    found: dict[str, np.ndarray] = {}
    for name in ("values", "outputs", "distances", "target", "regions"):
        found |= _named(name, getattr(answer, name, None))
    for name in ("counterfactuals", "path"):
        parts = _named(name, getattr(answer, name))
        found |= {key: part for key, part in parts.items() if part.size <= _SMALL}
    return found


def _named(name: str, structure: Any) -> dict[str, np.ndarray]:
    if structure is None:
        return {}
    if isinstance(structure, dict):
        return {f"{name}.{key}": np.asarray(part) for key, part in structure.items()}
    return {name: np.asarray(structure)}


def four_percent(low: float, high: float, features: int, length: float = 1.0) -> float:
    """What `step_size="auto"` stood for in 0.1.0: 4 % of the diagonal of the box from low to high.

    It is rounded to float32, as 0.1.0 rounded all numbers that were given for a step or for clipping.

    Args:
      low, high: the range of values.
      features: their number.
      length: the ℓ2 length of a unit step: 1 for the ℓ2 norm, 1 / √(features that move) for the sparse ℓ1 norm.
    """
    return float(np.float32(0.04 * math.sqrt(features) * (high - low) / length))


POINTS = {
    "steps": 10,
    "step_size": four_percent(-1, 1, 2),
    "clip_min_max": "auto",
    "norm": "l2",
    "distance": "euclidean",
    "rule": "explicand",
}
"""The defaults of IG² in 0.1.0, for points in [-1, 1]²."""
IMAGES = {**POINTS, "step_size": four_percent(0, 255, 432), "steps": 5}
"""The same for images 12 × 12 × 3 in [0, 255]; few steps, because walks over kinks blow rounding errors up."""
DIGITS = {**POINTS, "step_size": four_percent(0, 16, 64)}
"""The same for digits 8 × 8 in [0, 16]."""
TEXT = {**POINTS, "step_size": 0.8, "input_layer": "embedding"}
DIAGONAL = 0.04 * math.sqrt(4 * 4**2 + 6 * 8**2)
"""4 % of the diagonal of the box of two inputs, [-2, 2]⁴ and [-4, 4]⁶."""
TWO = {**POINTS, "step_size": DIAGONAL, "output_name": "kind"}
SEGMENT = {"rule": "segment", "nodes": 4}
EMBEDDED = np.random.default_rng(6).normal(size=[2, 7, 4])
"""Values at the embedding, for baselines of text."""
LEFT = np.arange(12) < 6
BOXES = [
    np.broadcast_to(LEFT, (12, 12)),
    np.broadcast_to(~LEFT[:, None], (12, 12)),
    np.add.outer(np.arange(12), np.arange(12)) % 5 < 2,
    np.add.outer(np.arange(12), -np.arange(12)) > 2,
]
QUARTERS = 2 * (np.arange(12) // 6)[:, None] + np.arange(12) // 6


def margin(outputs: tf.Tensor) -> tf.Tensor:
    """Explains by how much the first output exceeds the second."""
    return outputs[:, 0] - outputs[:, 1]


def _quartic(a: tf.Tensor, b: tf.Tensor) -> tf.Tensor:
    return tf.reduce_sum((a - b) ** 4, axis=-1)


def _fourth_root(objective: tf.Tensor) -> tf.Tensor:
    return objective**0.25


QUARTIC = Distance("quartic", _quartic, _fourth_root)


def explain_represented(explainer: Any, x: Any, references: Any, **options: Any) -> Any:
    """Explains with references that were represented before."""
    return explainer.explain(x, explainer.represent(references), **options)


def xrai_of(model: Any, base: Callable[..., Any], base_options: Mapping[str, Any], **options: Any) -> XRAIExplainer:
    """XRAI of an explainer of pixels."""
    return XRAIExplainer(base(model, **base_options), **options)


def _adapter(network: str, target: int) -> Callable[..., Any]:
    """The callback of a network, made when it is called."""

    def call_model_function(*args: Any, **options: Any) -> Any:
        key = (network, target)
        if key not in _ADAPTERS:
            _ADAPTERS[key] = saliency_adapter(networks.model(network), target)
        return _ADAPTERS[key](*args, **options)

    return call_model_function


def _numpy(target: int) -> Callable[..., Any]:
    def call_model_function(*args: Any, **options: Any) -> Any:
        return networks.callback(target)(*args, **options)

    return call_model_function


_ADAPTERS: dict[Any, Any] = {}


def with_references(network: str, **arguments: Any) -> dict[str, Any]:
    """Arguments of `explain` for a network's explicands and references, and others."""
    return {"x": X[network], "references": REFERENCES[network], **arguments}


def _ig2() -> dict[str, Case]:
    def case(network: str, defaults: Any, call: Any = "explain", arguments: Any = None, **own: Any) -> Case:
        return Case(IG2Explainer, network, {**defaults, **own}, arguments or with_references(network), call)

    def points(arguments: Any = None, call: Any = "explain", **own: Any) -> Case:
        return case("tanh", POINTS, call, arguments, **own)

    def images(arguments: Any = None, call: Any = "explain", **own: Any) -> Case:
        return case("conv", IMAGES, call, arguments, **own)

    rules = ("explicand", "counterfactual", "trapezoid", "segment")
    one, goals = X["tanh"][0], REFERENCES["tanh"]
    mask = {"x_value": one, "references": goals, "target": 1}
    cases = {f"rule {rule}": points(rule=rule) for rule in rules[:3]}
    cases |= {
        "rule segment": points(**SEGMENT),
        "segment, 7 nodes, norm L2()": points(rule="segment", nodes=7, norm=L2()),
        "norm l1": points(norm="l1", step_size=four_percent(-1, 1, 2)),
        "distance cosine": points(distance="cosine"),
        "distance l1, layer first": points(distance="l1", layer="first", steps=6),
        "distance of one's own": points(distance=QUARTIC),
        "clip pair, 25 long steps": points(clip_min_max=[-0.9375, 0.9375], step_size=0.3125, steps=25),
        "clip None, distance squared_euclidean": points(clip_min_max=None, distance="squared_euclidean", steps=30),
        "layer 0, output probabilities": points(layer=0, output="probabilities", rule="segment", nodes=4),
        "output raw": points(output="raw"),
        "target 2": points(with_references("tanh", target=2)),
        "target each": points(with_references("tanh", target=[0, 1, 2, 1])),
        "target callable, keep nothing": points(
            with_references("tanh", target=margin, keep=Keep(counterfactuals=False)), output="logits"
        ),
        "references each": points({"x": X["tanh"], "references": OWN["tanh"]}),
        "references one": points({"x": X["tanh"], "references": goals[1]}),
        "references represented": points(call=explain_represented),
        "references dataset": points(
            {"x": X["tanh"], "references": tf.data.Dataset.from_tensor_slices((goals, [0, 1, 2]))}
        ),
        "one explicand": points({"x": one, "references": goals}),
        "keep path, every 2": points(with_references("tanh", keep=Keep(path=True, every=2)), steps=9),
        "batch_size 1": points(with_references("tanh", batch_size=1)),
        "batch_size 5": points(with_references("tanh", batch_size=5), **SEGMENT),
        "jit_compile": points(jit_compile=True, rule="trapezoid"),
        "GetMask": points(mask, "GetMask"),
        "GetSmoothedMask": points(
            {**mask, "stdev_spread": 0.1, "nsamples": 5, "magnitude": False, "seed": 3}, "GetSmoothedMask"
        ),
        "GetSmoothedMask, squares": points(
            {**mask, "stdev_spread": 0.2, "nsamples": 4, "magnitude": True, "seed": 4}, "GetSmoothedMask"
        ),
        "GetSmoothedMask, variance, clip": points(
            {**mask, "stdev_spread": 0.3, "nsamples": 4, "magnitude": True, "seed": 4, "variance": True},
            "GetSmoothedMask",
            clip_min_max=[-0.9375, 0.9375],
            step_size=0.3125,
            steps=25,
        ),
    }
    called = {"x_value": one, "call_model_function": _numpy(1), "references": goals}
    cases |= {
        f"callback, rule {rule}": Case(IG2Explainer, None, {**POINTS, "rule": rule, "nodes": 3}, called, "GetMask")
        for rule in rules
    }
    sparse = {"norm": SparseL1(0.0), "step_size": four_percent(-1, 1, 2, 1 / math.sqrt(2)), "clip_min_max": (-1, 1)}
    cases["callback, norm SparseL1(0)"] = Case(IG2Explainer, None, {**POINTS, **sparse}, called, "GetMask")
    cases["callback, batch_size 2"] = Case(IG2Explainer, None, POINTS, {**called, "batch_size": 2}, "GetMask")
    cases["callback, GetSmoothedMask"] = Case(
        IG2Explainer,
        None,
        POINTS,
        {**called, "stdev_spread": 0.1, "nsamples": 3, "magnitude": False, "seed": 5},
        "GetSmoothedMask",
    )
    authors = {"x_value": one, "baselines": goals, "call_model_function": _numpy(1), "call_model_args": {}}
    cases["compat"] = Case(
        IG2,
        None,
        {},
        {**authors, "steps": 12, "step_size": 0.125, "clip_min_max": [-1, 1], "return_path": True},
        "GetMask",
    )
    cases["compat, long steps"] = Case(
        IG2, None, {}, {**authors, "steps": 7, "step_size": 256.0, "clip_min_max": (-1, 1)}, "GetMask"
    )

    cases |= {
        "images, rule explicand": images(),
        "images, rule segment": images(**SEGMENT),
        "images, norm l1": images(norm="l1", step_size=four_percent(0, 255, 432, 1 / math.sqrt(22)), steps=6),
        "images, norm SparseL1(98), layer fine": images(
            norm=SparseL1(98.0), step_size=four_percent(0, 255, 432, 1 / math.sqrt(9)), layer="fine", pool=None, steps=6
        ),
        "images, rule trapezoid, distance cosine, clip pair": images(
            rule="trapezoid", distance="cosine", clip_min_max=(0, 255), step_size=400.0, steps=5
        ),
        "images, rule counterfactual, distance l1, clip None": images(
            rule="counterfactual", distance="l1", clip_min_max=None, step_size=400.0, steps=5
        ),
        "images, references each": images({"x": X["conv"], "references": OWN["conv"], "batch_size": 3}, steps=3),
        "images, whole numbers": images({"x": X["conv"].astype(np.uint8), "references": REFERENCES["conv"]}),
        "images, adapter": Case(
            IG2Explainer,
            None,
            IMAGES,
            {
                "x_value": X["conv"][0].astype(np.float32),
                "call_model_function": _adapter("conv", 2),
                "references": REFERENCES["conv"],
            },
            "GetMask",
        ),
        "text": case("text", TEXT, steps=6, **SEGMENT),
        "two, score, norm SparseL1(70)": case(
            "two",
            TWO,
            output_name="score",
            rule="trapezoid",
            clip_min_max=None,
            norm=SparseL1(70.0),
            step_size=DIAGONAL * math.sqrt(3),
            steps=6,
        ),
        "two, keep path": case(
            "two",
            TWO,
            arguments=with_references("two", target=1, keep=Keep(path=True, every=4)),
            step_size=DIAGONAL / 4,
            steps=6,
            **SEGMENT,
        ),
        "digits": case("digits", DIGITS),
        "digits, segment": case("digits", DIGITS, clip_min_max=(0, 16), **SEGMENT),
    }
    return {f"IG2: {name}": case for name, case in cases.items()}


def _integrated_gradients() -> dict[str, Case]:
    def case(network: str, baselines: Any, x: Any = None, **own: Any) -> Case:
        options = {"steps": 6, "rule": "gauss-legendre", "value_range": "auto", **own}
        arguments = {"x": X[network] if x is None else x, "baselines": baselines}
        return Case(IntegratedGradientsExplainer, network, options, arguments)

    image = X["conv"][:1]
    rules = ("gauss-legendre", "midpoint", "trapezoid", "left", "right", "pair")
    named = ("black", "white", "black_and_white", "uniform", "gaussian", "blurred", "maximal_distance")
    objects = {
        "Constant": baselines.Constant(100.0),
        "Extremes": baselines.Extremes((0.5, 1.0)),
        "Uniform": baselines.Uniform(count=3, seed=5),
        "GaussianNoise": baselines.GaussianNoise(stdev=0.2, count=2, seed=6),
        "Blurred": baselines.Blurred(sigma=1.5),
        "MaximalDistance": baselines.MaximalDistance(),
    }
    cases = {
        f"callback, rule {rule}": Case(
            IntegratedGradientsExplainer,
            None,
            {"steps": 5, "rule": rule, "value_range": "auto"},
            {"x_value": X["tanh"][0], "call_model_function": _numpy(0), "baselines": "black", "batch_size": 3},
            "GetMask",
        )
        for rule in rules
    }
    cases |= {
        f"baselines {name}": case("conv", baseline, image, value_range=(0, 255))
        for name, baseline in {**dict(zip(named, named, strict=True)), **objects}.items()
    }
    cases |= {
        "baselines black, range auto": case("conv", "black"),
        "baselines gaussian, range auto": case("conv", "gaussian"),
        "baselines uniform, range auto": case("tanh", "uniform"),
        "baselines maximal_distance, range auto": case("two", "maximal_distance", output_name="kind"),
        "baselines samples": case("tanh", REFERENCES["tanh"]),
        "baselines each": case("conv", OWN["conv"]),
        "target callable": Case(
            IntegratedGradientsExplainer,
            "conv",
            {"steps": 5, "rule": "midpoint", "value_range": "auto", "output": "probabilities"},
            {"x": X["conv"], "baselines": 0.0, "target": margin, "batch_size": 7},
        ),
        "rule gauss-legendre": case("tanh", 0.0),
        "text, rule right": case("text", 0.0, input_layer="embedding", rule="right"),
        "two": case("two", REFERENCES["two"], output_name="kind"),
        "digits, rule trapezoid": case("digits", 0.0, steps=10, rule="trapezoid"),
        "rule left, keep path": Case(
            IntegratedGradientsExplainer,
            "tanh",
            {"steps": 4, "rule": "left", "value_range": "auto"},
            {"x": X["tanh"], "baselines": 0.5, "target": 1, "keep": Keep(path=True)},
        ),
        "GetMask, PAIR's names": Case(
            IntegratedGradientsExplainer,
            "tanh",
            {"steps": 4, "rule": "pair", "value_range": "auto"},
            {"x_value": X["tanh"][0], "x_baseline": np.array([0.5, -0.5]), "x_steps": 9, "target": 0},
            "GetMask",
        ),
        "GetSmoothedMask": Case(
            IntegratedGradientsExplainer,
            "tanh",
            {"steps": 6, "rule": "midpoint", "value_range": "auto"},
            {"x_value": X["tanh"][0], "target": 0, "stdev_spread": 0.2, "nsamples": 3, "magnitude": True, "seed": 1},
            "GetSmoothedMask",
        ),
    }
    return {f"IG: {name}": case for name, case in cases.items()}


def _expected_ig() -> dict[str, Case]:
    def case(network: str, arguments: Any = None, **own: Any) -> Case:
        options = {"steps": 5, "sample_alpha": True, "rule": "gauss-legendre", "seed": 0, **own}
        return Case(ExpectedIGExplainer, network, options, arguments or with_references(network))

    cases = {
        "sampled": case("tanh"),
        "unsampled": case("tanh", sample_alpha=False, rule="midpoint"),
        "references each": case("tanh", {"x": X["tanh"], "references": OWN["tanh"], "batch_size": 3}),
        "named": case("tanh", {"x": X["tanh"], "baselines": "gaussian"}),
        "images": case("conv", seed=3),
        "text": case("text", {"x": X["text"], "references": EMBEDDED}, input_layer="embedding"),
        "digits": case("digits", sample_alpha=False),
        "callback": Case(
            ExpectedIGExplainer,
            None,
            {"steps": 5, "sample_alpha": True, "rule": "gauss-legendre", "seed": 2},
            {"x_value": X["tanh"][0], "call_model_function": _numpy(2), "references": REFERENCES["tanh"]},
            "GetMask",
        ),
    }
    return {f"Expected IG: {name}": case for name, case in cases.items()}


def _guided_ig() -> dict[str, Case]:
    def case(network: str, baselines: Any = 0.0, **own: Any) -> Case:
        options = {"steps": 6, "fraction": 0.25, "max_dist": 0.1, "rule": "left", "nodes": 4, "value_range": "auto"}
        return Case(GuidedIGExplainer, network, {**options, **own}, {"x": X[network], "baselines": baselines})

    rules = ("left", "right", "trapezoid", "segment")
    cases = {
        f"callback, rule {rule}": Case(
            GuidedIGExplainer,
            None,
            {"steps": 6, "fraction": 0.6, "max_dist": 0.1, "rule": rule, "nodes": 3},
            {"x_value": X["tanh"][2], "call_model_function": _numpy(1), "baselines": np.array([0.2, -0.4])},
            "GetMask",
        )
        for rule in rules
    }
    cases |= {
        "images, left": case("conv"),
        "images, segment": case("conv", rule="segment", nodes=2),
        "images, named": case("conv", "black_and_white", value_range=(0, 255), fraction=0.1, max_dist=0.02, steps=5),
        "images, free": case("conv", REFERENCES["conv"][:1], max_dist=1.0, fraction=1.0, steps=4),
        "two, right": case("two", REFERENCES["two"], output_name="kind", rule="right"),
        "digits, trapezoid": case("digits", rule="trapezoid"),
        "callback, PAIR's names": Case(
            GuidedIGExplainer,
            None,
            {"steps": 6, "fraction": 0.25, "max_dist": 0.1, "rule": "left"},
            {
                "x_value": X["tanh"][1],
                "call_model_function": _numpy(0),
                "x_baseline": np.zeros(2),
                "x_steps": 7,
                "max_dist": 0.3,
            },
            "GetMask",
        ),
    }
    return {f"Guided IG: {name}": case for name, case in cases.items()}


def _blur_ig() -> dict[str, Case]:
    def case(network: str = "conv", **own: Any) -> Case:
        options = {
            "steps": 6,
            "max_sigma": 3.0,
            "grad_step": 0.01,
            "sqrt": False,
            "padding": "zero",
            "rule": "left",
        }
        return Case(BlurIGExplainer, network, {**options, **own}, {"x": X[network]})

    cases = {
        "left": case(),
        "trapezoid, reflect": case(rule="trapezoid", padding="reflect"),
        "midpoint, sqrt, analytic": case(rule="midpoint", sqrt=True, grad_step=None),
        "digits, right, reflect": case("digits", padding="reflect", rule="right"),
        "adapter": Case(
            BlurIGExplainer,
            None,
            {"steps": 4, "max_sigma": 3.0, "grad_step": 0.01, "sqrt": False, "padding": "zero", "rule": "left"},
            {"x_value": X["conv"][0].astype(np.float32), "call_model_function": _adapter("conv", 2), "max_sigma": 2.0},
            "GetMask",
        ),
    }
    return {f"Blur IG: {name}": case for name, case in cases.items()}


def _gradient() -> dict[str, Case]:
    def case(network: str, **own: Any) -> Case:
        return Case(GradientExplainer, network, {"times_input": False, **own}, {"x": X[network]})

    smooth = {"x_value": X["tanh"][0], "stdev_spread": 0.15, "nsamples": 6, "seed": 2}
    cases = {
        "plain": case("tanh"),
        "times_input": case("tanh", times_input=True),
        "images": case("conv"),
        "text, times_input": case("text", input_layer="embedding", times_input=True),
        "two, probabilities": case("two", output_name="kind", output="probabilities"),
        "SmoothGrad": Case(
            GradientExplainer, "tanh", {"times_input": False}, {**smooth, "magnitude": False}, "GetSmoothedMask"
        ),
        "SmoothGrad, squares": Case(
            GradientExplainer, "tanh", {"times_input": False}, {**smooth, "magnitude": True}, "GetSmoothedMask"
        ),
        "VarGrad": Case(
            GradientExplainer, "tanh", {"times_input": False}, {**smooth, "variance": True}, "GetSmoothedMask"
        ),
        "callback": Case(
            GradientExplainer,
            None,
            {"times_input": True},
            {"x_value": X["tanh"][0], "call_model_function": _numpy(0)},
            "GetMask",
        ),
    }
    return {f"Gradient: {name}": case for name, case in cases.items()}


def _grad_cam() -> dict[str, Case]:
    def case(network: str = "conv", arguments: Any = None, **own: Any) -> Case:
        options = {"layer": None, "output": "logits", "resize": True, **own}
        return Case(GradCAMExplainer, network, options, {"x": X[network], **(arguments or {})})

    cases = {
        "last maps": case(),
        "layer fine, target 1": case(arguments={"target": 1}, layer="fine", resize=False),
        "layer coarse, probabilities": case(layer="coarse", output="probabilities"),
        "target callable": case(arguments={"target": margin, "batch_size": 1}),
        "digits": case("digits"),
    }
    return {f"Grad-CAM: {name}": case for name, case in cases.items()}


def _deep_shap() -> dict[str, Case]:
    def case(network: str, arguments: Any = None, **own: Any) -> Case:
        return Case(DeepSHAPExplainer, network, {"unknown": "error", **own}, arguments or with_references(network))

    cases = {
        "points": case("tanh"),
        "points, each, target callable": case(
            "tanh", {"x": X["tanh"], "references": OWN["tanh"], "target": margin, "batch_size": 3}
        ),
        "images": case("conv"),
        "images, target 2": case("conv", with_references("conv", target=2)),
        "images, gradient": case("conv", output="probabilities", unknown="gradient"),
        "images, integrate": case("conv", output="probabilities", unknown="integrate"),
        "text": case("text", input_layer="embedding"),
        "two": case("two", output_name="kind"),
        "digits": case("digits"),
    }
    return {f"DeepSHAP: {name}": case for name, case in cases.items()}


def _kernel_shap() -> dict[str, Case]:
    def case(network: str, arguments: Any = None, **own: Any) -> Case:
        options = {"samples": "auto", "superpixels": 6, "l1": False, "seed": 0, **own}
        return Case(KernelSHAPExplainer, network, options, arguments or with_references(network))

    cases = {
        "points": case("tanh"),
        "images, superpixels": case("conv"),
        "images, quarters": case("conv", with_references("conv", segments=QUARTERS, target=1)),
        "text": case("text", input_layer="embedding", samples=60),
        "digits": case("digits", with_references("digits", batch_size=64), superpixels=20, samples=80, seed=1),
    }
    return {f"KernelSHAP: {name}": case for name, case in cases.items()}


def _xrai() -> dict[str, Case]:
    options = {
        "scales": (50, 150, 500),
        "sigma": 0.8,
        "min_size": 150,
        "dilation": 1,
        "min_new_pixels": 3,
        "area": 1.0,
        "algorithm": "full",
        "channels": "max",
    }
    given = {"x": X["conv"], "base_attribution": X["conv"][..., ::-1] - 100.0, "segments": BOXES}
    ig = {"base": IntegratedGradientsExplainer, "base_options": {"steps": 6, "rule": "gauss-legendre"}}
    cases = {
        "integrated gradients": Case(
            xrai_of, "conv", {**options, **ig}, {"x": X["conv"], "baselines": "black_and_white"}
        ),
        "a model": Case(XRAIExplainer, "conv", options, {"x": X["conv"], "segments": BOXES}),
        "IG²": Case(
            xrai_of,
            "conv",
            {**options, "channels": "sum", "base": IG2Explainer, "base_options": {**IMAGES, "steps": 4}},
            with_references("conv", segments=BOXES),
        ),
        "given": Case(XRAIExplainer, None, options, given),
        "given, fast": Case(XRAIExplainer, None, {**options, "algorithm": "fast"}, given),
        "given, half the area, sum": Case(XRAIExplainer, None, {**options, "area": 0.5, "channels": "sum"}, given),
        "adapter": Case(
            xrai_of,
            "conv",
            {**options, **ig},
            {
                "x_value": X["conv"][0].astype(np.float32),
                "call_model_function": _adapter("conv", 2),
                "segments": BOXES,
                "baselines": "black",
            },
            "GetMask",
        ),
    }
    return {f"XRAI: {name}": case for name, case in cases.items()}


CASES: dict[str, Case] = {
    **_ig2(),
    **_integrated_gradients(),
    **_expected_ig(),
    **_guided_ig(),
    **_blur_ig(),
    **_gradient(),
    **_grad_cam(),
    **_deep_shap(),
    **_kernel_shap(),
    **_xrai(),
}
"""All cases, by name."""

SAVED = {
    "one": "IG2: one explicand",
    "batch": "IG2: images, references each",
    "dict": "IG2: two, keep path",
    "path": "IG2: keep path, every 2",
    "no_target": "IG2: target callable, keep nothing",
    "baselines": "IG: baselines samples",
    "regions": "XRAI: IG²",
    "regions_given": "XRAI: given",
    "grad_cam": "Grad-CAM: last maps",
}
"""The cases whose explanations are stored as files too, by the files' names."""

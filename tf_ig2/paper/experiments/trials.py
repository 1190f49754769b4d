"""What every method may try on photographs with the same budget: docs/results/protocol.md as code.

References: Smilkov et al., SmoothGrad, 2017; Adebayo et al., Local Explanation Methods for Deep Neural Networks Lack
Sensitivity to Parameter Values, 2018 (VarGrad); Yang, Wang & Bilgic, IDGI, CVPR 2023.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from tf_ig2.explainers.base import Explainer
from tf_ig2.explainers.blur_ig import BlurIGExplainer
from tf_ig2.explainers.deep_shap import DeepSHAPExplainer
from tf_ig2.explainers.expected_ig import ExpectedIGExplainer
from tf_ig2.explainers.grad_cam import GradCAMExplainer
from tf_ig2.explainers.gradient import GradientExplainer
from tf_ig2.explainers.guided_ig import GuidedIGExplainer
from tf_ig2.explainers.ig2 import IG2Explainer
from tf_ig2.explainers.integrated_gradients import IntegratedGradientsExplainer
from tf_ig2.metrics.maps import feature_maps
from tf_ig2.models.model_view import ModelView
from tf_ig2.paper.experiments.map_store import Mapped
from tf_ig2.paper.experiments.methods import IG2
from tf_ig2.paper.experiments.task import Task
from tf_ig2.paths.keep import Keep

GRADIENTS = 24
"""Of the explained output, per explicand: as many of it and of the distance as IG² takes with its defaults."""

COPIES = 6
NOISE = 0.1
"""Standard deviation of the noise of copies, as a fraction of the range of values: that of IG²'s default."""

PUBLISHED, IDGI = "published", "IDGI"
MEAN, SQUARES, VARIANCE, NOISY_IDGI = "noise, mean", "noise, squares", "noise, variance", "noise, IDGI"
ON_PATH = "IDGI, noise on the path"

Explain = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]
"""From inputs `[N, ...]`, references `[N, R, ...]` and targets `[N]` to values `[N, ...]`."""

Named = tuple[dict[str, Any], Explain]
"""An explainer's name and the arguments that it is given, by which its maps are known; and what it does."""

BATCH = 8
"""Rows that go through a network together: little memory, and no slower on a CPU."""

_NOTHING = Keep(counterfactuals=False)
_SUMMARIES: Mapping[str, Callable[[np.ndarray], np.ndarray]] = {
    MEAN: lambda values: values.mean(axis=0),
    SQUARES: lambda values: np.square(values).mean(axis=0),
    VARIANCE: lambda values: values.var(axis=0),
    NOISY_IDGI: lambda values: values.mean(axis=0),
}


def at_pixels(view: ModelView, references: int) -> dict[str, dict[str, Mapped]]:
    """Method → trial → maps `[N, H, W]`: attributions of pixels, |φ| summed over channels.

    Args:
      view: the network.
      references: R of the task; a method with references takes `GRADIENTS` / R gradients for each.
    """
    each, few = max(1, GRADIENTS // references), GRADIENTS // COPIES

    def gradient(**more: Any) -> Named:
        explainer = GradientExplainer(view, **more)
        return _named(
            explainer, more
        ), lambda x, _, target: explainer.explain(x, target=target, batch_size=BATCH).values

    def deep(**more: Any) -> Named:
        explainer = DeepSHAPExplainer(view, **more)
        return _named(
            explainer, more
        ), lambda x, references, target: explainer.explain(x, references, target=target, batch_size=BATCH).values

    def ig2(**more: Any) -> Named:
        return _toward_references(IG2Explainer(view, **more), more)

    def vanilla(**more: Any) -> Named:
        return _from_zero(IntegratedGradientsExplainer(view, **more), more)

    def guided(**more: Any) -> Named:
        return _from_zero(GuidedIGExplainer(view, **more), more)

    def expected(**more: Any) -> Named:
        return _toward_references(ExpectedIGExplainer(view, **more), more)

    def blur(**more: Any) -> Named:
        explainer = BlurIGExplainer(view, **more)
        return _named(
            explainer, more
        ), lambda x, _, target: explainer.explain(x, target=target, batch_size=BATCH, keep=_NOTHING).values

    def of_path(make: Callable[..., Named], all_steps: int, few_steps: int) -> dict[str, Mapped]:
        return {
            PUBLISHED: _clean(*make(steps=all_steps)),
            IDGI: _clean(*make(steps=all_steps, rule="idgi")),
            **_noisy(*make(steps=few_steps), (MEAN, SQUARES)),
            **_noisy(*make(steps=few_steps, rule="idgi"), (NOISY_IDGI,)),
        }

    return {
        "Gradient": {
            PUBLISHED: _clean(*gradient()),
            "times input": _clean(*gradient(times_input=True)),
            **_noisy(*gradient(), (MEAN, SQUARES, VARIANCE), GRADIENTS),
        },
        "Vanilla IG": of_path(vanilla, GRADIENTS, few),
        "Guided IG": of_path(guided, GRADIENTS, few),
        "Expected IG": of_path(expected, each, max(1, each // COPIES)),
        "DeepSHAP": {PUBLISHED: _clean(*deep()), **_noisy(*deep(), (MEAN, SQUARES))},
        "Blur IG": of_path(blur, GRADIENTS, few),
        IG2: {
            "explicand": _clean(*ig2(rule="explicand")),
            "counterfactual": _clean(*ig2(rule="counterfactual")),
            IDGI: _clean(*ig2(noise=0)),
            ON_PATH: _clean(*ig2()),
            **_noisy(*ig2(rule="explicand", steps=1), (SQUARES,)),
        },
    }


DEFAULT_TRIALS = {IG2: ON_PATH}
"""The trial that is a method's default, where it is not `PUBLISHED`."""

DEPTHS: Mapping[str, Mapping[str, str]] = {
    "MobileNetV2": {"early": "block_5_add", "middle": "block_9_add", "late": "block_12_add"},
    "MobileNetV1": {"early": "conv_pw_5_relu", "middle": "conv_pw_9_relu", "late": "conv_pw_11_relu"},
    "SqueezeNet": {"early": "fire3_concat", "middle": "fire4_concat", "late": "fire6_concat"},
}
"""Inner layers by network and depth."""

FROM_ZERO, EXPECTED, GRAD_CAM = "IG from zero", "Expected IG", "Grad-CAM"
LAST = "last"


def inside(view: ModelView, depths: Mapping[str, str], references: int) -> dict[str, dict[str, Mapped]]:
    """Method → "depth, sum" → maps `[N, H, W]`: attributions of an inner layer, summed with their signs, at the input.

    Args:
      view: the network.
      depths: depth → layer.
      references: R of the task.
    """
    found: dict[str, dict[str, Mapped]] = {FROM_ZERO: {}, EXPECTED: {}, GRAD_CAM: {}, IG2: {}}
    each = max(1, GRADIENTS // references)
    for depth, layer in depths.items():
        inner = ModelView(view.model, input_layer=layer)
        for name, rule in ((PUBLISHED, "gauss-legendre"), (IDGI, "idgi")):
            more: dict[str, Any] = {"steps": GRADIENTS, "rule": rule}
            zero = IntegratedGradientsExplainer(inner, **more)
            found[FROM_ZERO][f"{depth}, {name}"] = _inner(zero, more, layer, _to_zero)
            more = {"steps": each, "rule": rule}
            expected = ExpectedIGExplainer(inner, **more)
            found[EXPECTED][f"{depth}, {name}"] = _inner(expected, more, layer, _to_references)
            more = {"rule": "explicand"} if name == PUBLISHED else {}
            ig2 = IG2Explainer(inner, **more)
            found[IG2][f"{depth}, {name}"] = _inner(ig2, more, layer, _to_references)
        found[GRAD_CAM][depth] = _grad_cam(view, layer)
    found[GRAD_CAM][LAST] = _grad_cam(view, None)
    return found


def xrai_base(view: ModelView, value_range: tuple[float, float]) -> Mapped:
    """What XRAI ranks regions by: integrated gradients from black and white, signed, the largest channel."""
    more: dict[str, Any] = {"steps": GRADIENTS // 2, "value_range": list(value_range)}
    base = IntegratedGradientsExplainer(view, **more)

    def maps(part: Task) -> np.ndarray:
        found = base.explain(part.inputs, "black_and_white", target=part.target, batch_size=BATCH, keep=_NOTHING)
        return found.values.max(axis=-1)

    return Mapped(maps, {**_named(base, more), "baselines": "black_and_white", "channels": "max"})


def _named(explainer: Explainer, more: Mapping[str, Any]) -> dict[str, Any]:
    return {"explainer": type(explainer).__name__, **more}


def _from_zero(explainer: IntegratedGradientsExplainer | GuidedIGExplainer, more: Mapping[str, Any]) -> Named:
    return _named(
        explainer, more
    ), lambda x, _, target: explainer.explain(x, 0.0, target=target, batch_size=BATCH, keep=_NOTHING).values


def _toward_references(explainer: IG2Explainer | ExpectedIGExplainer, more: Mapping[str, Any]) -> Named:
    return (
        _named(explainer, more),
        lambda x, references, target: (
            explainer.explain(x, references, target=target, batch_size=BATCH, keep=_NOTHING).values
        ),
    )


def _clean(named: Mapping[str, Any], explain: Explain) -> Mapped:
    def maps(part: Task) -> np.ndarray:
        values = explain(part.inputs, part.references, part.target)
        return feature_maps(values, part.points.shape[1:-1], "absolute")

    return Mapped(maps, named)


def _noisy(named: Mapping[str, Any], explain: Explain, names: Iterable[str], copies: int = COPIES) -> dict[str, Mapped]:
    """Summaries over noisy copies of the explicand, by name; the same draws for all explicands and methods.

    What several summaries are made of is computed once: the values of the last explicands that were asked for are kept.
    """
    last: dict[tuple[str, ...], list[np.ndarray]] = {}

    def copied(part: Task) -> list[np.ndarray]:
        if part.names not in last:
            low, high = part.value_range
            noise = np.random.default_rng(0).normal(0, NOISE * (high - low), [copies, *part.inputs.shape[1:]])
            found = []
            for x, references, target in zip(part.inputs, part.references, part.target, strict=True):
                noisy = np.clip(x + noise, low, high).astype(x.dtype)
                found.append(explain(noisy, np.repeat(references[None], copies, axis=0), np.full(copies, target)))
            last.clear()
            last[part.names] = found
        return last[part.names]

    def summary(name: str) -> Mapped:
        def maps(part: Task) -> np.ndarray:
            values = [_SUMMARIES[name](np.asarray(each, np.float64)) for each in copied(part)]
            return feature_maps(np.stack(values), part.points.shape[1:-1], "absolute")

        return Mapped(maps, {**named, "copies": copies, "copies_noise": NOISE, "summary": name})

    return {name: summary(name) for name in names}


def _to_zero(explainer: Explainer, part: Task) -> Any:
    return explainer.explain(part.inputs, 0.0, target=part.target, batch_size=BATCH, keep=_NOTHING)


def _to_references(explainer: Explainer, part: Task) -> Any:
    return explainer.explain(part.inputs, part.references, target=part.target, batch_size=BATCH, keep=_NOTHING)


def _inner(
    explainer: Explainer, more: Mapping[str, Any], layer: str, explain: Callable[[Explainer, Task], Any]
) -> Mapped:
    named = {**_named(explainer, more), "input_layer": layer}
    return Mapped(lambda part: explain(explainer, part).at_input().values, named)


def _grad_cam(view: ModelView, layer: str | None) -> Mapped:
    explainer = GradCAMExplainer(view, layer)
    return Mapped(
        lambda part: explainer.explain(part.inputs, target=part.target, batch_size=BATCH).values,
        _named(explainer, {"layer": layer}),
    )

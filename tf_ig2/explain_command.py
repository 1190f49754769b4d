"""The command `tf-ig2 explain`: images to pictures and arrays, one by one; what cannot be read is said at the end."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tf_ig2.attribution import Attribution

METHODS = {
    "ig2": "IG2Explainer",
    "ig": "IntegratedGradientsExplainer",
    "expected-ig": "ExpectedIGExplainer",
    "guided-ig": "GuidedIGExplainer",
    "blur-ig": "BlurIGExplainer",
    "mfaba": "MFABAExplainer",
    "agi": "AGIExplainer",
    "big": "BIGExplainer",
    "idg": "IDGExplainer",
    "gradient": "GradientExplainer",
    "grad-cam": "GradCAMExplainer",
    "xrai": "XRAIExplainer",
    "occlusion": "OcclusionExplainer",
    "deep-shap": "DeepSHAPExplainer",
    "kernel-shap": "KernelSHAPExplainer",
}
"""Name on the command line → class."""

PRESETS: dict[str, dict[str, Any]] = {
    "photographs": {"method": "ig2", "steps": 8, "step_size": "range", "rule": "counterfactual", "sparse": 90}
}
"""Name → a method with options that were chosen for a kind of images; what is asked for beside them counts.

Those of "photographs" were chosen on some, with MobileNetV2: see `docs/results/study.md`; `sparse` is the percentile of
the sparse norm.
"""

WAYS_OUT = {
    ("ig2", "segment"): "take more --nodes",
    ("ig2", None): "take --rule segment, or leave --rule and --preset out",
    (None, None): "take more --steps, if the method has them",
}
"""(method, rule), None for any → what to do about a large completeness gap."""

GAP_WORTH_SAYING = 0.05
"""Fraction of the explained difference from which on the completeness gap comes with advice."""


@dataclass(frozen=True)
class Asked:
    """What was asked for.

    Attributes:
      model: a `.keras` file.
      images, references: files, or folders of them.
      out: folder of the results; made if it is not there.
      method: one of `METHODS`.
      options: of the explainer, by its names; None: its own default.
      target: class index; None: the predicted class.
      pixel_range: what black and white are.
      batch_size: pairs in one pass.
      class_names: a text file with a name a line, or a JSON list; None: indices.
      preset: one of `PRESETS`; None: none.
      report: write a page of HTML for each image, too.
    """

    model: Path
    images: list[Path]
    references: list[Path]
    out: Path
    method: str = "ig2"
    options: dict[str, Any] = field(default_factory=dict)
    target: int | None = None
    pixel_range: tuple[float, float] = (0.0, 255.0)
    batch_size: int = 32
    class_names: Path | None = None
    preset: str | None = None
    report: bool = False


def run(asked: Asked, say: Callable[[str], None]) -> list[str]:
    """Explains images: writes a `.png` and an `.npz` for each.

    Args:
      asked: what to do.
      say: takes a line for each image that is done.

    Returns:
      What went wrong, a line for each image that could not be read; the others are done.

    Raises:
      TypeError, ValueError, OSError: the model, an option or a reference is wrong; nothing was explained then.
    """
    from tf_ig2 import describe, plots
    from tf_ig2 import images as image_files
    from tf_ig2.errors import NonFiniteGradientError
    from tf_ig2.models import model_files
    from tf_ig2.progress_bar import tqdm

    files, reference_files = image_files.find(asked.images), image_files.find(asked.references)
    asked = _with_preset(asked)
    names = None if asked.class_names is None else read_class_names(asked.class_names)
    kind, options = _class(asked)
    if kind.references_are == "needed" and not reference_files:
        raise ValueError(f"--method {asked.method} needs --references: images of other classes.")
    if kind.references_are == "ignored" and reference_files:
        raise ValueError(f"--method {asked.method} contrasts with nothing: leave --references out.")
    explainer = kind(model_files.load(asked.model), **options)
    shape = _image_shape(explainer.view.inputs_spec)
    asked.out.mkdir(parents=True, exist_ok=True)
    given: dict[str, Any] = {"target": asked.target, "batch_size": asked.batch_size}
    if reference_files:
        import numpy as np

        samples = [image_files.read(file, *shape, asked.pixel_range) for file in reference_files]
        represent = getattr(explainer, "represent", None)
        given["references"] = represent(samples, batch_size=asked.batch_size) if represent else np.stack(samples)
    wrong: list[str] = []
    note = f" ({describe.settings(explainer.settings)})" if asked.preset else ""
    progress = tqdm(zip(files, _output_names(files), strict=True), total=len(files), unit="image", disable=None)
    for file, name in progress:
        try:
            image = image_files.read(file, *shape, asked.pixel_range)
        except ValueError as error:
            wrong.append(str(error))
            continue
        try:
            explanation = explainer.explain(image, **given)
        except NonFiniteGradientError as error:
            wrong.append(f"{str(file)!r} cannot be explained: {error}")
            continue
        explanation.save(asked.out / f"{name}.npz")
        plots.explanation(explanation, class_names=names).savefig(asked.out / f"{name}.png", dpi=120)
        if asked.report:
            explanation.report(asked.out / f"{name}.html", class_names=names)
        with progress.external_write_mode():
            say(f"{file}: {_found(explanation, names)}")
            advice = _advice(explanation, asked)
            if advice:
                say(f"  {advice}")
    say(f"{len(files) - len(wrong)} explanation(s) of {asked.model} in {asked.out}{note}")
    return wrong


def read_class_names(path: Path) -> list[str]:
    """Names of classes: a JSON list, or a text file with one a line.

    Raises:
      FileNotFoundError: there is no such file.
      ValueError: it holds no names.
    """
    try:
        text = path.read_text(encoding="utf-8")
        names = json.loads(text) if path.suffix == ".json" else text.splitlines()
    except ValueError as error:
        raise ValueError(f"{str(path)!r} cannot be read as names of classes: {error}") from error
    if not isinstance(names, list) or not names or not all(isinstance(name, str) for name in names):
        raise ValueError(f"{str(path)!r} must hold names of classes: a JSON list of strings, or one name a line.")
    return names


def _class(asked: Asked) -> tuple[Any, dict[str, Any]]:
    """The explainer's class and its options; one that it does not take is refused by name."""
    import tf_ig2

    if asked.method not in METHODS:
        raise ValueError(f"Unknown method: {asked.method!r}. Choose one of {', '.join(METHODS)}.")
    kind = getattr(tf_ig2, METHODS[asked.method])
    takes = inspect.signature(kind.__init__).parameters
    view = ("layer", "input_layer") if any(p.kind is p.VAR_KEYWORD for p in takes.values()) else ()
    options = {name: value for name, value in asked.options.items() if value is not None}
    for name in options:
        if name not in takes and name not in view:
            raise ValueError(f"--method {asked.method} has no --{name.replace('_', '-')}: leave it out.")
    if "input_layer" not in options:
        ranges = [name for name in ("clip_min_max", "value_range") if name in takes]
        options.update(dict.fromkeys(ranges, asked.pixel_range))
    return kind, options


def _with_preset(asked: Asked) -> Asked:
    """The preset's method and options, where others are not asked for."""
    if asked.preset is None:
        return asked
    if asked.preset not in PRESETS:
        raise ValueError(f"Unknown preset: {asked.preset!r}. Choose one of {', '.join(PRESETS)}.")
    preset = dict(PRESETS[asked.preset])
    if asked.method != preset.pop("method"):
        raise ValueError(f"--preset {asked.preset} goes with another method than --method {asked.method}.")
    sparse = preset.pop("sparse", None)
    if sparse is not None:
        from tf_ig2.paths.normalizers import SparseL1

        preset["norm"] = SparseL1(sparse)
    given = {name: value for name, value in asked.options.items() if value is not None}
    return replace(asked, options={**preset, **given})


def _found(explanation: Attribution, names: list[str] | None) -> str:
    from tf_ig2 import describe

    index = int(explanation.target)
    said = f"output {index}" if names is None or index >= len(names) else names[index]
    parts = [f"{said} = {float(explanation.output):.3f}"]
    end, count = float(explanation.counterfactual_output.mean()), len(explanation.counterfactual_output)
    if end == end:  # not NaN
        where = explanation.settings.get(
            "end", "GradCF" if explanation.distances.any() else "what it is contrasted with"
        )
        parts.append(f"at {where} {end:.3f}" + (f" (mean of {count})" if count > 1 else ""))
    gap = describe.gap(explanation)
    return ", ".join(parts if gap is None else [*parts, f"completeness gap {gap}"])


def _advice(explanation: Attribution, asked: Asked) -> str | None:
    if (
        explanation.relative_completeness_gap is None
        or float(explanation.relative_completeness_gap) <= GAP_WORTH_SAYING
    ):
        return None
    rule = explanation.settings.get("rule")
    keys = ((asked.method, rule), (asked.method, None), (None, None))
    return f"the attributions miss much of what they explain: {next(WAYS_OUT[key] for key in keys if key in WAYS_OUT)}"


def _image_shape(spec: Any) -> tuple[int, int, int]:
    shape = getattr(spec, "shape", ())
    if len(shape) != 4 or None in tuple(shape[1:]):
        raise ValueError(f"The model must take one image of fixed size [H, W, C]; it takes {spec}.")
    return tuple(shape[1:])


def _output_names(files: list[Path]) -> list[str]:
    """One name per image: its stem, numbered where two images from different folders share one."""
    names: list[str] = []
    for file in files:
        number, name = 1, file.stem
        while name in names:
            number += 1
            name = f"{file.stem}_{number}"
        names.append(name)
    return names

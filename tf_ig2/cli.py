"""The command line: `tf-ig2 demo`, `explain`, `export`, `batch`, `reproduce`."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from tf_ig2.paper.experiments import commands as experiments
from tf_ig2.serving import commands as serving

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__)


def main() -> None:
    """Runs the command line; what is wrong with the input is said in one line, with exit status 1."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    try:
        app()
    except (ValueError, TypeError, OSError, ArithmeticError) as error:
        print(f"tf-ig2: error: {error}", file=sys.stderr)
        sys.exit(1)


@app.command()
def demo(
    out: Annotated[Path, typer.Option(help="File name of the figure.")] = Path("tf_ig2_demo.png"),
    explained: Annotated[int, typer.Option(help="The digit to explain.")] = 5,
    contrast: Annotated[int, typer.Option(help="The digit of the references.")] = 6,
) -> None:
    """Explain a handwritten digit, offline, with a small CNN that comes with the package."""
    from tf_ig2 import demo as demonstration

    for line in demonstration.run(out, explained, contrast):
        typer.echo(line)


@app.command()
def explain(
    model: Annotated[Path, typer.Argument(help="A Keras model for images, .keras file.")],
    images: Annotated[list[Path], typer.Argument(help="Images to explain, or folders of them.")],
    references: Annotated[list[Path], typer.Option(help="Images of other classes, or folders of them.")],
    out: Annotated[Path, typer.Option(help="Folder for one .png and one .npz per image.")],
    target: Annotated[int | None, typer.Option(help="Class index to explain; the predicted class by default.")] = None,
    layer: Annotated[str | None, typer.Option(help="Representation layer; the penultimate one by default.")] = None,
    input_layer: Annotated[
        str | None, typer.Option(help="Explain at this layer's output, drawn as a map of the image.")
    ] = None,
    steps: Annotated[
        int | None,
        typer.Option(help="Steps of GradPath: the limit, 3, of calibrated ones, or the number, 10, of others."),
    ] = None,
    step_size: Annotated[
        float | None,
        typer.Option(help="In units of the input, or of the input layer; calibrated on the model by default."),
    ] = None,
    rule: Annotated[
        str | None,
        typer.Option(help="idgi, idgi-both, explicand, counterfactual, trapezoid or segment; goes with the step size."),
    ] = None,
    noise: Annotated[
        float | None, typer.Option(help="Of IDGI's gradients, as a fraction of the range; 0.1 for images by default.")
    ] = None,
    pixel_range: Annotated[tuple[float, float], typer.Option(help="What black and white are in the model's input.")] = (
        0.0,
        255.0,
    ),
    batch_size: Annotated[int, typer.Option(help="(image, reference) pairs in one pass.")] = 32,
) -> None:
    """Explain images: why this class, and not that of the references?"""
    from tqdm.auto import tqdm

    from tf_ig2 import images as image_files
    from tf_ig2.explainers.ig2 import IG2Explainer
    from tf_ig2.models import model_files
    from tf_ig2.paths.keep import Keep

    files, reference_files = image_files.find(images), image_files.find(references)
    explainer = IG2Explainer(
        model_files.load(model),
        layer=layer,
        input_layer=input_layer,
        steps=steps,
        step_size="auto" if step_size is None else step_size,
        clip_min_max=pixel_range if input_layer is None else "auto",
        rule=rule,
        noise="auto" if noise is None else noise,
    )
    shape = _image_shape(explainer.view.inputs_spec)
    out.mkdir(parents=True, exist_ok=True)
    represented = explainer.represent(
        [image_files.read(file, *shape, pixel_range) for file in reference_files], batch_size=batch_size
    )
    names = _output_names(files)
    progress = tqdm(zip(files, names, strict=True), total=len(files), unit="image", disable=None)
    for file, name in progress:
        explanation = explainer.explain(
            image_files.read(file, *shape, pixel_range), represented, target, batch_size=batch_size, keep=Keep()
        )
        explanation.save(out / f"{name}.npz")
        explanation.plot().savefig(out / f"{name}.png", dpi=120)
        progress.write(
            f"{file}: output {int(explanation.target)} = {float(explanation.output):.3f}, at GradCF "
            f"{explanation.counterfactual_output.mean():.3f} (mean of {len(reference_files)} references), "
            f"completeness gap {float(explanation.completeness_gap):.3g}"
        )
    typer.echo(f"{len(files)} explanation(s) of {model} in {out}")


serving.add_commands(app)
experiments.add_commands(app)


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

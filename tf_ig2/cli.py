"""The command line: `tf-ig2 demo`, `explain`, `export`, `batch`, `reproduce`."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from tf_ig2 import explain_command
from tf_ig2 import serving_commands as serving
from tf_ig2._version import __version__
from tf_ig2.paper.experiments import commands as experiments

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__)


def main() -> None:
    """Runs the command line; what is wrong with the input is said in one line, with exit status 1."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    try:
        app()
    except (ValueError, TypeError, OSError, ArithmeticError) as error:
        print(f"tf-ig2: error: {error}", file=sys.stderr)
        sys.exit(1)


@contextlib.contextmanager
def _native_errors_aside() -> Iterator[None]:
    """Keeps what native code writes to stderr while it loads; it is said after all if loading fails."""
    sys.stderr.flush()
    with tempfile.TemporaryFile() as aside:
        kept = os.dup(2)
        os.dup2(aside.fileno(), 2)
        try:
            yield
        except BaseException:
            aside.seek(0)
            os.write(kept, aside.read())
            raise
        finally:
            sys.stderr.flush()
            os.dup2(kept, 2)
            os.close(kept)


def _load_tensorflow() -> None:
    """Loads TensorFlow, which has much to say of itself, without its words unless they were asked for."""
    if "tensorflow" in sys.modules or os.environ.get("TF_CPP_MIN_LOG_LEVEL") == "0":
        return
    with _native_errors_aside():
        import keras  # noqa: F401
        import tensorflow as tf

        tf.zeros([])


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"tf_ig2 {__version__}")
        raise typer.Exit


@app.callback()
def before(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", help="Show the version and exit.", callback=_version, is_eager=True)
    ] = False,
) -> None:
    """Why class A and not B? IG² and other attribution methods for Keras models."""
    if not {"--help", "-h"} & set(sys.argv[1:]) and not context.resilient_parsing:
        _load_tensorflow()


@app.command()
def demo(
    out: Annotated[Path, typer.Option(help="File name of the figure.")] = Path("tf_ig2_demo.png"),
    explained: Annotated[int, typer.Option(help="The digit to explain.")] = 5,
    contrast: Annotated[int, typer.Option(help="The digit of the references.")] = 6,
) -> None:
    """Explain a handwritten digit, offline, with a small CNN that comes with the package."""
    from tf_ig2 import demo as demonstration

    out.parent.mkdir(parents=True, exist_ok=True)
    for line in demonstration.run(out, explained, contrast):
        typer.echo(line)


@app.command()
def explain(
    model: Annotated[Path, typer.Argument(help="A Keras model for images, .keras file.")],
    images: Annotated[list[Path], typer.Argument(help="Images to explain, or folders of them.")],
    out: Annotated[Path, typer.Option(help="Folder for one .png and one .npz per image.")],
    references: Annotated[
        list[Path] | None,
        typer.Option(help="Images of other classes, or folders of them, for methods that contrast with some."),
    ] = None,
    method: Annotated[str, typer.Option(help=f"{', '.join(explain_command.METHODS)}.")] = "ig2",
    preset: Annotated[
        str | None,
        typer.Option(help=f"{', '.join(explain_command.PRESETS)}: options that a study chose; your own come first."),
    ] = None,
    report: Annotated[bool, typer.Option("--report", help="Write a page of HTML for each image, too.")] = False,
    target: Annotated[int | None, typer.Option(help="Class index to explain; the predicted class by default.")] = None,
    class_names: Annotated[
        Path | None, typer.Option(help="Names of the classes: a text file with one a line, or a JSON list.")
    ] = None,
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
    norm: Annotated[str | None, typer.Option(help="Of a step: l2 or l1.")] = None,
    distance: Annotated[
        str | None, typer.Option(help="Between representations: euclidean, squared_euclidean, cosine or l1.")
    ] = None,
    rule: Annotated[
        str | None,
        typer.Option(help="idgi, idgi-both, explicand, counterfactual, trapezoid or segment; goes with the step size."),
    ] = None,
    nodes: Annotated[int | None, typer.Option(help="Gauss–Legendre nodes of --rule segment.")] = None,
    noise: Annotated[
        float | None, typer.Option(help="Of IDGI's gradients, as a fraction of the range; 0.1 for images by default.")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Of what is random.")] = None,
    pixel_range: Annotated[tuple[float, float], typer.Option(help="What black and white are in the model's input.")] = (
        0.0,
        255.0,
    ),
    batch_size: Annotated[int, typer.Option(help="(image, reference) pairs in one pass.")] = 32,
) -> None:
    """Explain images: why this class, and not that of the references?"""
    options = {
        "layer": layer,
        "input_layer": input_layer,
        "steps": steps,
        "step_size": step_size,
        "norm": norm,
        "distance": distance,
        "rule": rule,
        "nodes": nodes,
        "noise": noise,
        "seed": seed,
    }
    asked = explain_command.Asked(
        model=model,
        images=images,
        references=references or [],
        out=out,
        method=method,
        options=options,
        target=target,
        pixel_range=pixel_range,
        batch_size=batch_size,
        class_names=class_names,
        preset=preset,
        report=report,
    )
    wrong = explain_command.run(asked, typer.echo)
    for line in wrong:
        typer.echo(f"tf-ig2: error: {line}", err=True)
    if wrong:
        raise typer.Exit(1)


serving.add_commands(app)
experiments.add_commands(app)

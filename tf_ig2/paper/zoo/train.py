"""Trains the small networks: `python -m tf_ig2.paper.zoo.train wafer --out saved_models`.

Each command is seeded and writes the network, its measured accuracy as JSON, and the table of all of them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import tensorflow as tf
import typer

from tf_ig2.paper.datasets.folder import MissingDataError
from tf_ig2.paper.zoo import table
from tf_ig2.paper.zoo.recipes import digits, face_head, faces, mlp, tetrominoes, text, wafer
from tf_ig2.paper.zoo.recipes.trained import Trained

app = typer.Typer(add_completion=False, help=__doc__)

Out = Annotated[Path, typer.Option(help="Folder to write to.")]
Seed = Annotated[int, typer.Option(help="Seed of weights, order and augmentation.")]
Threads = Annotated[int, typer.Option(help="Threads that TensorFlow may use; 0: as many as it likes.")]
Source = Annotated[Path | None, typer.Option(help="Where the data are; by default in TF_IG2_DATA_DIR.")]


@app.command("wafer")
def train_wafer(
    out: Out = Path("saved_models"),
    seed: Seed = 0,
    epochs: int = 32,
    units: Annotated[int, typer.Option(help="Width of fc1; the paper has 1250.")] = 256,
    source: Source = None,
    threads: Threads = 0,
) -> None:
    """The wafer-map classifier of Table B.5."""
    _threads(threads)
    _finish(out, wafer.train, seed=seed, epochs=epochs, units=units, source=source)


@app.command("text")
def train_text(
    out: Out = Path("saved_models"), seed: Seed = 0, epochs: int = 16, source: Source = None, threads: Threads = 0
) -> None:
    """TextCNN on the TREC questions."""
    _threads(threads)
    _finish(out, text.train, seed=seed, epochs=epochs, source=source)


@app.command("mlp")
def train_mlp(out: Out = Path("saved_models"), seed: Seed = 0, epochs: int = 30, threads: Threads = 0) -> None:
    """The perceptron of Table A.4 on XAI-BENCH's synthetic data."""
    _threads(threads)
    _finish(out, mlp.train, seed=seed, epochs=epochs)


@app.command("digits")
def train_digits(
    out: Out = Path("saved_models"), seed: Seed = 0, epochs: int = 8, source: Source = None, threads: Threads = 0
) -> None:
    """The small MNIST classifier, on moved digits."""
    _threads(threads)
    _finish(out, digits.train, seed=seed, epochs=epochs, source=source)


@app.command("tetrominoes")
def train_tetrominoes(out: Out = Path("saved_models"), seed: Seed = 0, epochs: int = 40, threads: Threads = 0) -> None:
    """The classifiers of XAI-TRIS, all in one file."""
    _threads(threads)
    _finish(out, tetrominoes.train, seed=seed, epochs=epochs)


@app.command("faces")
def train_faces(
    out: Out = Path("saved_models"),
    seed: Seed = 0,
    epochs: int = 1,
    whole: Annotated[bool, typer.Option(help="Train MobileNetV2 too, not only the head.")] = False,
    source: Source = None,
    threads: Threads = 0,
) -> None:
    """The forty-output head on CelebA."""
    _threads(threads)
    _finish(out, faces.train, seed=seed, epochs=epochs, whole=whole, source=source)


@app.command("face-head")
def train_face_head(
    out: Out,
    seed: Seed = 0,
    epochs: int = 6,
    source: Source = None,
    threads: Threads = 0,
    cache: Annotated[Path | None, typer.Option(help="An .npz file that features are kept in.")] = None,
) -> None:
    """The forty-output head on features of a frozen MobileNetV2, on a folder of CelebA's faces."""
    _threads(threads)
    _finish(out, face_head.train, seed=seed, epochs=epochs, source=source, cache=cache)


def _threads(count: int) -> None:
    if count:
        tf.config.threading.set_intra_op_parallelism_threads(count)
        tf.config.threading.set_inter_op_parallelism_threads(1)


def _finish(out: Path, train: Any, **options: Any) -> None:
    try:
        trained: Trained = train(**options)
    except (MissingDataError, ValueError) as error:
        typer.secho(f"Error: {error}", err=True, fg="red")
        raise typer.Exit(1) from error
    for path in [*trained.save(out), table.write(out)]:
        typer.echo(path)
    typer.echo(f"test accuracy {trained.report['test_accuracy']} on {trained.report['test_samples']} samples")


if __name__ == "__main__":
    app()

"""Builds the notebooks from their scripts: `python notebooks/build.py`, or only some, `… build.py 01 04`.

A script, `01_quickstart.py`, is plain Python in jupytext's percent format, and the source. A notebook,
`01_quickstart.ipynb`, is its cells, run from top to bottom, with what they put out. What differs from run to run and
says nothing is left out, so that building again gives a small difference.

`python notebooks/build.py --repository OWNER/NAME` writes the address of the repository into every script and notebook:
the Colab badges and the cells that install need it. Nothing is run.
"""

from __future__ import annotations

import argparse
import base64
import io
import os
import re
import tempfile
import time
from pathlib import Path

import jupytext
import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode
from PIL import Image

FOLDER = Path(__file__).parent
SECONDS = 120
"""How long a notebook may take, on two cores."""

_UNWANTED = {
    "a traceback": r"Traceback \(most recent call last\)",
    "noise of TensorFlow": r"tensorflow/core|oneDNN|absl::|TF-TRT|cuda_|[IWEF]0000 00:00:",
    "a path of the machine": r"(?<![\w:/.+<])/(?:[\w.-]+/)+|"
    r"/home/|/root/|/tmp/|/Users/|/usr/|site-packages|[A-Z]:\\\\|ipykernel_\d",
    "an address in memory": r" at 0x[0-9a-f]{6,}",
}
_REPOSITORY = re.compile(r"(?<=github\.com/)[\w.-]+/[\w.-]+|(?<=research\.google\.com/github/)[\w.-]+/[\w.-]+")


def scripts(names: list[str] | None = None) -> list[Path]:
    """The scripts, all or those whose file name begins with one of `names`.

    Raises:
      ValueError: a name is that of no script.
    """
    found = sorted(FOLDER.glob("[0-9][0-9]_*.py"))
    for name in names or []:
        if not any(path.name.startswith(name) for path in found):
            raise ValueError(f"There is no script {name!r}; there are {', '.join(path.stem for path in found)}.")
    return [path for path in found if not names or any(path.name.startswith(name) for name in names)]


def notebook(script: Path) -> NotebookNode:
    """The cells of a script, not yet run."""
    cells = []
    for number, cell in enumerate(jupytext.read(script, fmt="py:percent").cells):
        new = nbformat.v4.new_markdown_cell if cell.cell_type == "markdown" else nbformat.v4.new_code_cell
        cells.append(new(cell.source, id=f"cell-{number:02d}"))
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    metadata = {"kernelspec": kernel, "language_info": {"name": "python"}}
    return nbformat.v4.new_notebook(cells=cells, metadata=metadata)


def run(book: NotebookNode, folder: str | os.PathLike[str]) -> float:
    """Runs a notebook in a folder, in place, and tidies what it put out; returns the seconds it took.

    Raises:
      nbclient.exceptions.CellExecutionError: a cell fails.
      nbclient.exceptions.CellTimeoutError: a cell takes longer than `SECONDS`.
    """
    began = time.monotonic()
    environment = {name: value for name, value in os.environ.items() if name != "MPLBACKEND"}  # the kernel has its own
    client = NotebookClient(book, timeout=SECONDS, kernel_name="python3", resources={"metadata": {"path": str(folder)}})
    client.execute(env=environment)
    book.metadata["language_info"] = {"name": "python"}  # and not the version that it ran on
    for cell in book.cells:
        cell.metadata = {}
        if "outputs" in cell:
            cell.outputs = _joined(cell.outputs)
        for output in cell.get("outputs", []):
            output.get("metadata", {}).clear()
            if "image/png" in output.get("data", {}):
                output.data["image/png"] = _smaller(output.data["image/png"])
    return time.monotonic() - began


def faults(book: NotebookNode) -> list[str]:
    """What must not be in the outputs of a notebook, and is: errors, warnings, noise, paths of the machine."""
    found = []
    for number, cell in enumerate(book.cells):
        for output in cell.get("outputs", []):
            if output.output_type == "error" or output.get("name") == "stderr":
                found.append(f"cell {number}: {output.get('text') or output.get('evalue')}")
            texts = [
                output.get("text", ""),
                *(v for k, v in output.get("data", {}).items() if not k.startswith("image/")),
            ]
            for text in texts:
                seen = re.sub(r"data:image/png;base64,[\w+/=]+", "", str(text))
                found += [
                    f"cell {number}: {what}: {seen[:200]}" for what, sign in _UNWANTED.items() if re.search(sign, seen)
                ]
    return found


def pictures(book: NotebookNode) -> int:
    """How many PNGs its cells put out."""
    outputs = [output for cell in book.cells for output in cell.get("outputs", [])]
    return sum("image/png" in output.get("data", {}) for output in outputs)


def build(script: Path) -> str:
    """Runs a script's cells and writes its notebook; returns what there is to say.

    Raises:
      RuntimeError: something is in the outputs that must not be there.
    """
    book = notebook(script)
    with tempfile.TemporaryDirectory() as folder:
        seconds = run(book, folder)
    if found := faults(book):
        raise RuntimeError(f"{script.name} is not written:\n" + "\n".join(found))
    target = script.with_suffix(".ipynb")
    nbformat.write(book, target)
    return f"{target.name}: {seconds:.0f} s, {pictures(book)} pictures, {target.stat().st_size / 1000:.0f} kB"


def set_repository(address: str) -> None:
    """Writes OWNER/NAME into badges and first cells of all scripts and notebooks."""
    if not re.fullmatch(r"[\w.-]+/[\w.-]+", address):
        raise ValueError(f"The repository is OWNER/NAME, not {address!r}.")
    for path in scripts():
        for file in (path, path.with_suffix(".ipynb")):
            if file.exists():
                file.write_text(_first_cells(file.read_text(encoding="utf-8"), address), encoding="utf-8")


def _first_cells(text: str, address: str) -> str:
    """Addresses stand on lines of the badge and of the first cell alone; others, of papers and libraries, stay."""
    lines = text.splitlines(keepends=True)
    marked = ("colab.research.google.com/github/", "REPOSITORY =")
    return "".join(_REPOSITORY.sub(address, line) if any(m in line for m in marked) else line for line in lines)


def _joined(outputs: list[NotebookNode]) -> list[NotebookNode]:
    """Printed text that follows printed text is one output, however it came."""
    joined: list[NotebookNode] = []
    for output in outputs:
        if joined and output.output_type == "stream" and output.name == joined[-1].get("name"):
            joined[-1].text += output.text
        else:
            joined.append(output)
    return joined


def _smaller(png: str) -> str:
    """The same picture in 256 colours, without the program that drew it: a third of the size."""
    picture = Image.open(io.BytesIO(base64.b64decode(png))).convert("RGB")
    content = io.BytesIO()
    picture.quantize(256, dither=Image.Dither.NONE).save(content, format="png", optimize=True)
    return base64.b64encode(content.getvalue()).decode()


def main() -> None:
    parser = argparse.ArgumentParser(description="Builds the notebooks from their scripts.")
    parser.add_argument("names", nargs="*", help="beginnings of file names, such as 04; all if there are none")
    parser.add_argument("--repository", help="OWNER/NAME on GitHub, for badges and first cells")
    arguments = parser.parse_args()
    if arguments.repository:
        set_repository(arguments.repository)
        return
    for script in scripts(arguments.names):
        print(build(script), flush=True)


if __name__ == "__main__":
    main()

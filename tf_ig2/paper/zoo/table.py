"""The table of trained networks that lies beside them."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from tf_ig2 import files

_COMMANDS = {
    "digits_cnn": "python saved_models/train_digits.py",
    "mnist_cnn": "python -m tf_ig2.paper.zoo.train digits",
    "wafer_cnn": "python -m tf_ig2.paper.zoo.train wafer",
    "text_cnn": "python -m tf_ig2.paper.zoo.train text",
    "mlp": "python -m tf_ig2.paper.zoo.train mlp",
    **{f"xai_tris_{seed}": f"python -m tf_ig2.paper.zoo.train tetrominoes --seed {seed}" for seed in range(2)},
    "face_attributes": "python -m tf_ig2.paper.zoo.train faces",
}


def write(folder: str | os.PathLike[str]) -> Path:
    """Writes README.md with one row for each network that has a report, `<name>.json`, in the folder.

    Args:
      folder: where networks and reports lie.

    Returns:
      The file written; it is there whole, or not at all.

    Raises:
      ValueError: a report is not JSON.
    """
    home = Path(folder)
    rows = [_row(path) for path in sorted(home.glob("*.json"))]
    with files.whole(home / "README.md") as file:
        file.write((_HEAD + "".join(rows) + _FOOT).encode())
    return home / "README.md"


def _row(path: Path) -> str:
    try:
        report: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        raise ValueError(f"{str(path)!r} is not a report: {error}") from error
    model = path.with_suffix(".keras")
    size = f"{model.stat().st_size / 1000:,.0f} kB" if model.exists() else "not kept"
    cells = [
        f"`{path.stem}`",
        report.get("model", "–"),
        report.get("data", "–"),
        f"{report['test_accuracy']:.2%} of {report['test_samples']}",
        report.get("paper", "–"),
        f"{report['parameters']:,}",
        size,
        f"`{_COMMANDS.get(path.stem, '')}`",
    ]
    return "| " + " | ".join(cells) + " |\n"


_HEAD = """# Trained networks

Small networks that the demo, the tests and the experiments explain. Accuracies were measured by the command that made
them, on data that it did not train on; the `.json` beside each network has the details.

| network | architecture | data | test accuracy | the paper's | parameters | file | command |
|---|---|---|---|---|---|---|---|
"""
_FOOT = """
Load one with `tf_ig2.paper.saved_models.load("wafer_cnn")`. `text_cnn.txt` is TextCNN's vocabulary, one word per line:
`trec.Vocabulary.read(saved_models.path("text_cnn").with_suffix(".txt"))`.
"""

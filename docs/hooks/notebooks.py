"""The notebooks as pages: every `notebooks/*.ipynb` with the outputs that it was saved with; none is run here."""

from __future__ import annotations

import base64
import re
from pathlib import Path
from typing import Any

import nbformat
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

FOLDER = Path(__file__).parents[2] / "notebooks"

_PICTURES = {"image/png": "png", "image/jpeg": "jpg", "image/svg+xml": "svg"}
_ELSEWHERE = re.compile(r"!\[([^\]]*)\]\(https?://[^)]*\)")
_SIBLING = re.compile(r"\[([^\]]*)\]\(([\w.-]+\.ipynb)\)")
_ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")

_html: dict[str, list[str]] = {}
"""Page → the HTML of its outputs, which Markdown must not touch."""


def notebooks() -> list[Path]:
    """The notebooks, in their order."""
    return sorted(FOLDER.glob("*.ipynb"))


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """A page each in the navigation."""
    for item in config.nav or []:
        if item.get("Notebooks") == "notebooks/":
            item["Notebooks"] = ["notebooks/index.md", *(f"notebooks/{path.stem}.md" for path in notebooks())]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Adds a page for each notebook, its pictures, and the overview."""
    _html.clear()
    lines = [
        "# Notebooks",
        "",
        "Each runs from top to bottom in a checkout; here they are with what came out.",
        "",
    ]
    for path in notebooks():
        notebook = nbformat.read(path, as_version=4)
        uri = f"notebooks/{path.stem}.md"
        text, pictures, _html[uri] = page_of(notebook, path.stem)
        files.append(File.generated(config, uri, content=text))
        for name, data in pictures.items():
            files.append(File.generated(config, f"notebooks/{name}", content=data))
        lines.append(f"* [{title_of(notebook, path.stem)}]({path.stem}.md)")
    files.append(File.generated(config, "notebooks/index.md", content="\n".join([*lines, ""])))
    return files


def on_page_content(html: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Puts the outputs' HTML in."""
    for number, output in enumerate(_html.get(page.file.src_uri, [])):
        html = html.replace(f"<p>{_token(number)}</p>", f'<div class="notebook-output">{output}</div>')
    return html


def title_of(notebook: Any, otherwise: str) -> str:
    """Its first heading, without links and emphasis."""
    text = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    heading = re.search(r"(?m)^# +(.+)$", text)
    return heading[1].strip() if heading else otherwise


def page_of(notebook: Any, stem: str) -> tuple[str, dict[str, bytes], list[str]]:
    """A notebook as Markdown, its pictures by name, and the HTML that its places stand for."""
    parts, pictures, html = [], {}, []
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            parts.append(_SIBLING.sub(_there, _ELSEWHERE.sub(r"\1", cell.source)))
        elif cell.cell_type == "code" and cell.source.strip():
            parts.append(_fenced("python", cell.source))
            for output in cell.outputs:
                if output.output_type == "stream":
                    parts.append(_fenced("text", _shown(output.text)))
                    continue
                if output.output_type == "error":
                    parts.append(_fenced("text", f"{output.ename}: {output.evalue}"))
                    continue
                data = output.data
                kind = next((kind for kind in _PICTURES if kind in data), None)
                if "text/html" in data:
                    parts.append(_token(len(html)))
                    html.append("".join(data["text/html"]))
                elif kind is not None:
                    name = f"{stem}_{len(pictures) + 1}.{_PICTURES[kind]}"
                    found = "".join(data[kind])
                    pictures[name] = found.encode() if kind.endswith("xml") else base64.b64decode(found)
                    parts.append(f"![output]({name})")
                elif "text/markdown" in data:
                    parts.append("".join(data["text/markdown"]))
                elif "text/plain" in data:
                    parts.append(_fenced("text", "".join(data["text/plain"])))
    return "\n\n".join(parts) + "\n", pictures, html


def _there(link: re.Match[str]) -> str:
    """A link to a notebook that is there; of one that is not (yet), its name."""
    return link[0] if (FOLDER / link[2]).is_file() else link[1]


def _shown(text: str) -> str:
    """What a terminal shows of it in the end: no colours, and of a progress bar its last state."""
    return "\n".join(line.rsplit("\r", 1)[-1] for line in _ANSI.sub("", text).replace("\r\n", "\n").split("\n"))


def _fenced(language: str, text: str) -> str:
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", text)), default=0))
    return f"{fence}{language}\n{text.rstrip()}\n{fence}"


def _token(number: int) -> str:
    return f"NOTEBOOK·OUTPUT·{number}·"

"""Pages from outside of `docs/`: what a page links to in the repository becomes a page, or a file, of the site.

So that a link works in a checkout and in the site alike: `../tf_ig2/paths/plan.py` is the file in the one, and a page
with its text in the other. The changelog is one of these; `results/` and `notebooks/` in the navigation are all pages
of these folders.
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[2]

PAGES = {"CHANGELOG.md": "changelog.md", "notebooks": "notebooks/index.md"}
"""Path in the repository → page, of those with a place in the navigation."""

_CODE = re.compile(r"(?ms)^( *)(`{3,}|~{3,}).*?^\1\2[ \t]*$|`+[^`\n]+`+")
_LINK = re.compile(r"(\]\()([^)\s]+)")
_TEXT = {
    ".py": "python",
    ".json": "json",
    ".toml": "toml",
    ".cfg": "ini",
    ".txt": "text",
    ".cff": "yaml",
    ".yml": "yaml",
}

_home: dict[str, str] = {}
"""Page → path in the repository, of pages from outside of `docs/`."""


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """All pages of `results/` in the navigation, the overview first; and under “Use” those that nobody has placed."""
    docs = Path(config.docs_dir)
    results = sorted((docs / "results").glob("*.md"), key=lambda path: (path.name != "README.md", path))
    placed = str(config.nav)
    for item in config.nav or []:
        if item.get("Results") == "results/":
            item["Results"] = [f"results/{path.name}" for path in results]
        if "Use" in item:
            item["Use"] += [path.name for path in sorted(docs.glob("*.md")) if f"'{path.name}'" not in placed]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Adds what pages link to outside of `docs/`, and what those link to."""
    _home.clear()
    todo = [(home(file.src_uri), file.content_string) for file in files.documentation_pages()]
    todo += [(path, "") for path in PAGES]
    while todo:
        here, text = todo.pop()
        wanted = [*_outside(here, text), *([here] if here in PAGES else [])]
        for path in wanted:
            uri = _uri(path)
            if files.get_file_from_path(uri) is not None or path == "notebooks":
                continue
            content = _content(path)
            if content is None:
                files.append(File.generated(config, uri, abs_src_path=str(ROOT / path)))
                continue
            files.append(File.generated(config, uri, content=content))
            _home[uri] = path
            if path.endswith(".md"):
                todo.append((path, content))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Links to the repository as links to the site; and under a page of results its tables as files."""
    uri = page.file.src_uri
    return with_links(markdown, home(uri), uri) + _tables(uri, Path(config.docs_dir))


def _tables(uri: str, docs: Path) -> str:
    """Links to the CSV files of a page of results, which are named after it."""
    page = docs / uri
    if page.parent.name != "results" or not page.is_file():
        return ""
    names = sorted(
        file.name for file in page.parent.glob("*.csv") if re.fullmatch(rf"{page.stem}(_\d+|_path)?", file.stem)
    )
    return "\n\nTables as files: " + ", ".join(f"[{name}]({name})" for name in names) + ".\n" if names else ""


def home(uri: str) -> str:
    """Where in the repository a page comes from."""
    if uri.startswith("notebooks/") and uri != "notebooks/index.md":
        return uri.removesuffix(".md") + ".ipynb"
    return _home.get(uri, f"docs/{uri}")


def with_links(markdown: str, here: str, uri: str) -> str:
    """A page's Markdown, whose links are relative to `here` in the repository, as that of the page `uri`."""

    def replaced(match: re.Match[str]) -> str:
        path, anchor = _target(here, match[2])
        if path is None or not (ROOT / path).exists() or (here == f"docs/{uri}" and _in_docs(path)):
            return match[0]
        return match[1] + posixpath.relpath(_uri(path), posixpath.dirname(uri) or ".") + anchor

    return _outside_code(markdown, lambda text: _LINK.sub(replaced, text))


def _outside_code(markdown: str, change: Any) -> str:
    parts, end = [], 0
    for code in _CODE.finditer(markdown):
        parts += [change(markdown[end : code.start()]), code[0]]
        end = code.end()
    return "".join([*parts, change(markdown[end:])])


def _outside(here: str, markdown: str) -> list[str]:
    """Paths in the repository that a page links to and that are not in `docs/`."""
    found = []

    def look(text: str) -> str:
        paths = [_target(here, match[2])[0] for match in _LINK.finditer(text)]
        found.extend(path for path in paths if path and (ROOT / path).exists() and not _in_docs(path))
        return text

    _outside_code(markdown, look)
    return found


def _target(here: str, link: str) -> tuple[str | None, str]:
    """The path in the repository that a link leads to, None for one elsewhere; and its anchor."""
    place, hash_, anchor = link.partition("#")
    if not place or ":" in place or place.startswith("/"):
        return None, ""
    path = posixpath.normpath(posixpath.join(posixpath.dirname(here), place))
    return (None if path.startswith("..") else path), hash_ + anchor


def _in_docs(path: str) -> bool:
    """Whether it is a file that the site has of itself."""
    return path.startswith("docs/") and (ROOT / path).is_file() and not path.startswith("docs/hooks/")


def _uri(path: str) -> str:
    """The page, or file, of the site that a path in the repository is."""
    if path in PAGES:
        return PAGES[path]
    if _in_docs(path):
        return path.removeprefix("docs/")
    if path.startswith("notebooks/") and path.endswith(".ipynb"):
        return path.removesuffix(".ipynb") + ".md"
    if path.endswith(".md"):
        return f"source/{path}"
    return f"source/{path}.md" if (ROOT / path).is_dir() or Path(path).suffix in _TEXT else f"source/{path}"


def _content(path: str) -> str | None:
    """Its page's Markdown; None for a file that is given as it is."""
    place = ROOT / path
    unsearched = "---\nsearch:\n  exclude: true\n---\n"
    if place.is_dir():
        names = [f"* [{file.name}]({file.name})" for file in sorted(place.iterdir()) if file.is_file()]
        return f"{unsearched}# {path}\n\n" + "\n".join(names).replace("](", f"]({posixpath.basename(path)}/") + "\n"
    if place.suffix == ".md":
        text = place.read_text(encoding="utf-8")
        return text if path in PAGES else unsearched + text
    if place.suffix not in _TEXT:
        return None
    text = place.read_text(encoding="utf-8")
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", text)), default=0))
    return f"{unsearched}# {path}\n\n{fence}{_TEXT[place.suffix]}\n{text.rstrip()}\n{fence}\n"

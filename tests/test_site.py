"""The site: built strictly, without a dead link, without anything from elsewhere; HTML is text in it."""

import base64
import os
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import nbformat
import pytest

import tf_ig2
from tests.scripts import loaded

ROOT = Path(__file__).parents[1]
HOOKS = ROOT / "docs" / "hooks"


def build(folder, config, *options):
    """Runs MkDocs as a user does, and says what it said."""
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--config-file", config]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [*command, "--site-dir", folder, *options],
        capture_output=True,
        text=True,
        timeout=240,
        cwd=ROOT,
        env=environment,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


class Seen(HTMLParser):
    """The links, anchors and loaded things of a page."""

    def __init__(self, text):
        super().__init__()
        self.links, self.anchors, self.loaded, self.tags = [], {"", "__skip"}, [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        self.tags.append(tag)
        self.anchors.update(found[name] for name in ("id", "name") if found.get(name))
        if tag == "a" and found.get("href"):
            self.links.append(found["href"])
        if tag in ("img", "script", "iframe", "source") and found.get("src"):
            self.loaded.append(found["src"])
        if tag == "link" and found.get("rel") not in ("canonical", "prev", "next"):
            self.loaded.append(found["href"])


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    return build(tmp_path_factory.mktemp("site"), ROOT / "mkdocs.yml")


@pytest.fixture(scope="module")
def pages(site):
    return {path.resolve(): Seen(path.read_text(encoding="utf-8")) for path in site.rglob("*.html")}


def test_no_link_leads_nowhere(pages):
    dead = []
    for path, page in pages.items():
        if path.name == "404.html":
            continue  # its links are those of the root
        for link in [*page.links, *page.loaded]:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            to = path if not parts.path else (path.parent / unquote(parts.path)).resolve()
            if not to.is_file() or (to in pages and unquote(parts.fragment) not in pages[to].anchors):
                dead.append(f"{path.name}: {link}")
    assert not dead


def test_nothing_is_loaded_from_elsewhere(pages):
    loaded = {link for page in pages.values() for link in page.loaded}
    assert loaded
    assert not [link for link in loaded if urlsplit(link).netloc]


def test_every_page_and_every_notebook_is_there(site):
    for page in (ROOT / "docs").rglob("*.md"):
        name = "index" if page.name == "README.md" else page.stem
        assert (site / page.relative_to(ROOT / "docs").parent / f"{name}.html").is_file()
    for notebook in (ROOT / "notebooks").glob("*.ipynb"):
        assert (site / "notebooks" / f"{notebook.stem}.html").is_file()


def test_every_public_name_is_in_the_reference(site, pages):
    anchors = set().union(*(page.anchors for path, page in pages.items() if path.parent == (site / "api").resolve()))
    known = {anchor.rpartition(".")[2] for anchor in anchors}
    assert set(tf_ig2.__all__) - {"__version__"} <= known


def test_examples_of_docstrings_are_code(site, pages):
    for path, page in pages.items():
        if path.parent == (site / "api").resolve():
            assert "blockquote" not in page.tags, path.name


def test_a_question_with_a_script_is_shown_as_text(site):
    text = (site / "faq.html").read_text(encoding="utf-8")
    assert "a token &lt;script&gt;alert(1)&lt;/script&gt; in a question" in text
    assert "<script>alert" not in text


def test_a_docstring_with_a_script_is_shown_as_text(tmp_path):
    said = '"""Takes <script>alert(1)</script> and\n\n<script>alert(2)</script>\n\nArgs:\n  x: <b>bold</b>.\n"""'
    (tmp_path / "unsafe.py").write_text(f"def function(x):\n    {said}\n", encoding="utf-8")
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "index.md").write_text("# Page\n\n<b>bold</b>\n\n::: unsafe.function\n", encoding="utf-8")
    config = tmp_path / "mkdocs.yml"
    config.write_text(
        f"site_name: unsafe\nhooks: [{HOOKS / 'plain.py'}]\nplugins: [mkdocstrings: {{handlers: {{python: "
        f"{{paths: [{tmp_path}], options: {{docstring_style: google}}}}}}}}]\n",
        encoding="utf-8",
    )
    text = (build(tmp_path / "site", config) / "index.html").read_text(encoding="utf-8")
    for shown in ("&lt;script&gt;alert(1)", "&lt;script&gt;alert(2)", "&lt;b&gt;bold"):
        assert shown in text
    assert "<script>alert" not in text
    assert "<b>" not in text


def hook(name):
    return loaded(HOOKS / f"{name}.py")


PNG = base64.b64encode(b"a picture").decode()


def test_a_notebook_is_a_page_with_its_outputs():
    new = nbformat.v4
    badge = "[![Open in Colab](https://elsewhere/badge.svg)](https://elsewhere/x)"
    outputs = [
        new.new_output("stream", name="stdout", text="10 %\r100 %\n\x1b[31mred\x1b[0m\n"),
        new.new_output("display_data", data={"image/png": PNG, "text/plain": "<Figure>"}),
        new.new_output("execute_result", data={"text/html": "<table></table>", "text/plain": "table"}),
        new.new_output("execute_result", data={"text/plain": "(2, 3)"}),
        new.new_output("error", ename="ValueError", evalue="no", traceback=[]),
    ]
    cells = [
        new.new_markdown_cell(f"# Title\n\n{badge} [two](02_not_there.ipynb)"),
        new.new_code_cell("x = 1", outputs=outputs),
        new.new_code_cell(""),
    ]
    notebook = new.new_notebook(cells=cells)
    notebooks = hook("notebooks")
    text, pictures, html = notebooks.page_of(notebook, "one")
    assert notebooks.title_of(notebook, "one") == "Title"
    assert text.startswith("# Title\n\n[Open in Colab](https://elsewhere/x) two\n\n```python\nx = 1\n```\n\n")
    assert "```text\n100 %\nred\n```" in text
    assert "![output](one_1.png)" in text
    assert pictures == {"one_1.png": b"a picture"}
    assert html == ["<table></table>"]
    assert "```text\n(2, 3)\n```" in text
    assert "```text\nValueError: no\n```" in text


def test_a_link_to_the_repository_is_one_of_the_site():
    repository = hook("repository")
    here = "See [a](../tf_ig2/paths/plan.py#L3), [b](choose.md), `[c](../README.md)`, [d](https://x.y)."
    there = "See [a](source/tf_ig2/paths/plan.py.md#L3), [b](choose.md), `[c](../README.md)`, [d](https://x.y)."
    assert repository.with_links(here, "docs/faq.md", "faq.md") == there
    assert repository.with_links("[e](../CHANGELOG.md)", "docs/faq.md", "faq.md") == "[e](changelog.md)"
    assert repository.with_links("[b](../docs/choose.md)", "notebooks/1.ipynb", "notebooks/1.md") == "[b](../choose.md)"

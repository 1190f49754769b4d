"""HTML in pages and docstrings is shown as text: what looks like a tag is what somebody wrote, and never markup."""

from __future__ import annotations

from markdown import Markdown
from markdown.extensions import Extension
from mkdocs.config.defaults import MkDocsConfig


class NoHtml(Extension):
    """Takes away what lets HTML through Markdown; what extensions make themselves stays."""

    def extendMarkdown(self, md: Markdown) -> None:
        md.preprocessors.deregister("html_block")
        md.inlinePatterns.deregister("html")


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """For pages, and for the docstrings of the API reference."""
    config.markdown_extensions.append(NoHtml())
    return config

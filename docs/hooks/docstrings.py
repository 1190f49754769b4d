"""Docstrings as the API reference wants them: `Example:` is the section that it calls `Examples`."""

from __future__ import annotations

import re
from typing import Any

import griffe

_EXAMPLE = re.compile(r"(?m)^Example:$")


class ExampleSections(griffe.Extension):
    """Makes doctests code."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        """Renames the section of one object's docstring."""
        if obj.docstring is not None:
            obj.docstring.value = _EXAMPLE.sub("Examples:", obj.docstring.value)

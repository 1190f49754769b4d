"""Libraries that only some jobs use: what is not installed is said before anything is computed."""

from __future__ import annotations

import importlib.util


class MissingExtraError(ImportError, ValueError):
    """A job asks for a library that is not installed; the message says what to install."""


def need(module: str, extra: str, purpose: str) -> None:
    """Checks that an optional library is there, without importing it.

    Args:
      module: its name.
      extra: the extra of this package that installs it.
      purpose: what it is needed for, the sentence's subject.

    Raises:
      MissingExtraError: it is not installed.

    Example:
      >>> need("numpy", "beam", "Adding")
    """
    if importlib.util.find_spec(module) is None:
        raise MissingExtraError(f"{purpose} needs {module}: pip install 'tf_ig2[{extra}]'.")

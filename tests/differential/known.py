"""What is known to fail, or is refused by right, and why."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from tests.differential.description import Description


class Known(NamedTuple):
    """A reason, and what it explains: `holds(description, method, oracle, error)`."""

    reason: str
    holds: Callable[[Description, str, str, Exception], bool]


KNOWN: tuple[Known, ...] = ()


def known(description: Description, method: str, oracle: str, error: Exception) -> str | None:
    """The reason of a failure, None if there is none yet."""
    return next((entry.reason for entry in KNOWN if entry.holds(description, method, oracle, error)), None)

"""Random draws of another library, from a generator of the caller's own."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from typing import Any

import numpy as np

_own = threading.local()


class OwnDraws:
    """NumPy for a module that draws from `np.random`: inside `seeded` what a thread draws is that thread's alone.

    Seeding NumPy's global state instead would let threads take each other's draws, and disturb everybody else's.
    """

    @classmethod
    def give(cls, module: Any) -> None:
        """Puts it in the place of the module's `np`."""
        if not isinstance(module.np, cls):
            module.np = cls()

    @property
    def random(self) -> Any:
        return getattr(_own, "generator", np.random)

    def __getattr__(self, name: str) -> Any:
        return getattr(np, name)


@contextlib.contextmanager
def seeded(seed: Any) -> Iterator[None]:
    """Within it, this thread's draws come from a generator with this seed, None for any."""
    before = _own.__dict__.get("generator")
    _own.generator = np.random.RandomState(seed)  # the one behind np.random, so that seeds mean what they do there
    try:
        yield
    finally:
        if before is None:
            del _own.generator
        else:
            _own.generator = before

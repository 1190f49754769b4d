"""Compiled graphs, a bounded number of them."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any

LIMIT = 16
"""How many graphs an explainer keeps; a fresh `target=lambda …` in each call makes a graph each time."""


class Graphs:
    """Graphs by what they depend on: the least recently used gives way. Threads may share it.

    Example:
      >>> graphs = Graphs(limit=1)
      >>> graphs.get("a", lambda: 1), graphs.get("b", lambda: 2), len(graphs)
      (1, 2, 1)
    """

    def __init__(self, limit: int = LIMIT):
        self._limit = limit
        self._graphs: OrderedDict[Hashable, Any] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._graphs)

    def get(self, key: Hashable, make: Callable[[], Any]) -> Any:
        """The graph of that key, made if it is not there; `make` does not trace, or it would hold up other threads."""
        with self._lock:
            if key not in self._graphs:
                self._graphs[key] = make()
                while len(self._graphs) > self._limit:
                    self._graphs.popitem(last=False)
            self._graphs.move_to_end(key)
            return self._graphs[key]

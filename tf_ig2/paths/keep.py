"""What an explanation keeps beside its values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Keep:
    """What an explanation keeps beside its values, since it costs memory.

    Attributes:
      counterfactuals: keep the end point of every path (GradCF), `[N, R, ...]`.
      path: keep points of every path, `[N, R, K', ...]`; a path that ended early stays at its end.
      every: of the path keep every so many steps, and always the last point.

    Raises:
      ValueError: `every` is less than 1.

    Example:
      >>> Keep(path=True, every=10).kept(steps=25)
      4
    """

    counterfactuals: bool = True
    path: bool = False
    every: int = 1

    def __post_init__(self) -> None:
        if self.every < 1:
            raise ValueError(f"`every` must be at least 1, not {self.every!r}.")

    def kept(self, steps: Any) -> Any:
        """How many points of a path with `steps` steps are kept (an int, or an int32 tensor)."""
        return -(-steps // self.every) + 1

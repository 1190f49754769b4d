"""What an explanation keeps beside its values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tf_ig2 import validation


@dataclass(frozen=True)
class Keep:
    """What an explanation keeps beside its values, since it costs memory.

    Attributes:
      counterfactuals: keep the end point of every path (GradCF), `[N, R, ...]`.
      path: keep points of every path, `[N, R, K', ...]`; a path that ended early stays at its end.
      every: of the path keep every so many steps, and always the last point.

    Raises:
      TypeError: `every` is not an integer.
      ValueError: it is less than 1.

    Example:
      >>> Keep(path=True, every=10).kept(steps=25)
      4
    """

    counterfactuals: bool = True
    path: bool = False
    every: int = 1

    def __post_init__(self) -> None:
        object.__setattr__(self, "every", validation.positive("every", self.every, integer=True))

    def kept(self, steps: Any) -> Any:
        """How many points of a path with `steps` steps are kept (an int, or an int32 tensor)."""
        return -(-steps // self.every) + 1


def checked(keep: Any, default: Keep) -> Keep:
    """What users pass as `keep`, or the default for None.

    Raises:
      TypeError: it is neither.
    """
    if keep is None:
        return default
    if not isinstance(keep, Keep):
        raise TypeError(f"`keep` must be a tf_ig2.Keep, such as Keep(path=True), or None, not {keep!r}.")
    return keep

"""A metric: what a table needs to know of it, in one place."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

import numpy as np

from tf_ig2.metrics.maps import finite
from tf_ig2.models.model_view import ModelView

Known = TypeVar("Known")


@dataclass(frozen=True)
class Metric(Generic[Known]):
    """How good attributions are, by one number for each explicand.

    Attributes:
      key: its name in records; "/" is not in it, because ways to make one number of channels are told apart by it.
      label: its heading in a table.
      higher_is_better: or lower.
      score: from attributions and what is known of their explicands to one number each, float array `[N]`. Metrics of
        maps get the maps, float64 `[N, *features]`, and `Explicands`.
      needs: names of attributes of the latter that the metric is not defined without: they may be None for some data.

    Raises:
      ValueError: the key is empty, or has a "/" in it.

    Example:
      >>> largest = Metric("largest", "largest value", True, lambda maps, explicands: maps.max(axis=(1, 2)))
      >>> largest(np.array([[[1.0, 3.0]]]), None)
      array([3.])
    """

    key: str
    label: str
    higher_is_better: bool
    score: Callable[[np.ndarray, Known], Any]
    needs: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.key or "/" in self.key:
            raise ValueError(f'The `key` of a metric must be a name without "/", not {self.key!r}.')

    def applies(self, known: Known) -> bool:
        """Whether there is all that the metric needs."""
        return all(getattr(known, name) is not None for name in self.needs)

    def __call__(self, values: np.ndarray, known: Known) -> np.ndarray:
        """Scores attributions.

        Args:
          values: `[N, ...]`.
          known: what is known of their explicands.

        Returns:
          float64 array `[N]`.

        Raises:
          ValueError: `score` gives another number of scores than there are attributions, or one that is not finite.
        """
        scores = np.asarray(self.score(values, known), np.float64)
        if scores.shape != (len(values),):
            raise ValueError(
                f"The metric {self.key!r} gave scores of shape {scores.shape} for {len(values)} attributions: wanted "
                "is one number for each."
            )
        return finite(f"scores of {self.key}", scores)


class Explicands(Protocol):
    """N explicands, as a metric of their maps meets them."""

    @property
    def view(self) -> ModelView:
        """The network; its explained output are logits."""

    @property
    def inputs(self) -> np.ndarray:
        """`[N, ...]`, the network's inputs."""

    @property
    def points(self) -> np.ndarray:
        """`[N, ...]`, where attributions are made: the inputs, or the values at the `input_layer`."""

    @property
    def target(self) -> np.ndarray:
        """int `[N]`, the explained classes."""

    @property
    def value_range(self) -> tuple[float, float]:
        """(low, high) of the points."""

    @property
    def background(self) -> Any:
        """What features are replaced by, as `information_curve` takes it."""

    @property
    def curve_steps(self) -> int:
        """Points of an information curve."""

    @property
    def masks(self) -> np.ndarray | None:
        """bool `[N, H, W]`, the ground truth, where there is one."""

    @property
    def absent(self) -> np.ndarray | None:
        """bool `[N, *features]` of features that are only padding, where there are any."""

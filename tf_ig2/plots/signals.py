"""Signals: a line over time, with each moment's attribution behind it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tf_ig2.plots import checked, notebook
from tf_ig2.plots.colours import DIVERGING, fraction

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def signal(
    values: Any, samples: Any, channel_names: Sequence[str] | None = None, times: Any = None, title: str = ""
) -> Figure:
    """A signal with its attributions behind it, red for and blue against, a row for each channel, on one scale.

    Args:
      values: float `[T]` or `[T, C]`; `[T]` also for a signal of several channels.
      samples: float `[T]` or `[T, C]`, the explicand.
      channel_names: C names; None: numbers.
      times: float `[T]`, increasing; None: 0, 1, …
      title: above it.

    Returns:
      The figure.

    Raises:
      TypeError, ValueError: other shapes, a batch, NaN or infinite numbers.
    """
    drawn, data = checked.finite(values), checked.finite(samples, "samples")
    if data.ndim not in (1, 2) or drawn.ndim not in (1, 2) or len(drawn) != len(data) or len(data) < 2:
        raise ValueError(
            f"`values` and `samples` must be one signal's, [T] or [T, C] with T > 1, not {list(drawn.shape)} and "
            f"{list(data.shape)}."
        )
    data = data.reshape(len(data), -1)
    channels = data.shape[1]
    if drawn.ndim == 2 and drawn.shape[1] not in (1, channels):
        raise ValueError(f"`values` have {drawn.shape[1]} channels and `samples` {channels}.")
    shares = np.broadcast_to(fraction(drawn).reshape(len(data), -1), data.shape)
    _, names = checked.row(np.zeros(channels), channel_names, "channel_names")
    when = np.arange(len(data), dtype=float) if times is None else checked.finite(times, "times")
    if when.shape != (len(data),) or (np.diff(when) <= 0).any():
        raise ValueError(f"`times` must be {len(data)} increasing numbers.")
    edges = np.concatenate([when[:1], (when[1:] + when[:-1]) / 2, when[-1:]])
    figure = notebook.new(7.0, 1.0 + 1.3 * channels)
    rows = figure.subplots(channels, 1, squeeze=False, sharex=True)[:, 0]
    for number, axes in enumerate(rows):
        line = data[:, number]
        margin = 0.08 * (line.max() - line.min()) or 1.0
        limits = np.array([line.min() - margin, line.max() + margin])
        axes.pcolormesh(edges, limits, shares[None, :, number], cmap=DIVERGING, vmin=-1, vmax=1, alpha=0.8)
        axes.plot(when, line, color="black", linewidth=1.0)
        axes.set_ylim(*limits)
        if channels > 1 or channel_names is not None:
            axes.set_ylabel(names[number])
    rows[-1].set_xlabel("time" if times is not None else "sample")
    figure.suptitle(title)
    return figure

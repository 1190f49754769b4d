"""A small picture inside HTML: an input, or attributions."""

from __future__ import annotations

import base64
import io
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from tf_ig2.plots.panels import heat_map, image


def thumbnail(kind: str, values: Any, inches: float) -> str | None:
    """An `<img>` that holds its PNG.

    Args:
      kind: "input" or "values".
      values: one explicand's array; of a structure there is no picture.
      inches: its height.

    Returns:
      HTML, or None where the values cannot be drawn.
    """
    if not isinstance(values, np.ndarray) or not 0 < values.size < 10_000_000:
        return None
    figure = Figure(figsize=(1.3 * inches, inches), layout="constrained")
    try:
        (image if kind == "input" else heat_map)(figure.subplots(), values)
    except (TypeError, ValueError):
        return None
    content = io.BytesIO()
    figure.savefig(content, format="png", dpi=90)
    data = base64.b64encode(content.getvalue()).decode()
    return f'<img alt="{kind}" src="data:image/png;base64,{data}"/>'

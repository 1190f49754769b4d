"""How far two right computations of one explanation may lie apart."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

EPSILON = {"float32": 2.0**-23, "float64": 2.0**-52, "mixed_float16": 2.0**-10, "mixed_bfloat16": 2.0**-7}
OUTPUTS, VALUES, WALKED, KINKED = 20, 100, 20, 5
"""How many roundings of the largest number the output of a few small layers gathers, and its gradients; how much more
a walk, whose points depend on them; how much more gradients with kinks, which a rounding can cross."""

LARGEST = 0.25
"""Of the largest number; in half precision less than that would say too little, and more finds nothing."""


def outputs_close(trial: Any, scale: float | None = None) -> dict[str, float]:
    """For outputs by the same mathematics in another order; `scale` is their largest, if not the explanation's."""
    epsilon = EPSILON[trial.case.description.policy]
    scale = _outputs_scale(trial) if scale is None else scale
    return {"rtol": 0.0, "atol": OUTPUTS * epsilon * max(scale, 1.0)}


def close(trial: Any) -> dict[str, float]:
    """For attributions by the same mathematics in another order: other batches, without graphs, exported."""
    description, method = trial.case.description, trial.method
    factor = VALUES * (WALKED if method.walks else 1) * (1 if description.smooth else KINKED)
    return {"rtol": 0.0, "atol": min(factor * EPSILON[description.policy], LARGEST) * _scale(trial)}


def integrated(trial: Any) -> dict[str, float]:
    """For an integral that is taken with other nodes: what it may miss, beside rounding."""
    return {"rtol": 0.0, "atol": close(trial)["atol"] + 1e-3 * _scale(trial)}


def same(trial: Any) -> dict[str, float]:
    """For the same program again, on the same rows: only threads within an operation may add in another order."""
    single = EPSILON["float64" if trial.case.description.policy == "float64" else "float32"]
    return {"rtol": 0.0, "atol": 50 * single * _scale(trial)}


def _scale(trial: Any) -> float:
    """The largest value or output; differences of outputs are shared out, so they round as the outputs do."""
    values = max(float(np.abs(part).max()) for part in tf.nest.flatten(trial.explanation.values))
    return max(values, _outputs_scale(trial), 1e-6)


def _outputs_scale(trial: Any) -> float:
    outputs = np.abs(trial.explanation.outputs)
    return float(np.max(outputs, where=np.isfinite(outputs), initial=0.0))

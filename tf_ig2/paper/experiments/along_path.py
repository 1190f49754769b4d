"""The paths of three methods as points, from the baseline (α = 0) to the explicand (α = 1), for Fig. 1 and Fig. 4b."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tf_ig2.explainers.guided_ig import GuidedIGExplainer
from tf_ig2.metrics.predict import Predictor
from tf_ig2.paper.experiments.methods import IG2, ig2_explainer
from tf_ig2.paper.experiments.task import Task
from tf_ig2.paths.keep import Keep

STEPS = 32
"""Of the straight line and of Guided IG; GradPath has its own number."""

_KEEP = Keep(counterfactuals=False, path=True)

Walker = Callable[[Task], np.ndarray]
"""From a task, or a batch of it, to points `[N, R, K + 1, ...]`; point k lies at α = k / K."""


def walkers(task: Task, batch_size: int = 32) -> dict[str, Walker]:
    """The straight line from black, Guided IG's path from black, and GradPath toward the task's references.

    Black is 0 everywhere: a black image, zero word vectors.

    Args:
      task: its `options` are given to the explainers.
      batch_size: rows per forward pass.

    Returns:
      By method; their networks are compiled once, at the first call.
    """
    guided = GuidedIGExplainer(task.view, steps=STEPS, **task.options.get("Guided IG", {}))
    gradpath = ig2_explainer(task)

    def along_guided(part: Task) -> np.ndarray:
        return guided.explain(part.inputs, 0.0, part.target, batch_size=batch_size, keep=_KEEP).path[:, :, ::-1]

    def along_gradpath(part: Task) -> np.ndarray:
        found = gradpath.explain(part.inputs, part.references, part.target, batch_size=batch_size, keep=_KEEP)
        return found.path[:, :, ::-1]

    return {
        "Vanilla IG": lambda part: straight_line(part.points, STEPS)[:, None],
        "Guided IG": along_guided,
        IG2: along_gradpath,
    }


def straight_line(x: np.ndarray, steps: int) -> np.ndarray:
    """Points α·x for x `[N, ...]`: array `[N, steps + 1, ...]`.

    Example:
      >>> straight_line(np.array([[2.0, 4.0]]), 2)[0]
      array([[0., 0.],
             [1., 2.],
             [2., 4.]])
    """
    alphas = np.linspace(0, 1, steps + 1, dtype=x.dtype).reshape(-1, *[1] * (x.ndim - 1))
    return x[:, None] * alphas


def softmax_along(task: Task, points: np.ndarray, batch_size: int = 32) -> np.ndarray:
    """The Softmax of the explained class along paths, averaged over references.

    Args:
      task: whose view gives logits.
      points: `[N, R, K + 1, ...]`.
      batch_size: points per forward pass.

    Returns:
      float array `[N, K + 1]`.
    """
    run = Predictor(task.view, batch_size, "softmax")
    inside = task.view.attributes_inside
    curves = []
    for row, target, inputs in zip(points, task.target, task.inputs, strict=True):
        flat = row.reshape(-1, *row.shape[2:])
        given = np.broadcast_to(inputs, [len(flat), *inputs.shape]) if inside else None
        curves.append(run(flat, given)[:, target].reshape(row.shape[:2]).mean(axis=0))
    return np.stack(curves)

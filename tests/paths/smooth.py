"""A smooth model in float64, and what tests of walks share: who is evaluated, and paths whose rows stop."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from tf_ig2 import ModelView
from tf_ig2.models.explained_output import ExplainedOutput
from tf_ig2.paths.base import Path, Seen, Stop, move
from tf_ig2.paths.keep import Keep

FEATURES = 6
WEIGHTS = 0.5 * np.random.default_rng(4).normal(size=[FEATURES, 5])
HEAD = np.random.default_rng(5).normal(size=[5, 3])


def view(units=1.0, representation=1.0, logits=1.0):
    """f(x) = V·tanh(W·x), with input, representation and logits in other units."""
    return ModelView.from_callables(
        lambda p: representation * tf.tanh(p / units @ WEIGHTS),
        lambda h: logits * (h / representation @ HEAD),
        tf.TensorSpec([None, FEATURES], tf.float64),
    )


def draw(seed=0, explicands=3, references=2):
    """Explicands and references."""
    rng = np.random.default_rng(seed)
    return rng.uniform(-1, 1, [explicands, FEATURES]), rng.uniform(-1, 1, [references, FEATURES])


class Recorder:
    """An evaluator that notes how many rows it is asked about."""

    def __init__(self, model):
        self._model, self.rows = model, []

    def evaluate(self, point, rows, path, **wanted):
        self.rows.append(len(point))
        return self._model.evaluate(point, rows, path, **wanted)

    def select(self, outputs, index):
        return self._model.select(outputs, index)


def explain(explainer, x, references, *, model=None, batch_size=32, keep=None, static=False, on_step=None):
    """The walk of an explainer, eagerly, for output 0."""
    walk = explainer.walk
    given = walk.contrast.give(explainer.view, references, x, batch_size)
    return walk.explain(
        model or ExplainedOutput(explainer.view),
        tf.constant(x),
        (),
        tf.zeros([len(x)], tf.int32),
        tf.nest.map_structure(tf.constant, given.part(slice(None))),
        given.own,
        steps=tf.constant(walk.segments),
        tableau=walk.tableau(given.count, tf.float64),
        batch_size=tf.constant(batch_size),
        keep=keep or Keep(),
        static=static,
        on_step=on_step,
    )


class Goal(NamedTuple):
    """Where a row goes, and after how many steps it stops."""

    point: tf.Tensor
    limit: tf.Tensor


class Taken(NamedTuple):
    velocity: tf.Tensor
    steps: tf.Tensor


@dataclass(frozen=True)
class Rolling(Path):
    """Rolls toward a goal with momentum; a row ends after as many steps as its contrast says."""

    pull: float = 0.25
    momentum: float = 0.5

    @property
    def stops(self):
        return True

    def init(self, rows, steps):
        return Taken(tf.zeros_like(rows.explicand), tf.zeros_like(rows.contrast.limit))

    def step(self, point, seen, rows, state):
        velocity = self.momentum * state.velocity + self.pull * (rows.contrast.point - point)
        stop = tf.where(state.steps >= rows.contrast.limit, int(Stop.ARRIVED), int(Stop.RUNNING))
        return move(point, point + velocity, Taken(velocity, state.steps + 1), stop)

    def points(self, start, goal, steps):
        """The same in NumPy, `[steps + 1, D]`."""
        points, velocity = [start], 0 * start
        for _ in range(steps):
            velocity = self.momentum * velocity + self.pull * (goal - points[-1])
            points.append(points[-1] + velocity)
        return np.stack(points)


class Sine:
    """f(x) = Σ sin x, as an evaluator."""

    def evaluate(self, point, rows, path, *, output_gradient, objective_gradient):
        output = tf.reduce_sum(tf.sin(point), axis=-1)
        return Seen(output, tf.zeros_like(output), tf.cos(point) if output_gradient else ())

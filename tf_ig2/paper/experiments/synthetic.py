"""XAI-BENCH's synthetic data as an experiment: explicands, references, and the five metrics (section 6.1, B.2)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import keras
import numpy as np
import tensorflow as tf

from tf_ig2.contrasts import strategies
from tf_ig2.metrics import xai_bench as metrics
from tf_ig2.metrics.predict import Predictor
from tf_ig2.models.model_view import ModelView
from tf_ig2.paper import saved_models
from tf_ig2.paper.datasets import xai_bench as data
from tf_ig2.paper.experiments.task import Task
from tf_ig2.paper.zoo.mlp import mlp

REPORT, STUDY = 2_000_003, 3_000_017
"""Added to the seed for explicands that results are reported on, and for those that settings are chosen on. The
network was trained on neither."""

OTHER_CLASS, ALL_DATA, NEAREST = "other class", "all data", "nearest of the other class"
"""Where references are drawn from: samples that the network puts in the other class; any samples; or those of the
other class that are nearest to the explicand (Euclidean, among the pool)."""

SINGLE = (metrics.FAITHFULNESS, metrics.MONOTONICITY, metrics.GT_SHAPLEY, metrics.INFIDELITY)
"""The metrics that give every explicand a number; ROAR gives one to all of them."""

_POOL = 4000
_ROWS = 16384


@dataclass(frozen=True)
class Benchmark:
    """Explicands with what the five metrics need to know.

    Attributes:
      task: explicands, references and network. The network's one output is explained, also where it is near 0.
      labels: float array `[N]`, the true ones, 0 and 1.
      seed: of the metrics' draws. Explicand i has the same draws for every method.
      draws: for the expectations of faithfulness and monotonicity; the Shapley values' and infidelity's are ten times
        as many, as in the benchmark.
    """

    task: Task
    labels: np.ndarray
    seed: int = 0
    draws: int = 100

    @cached_property
    def _run(self) -> Predictor:
        return Predictor(self.task.view, _ROWS)

    @cached_property
    def shapley(self) -> np.ndarray:
        """`[N, 5]`, the network's Shapley values under the true distribution of the data."""
        return metrics.shapley_values(
            self._run, self.task.inputs, data.Gaussian(), draws=10 * self.draws, seed=self.seed
        )

    def with_references(self, references: np.ndarray) -> Benchmark:
        """The same explicands, contrasted with other references `[N, R, 5]`; what is known of them is kept."""
        other = replace(self, task=replace(self.task, references=references))
        other.__dict__.update({name: self.__dict__[name] for name in ("_run", "shapley") if name in self.__dict__})
        return other

    def scores(self, rows: np.ndarray, values: np.ndarray) -> list[dict[str, float]]:
        """The metrics of single explicands.

        Args:
          rows: int `[B]`, which explicands.
          values: `[B, 5]`, their attributions.

        Returns:
          For each its scores by the keys of `SINGLE`.
        """
        found = []
        for row, phi in zip(rows, values, strict=True):
            x, shapley, seed = self.task.inputs[row][None], self.shapley[row][None], self.seed + int(row)
            given = metrics.Samples(self._run, x, data.Gaussian(), shapley, self.draws, seed)
            found.append({metric.key: metric(phi[None], given).item() for metric in SINGLE})
        return found

    def roar(self, values: np.ndarray, retraining: Retraining, number: int) -> float:
        """ROAR with everything random (who is trained on, redrawn features, first weights) given by one number.

        Args:
          values: `[N, 5]`, the attributions of all explicands.
          retraining: trains networks.
          number: of the repetition; the same for all methods gives pairs.

        Returns:
          The area under the mean absolute error over the fraction of features removed; larger is better.
        """
        order = np.random.default_rng([self.seed, number]).permutation(len(values))
        given = metrics.Retraining(
            retraining.of(number), self.task.inputs[order], self.labels[order], data.Gaussian(), self.seed + number
        )
        (score,) = metrics.ROAR.score(values[order], given)
        return score


def load(samples: int, references: int, seed: int, split: int = REPORT, kind: str = OTHER_CLASS) -> Benchmark:
    """Draws explicands and references.

    Args:
      samples: N.
      references: R, for each explicand.
      seed: of the draws.
      split: `REPORT` or `STUDY`.
      kind: `OTHER_CLASS`, `ALL_DATA` or `NEAREST`.

    Returns:
      The benchmark with the trained perceptron of Table A.4.
    """
    drawn = data.load(samples, seed + split)
    view = ModelView(saved_models.load("mlp"))
    task = Task(
        name="XAI-BENCH",
        view=view,
        inputs=drawn.x,
        names=tuple(f"sample {i}" for i in range(samples)),
        target=np.zeros(samples, np.int32),
        references=draw_references(view, drawn.x, references, seed + split, kind),
        value_range=(float(drawn.x.min()), float(drawn.x.max())),
        points=drawn.x,
    )
    return Benchmark(task, drawn.y, seed)


def draw_references(view: ModelView, x: np.ndarray, count: int, seed: int, kind: str) -> np.ndarray:
    """References `[N, R, 5]` for explicands `[N, 5]`, from a pool of 4000 samples that are nothing else.

    Args:
      view: the network; its output above ½ is class 1.
      x: the explicands.
      count: R.
      seed: of the pool and the draws.
      kind: see `load`.

    Raises:
      ValueError: unknown `kind`.
    """
    pool = data.load(_POOL, seed + 1).x
    if kind == ALL_DATA:
        return pool[np.random.default_rng(seed).permuted(np.tile(np.arange(_POOL), (len(x), 1)), axis=1)[:, :count]]
    of_pool, own = (np.asarray(view.outputs(points))[:, 0] > 0.5 for points in (pool, x))
    if kind == OTHER_CLASS:
        chosen = strategies.uniform(of_pool.astype(int), own.astype(int), per_class=count, seed=seed)
        return pool[chosen]
    if kind != NEAREST:
        raise ValueError(f"Unknown `kind` of references: {kind!r}. Choose one of {[OTHER_CLASS, ALL_DATA, NEAREST]}.")
    distances = np.linalg.norm(x[:, None].astype(np.float64) - pool, axis=2)
    distances[of_pool == own[:, None]] = np.inf
    return pool[distances.argsort(axis=1)[:, :count]]


class Retraining:
    """Trains the perceptron of Table A.4 anew; built once, so that hundreds of trainings cost seconds.

    Args:
      epochs: passes over the training data.
      batch_size: samples per step.
      learning_rate: of Adam.
    """

    def __init__(self, epochs: int = 20, batch_size: int = 32, learning_rate: float = 5e-3):
        self.epochs, self.batch_size = epochs, batch_size
        self._model, self._optimizer = mlp(), keras.optimizers.Adam(learning_rate)
        self._optimizer.build(self._model.trainable_variables)
        self._blank = self._model.get_weights()
        self._steps = tf.function(self._train, autograph=False, reduce_retracing=True)

    def of(self, number: int) -> Callable[[np.ndarray, np.ndarray], Callable[[np.ndarray], np.ndarray]]:
        """What `roar` calls to train: the same number, the same first weights and the same order of batches."""

        def train(x: np.ndarray, y: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
            glorot = keras.initializers.GlorotUniform(number)
            self._model.set_weights([glorot(w.shape) if w.ndim == 2 else w for w in self._blank])
            for variable in self._optimizer.variables:
                if variable is not self._optimizer._learning_rate:
                    variable.assign(tf.zeros_like(variable))
            rng, size = np.random.default_rng(number), min(self.batch_size, len(x))
            orders = [rng.permutation(len(x))[: len(x) // size * size].reshape(-1, size) for _ in range(self.epochs)]
            self._steps(tf.constant(x, tf.float32), tf.constant(y, tf.float32), tf.constant(np.concatenate(orders)))
            return lambda points: np.asarray(self._model(points, training=False))[:, 0]

        return train

    def _train(self, x: tf.Tensor, y: tf.Tensor, batches: tf.Tensor) -> None:
        """One step of Adam on the mean squared error for each row of sample numbers `[steps, B]`."""

        def step(number: tf.Tensor) -> tuple[tf.Tensor]:
            rows = batches[number]
            with tf.GradientTape() as tape:
                predicted = self._model(tf.gather(x, rows), training=True)[:, 0]
                loss = tf.reduce_mean(tf.square(predicted - tf.gather(y, rows)))
            variables = self._model.trainable_variables
            self._optimizer.apply(tape.gradient(loss, variables), variables)
            return (number + 1,)

        tf.while_loop(lambda number: number < tf.shape(batches)[0], step, (tf.constant(0),), parallel_iterations=1)


def random_attributions(rows: Sequence[int], seed: int) -> np.ndarray:
    """Standard normal numbers `[B, 5]`, the same for the same rows: the benchmark's weakest comparison."""
    return np.array([np.random.default_rng([seed, int(row)]).standard_normal(data.FEATURES) for row in rows])

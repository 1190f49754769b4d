"""What a step of IG² costs: `python benchmarks/ig2_cost.py`.

* Against the bare cost of what a step needs, one forward pass and two input gradients, called in a Python loop.
* Against the same algorithm written as the authors' code is: a NumPy loop over a compiled model callback that searches
  the path first, keeps it, and integrates along it afterwards.

All in one process, in turn; ratios are medians over pairs with their range. Every run does the same steps.
"""

from __future__ import annotations

import itertools

import numpy as np
import tensorflow as tf
from common import mobilenet, paired_ratios, quote

from tf_ig2 import IG2Explainer, Keep, ModelView
from tf_ig2.models.explained_output import ExplainedOutput

STEPS, REFERENCES, STEP_SIZE, TARGET = 5, 8, 1024.0, 236


def bare_step(view: ModelView, goal: tf.Tensor):
    """Forward, distance, output, and both gradients: no normalisation, no clipping, no sum."""

    @tf.function(autograph=False, input_signature=[tf.TensorSpec([None, 224, 224, 3])])
    def step(point: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        with tf.GradientTape(persistent=True, watch_accessed_variables=False) as tape:
            tape.watch(point)
            representation, outputs = view.forward(point)
            distance = tf.reduce_sum(tf.square(representation - goal), axis=-1)
            explained = outputs[:, TARGET]
        return tape.gradient(distance, point), tape.gradient(explained, point)

    return step


def two_pass_loop(view: ModelView, x: np.ndarray, goal: tf.Tensor):
    """The authors' procedure in NumPy over compiled gradients."""
    spec = [tf.TensorSpec([None, 224, 224, 3])]

    @tf.function(autograph=False, input_signature=spec)
    def distance_gradient(point: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(point)
            distance = tf.reduce_sum(tf.square(view.forward(point)[0] - goal), axis=-1)
        return tape.gradient(distance, point)

    @tf.function(autograph=False, input_signature=spec)
    def output_gradient(point: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(point)
            explained = view.forward(point)[1][:, TARGET]
        return tape.gradient(explained, point)

    def run() -> np.ndarray:
        path = [np.repeat(x[None], REFERENCES, axis=0)]
        for _ in range(STEPS):
            gradient = distance_gradient(tf.constant(path[-1])).numpy()
            length = np.sqrt(np.square(gradient).reshape(REFERENCES, -1).sum(axis=1)).reshape(-1, 1, 1, 1)
            path.append(np.clip(path[-1] - STEP_SIZE * gradient / length, 0, 255))
        values = np.zeros_like(path[0])
        for start, end in itertools.pairwise(path):
            values += (start - end) * output_gradient(tf.constant(start)).numpy()
        return values.mean(axis=0)

    return run


def main() -> None:
    model = mobilenet()
    rng = np.random.default_rng(0)
    x = rng.uniform(0, 255, [224, 224, 3]).astype(np.float32)
    references = rng.uniform(0, 255, [REFERENCES, 224, 224, 3]).astype(np.float32)
    explainer = IG2Explainer(model, steps=STEPS, step_size=STEP_SIZE, clip_min_max=(0, 255))
    represented = explainer.represent(references)
    step = bare_step(explainer.view, tf.constant(represented.values))
    batch = tf.constant(np.repeat(x[None], REFERENCES, axis=0))
    # The walk alone, as `explain` calls it, without the prediction of the target and the copy of the results.
    given = explainer.walk.contrast.give(explainer.view, represented, x[None], REFERENCES).part(slice(None))
    explained = ExplainedOutput(explainer.view)

    @tf.function(autograph=False)
    def walk(explicand: tf.Tensor, given: object) -> tf.Tensor:
        return explainer.walk.explain(
            explained,
            explicand,
            (),
            tf.constant([TARGET]),
            given,
            own=False,
            steps=tf.constant(STEPS),
            tableau=explainer.walk.tableau(REFERENCES, tf.float32),
            batch_size=tf.constant(REFERENCES),
            keep=Keep(),
        ).values

    explicand, given = tf.constant(x[None]), tf.nest.map_structure(tf.constant, given)

    def ours() -> np.ndarray:
        return walk(explicand, given).numpy()

    def bare() -> None:
        for _ in range(STEPS):
            _, gradient = step(batch)
        gradient.numpy()

    overhead = 1 / paired_ratios(ours, bare, repeats=15)[0]
    print(f"| one step of the walk / bare forward and two gradients, batch {REFERENCES} | {quote(overhead)} |")

    loop = two_pass_loop(explainer.view, x, tf.constant(represented.values))

    def whole() -> np.ndarray:
        return explainer.explain(x, represented, TARGET, keep=Keep(counterfactuals=False)).values

    similarity = np.corrcoef(whole().ravel(), loop().ravel())[0, 1]  # not 1: long ReLU walks are chaotic
    print(f"Correlation of the two results after {STEPS} steps: {similarity:.3f}")
    print(f"| two-pass NumPy loop over a compiled callback / `explain` | {quote(paired_ratios(whole, loop)[0])} |")


if __name__ == "__main__":
    main()

"""What folding BatchNorm into the convolutions saves: `python benchmarks/folding.py`.

The gradient of one output of MobileNetV2 by its input, batch 8, 224², compiled: the network as it is, and folded.
Random weights and random statistics; both in one process, in turn; ratios are medians over pairs with their range.
"""

from __future__ import annotations

from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf
from common import paired_ratios, quote

from tf_ig2 import ModelView
from tf_ig2.models.network import Network

BATCH, TARGET = 8, 236


def mobilenet() -> keras.Model:
    """MobileNetV2 whose BatchNorms do something."""
    keras.utils.set_random_seed(0)
    model = keras.applications.MobileNetV2(weights=None)
    rng = np.random.default_rng(0)
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.set_weights([rng.uniform(0.5, 1.5, weight.shape) for weight in layer.get_weights()])
    return model


def gradient(view: ModelView, network: Network, steps: int) -> Callable[[], np.ndarray]:
    """The gradient, `steps` times in one loop, of a network in the place of the view's own."""
    view._folded = network

    @tf.function(autograph=False, input_signature=[tf.TensorSpec([BATCH, 224, 224, 3])])
    def walk(point: tf.Tensor) -> tf.Tensor:
        def body(step: tf.Tensor, total: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            here = point + tf.cast(step, tf.float32) * 1e-3
            with tf.GradientTape(watch_accessed_variables=False) as tape:
                tape.watch(here)
                output = view.forward(here, representation=False)[1][:, TARGET]
            return step + 1, total + tape.gradient(output, here)

        zeros = tf.zeros_like(point)
        return tf.while_loop(lambda step, _: step < steps, body, [0, zeros], parallel_iterations=1)[1]

    x = tf.constant(np.random.default_rng(0).uniform(-1, 1, [BATCH, 224, 224, 3]), tf.float32)
    walk.get_concrete_function()
    return lambda: walk(x).numpy()


def main() -> None:
    model = mobilenet()
    view = ModelView(model)
    folded, plain = view._folded, view._network
    for steps in (1, 5):
        ours, theirs = gradient(view, folded, steps), gradient(view, plain, steps)
        difference = np.abs(ours() - theirs()).max() / np.abs(theirs()).max()
        ratios, seconds = paired_ratios(ours, theirs)
        per_step = seconds[:, 0] / steps
        print(
            f"| {steps} gradient(s) in a loop, as it is / folded, batch {BATCH} | {quote(ratios)} | "
            f"{np.median(per_step):.2f} s each, largest difference {difference:.0e} |"
        )


if __name__ == "__main__":
    main()

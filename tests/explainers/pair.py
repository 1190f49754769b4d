"""PAIR's `saliency` as an oracle: a callback around a Keras model, and Guided IG repaired for today's NumPy."""

import numpy as np
import tensorflow as tf


def callback(model, target, dtype):
    """`call_model_function` for one output of a model without softmax."""

    @tf.function(autograph=False, input_signature=[tf.TensorSpec([None, *model.inputs[0].shape[1:]], dtype)])
    def gradient(x):
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(x)
            output = model(x, training=False)[:, target]
        return tape.gradient(output, x)

    def call_model_function(x, call_model_args=None, expected_keys=None):
        assert list(expected_keys) == ["INPUT_OUTPUT_GRADIENTS"]
        return {"INPUT_OUTPUT_GRADIENTS": gradient(np.asarray(x).astype(dtype)).numpy()}

    return call_model_function


def repair_quantile(monkeypatch):
    """Gives `numpy.quantile` back the argument name that PAIR's Guided IG uses."""
    quantile = np.quantile
    monkeypatch.setattr(np, "quantile", lambda a, q, interpolation="linear": quantile(a, q, method=interpolation))


def relative_error(ours, theirs):
    return np.linalg.norm(ours - theirs) / np.linalg.norm(theirs)

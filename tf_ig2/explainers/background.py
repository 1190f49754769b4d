"""References, samples as the model takes them, brought to where attributions are made."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from tf_ig2 import validation
from tf_ig2.contrasts.references import from_dataset
from tf_ig2.explainers.request import entered
from tf_ig2.models.model_view import ModelView


def background(view: ModelView, references: Any, explicands: int, batch_size: int) -> tuple[Any, bool]:
    """The references' values at the `input_layer`, or themselves without one.

    Args:
      view: the model.
      references: structure of arrays `[R, ...]`, `[N, R, ...]` or one `[...]`, or a finite `tf.data.Dataset`.
      explicands: N.
      batch_size: inputs that go through the model together.

    Returns:
      Structure of arrays `[R, ...]`, or `[N, R, ...]`, and whether every explicand has its own.

    Raises:
      TypeError, ValueError: as `tf_ig2.validation.contrasts` and `from_dataset`.
    """
    if isinstance(references, tf.data.Dataset):
        references = from_dataset(references, view.inputs_spec)
    arrays, own = validation.contrasts("references", references, view.inputs_spec, explicands)
    if not view.attributes_inside:
        return arrays, own
    leading = np.shape(tf.nest.flatten(arrays)[0])[: 2 if own else 1]
    flat = tf.nest.map_structure(lambda x: x.reshape(-1, *x.shape[len(leading) :]), arrays)
    points, _ = entered(view, flat, batch_size)
    return tf.nest.map_structure(lambda x: x.reshape(*leading, *x.shape[1:]), points), own

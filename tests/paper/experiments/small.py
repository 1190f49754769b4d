"""A small task that the tests of several experiments share."""

import numpy as np

from tests.networks import conv_net
from tf_ig2.models.model_view import ModelView
from tf_ig2.paper.experiments.task import Task


def small_task(samples=2, references=2, **options):
    rng = np.random.default_rng(0)
    x = rng.random([samples, 12, 12, 3], np.float32)
    view = ModelView(conv_net())
    return Task(
        name="small",
        view=view,
        inputs=x,
        names=tuple(f"image {i}" for i in range(samples)),
        target=np.asarray(view.outputs(x)).argmax(axis=1).astype(np.int32),
        references=rng.random([samples, references, 12, 12, 3], np.float32),
        value_range=(0.0, 1.0),
        points=x,
        options=options,
        notes=("A small task.",),
    )

"""What the methods of all experiments are on words."""

import keras
import numpy as np

from tf_ig2.models.model_view import ModelView
from tf_ig2.paper.experiments import rivals
from tf_ig2.paper.experiments.task import Task


def words_task(layer):
    keras.utils.set_random_seed(0)
    layers = [keras.Input([5], dtype="int32"), keras.layers.Embedding(9, 3, name="words")]
    layers += [keras.layers.Dense(3, "tanh", name="behind"), keras.layers.Flatten(), keras.layers.Dense(3)]
    view = ModelView(keras.Sequential(layers), input_layer=layer)
    x = np.array([[1, 2, 3, 4, 5], [5, 6, 7, 8, 0]], np.int32)
    return Task(
        name="words",
        view=view,
        inputs=x,
        names=("one", "two"),
        target=np.array([0, 2], np.int32),
        references=np.array([[[3, 3, 3, 3, 3], [7, 1, 7, 1, 7]]] * 2, np.int32),
        value_range=(-1.0, 1.0),
        points=np.asarray(view.points(x)),
    )


def test_words_have_methods_of_their_own_and_where_there_are_no_words_one_fewer():
    task = words_task("words")
    found = rivals.defaults(task, gradients=4)
    for name in (rivals.SEQUENTIAL, rivals.DISCRETIZED):
        assert found[name](task).shape == task.points.shape
    behind = rivals.defaults(words_task("behind"), gradients=4)
    assert set(found) - set(behind) == {rivals.DISCRETIZED}

"""What a view of a model needs to be made again, in another process or of a copy of the model."""

from __future__ import annotations

import pickle
from typing import Any

import keras

from tf_ig2.errors import LayerError
from tf_ig2.models import keras_graph


def named(model: keras.Model, layer: Any) -> Any:
    """A layer, or several, by names and indices that find them in a copy of the model too.

    Args:
      model: the model.
      layer: what names a layer: a name, an index, one of the model's layers, None, or a list or tuple of these.

    Returns:
      The same with every layer by its name, its index, or its way `"outer/inner"`.

    Raises:
      LayerError: a layer of a nested model shares its name with others there.

    Example:
      >>> model = keras.Sequential([keras.Input([4]), keras.layers.Dense(3, name="only")])
      >>> named(model, model.layers[0]), named(model, -1)
      ('only', -1)
    """
    if isinstance(layer, (list, tuple)):
        return [named(model, one) for one in layer]
    return layer if not isinstance(layer, keras.layers.Layer) else _way(model, layer)


def _way(model: keras.Model, layer: keras.layers.Layer) -> str | int:
    try:
        if keras_graph.find_layer(model, layer.name) is layer:
            return layer.name
    except LayerError:  # several of that name
        pass
    for index, outer in enumerate(model.layers):
        if outer is layer:
            return index
    for outer in model.layers:
        if keras_graph.is_graph(outer) and any(inner is layer for inner in keras_graph.operations(outer)):
            way = f"{_way(model, outer)}/{_way(outer, layer)}"
            if keras_graph.find_layer(model, way) is layer:
                return way
    raise LayerError(f"The layer {layer.name!r} has no name of its own in {model.name!r}, by which a copy finds it.")


def check_callable(function: Any) -> None:
    """Checks that a callable that a view was made of can be pickled.

    Raises:
      TypeError: it cannot.
    """
    try:
        pickle.dumps(function)
    except Exception as error:  # whatever its own pickling raises
        raise TypeError(
            f"This ModelView was made of callables, and {function!r} cannot be pickled ({error}): use functions from "
            "the top of a module, Keras models, or objects of a class of yours, and no lambdas."
        ) from error

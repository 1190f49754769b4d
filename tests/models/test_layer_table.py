"""The table of inner layers: every name works, and the marks are right."""

import keras
import numpy as np
import pytest
from keras import layers

from tf_ig2 import GradientExplainer, ModelView, inner_layers


def residual():
    inputs = keras.Input((8, 8, 3))
    stem = layers.Conv2D(4, 3, padding="same", name="stem")(inputs)
    block = layers.Conv2D(4, 3, padding="same", name="block")(stem)
    added = layers.Add(name="added")([block, stem])
    beside = layers.Dense(7, name="beside")(layers.Flatten(name="flat")(stem))
    return keras.Model(
        inputs, [layers.Dense(3, name="last")(layers.GlobalAveragePooling2D(name="pool")(added)), beside]
    )


def by_name(table):
    return {layer.name: layer for layer in table}


def test_the_layers_on_the_way_to_the_output_in_order():
    assert [layer.name for layer in inner_layers(residual())] == ["stem", "block", "added", "pool", "last"]
    assert [layer.name for layer in inner_layers(residual(), output=1)] == ["stem", "flat", "beside"]


def test_what_a_connection_goes_around_is_not_on_all_paths():
    marks = {layer.name: layer.all_paths for layer in inner_layers(residual())}
    assert marks == {"stem": True, "block": False, "added": True, "pool": True, "last": True}
    assert all(layer.input_layer for layer in inner_layers(residual()))


def test_the_share_above():
    table = by_name(inner_layers(residual()))
    stem, block, last = 27 * 4 * 64, 36 * 4 * 64, 12
    assert table["stem"].above == pytest.approx((block + last) / (stem + block + last))
    assert table["block"].above == pytest.approx(last / (stem + block + last))
    assert table["last"].above == 0


def test_shapes_and_kinds():
    table = by_name(inner_layers(residual()))
    assert table["block"].shape == (8, 8, 4)
    assert table["pool"].kind == "GlobalAveragePooling2D"


def test_names_in_nested_models_are_usable():
    inner = keras.Sequential([keras.Input((4,)), layers.Dense(3, "tanh", name="deep")], name="inner")
    outer = keras.Sequential([keras.Input((4,)), inner, layers.Dense(2, name="last")])
    table = inner_layers(outer)
    assert [layer.name for layer in table] == ["inner/deep", "inner", "last"]
    for layer in table[:2]:
        assert ModelView(outer, layer=layer.name).representation_spec.shape == (None, 3)
        explainer = GradientExplainer(outer, input_layer=layer.name)
        assert explainer.explain(np.ones([2, 4])).values.shape == (2, 3)


def test_shared_layers_and_integers_are_no_entries():
    tokens, dense = keras.Input((5,), dtype="int32"), layers.Dense(4, name="shared")
    shifted = layers.Identity(name="integers")(tokens)
    embedded = layers.Embedding(9, 4, name="embedding")(shifted)
    model = keras.Model(tokens, layers.Dense(2, name="last")(layers.GlobalAveragePooling1D()(dense(dense(embedded)))))
    table = by_name(inner_layers(model))
    assert not table["integers"].input_layer
    assert not table["shared"].input_layer
    assert table["embedding"].input_layer
    assert table["embedding"].all_paths


def test_it_prints_as_a_table():
    lines = str(inner_layers(residual())).splitlines()
    assert lines[0].split() == ["name", "kind", "output", "above", "input_layer"]
    assert lines[1].split() == ["stem", "Conv2D", "8", "×", "8", "×", "4", "57%", "all", "paths"]
    assert lines[2].endswith("yes")
    assert len({line.index("Conv2D") for line in lines[1:3]}) == 1


def test_what_is_no_model_is_refused():
    with pytest.raises(TypeError, match=r"keras\.Model"):
        inner_layers("model.keras")
    with pytest.raises(ValueError, match="`output` must be the number of one of 2 outputs, not 2"):
        inner_layers(residual(), output=2)

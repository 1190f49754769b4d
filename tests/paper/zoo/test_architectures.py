"""The networks have the shapes of the paper's tables."""

import keras
import numpy as np
import pytest

from tests.networks import needs_data
from tf_ig2 import IG2Explainer, ModelView
from tf_ig2.paper.datasets.folder import CorruptDataError, MissingDataError
from tf_ig2.paper.zoo.face_attributes import face_attributes
from tf_ig2.paper.zoo.imagenet import inception_v3, mobilenet_v2
from tf_ig2.paper.zoo.mlp import mlp
from tf_ig2.paper.zoo.text_cnn import text_cnn
from tf_ig2.paper.zoo.wafer_cnn import wafer_cnn


def test_the_wafer_cnn_is_that_of_table_b5():
    model = wafer_cnn()
    assert [layer.kernel.shape for layer in model.layers if hasattr(layer, "kernel")] == [
        (3, 3, 3, 32),
        (3, 3, 32, 64),
        (3, 3, 64, 128),
        (8192, 1250),
        (1250, 9),
    ]
    assert model(np.zeros([2, 56, 56, 3])).shape == (2, 9)


def test_the_mlp_is_that_of_table_a4():
    model = mlp()
    assert [type(layer).__name__ for layer in model.layers] == [
        *("Dense", "BatchNormalization", "Activation", "Dense", "Dense")
    ]
    assert [layer.kernel.shape for layer in model.layers if hasattr(layer, "kernel")] == [(5, 64), (64, 16), (16, 1)]


def test_the_text_cnn_is_explained_at_its_embedding():
    keras.utils.set_random_seed(0)
    model = text_cnn(20, length=7, dimensions=4, filters=3)
    words = np.array([[2, 3, 4, 5, 0, 0, 0]], np.int32)
    explanation = IG2Explainer(model, steps=3, input_layer="embedding").explain(words, words[:, ::-1])
    assert explanation.values.shape == (1, 7, 4)
    assert np.isfinite(explanation.values).all()


def test_representations_are_where_the_paper_has_them():
    assert ModelView(wafer_cnn(units=10)).representation_spec.shape == (None, 10)
    assert ModelView(mlp(), output="raw").representation_spec.shape == (None, 16)


def test_faces_have_forty_independent_outputs():
    keras.utils.set_random_seed(0)
    backbone = keras.Sequential(
        [
            keras.Input((8, 8, 3)),
            keras.layers.Conv2D(4, 3),
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dense(10, "softmax"),
        ]
    )
    model = face_attributes(backbone)
    assert model.output_shape == (None, 40)
    assert len(model.trainable_variables) == 2  # the head
    assert len(face_attributes(backbone, trainable=True).trainable_variables) == 4
    assert ModelView(model).output_spec.shape == (None, 40)
    outputs = model(np.ones([1, 8, 8, 3])).numpy()
    assert ((outputs > 0) & (outputs < 1)).all()
    assert abs(outputs.sum() - 1) > 1  # no softmax


def test_a_backbone_without_a_dense_layer_is_refused():
    with pytest.raises(ValueError, match="no dense layer"):
        face_attributes(keras.Sequential([keras.Input([4]), keras.layers.Flatten()]))


def test_applications_take_pixels():
    for model, size in ((mobilenet_v2(weights=None), 224), (inception_v3(weights=None), 299)):
        assert (model.input_shape, model.output_shape) == ((None, size, size, 3), (None, 1000))
        assert model.get_layer("rescaling").scale == pytest.approx(1 / 127.5)
        assert model.layers[-1].input.shape == (None, {224: 1280, 299: 2048}[size])


def test_weights_that_cannot_be_had(monkeypatch):
    def refused(**options):
        raise OSError("no network")

    monkeypatch.setattr(keras.applications, "InceptionV3", refused)
    refused.__name__ = "InceptionV3"
    with pytest.raises(MissingDataError, match=r"InceptionV3 could not be had: no network\. Pass weights"):
        inception_v3()


def test_local_weights(monkeypatch, tmp_path):
    monkeypatch.setenv("TF_IG2_DATA_DIR", str(tmp_path))
    with pytest.raises(MissingDataError, match=r"mobilenet_v2_imagenet\.keras"):
        mobilenet_v2()
    (tmp_path / "x.keras").write_bytes(b"nothing")
    with pytest.raises(CorruptDataError, match="cannot be read as a Keras model"):
        mobilenet_v2(tmp_path / "x.keras")
    mlp().save(tmp_path / "mlp.keras")
    with pytest.raises(CorruptDataError, match=r"maps \(None, 5\) to \(None, 1\)"):
        mobilenet_v2(tmp_path / "mlp.keras")


@needs_data
def test_the_local_mobilenet():
    model = mobilenet_v2()
    assert model.count_params() == 3_487_816

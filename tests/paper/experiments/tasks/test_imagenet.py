"""ImageNet's photographs are parted once; references are of other classes. A tiny network stands in for MobileNetV2."""

from functools import cache

import keras
import numpy as np
import pytest
from keras import layers

from tf_ig2.paper.experiments.tasks import imagenet


@pytest.fixture(scope="module")
def load(data_dir):
    """The loader, with each half loaded once."""
    keras.utils.set_random_seed(0)
    bright = keras.Sequential(
        [keras.Input((224, 224, 3)), layers.AveragePooling2D(56), layers.Flatten(), layers.Dense(12, "softmax")]
    )
    photographs = cache(imagenet.imagenet.load)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(imagenet.NETWORKS, "MobileNetV2", lambda: bright)
        patch.setattr(imagenet.imagenet, "load", lambda *size, source=None: photographs())
        yield cache(imagenet.load)


def test_the_halves_are_disjoint_and_cover_all_masked_photographs(load):
    study, report, every = (load(half=half, references=2) for half in ("study", "report", "all"))
    assert not set(study.names) & set(report.names)
    assert sorted(study.names + report.names) == sorted(every.names)
    photographs = imagenet.imagenet.load(None)
    masked = [name for name, mask in zip(photographs.names, photographs.masks, strict=True) if mask.any()]
    assert sorted(every.names) == sorted(masked)
    assert abs(len(study) - len(report)) <= 1


def test_the_halves_do_not_depend_on_the_seed(load):
    assert load(half="study", references=2, seed=1).names == load(half="study", references=2).names


def test_references_are_of_other_classes_and_never_the_explicand(load):
    task = load(half="all", references=2)
    predicted = np.asarray(task.view.outputs(task.references.reshape(-1, 224, 224, 3))).argmax(axis=1)
    assert (predicted.reshape(len(task), 2) != task.target[:, None]).all()
    assert (task.references != task.inputs[:, None]).any(axis=(2, 3, 4)).all()


def test_fewer_samples_are_the_first_with_the_same_references(load):
    every, few = load(half="report", references=2), load(half="report", references=2, samples=3)
    assert few.names == every.names[:3]
    np.testing.assert_array_equal(few.references, every.references[:3])


@pytest.mark.parametrize(
    ("wrong", "message"), [({"half": "third"}, "Unknown `half`"), ({"samples": 999}, "999 samples")]
)
def test_what_there_is_not_is_refused(load, wrong, message):
    with pytest.raises(ValueError, match=message):
        load(references=2, **wrong)

"""IG² on real photographs through MobileNetV2; skipped without TF_IG2_DATA_DIR."""

import keras
import numpy as np
import pytest
from PIL import Image
from sklearn.metrics import roc_auc_score

from tf_ig2 import IG2Explainer, images

OTHERS = (
    *("fire engine.jpg", "killer whale.jpg", "acorn.jpg", "tile roof.jpg"),
    *("bagel.jpg", "airship.jpg", "volleyball.jpg", "stage.jpg"),
)


@pytest.fixture(scope="module")
def mobilenet(data_dir):
    return keras.models.load_model(data_dir / "models" / "mobilenet_v2_imagenet.keras", compile=False)


@pytest.fixture(scope="module")
def photographs(data_dir):
    return lambda *names: np.stack([images.read(data_dir / "imagenet" / "images" / n, 224, 224, 3) for n in names])


def test_the_map_of_a_dog_is_dog_shaped(mobilenet, photographs, data_dir):
    explanation = IG2Explainer(mobilenet, clip_min_max=(0, 255)).explain(
        photographs("doberman.png")[0], photographs(*OTHERS)
    )
    with Image.open(data_dir / "imagenet" / "masks" / "doberman.png") as picture:
        mask = np.asarray(picture.resize((224, 224), Image.Resampling.NEAREST)) > 127
    importance = np.abs(explanation.values).sum(axis=-1)
    assert int(explanation.target) == 236  # Doberman
    assert roc_auc_score(mask.ravel(), importance.ravel()) > 0.85
    assert explanation.counterfactual_output.mean() < 0.6 * explanation.output


def test_the_segment_rule_adds_up_on_a_real_network(mobilenet, photographs):
    explainer = IG2Explainer(mobilenet, steps=5, clip_min_max=(0, 255), rule="segment", nodes=16)
    x = photographs("doberman.png", "Chihuahua.jpg", "agaric.jpg")
    assert (explainer.explain(x, photographs(*OTHERS[:2])).relative_completeness_gap <= 0.1).all()

"""Trains the small CNN that `tf-ig2 demo` and the tests explain: `python saved_models/train_digits.py`.

Data: the 1,797 handwritten digits of 8 × 8 pixels that scikit-learn ships (UCI Optical Recognition of Handwritten
Digits); one fifth, stratified, is held out. Seeded, about 25 seconds on two cores. Writes digits_cnn.keras, its report
with the measured accuracy, digits_cnn.json, and the table of networks, README.md, beside this file.
"""

from pathlib import Path

import keras
from keras import layers

from tf_ig2.paper.datasets.digits import load_digits
from tf_ig2.paper.zoo import table
from tf_ig2.paper.zoo.recipes.trained import Trained

SEED, EPOCHS = 0, 25


def main() -> None:
    keras.utils.set_random_seed(SEED)
    (x_train, y_train), (x_test, y_test) = load_digits()
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            layers.Rescaling(1 / 16),
            layers.Conv2D(32, 3, padding="same", activation="relu"),
            layers.Conv2D(32, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(),
            layers.Conv2D(64, 3, padding="same", activation="relu"),
            layers.Flatten(),
            layers.Dropout(0.3),
            layers.Dense(64, activation="relu"),
            layers.Dense(10, activation="softmax"),
        ],
        name="digits_cnn",
    )
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(x_train, y_train, epochs=EPOCHS, batch_size=64, verbose=2)
    accuracy = model.evaluate(x_test, y_test, verbose=0)[1]
    report = {
        "model": "three convolutions, two dense layers",
        "data": "UCI handwritten digits of 8 × 8 pixels, as in scikit-learn",
        "test_accuracy": round(float(accuracy), 4),
        "test_samples": len(y_test),
        "parameters": model.count_params(),
        "seed": SEED,
        "epochs": EPOCHS,
    }
    here = Path(__file__).parent
    Trained(model, report).save(here)
    table.write(here)
    print(report)


if __name__ == "__main__":
    main()

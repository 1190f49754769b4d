"""Which photographs show something beside the explained object that could interfere with it (section 7.1.2).

The paper parts its photographs into "with interference" and "pure background" and does not say how. Here they were
looked at, at 224 × 224 and before any of them was explained, and parted by this rule: a photograph has interference if
a person (or a hand, or legs), another animal, or another thing that could be carried out of it is recognisable beside
the object. Ground, sky, water, plants, rocks, walls, buildings, what the object stands or lies on, and further objects
of the same class are background.

The probability of the second-best prediction would not do as a rule: it is high for classes that look alike (agaric and
mushroom, leopard and jaguar) before any background, and low for a basketball beside its player.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

WITH_INTERFERENCE = {
    "acorn squash.jpg": "a hand with a knife",
    "bagel.jpg": "chairs",
    "basketball.jpg": "a player",
    "basketball_1.jpg": "an animal",
    "basketball_3.jpg": "players",
    "basketball_4.jpg": "a child",
    "cornet.jpg": "players, a hat",
    "cornet_1.jpg": "the player",
    "dock.jpg": "sailing boats",
    "fire engine.jpg": "a car",
    "grey whale_1.jpg": "a boat with people",
    "leopard.jpg": "the moon, pasted in",
    "papillon.jpg": "a toy burger",
    "papillon_1.jpg": "a person",
    "police van.jpg": "cars",
    "ringlet.jpg": "a finger",
    "rugby ball.jpg": "legs of players",
    "rugby ball_1.jpg": "a hand, shoes",
    "rugby ball_2.jpg": "players",
    "tow truck_1.jpg": "a man on top",
    "trombone_1.jpg": "a hand",
    "volleyball.jpg": "the net",
    "volleyball_1.jpg": "a man, boats",
}
"""Photograph → what interferes."""

PURE_BACKGROUND = frozenset(
    f"{name}.{'png' if name == 'doberman' else 'jpg'}"
    for name in (
        *("Chihuahua", "Chihuahua_1", "acorn", "acorn_1", "agaric", "agaric_1", "airship", "airship_1", "basketball_2"),
        *("black-and-tan coonhound", "black-and-tan coonhound_1", "bolete", "bolete_1", "cheetah", "chimpanzee"),
        *("chimpanzee_1", "colobus", "colobus_1", "doberman", "fire engine_1", "fire engine_2", "fireboat", "gorilla"),
        *("great white shark", "grey whale", "hammerhead", "howler monkey", "jaguar", "jaguar_1", "killer whale"),
        *("killer whale_1", "king penguin", "king penguin_1", "leopard_1", "liner", "miniature pinscher", "monarch"),
        *("monarch_1", "mushroom", "mushroom_1", "papillon_2", "police van_1", "recreational vehicle"),
        *("recreational vehicle_1", "rugby ball_3", "sax_1", "siamang", "siamang_1", "tiger shark", "tiger shark_1"),
        *("tow truck", "toy terrier", "toy terrier_1", "trombone"),
    )
)


def has_interference(names: Sequence[str]) -> np.ndarray:
    """Bool array `[N]`: which of the photographs have interference.

    Args:
      names: N names of files.

    Raises:
      ValueError: a photograph that nobody has looked at.

    Example:
      >>> has_interference(["volleyball.jpg", "acorn.jpg"])
      array([ True, False])
    """
    unknown = [name for name in names if name not in WITH_INTERFERENCE and name not in PURE_BACKGROUND]
    if unknown:
        raise ValueError(
            f"Nobody has said whether these photographs have interference: {unknown}. Look at them, and add them to "
            "WITH_INTERFERENCE or PURE_BACKGROUND."
        )
    return np.array([name in WITH_INTERFERENCE for name in names], bool)

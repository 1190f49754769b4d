"""Damage to bytes, by a seed."""

import numpy as np

EDGES = (0x00, 0x01, 0x7F, 0x80, 0xFF)


def mutated(data, seed):
    """The bytes with one to four wounds of random kinds; never the bytes themselves."""
    rng = np.random.default_rng(seed)
    found = data
    while found == data:
        for _ in range(rng.integers(1, 5)):
            found = bytes(WOUNDS[rng.integers(len(WOUNDS))](bytearray(found), rng))
    return found


def _place(data, rng):
    return int(rng.integers(len(data) + 1))


def _flip(data, rng):
    if data:
        data[rng.integers(len(data))] ^= 1 << rng.integers(8)
    return data


def _byte(data, rng):
    if data:
        data[rng.integers(len(data))] = rng.integers(256)
    return data


def _edge(data, rng):
    """Two or four bytes that are edges of numbers: sizes and offsets live on them."""
    width, start = int(rng.choice([2, 4, 8])), _place(data, rng)
    value = EDGES[rng.integers(len(EDGES))]
    data[start : start + width] = bytes([value]) * len(data[start : start + width])
    return data


def _cut(data, rng):
    return data[: _place(data, rng)]


def _remove(data, rng):
    start = _place(data, rng)
    del data[start : start + int(rng.integers(1, 65))]
    return data


def _repeat(data, rng):
    start = _place(data, rng)
    part = data[start : start + int(rng.integers(1, 65))]
    data[start:start] = part * int(rng.integers(1, 9))
    return data


def _insert(data, rng):
    start = _place(data, rng)
    data[start:start] = rng.bytes(int(rng.integers(1, 17)))
    return data


def _move(data, rng):
    start, goal = _place(data, rng), _place(data, rng)
    part = data[start : start + int(rng.integers(1, 65))]
    data[goal : goal + len(part)] = part
    return data


WOUNDS = (_flip, _byte, _edge, _cut, _remove, _repeat, _insert, _move)

"""Writes pickles as old pandas did, without it: stand-ins under its module names, as `pickle` records only names."""

import pickle
import sys
import types

import numpy as np

TABLE = {
    "waferMap": [np.array([[0, 1], [1, 2]], np.uint8), np.array([[1, 2, 0]], np.uint8), np.ones([2, 2], np.uint8)],
    "dieSize": [3.0, 2.0, 4.0],
    "lotName": ["lot1", "lot1", "lot2"],
    "waferIndex": [1.0, 2.0, 3.0],
    "trianTestLabel": [np.array([["Training"]]), np.array([["Test"]]), np.zeros([0, 0])],
    "failureType": [np.array([["Edge-Loc"]]), np.array([["none"]]), np.zeros([0, 0])],
}


def write(path, table, monkeypatch, protocol=2):
    """`_new_Index` and the four-part state of pandas 0.14 … 0.19, which LSWMD.pkl has."""
    base = _module("pandas.indexes.base", monkeypatch)
    frames, internals = _module("pandas.core.frame", monkeypatch), _module("pandas.core.internals", monkeypatch)
    index_type = _stand_in(base, "Index")
    range_type = _stand_in(base, "RangeIndex")

    def new_index(kind, data):
        raise AssertionError("pickled, never called")

    new_index.__module__, new_index.__qualname__ = base.__name__, "_new_Index"
    new_index.__name__, base._new_Index = "_new_Index", new_index

    def index(kind, data):
        made = object.__new__(kind)
        kind.__reduce__ = lambda self: (new_index, (type(self), self.data))
        made.data = data
        return made

    rows = len(next(iter(table.values())))
    columns = index(index_type, {"data": np.array(list(table), dtype=object), "name": None})
    labels = index(range_type, {"start": 0, "stop": rows, "step": 1, "name": None})
    numbers = [name for name, values in table.items() if isinstance(values[0], float)]
    others = [name for name in table if name not in numbers]
    blocks = []
    for names in (numbers, others):
        values = np.empty([len(names), rows], float if names is numbers else object)
        for row, name in enumerate(names):
            for column, value in enumerate(table[name]):
                values[row, column] = value
        places = [list(table).index(name) for name in names]
        even = len(places) > 1 and len(set(np.diff(places))) == 1
        locations = slice(places[0], places[-1] + 1, places[1] - places[0]) if even else np.array(places)
        blocks.append({"values": values, "mgr_locs": locations})
    manager_type, frame_type = _stand_in(internals, "BlockManager"), _stand_in(frames, "DataFrame")
    manager, frame = manager_type(), frame_type()
    axes = [columns, labels]
    manager.state = (axes, [], [], {"0.14.1": {"axes": axes, "blocks": blocks}})
    frame.state = {"_data": manager, "_typ": "dataframe", "_metadata": []}
    path.write_bytes(pickle.dumps(frame, protocol))
    return path


class Hostile:
    """Unpickled by `pickle.load`, it makes a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


def _module(name, monkeypatch):
    module = types.ModuleType(name)
    for depth in range(1, name.count(".") + 1):
        parent = ".".join(name.split(".")[:depth])
        if parent not in sys.modules:
            monkeypatch.setitem(sys.modules, parent, types.ModuleType(parent))
    monkeypatch.setitem(sys.modules, name, module)
    return module


def _stand_in(module, name):
    kind = type(name, (), {"__module__": module.__name__, "__getstate__": lambda self: self.state})
    setattr(module, name, kind)
    return kind

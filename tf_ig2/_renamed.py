"""Modules under the names that they used to have: what users have written still runs."""

from __future__ import annotations

import importlib
import importlib.util
import sys
import warnings
from importlib.abc import Loader
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

_PERMANENT = {
    "tf_ig2.compat": "tf_ig2.pair.authors",
    "tf_ig2.datasets": "tf_ig2.paper.datasets",
}
"""Short public names; both names are there to stay."""

_RENAMED = {
    "tf_ig2.callback_view": "tf_ig2.pair.callback_view",
    "tf_ig2.distances": "tf_ig2.paths.distances",
    "tf_ig2.experiments": "tf_ig2.paper.experiments",
    "tf_ig2.explained_output": "tf_ig2.models.explained_output",
    "tf_ig2.keras_graph": "tf_ig2.models.keras_graph",
    "tf_ig2.model_files": "tf_ig2.models.model_files",
    "tf_ig2.model_view": "tf_ig2.models.model_view",
    "tf_ig2.normalizers": "tf_ig2.paths.normalizers",
    "tf_ig2.paths.integrate": "tf_ig2.paths.walk",
    "tf_ig2.regions": "tf_ig2.segments.regions",
    "tf_ig2.saved_models": "tf_ig2.paper.saved_models",
    "tf_ig2.segmentation": "tf_ig2.segments.segmentation",
    "tf_ig2.serving.commands": "tf_ig2.serving_commands",
    "tf_ig2.serving.files": "tf_ig2.files",
    "tf_ig2.serving.fingerprint": "tf_ig2.fingerprint",
    "tf_ig2.zoo": "tf_ig2.paper.zoo",
}


class _Finder:
    """Finds a module of one of these names, or inside a package of one of them, where it is now."""

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        new = _new_name(name)
        return None if new is None else importlib.util.spec_from_loader(name, _Loader(new))


class _Loader(Loader):
    def __init__(self, name: str):
        self._name = name

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        if not any(_within(spec.name, name) for name in _PERMANENT):
            warnings.warn(f"{spec.name} is now {self._name}.", DeprecationWarning, stacklevel=2)
        module = importlib.import_module(self._name)
        self._spec = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        module.__spec__ = self._spec  # the module is what it was, under two names


def _within(name: str, package: str) -> bool:
    return name == package or name.startswith(f"{package}.")


def _new_name(name: str) -> str | None:
    for old, new in {**_PERMANENT, **_RENAMED}.items():
        if _within(name, old):
            return new + name[len(old) :]
    return None


def install() -> None:
    """Makes the old names importable."""
    if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.append(_Finder())

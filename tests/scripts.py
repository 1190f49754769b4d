"""Python files that belong to no package."""

import importlib.util
from pathlib import Path


def loaded(path):
    """The file at a path as a module of its own; each call runs it anew."""
    spec = importlib.util.spec_from_file_location(Path(path).stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module

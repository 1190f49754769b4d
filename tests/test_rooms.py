"""The rooms of the house: who imports whom, read from the source, inside functions and for types alone too."""

import ast
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import tf_ig2

HOME = Path(tf_ig2.__file__).parent
APPARATUS = {
    "tf_ig2.demo": {"tf_ig2.paper.datasets.digits", "tf_ig2.paper.saved_models"},
    "tf_ig2.cli": {"tf_ig2.paper.experiments.commands"},
}
"""What may be imported of the paper's apparatus from outside: the demo its digits, the command line `reproduce`."""


def modules(home):
    """Name → file, of a package in a folder."""
    found = {}
    for path in sorted(home.rglob("*.py")):
        parts = (home.name, *path.relative_to(home).with_suffix("").parts)
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imported(path, known):
    """Of a file: those of the known modules that any of its import statements names."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}: imports are absolute"
            inner = {f"{node.module}.{alias.name}" for alias in node.names}
            names |= {name if name in known else node.module for name in inner}
    return names & set(known)


def graph(home):
    """Module → those that it imports."""
    known = modules(home)
    return {name: imported(path, known) for name, path in known.items()}


def test_no_module_imports_itself_by_way_of_others():
    list(TopologicalSorter(graph(HOME)).static_order())


@pytest.mark.parametrize(
    "back",
    [
        "from room import a",
        "import room.a",
        "def later():\n    from room.a import x",
        "if TYPE_CHECKING:\n    from room.a import X",
    ],
)
def test_a_circle_is_found_wherever_the_import_stands(tmp_path, back):
    home = tmp_path / "room"
    home.mkdir()
    for name, text in {"__init__": "", "a": "from room.b import y", "b": back}.items():
        (home / f"{name}.py").write_text(text)
    with pytest.raises(CycleError, match=r"room\.a"):
        list(TopologicalSorter(graph(home)).static_order())


def test_nothing_outside_the_papers_apparatus_imports_it():
    outside = {name: found for name, found in graph(HOME).items() if not name.startswith("tf_ig2.paper")}
    taken = {name: {other for other in found if other.startswith("tf_ig2.paper")} for name, found in outside.items()}
    assert {name: found for name, found in taken.items() if found} == APPARATUS


def private_names(path):
    """Of a file: the private names of other objects than `self` and `cls`, and of other modules."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Attribute) and not (
            isinstance(node.value, ast.Name) and node.value.id in ("self", "cls")
        ):
            found.add(node.attr)
        elif isinstance(node, ast.ImportFrom) and node.module != "tf_ig2._version":
            found.update(alias.name for alias in node.names)
    return {name for name in found if name.startswith("_") and not name.endswith("__")}


@pytest.mark.parametrize("path", sorted((HOME / "serving").glob("*.py")), ids=lambda path: path.stem)
def test_serving_uses_no_private_name_of_an_explainer(path):
    assert not private_names(path)


def test_private_names_are_found_wherever_they_stand(tmp_path):
    path = tmp_path / "module.py"
    path.write_text("from a import _b\nexplainer._walk\nself._own\nexplainer.view._trace().__class__")
    assert private_names(path) == {"_b", "_walk", "_trace"}


def test_loading_the_package_does_not_load_the_papers_apparatus_nor_its_pictures():
    assert not {name for name in imported(HOME / "__init__.py", modules(HOME)) if "paper" in name or "plots" in name}

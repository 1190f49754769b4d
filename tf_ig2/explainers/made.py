"""Explainers as they were made: what they were made with stays, and they can be made again elsewhere."""

from __future__ import annotations

import abc
import functools
import inspect
from typing import Any


class Making(abc.ABCMeta):
    """The type of explainers: marks them when their constructor, to the last subclass's, has returned."""

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        made = super().__call__(*args, **kwargs)
        made.__dict__["_made"] = args, kwargs
        return made


class Made(metaclass=Making):
    """Something whose constructor says all: its arguments are read-only afterwards; it pickles and copies by them.

    Compiled graphs depend on the arguments, and the record of an explanation names them: were one to change, the result
    or the record would be wrong.
    """

    def __setattr__(self, name: str, value: Any) -> None:
        if "_made" in self.__dict__ and name in _fixed(type(self)):
            kind = type(self).__name__
            raise AttributeError(
                f"`{name}` of an explainer is read-only, since its compiled graphs and its settings are made with it: "
                f"make another {kind}(…, {name}=…)."
            )
        super().__setattr__(name, value)

    def __reduce__(self) -> Any:
        constructor = next(cls for cls in type(self).__mro__ if "__init__" in vars(cls))
        call = self._constructed() if _is_ours(constructor) else self.__dict__["_made"]
        return _again, (type(self), *call)

    def _constructed(self) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """The arguments, positional and by name, that make the same explainer again; its graphs are compiled anew.

        Classes with a constructor of a user's are made again with what they were made with.
        """
        raise NotImplementedError


def _again(kind: type, args: tuple[Any, ...], options: dict[str, Any]) -> Any:
    return kind(*args, **options)


def _is_ours(cls: type) -> bool:
    return cls.__module__.partition(".")[0] == "tf_ig2"


@functools.cache
def _fixed(kind: type) -> frozenset[str]:
    """The names of constructors' arguments, and of properties, of the package's own classes behind one of a user's."""
    names = {"walk"}
    for cls in kind.__mro__:
        if _is_ours(cls):
            names.update(name for name, value in vars(cls).items() if isinstance(value, property))
            if "__init__" in vars(cls):
                names.update(inspect.signature(vars(cls)["__init__"]).parameters)
    return frozenset(names - {"self"})

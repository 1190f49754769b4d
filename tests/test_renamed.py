import importlib
import sys
import warnings

import pytest

import tf_ig2
from tf_ig2 import _renamed


@pytest.mark.parametrize("old", sorted(_renamed._RENAMED))
def test_a_renamed_module_is_the_same_module_and_says_its_new_name(old):
    sys.modules.pop(old, None)
    new = _renamed._RENAMED[old]
    with pytest.warns(DeprecationWarning, match=new):
        module = importlib.import_module(old)
    assert module is importlib.import_module(new)
    assert module.__spec__.name == new


@pytest.mark.parametrize("short", sorted(_renamed._PERMANENT))
def test_short_names_stay_without_a_warning(short):
    sys.modules.pop(short, None)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert importlib.import_module(short) is importlib.import_module(_renamed._PERMANENT[short])


def test_modules_inside_a_renamed_package_are_found():
    from tf_ig2.datasets import digits

    from tf_ig2.paper.datasets import digits as same

    assert digits is same


def test_rooms_are_attributes_without_another_import():
    assert tf_ig2.metrics.__name__ == "tf_ig2.metrics"
    assert tf_ig2.compat.IG2 is not None
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        tf_ig2.nothing  # noqa: B018

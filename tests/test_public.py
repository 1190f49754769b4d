"""What `import tf_ig2` gives, and what it does not load."""

import subprocess
import sys

import pytest

import tf_ig2


@pytest.mark.parametrize("name", dir(tf_ig2))
def test_every_public_name_is_there(name):
    assert getattr(tf_ig2, name) is not None


def test_dir_is_clean_and_complete():
    assert set(dir(tf_ig2)) >= {"metrics", "plots", "serving", "compat", "datasets", *tf_ig2.__all__}
    assert not [name for name in dir(tf_ig2) if name.startswith("_") and name != "__version__"]
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        tf_ig2.nothing  # noqa: B018


def test_the_package_loads_no_pictures_and_no_data_sets():
    """Beyond those that Keras loads itself."""
    code = (
        "import sys, tf_ig2\n"
        "names = {'matplotlib', 'sklearn', 'tensorflow_datasets', 'shap', 'skimage'}\n"
        "assert not names & set(sys.modules)\n"
        "import keras, tensorflow\nnames -= set(sys.modules)\n"
        "[getattr(tf_ig2, name) for name in tf_ig2.__all__]\n"
        "print(names & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout.strip() == "set()"


def test_importing_the_package_loads_nothing_large():
    code = "import sys, tf_ig2; print({'tensorflow', 'keras', 'numpy', 'matplotlib', 'sklearn'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "set()"

"""Maps are computed once: what they depend on names them, and nothing else does."""

from dataclasses import replace

import numpy as np
import pytest

from tests.paper.experiments.small import small_task
from tf_ig2.models.model_view import ModelView
from tf_ig2.paper.experiments.map_store import Mapped, MapStore, kept, network_fingerprint


@pytest.fixture
def task():
    return small_task()


def explained(task, folder, settings=None, network=None):
    """How many explicands are explained, and the maps."""
    seen = []

    def maps(part):
        seen.extend(part.names)
        return part.inputs.sum(axis=-1)

    mapped = Mapped(maps, settings or {"steps": 3})
    made = kept(mapped, MapStore(folder), network or network_fingerprint(task.view))(task)
    assert made.dtype == np.float32
    np.testing.assert_array_equal(made, task.inputs.sum(axis=-1))
    return len(seen)


def test_a_map_is_computed_once(task, tmp_path):
    assert [explained(task, tmp_path) for _ in range(3)] == [2, 0, 0]


def test_only_what_is_lacking_is_computed(task, tmp_path):
    explained(task.take(np.array([1])), tmp_path)
    assert explained(task, tmp_path) == 1


def test_without_a_folder_nothing_is_kept(task):
    assert [explained(task, None) for _ in range(2)] == [2, 2]


@pytest.mark.parametrize("change", ["inputs", "references", "target"])
def test_another_explicand_reference_or_target_is_another_map(task, tmp_path, change):
    explained(task, tmp_path)
    other = {"inputs": task.inputs + 1, "references": task.references[:, ::-1], "target": (task.target + 1) % 3}
    assert explained(replace(task, **{change: other[change]}), tmp_path) == 2


def test_other_settings_and_weights_and_layers_are_other_maps(task, tmp_path):
    explained(task, tmp_path)
    assert explained(task, tmp_path, {"steps": 4}) == 2
    assert explained(replace(task, view=ModelView(task.view.model, layer=0)), tmp_path) == 2
    task.view.model.set_weights([weights * 2 for weights in task.view.model.get_weights()])
    assert explained(task, tmp_path) == 2


def test_names_and_company_do_not_matter(task, tmp_path):
    explained(task, tmp_path)
    assert explained(replace(task, names=("a", "b")), tmp_path) == 0
    assert explained(task.take(np.array([1, 0])), tmp_path) == 0


def test_a_damaged_map_is_said_and_computed_again(task, tmp_path):
    explained(task, tmp_path)
    path = next(tmp_path.rglob("*.npz"))
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.warns(UserWarning, match="holds no map and is computed again"):
        assert explained(task, tmp_path) == 1
    assert explained(task, tmp_path) == 0

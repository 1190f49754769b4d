"""Settings are chosen by mean ranks over two networks, on a small one in the place of each."""

import pytest

from tests.paper.experiments import stubs
from tf_ig2.metrics import ground_truth
from tf_ig2.paper.experiments import photographs_study
from tf_ig2.paper.experiments.bench import PIXELS, Setting
from tf_ig2.paper.experiments.choice import choose
from tf_ig2.paper.experiments.options import Options
from tf_ig2.paper.experiments.records import Record
from tf_ig2.paper.experiments.table import Column, Table


@pytest.fixture
def small(monkeypatch):
    """A small task with masks in the place of the photographs, stubs for methods, one metric."""

    def load(samples, half, references, seed, network, pool):
        assert (samples, half, pool) == (None, "study", "auto")
        return stubs.masked_task()

    stubs.few_trials(monkeypatch)
    monkeypatch.setattr(photographs_study.imagenet, "load", load)
    monkeypatch.setattr(photographs_study, "METRICS", (ground_truth.GT_AUC,))
    monkeypatch.setattr(photographs_study, "COLUMNS", (Column.of(ground_truth.GT_AUC, "absolute"),))
    monkeypatch.setattr(Table, "files", lambda table: {"csv": b"", "png": b""})  # drawn elsewhere


def test_the_page_has_every_trial_at_every_scale_and_says_what_was_chosen(small, tmp_path):
    options = Options(tmp_path, references=2, verbose=False)
    page = photographs_study.run(options)[0].read_text()
    for network in photographs_study.NETWORKS:
        assert [page.index(f"## {network}, {scale}") for scale in ("pixels", "smoothed", "inside")]
    assert page.count("←") == 2 * (7 + 7 + 4)
    assert "Chosen, smoothed: Gradient: " in page
    assert photographs_study.run(options)[0].read_text() == page


def test_of_one_network_alone_there_are_records_and_nothing_is_chosen(small, tmp_path):
    assert photographs_study.run(Options(tmp_path, references=2, tasks=("SqueezeNet",), verbose=False)) == []
    assert len(list((tmp_path / "records").glob("*.jsonl"))) == 1


def scores(setting, *numbers):
    return [Record(str(setting), f"{i}", {"add": number, "del": number}) for i, number in enumerate(numbers)]


def test_ranks_are_over_networks_and_metrics_by_their_directions():
    a, b, c = (Setting(PIXELS, "IG", trial) for trial in "abc")
    columns = (Column("add", "ADD"), Column("del", "DEL", higher_is_better=False), Column("add", "ADD"))
    networks = {"one": [*scores(a, 1, 2), *scores(b, 3, 4), *scores(c, 5, 6)], "two": scores(a, 9)}
    networks["two"] += [*scores(b, 9), *scores(c, 1)]
    assert choose(networks, [a, b, c], columns[:1]) == b  # ranks 3, 2, 1 and 1.5, 1.5, 3
    assert choose(networks, [a, b, c], columns[1:2]) == a
    assert choose(networks, [a, b, c], columns[:2]) == a  # all of 2: the first


def test_a_network_without_scores_of_a_setting_is_an_error():
    a, b = (Setting(PIXELS, "IG", trial) for trial in "ab")
    with pytest.raises(ValueError, match=r"two has no score 'add' of pixels \| IG \| b"):
        choose({"one": [*scores(a, 1), *scores(b, 1)], "two": scores(a, 1)}, [a, b], [Column("add", "ADD")])

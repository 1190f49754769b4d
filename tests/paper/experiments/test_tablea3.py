"""Rounds in their order by a clock that is made; no test looks at a real one."""

import pytest

from tests.paper.experiments.small import small_task
from tf_ig2.paper.experiments import tablea3, tasks
from tf_ig2.paper.experiments.options import Options
from tf_ig2.paper.experiments.records import Records


class Machine:
    """A clock, and methods that take as long as they say on the first explicand, and twice as long on the next."""

    def __init__(self, **seconds):
        self.now, self.calls = 0.0, []
        self.methods = {name: self._method(name, taken) for name, taken in seconds.items()}

    def clock(self):
        return self.now

    def _method(self, name, seconds):
        def method(part):
            assert len(part) == 1
            self.calls.append((name, part.names[0]))
            self.now += seconds * (1 if part.names[0] == "image 0" else 2)

        return method


@pytest.fixture
def machine():
    return Machine(**{"Gradient": 0.5, "Vanilla IG": 4.0, "IG²": 8.0})


def test_ratios_are_to_the_gradient_of_the_same_round(machine, tmp_path):
    records = Records(tmp_path, "times", {})
    tablea3.time_rounds(small_task(), machine.methods, records, machine.clock)
    assert tablea3.quartiles(records, "ratio")["Vanilla IG"] == (8.0, 8.0, 8.0)
    assert tablea3.quartiles(records, "ratio")["Gradient"] == (1.0, 1.0, 1.0)
    assert tablea3.quartiles(records, "seconds")["IG²"] == (10.0, 12.0, 14.0)


def test_all_are_warmed_up_and_the_gradient_is_timed_before_each_method(machine, tmp_path):
    tablea3.time_rounds(small_task(samples=1), machine.methods, Records(tmp_path, "times", {}), machine.clock)
    warm, first = [name for name, _ in machine.calls[:3]], [name for name, _ in machine.calls[3:]]
    assert warm == ["Gradient", "Vanilla IG", "IG²"]
    assert first == ["Gradient", "Gradient", "Vanilla IG", "Gradient", "IG²"]


def test_rounds_that_are_finished_are_not_run_again(machine, tmp_path):
    tablea3.time_rounds(small_task(samples=1), machine.methods, Records(tmp_path, "times", {}), machine.clock)
    machine.calls.clear()
    tablea3.time_rounds(small_task(), machine.methods, Records(tmp_path, "times", {}), machine.clock)
    assert {explicand for _, explicand in machine.calls} == {"image 1"}
    machine.calls.clear()
    tablea3.time_rounds(small_task(), machine.methods, Records(tmp_path, "times", {}), machine.clock)
    assert machine.calls == []


def test_the_papers_seconds_become_ratios():
    assert tablea3.PAPER["imagenet"]["Gradient"] == 1.0
    assert tablea3.PAPER["imagenet"]["IG²"] == pytest.approx(108.2 / 0.13)


def test_the_page_has_every_method_beside_the_papers_ratio(machine, tmp_path, monkeypatch):
    monkeypatch.setattr(tasks, "load", lambda name, options: small_task())
    monkeypatch.setattr(tablea3, "methods", lambda task: {name: lambda part: None for name in machine.methods})
    files = tablea3.run(Options(tmp_path, samples=2, seed=3, tasks=("trec",), verbose=False))
    page = files[0].read_text()
    assert [file.suffix for file in files] == [".md", ".png", ".csv"]
    assert all(text in page for text in ("| Vanilla IG |", "86.7", "over 2 explicands", "Seed 3", "A small task."))

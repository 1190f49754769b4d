"""`tf-ig2 reproduce`: what is wrong is said in one line, and every experiment that is listed can be run."""

import importlib
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tf_ig2 import cli
from tf_ig2.paper.experiments import fig5, photographs, table3
from tf_ig2.paper.experiments.commands import EXPERIMENTS, named_metric
from tf_ig2.paper.experiments.options import Options


def run(*arguments):
    return CliRunner().invoke(cli.app, ["reproduce", *map(str, arguments)])


def failure(monkeypatch, capsys, *arguments):
    """The line that a user sees."""
    monkeypatch.setattr(sys, "argv", ["tf-ig2", "reproduce", *map(str, arguments)])
    with pytest.raises(SystemExit) as stop:
        cli.main()
    assert stop.value.code == 1
    (line,) = [line for line in capsys.readouterr().err.splitlines() if "tf-ig2" in line]
    return line


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_every_experiment_can_be_run(name):
    assert callable(importlib.import_module(f"tf_ig2.paper.experiments.{name.lower()}").run)


def test_help_lists_the_experiments():
    done = run("--help")
    assert done.exit_code == 0
    assert all(name in done.output for name in EXPERIMENTS)


def test_an_unknown_experiment_is_a_usage_error_that_lists_the_known_ones():
    done = run("table7")
    assert done.exit_code == 2
    assert "table7" in done.output
    assert "tableA2" in done.output


@pytest.mark.parametrize("option", [("--samples", 0), ("--references", -1), ("--seed", -1), ("--samples", "many")])
def test_a_number_out_of_range_is_a_usage_error(option):
    done = run("table3", *option)
    assert done.exit_code == 2
    assert option[0] in done.output


def test_what_is_finished_is_for_experiments_that_can(monkeypatch):
    seen = []
    monkeypatch.setattr(photographs, "run", lambda options: [seen.append(options)])
    assert run("photographs", "--finished", "--cache", "maps").exit_code == 0
    assert (seen[0].finished, seen[0].maps) == (True, Path("maps"))
    done = run("table3", "--finished")
    assert done.exit_code == 2
    assert "Only photographs, grid" in done.output


def test_results_in_place_of_a_file_are_a_usage_error(tmp_path):
    (tmp_path / "file").write_text("")
    done = run("fig5", "--out", tmp_path / "file")
    assert done.exit_code == 2
    assert "--out" in done.output


def test_the_files_are_said(tmp_path, monkeypatch):
    monkeypatch.setattr(fig5, "run", lambda options: [options.out / "a.md", options.out / "a.csv"])
    done = run("fig5", "--out", tmp_path)
    assert done.exit_code == 0
    assert done.output.split() == [str(tmp_path / "a.md"), str(tmp_path / "a.csv")]


def test_the_options_reach_the_experiment(tmp_path, monkeypatch):
    seen = []
    monkeypatch.setattr(table3, "run", lambda options: [seen.append(options)])
    asked = ("--samples", 3, "--references", 2, "--seed", 5, "--task", "trec", "--task", "wafers")
    assert run("table3", "--out", tmp_path, *asked).exit_code == 0
    assert seen == [Options(tmp_path, samples=3, references=2, seed=5, tasks=("trec", "wafers"))]


METRIC = """
from tf_ig2.metrics.metric import Metric
OWN = Metric("own", "of my own", True, lambda maps, explicands: maps.max(axis=(1, 2)))
AUC = Metric("auc", "taken", True, OWN.score)
NUMBER = 3
"""


@pytest.fixture
def metric_file(tmp_path):
    path = tmp_path / "own.py"
    path.write_text(METRIC)
    return path


def test_a_metric_in_a_file_reaches_the_experiment_beside_its_own(metric_file, monkeypatch):
    seen = []
    monkeypatch.setattr(table3, "run", lambda options: [seen.extend(options.metrics)])
    module = "tf_ig2.metrics.ground_truth:GT_AUC"
    assert run("table3", "--metric", f"{metric_file}:OWN").exit_code == 0
    assert [metric.key for metric in seen] == ["auc", "sum", "add", "del", "own"]
    assert named_metric(module).key == "auc"


@pytest.mark.parametrize(
    ("experiment", "place", "message"),
    [
        ("table3", "{file}:MINE", "cannot be loaded"),
        ("table3", "{file}", "cannot be loaded"),
        ("table3", "no_such_module:OWN", "no_such_module"),
        ("table3", "{file}x.py:OWN", "cannot be loaded"),
        ("table3", "{file}:NUMBER", "int, not a Metric"),
        ("fig5", "{file}:OWN", "Only study, calibration, defaults, table3"),
    ],
)
def test_what_is_no_metric_or_not_wanted_is_a_usage_error(metric_file, experiment, place, message):
    done = run(experiment, "--metric", place.format(file=metric_file))
    assert done.exit_code == 2
    assert message in " ".join(done.output.replace("│", " ").split())


def test_a_metric_with_the_key_of_another_is_one_line(metric_file, monkeypatch, capsys):
    assert "`metrics` must be one or more" in failure(monkeypatch, capsys, "table3", "--metric", f"{metric_file}:AUC")


def test_missing_data_are_one_line_that_says_how_to_get_them(tmp_path, monkeypatch, capsys):
    monkeypatch.delenv("TF_IG2_DATA_DIR", raising=False)
    line = failure(monkeypatch, capsys, "table3", "--out", tmp_path, "--task", "planted")
    assert "TF_IG2_DATA_DIR" in line
    assert list(tmp_path.iterdir()) == []


def test_a_data_set_that_does_not_exist_is_not_passed_over(tmp_path, monkeypatch, capsys):
    line = failure(monkeypatch, capsys, "table3", "--out", tmp_path, "--task", "imagenette")
    assert "No task named 'imagenette' here: choose from imagenet, trec, planted, wafers." in line

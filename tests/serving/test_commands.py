"""`tf-ig2 export` and `tf-ig2 batch`, as they are typed."""

import json
import sys

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

pytest.importorskip("pyarrow", reason="pyarrow is not installed: pip install tf_ig2[beam]")

from tests.serving.conftest import result, write_tfrecord
from tf_ig2 import IG2Explainer
from tf_ig2.serving import read_manifest
from tf_ig2.serving_commands import add_commands


@pytest.fixture(scope="module")
def app():
    app = typer.Typer()
    add_commands(app)
    return app


@pytest.fixture(scope="module")
def files(net, contrast, values, tmp_path_factory):
    folder = tmp_path_factory.mktemp("files")
    net.save(folder / "net.keras")
    np.save(folder / "references.npy", contrast)
    records = [{"x": x} for x in values[:30]]
    records[11] = {"x": np.ones(3)}
    write_tfrecord(folder / "rows.tfrecord", records)
    return folder


def typed(app, *words):
    return CliRunner().invoke(app, [str(word) for word in words])


def test_export(app, files, tmp_path):
    said = typed(app, "export", files / "net.keras", "--references", files / "references.npy", "--out", tmp_path)
    assert said.exit_code == 0, said.output
    assert "explain: target, x → attributions" in said.output
    assert read_manifest(tmp_path / "1")["references"] == 3


def test_batch_and_batch_again(app, files, net, contrast, values, tmp_path):
    words = ["batch", files / "net.keras", "--references", files / "references.npy", "--shard-size", 8]
    words += ["--input", files / "*.tfrecord", "--output", tmp_path]
    said = typed(app, *words)
    assert said.exit_code == 0, said.output
    assert "30 records: 29 explained, 1 rejected" in said.output
    assert "4 shards: 4 computed, 0 from before" in said.output
    expected = IG2Explainer(net).explain(values[:30], contrast).values
    for key, row in result(tmp_path)[1].items():
        np.testing.assert_allclose(row["attributions"], expected[int(key.split("#")[1])], atol=1e-5)
    again = typed(app, *words)
    assert "4 shards: 0 computed, 4 from before" in again.output
    (letter,) = (tmp_path / "rejected.jsonl").read_text().splitlines()
    assert json.loads(letter)["row"] == 11


@pytest.mark.parametrize(
    ("runner", "module"), [("beam", "apache_beam"), ("FlinkRunner", "apache_beam"), ("ray", "ray")]
)
def test_runners_that_are_not_installed_are_refused(app, files, tmp_path, monkeypatch, runner, module):
    monkeypatch.setitem(sys.modules, module, None)
    said = typed(
        app, "batch", files / "net.keras", "--input", files / "*.tfrecord", "--output", tmp_path, "--runner", runner
    )
    assert isinstance(said.exception, ValueError)
    assert f"--runner {runner} needs {module}: pip install" in str(said.exception)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--runner", "spark"], "Unknown runner"),
        (["--workers", "2"], "local runner is one process"),
        (["--flink_master=x"], "Unknown options"),
        (["--workers", "0"], "at least 1"),
        ([], "Pass --references"),
    ],
)
def test_wrong_options_are_refused(app, files, tmp_path, words, message):
    said = typed(
        app, "batch", files / "net.keras", "--input", files / "*.tfrecord", "--output", tmp_path / "out", *words
    )
    assert said.exit_code == 1
    assert message in str(said.exception)
    assert not (tmp_path / "out").exists()

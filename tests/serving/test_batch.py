"""Shards are explained whole or not at all, and every record is accounted for."""

import io
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

pytest.importorskip("pyarrow", reason="pyarrow is not installed: pip install tf_ig2[beam]")

import pyarrow as pa
import pyarrow.parquet

from tests.serving.conftest import FEATURES, do, jpeg, kill_when_begun, result, shard_bytes, write_tfrecord
from tf_ig2 import IG2Explainer, files
from tf_ig2.serving import ServedExplainer, export, records, rows, shards
from tf_ig2.serving import job as jobs
from tf_ig2.serving.shards import Job


def test_a_job_explains_as_the_explainer_does(plain, net, contrast, values):
    manifest, found = result(plain)
    assert (manifest["records"], manifest["explained"], manifest["rejected"]) == (90, 90, 0)
    expected = IG2Explainer(net, steps=8).explain(values, contrast)
    for number, key in enumerate([f"a.tfrecord#{i}" for i in range(50)] + [f"b.tfrecord#{i}" for i in range(40)]):
        np.testing.assert_allclose(found[key]["attributions"], expected.values[number], atol=1e-5)
        np.testing.assert_allclose(found[key]["completeness_gap"], expected.completeness_gap[number], atol=1e-5)
        np.testing.assert_allclose(
            found[key]["counterfactual_output"], expected.counterfactual_output[number], atol=1e-4
        )
        assert found[key]["target"] == expected.target[number]


def test_checksums_are_those_of_the_files(plain):
    import hashlib

    for shard in json.loads(Path(plain, "manifest.json").read_text())["shards"]:
        assert hashlib.sha256(Path(plain, shard["file"]).read_bytes()).hexdigest() == shard["sha256"]


@pytest.mark.parametrize("format", ["parquet", "tfrecord"])
@pytest.mark.parametrize("source", ["parquet", "tfrecord"])
def test_parquet_and_tfrecord_in_and_out(model, plain, values, tmp_path, source, format):
    keys = [f"row-{i}" for i in range(20)]
    if source == "parquet":
        table = pa.table({"x": list(values[:20]), "key": keys, "target": [-1] * 20})
        pyarrow.parquet.write_table(table, tmp_path / "in.parquet", row_group_size=7)
    else:
        records = [{"x": x, "key": key.encode()} for x, key in zip(values, keys, strict=False)]
        write_tfrecord(tmp_path / "in.tfrecord", records)
    do(Job(model, str(tmp_path / "out"), format), [str(tmp_path / f"in.{source}")])
    _, expected = result(plain)
    _, found = result(tmp_path / "out")
    for number, key in enumerate(keys):
        np.testing.assert_allclose(
            found[key]["attributions"], expected[f"a.tfrecord#{number}"]["attributions"], atol=1e-6
        )
        assert found[key]["attributions"].dtype == np.float32


def test_finished_shards_are_not_computed_again(model, tfrecords, tmp_path):
    job = Job(model, str(tmp_path))
    assert do(job, [tfrecords])["run"]["shards_computed"] == 7
    before = shard_bytes(tmp_path)
    again = do(job, [tfrecords])
    assert (again["run"]["shards_computed"], again["run"]["shards_resumed"]) == (0, 7)
    assert shard_bytes(tmp_path) == before
    assert do(Job(model, str(tmp_path), resume=False), [tfrecords])["run"]["shards_computed"] == 7
    assert shard_bytes(tmp_path) == before


def test_a_damaged_shard_is_computed_again(model, tfrecords, tmp_path):
    job = Job(model, str(tmp_path))
    do(job, [tfrecords])
    before = shard_bytes(tmp_path)
    victim = sorted((tmp_path / "shards").iterdir())[0]
    victim.write_bytes(victim.read_bytes()[:100])
    assert do(job, [tfrecords])["run"]["shards_computed"] == 1
    assert shard_bytes(tmp_path) == before


def test_rows_of_changed_records_are_moved_aside(model, values, tmp_path):
    job, path = Job(model, str(tmp_path / "out")), tmp_path / "in.tfrecord"
    write_tfrecord(path, [{"x": x} for x in values[:20]])
    do(job, [str(path)])
    write_tfrecord(path, [{"x": x} for x in values[:24]])
    manifest = do(job, [str(path)])
    assert (manifest["run"]["shards_computed"], manifest["run"]["shards_resumed"]) == (1, 1)
    assert len(shard_bytes(tmp_path / "out")) == 2
    assert len(result(tmp_path / "out")[1]) == 24
    assert len(list((tmp_path / "out" / "superseded" / "shards").iterdir())) == 1


def test_another_jobs_output_is_refused(model, slow_model, tfrecords, tmp_path):
    jobs.begin(Job(model, str(tmp_path)))
    with pytest.raises(ValueError, match="of a job with another explainer"):
        jobs.begin(Job(slow_model, str(tmp_path)))


@pytest.fixture(scope="module")
def image_model(tmp_path_factory):
    """An exported explainer of 8 × 8 images with values in [0, 1]."""
    keras.utils.set_random_seed(1)
    cnn = keras.Sequential(
        [keras.Input((8, 8, 3)), layers.Conv2D(4, 3), layers.GlobalAveragePooling2D(), layers.Dense(3)]
    )
    references = np.random.default_rng(2).uniform(0, 1, [1, 8, 8, 3])
    return export(IG2Explainer(cnn, steps=2), tmp_path_factory.mktemp("images"), references)


def test_bad_records_do_not_stop_a_job_and_do_not_disappear(image_model, tmp_path):
    """Of 1,000 images, half of them JPEGs, half of them numbers, 50 are bad in five ways."""
    rng = np.random.default_rng(9)
    photograph = jpeg(rng.integers(0, 255, [20, 30, 3], dtype=np.uint8))
    numbers = rng.uniform(0, 1, [8, 8, 3])
    records = [{"x": photograph if i % 2 else numbers, "target": i % 3} for i in range(1000)]
    ways = {
        "wrong shape": {"x": np.ones(5)},
        "NaN": {"x": np.full([8, 8, 3], np.nan)},
        "corrupt image": {"x": photograph[: len(photograph) // 2]},
        "missing feature": {"y": numbers},
        "target out of range": {"x": numbers, "target": 3},
    }
    bad = {int(row): list(ways)[i % 5] for i, row in enumerate(rng.choice(1000, 50, replace=False))}
    for row, way in bad.items():
        records[row] = ways[way]
    job = Job(image_model, str(tmp_path / "out"), pixel_range=(0.0, 1.0))
    manifest = do(job, [write_tfrecord(tmp_path / "rows.tfrecord", records)], 128)

    assert (manifest["records"], manifest["explained"], manifest["rejected"]) == (1000, 950, 50)
    assert sum(shard["explained"] + shard["rejected"] for shard in manifest["shards"]) == 1000
    _, found = result(tmp_path / "out")
    assert set(found) == {f"rows.tfrecord#{row}" for row in set(range(1000)) - set(bad)}
    assert all(np.isfinite(row["attributions"]).all() for row in found.values())
    lines = (tmp_path / "out" / "rejected.jsonl").read_text().splitlines()
    letters = {letter["row"]: letter for letter in map(json.loads, lines)}
    assert len(lines) == 50
    assert set(letters) == set(bad)
    for row, way in bad.items():
        assert way in letters[row]["reason"]
        assert letters[row]["key"] == f"rows.tfrecord#{row}"
    assert "950 explained, 50 rejected" in jobs.summary(job, manifest)


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ({"x": b"GIF"}, "corrupt image: `x` cannot be decoded"),
        ({"x": b""}, "corrupt image: `x` cannot be decoded"),
        (b"\xff\xff\xff", "not a tf.train.Example"),
    ],
)
def test_bytes_that_are_nothing_are_rejected(image_model, tmp_path, record, reason):
    do(Job(image_model, str(tmp_path / "out")), [write_tfrecord(tmp_path / "in.tfrecord", [record])])
    (letter,) = map(json.loads, (tmp_path / "out" / "rejected.jsonl").read_text().splitlines())
    assert letter["reason"].startswith(reason)


def test_encoded_images_are_those_that_were_encoded(image_model, tmp_path):
    grey = np.full([8, 8, 3], 0.4)  # which JPEG keeps, up to rounding
    records = [{"x": jpeg((grey * 255).round().astype(np.uint8))}, {"x": grey}]
    job = Job(image_model, str(tmp_path / "out"), pixel_range=(0.0, 1.0))
    do(job, [write_tfrecord(tmp_path / "in.tfrecord", records)])
    encoded, numbers = result(tmp_path / "out")[1].values()
    np.testing.assert_allclose(encoded["output"], numbers["output"], rtol=1e-5)


@pytest.mark.parametrize("patterns", [["*/rows.tfrecord"], ["a/rows.tfrecord", "b/*.tfrecord"]])
def test_files_of_one_name_in_two_folders_have_keys_of_their_own(model, values, tmp_path, patterns):
    for number, folder in enumerate("ab"):
        (tmp_path / folder).mkdir()
        write_tfrecord(tmp_path / folder / "rows.tfrecord", [{"x": values[number]}])
    do(Job(model, str(tmp_path / "out")), [str(tmp_path / pattern) for pattern in patterns])
    assert set(result(tmp_path / "out")[1]) == {"a/rows.tfrecord#0", "b/rows.tfrecord#0"}


def test_keys_do_not_depend_on_other_files_nor_on_where_the_folder_is(values, tmp_path, monkeypatch):
    def names(pattern):
        return list(records.find([pattern]).values())

    for folder in ("here/a", "there/a", "there/b"):
        (tmp_path / folder).mkdir(parents=True)
        write_tfrecord(tmp_path / folder / "rows.tfrecord", [{"x": values[0]}])
    assert names(f"{tmp_path}/here/*/*.tfrecord") == ["a/rows.tfrecord"]
    assert names(f"{tmp_path}/there/*/*.tfrecord") == ["a/rows.tfrecord", "b/rows.tfrecord"]
    monkeypatch.chdir(tmp_path)
    assert names("there/*/*.tfrecord") == ["a/rows.tfrecord", "b/rows.tfrecord"]


def test_a_file_that_two_patterns_find_is_explained_once(values, tmp_path, monkeypatch):
    write_tfrecord(tmp_path / "rows.tfrecord", [{"x": values[0]}])
    monkeypatch.chdir(tmp_path)
    assert len(jobs.plan(["rows.tfrecord", "./*.tfrecord", f"{tmp_path}/rows.*"])) == 1


@pytest.mark.parametrize("format", ["parquet", "tfrecord"])
def test_remote_file_systems(net, contrast, plain, values, tfrecords, format):
    """Input, model, output and resumption on `ram://`, which is TensorFlow's own and renames no folders."""
    folder = f"ram://{format}"
    for path in tf.io.gfile.glob(tfrecords):
        tf.io.gfile.copy(path, f"{folder}/in/{os.path.basename(path)}")
    table = io.BytesIO()
    pyarrow.parquet.write_table(pa.table({"x": list(values[:7])}), table)
    files.write_whole(f"{folder}/in", "c.parquet", table.getvalue())
    model = export(IG2Explainer(net, steps=8), f"{folder}/model", contrast, counterfactuals=False, batch_size=16)
    job = Job(model, f"{folder}/out", format)
    manifest = do(job, [f"{folder}/in/*.tfrecord", f"{folder}/in/*.parquet"])
    assert (manifest["records"], manifest["explained"], manifest["run"]["shards_computed"]) == (97, 97, 8)
    assert files.read_json(f"{folder}/out/manifest.json") == manifest
    paths = [f"{folder}/out/{shard['file']}" for shard in manifest["shards"]]
    found = {row["key"]: row for path in paths for row in rows.decode(path)}
    for key, row in result(plain)[1].items():
        np.testing.assert_array_equal(found[key]["attributions"], row["attributions"])
    tf.io.gfile.remove(paths[0])
    again = do(job, [f"{folder}/in/*.tfrecord", f"{folder}/in/*.parquet"])
    assert (again["run"]["shards_computed"], again["run"]["shards_resumed"]) == (1, 7)
    assert [shard["sha256"] for shard in again["shards"]] == [shard["sha256"] for shard in manifest["shards"]]
    assert "97 explained, 0 rejected" in jobs.summary(job, again)
    with pytest.raises(FileExistsError):
        export(IG2Explainer(net, steps=8), f"{folder}/model", contrast)


def test_without_pyarrow_parquet_is_refused_before_anything_is_computed(model, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(ImportError, match=r"needs pyarrow: pip install 'tf_ig2\[beam\]'"):
        Job(model, str(tmp_path))
    (tmp_path / "in.parquet").touch()
    with pytest.raises(ImportError, match=r"in\.parquet' needs pyarrow"):
        jobs.plan([str(tmp_path / "in.parquet")])


def test_a_row_on_which_the_model_fails_is_rejected_alone(net, contrast, values, tmp_path):
    model = export(IG2Explainer(net, clip_min_max=(-1, 1)), tmp_path / "model", contrast)
    records = [{"x": x} for x in values[:6]]
    records[3] = {"x": np.full(FEATURES, 2.0)}
    manifest = do(Job(model, str(tmp_path / "out")), [write_tfrecord(tmp_path / "in.tfrecord", records)])
    assert (manifest["explained"], manifest["rejected"]) == (5, 1)
    (letter,) = map(json.loads, (tmp_path / "out" / "rejected.jsonl").read_text().splitlines())
    assert letter["row"] == 3
    assert "`x` must lie in [-1, 1]" in letter["reason"]


def test_a_broken_file_is_refused_before_anything_is_computed(values, tmp_path):
    path = write_tfrecord(tmp_path / "in.tfrecord", [{"x": x} for x in values])
    Path(path).write_bytes(Path(path).read_bytes()[:-5])
    with pytest.raises(ValueError, match="not a whole TFRecord"):
        jobs.plan([path])
    (tmp_path / "in.parquet").write_bytes(b"PAR1 no")
    with pytest.raises(ValueError, match="not a whole Parquet"):
        jobs.plan([str(tmp_path / "in.parquet")])
    with pytest.raises(FileNotFoundError, match="no input file"):
        jobs.plan([str(tmp_path / "absent-*.tfrecord")])


@pytest.mark.parametrize("moment", ["rows", "report"])
def test_a_full_disk_is_an_error_and_corrupts_nothing(model, tfrecords, tmp_path, monkeypatch, moment):
    job, served = Job(model, str(tmp_path)), ServedExplainer(model)
    planned = jobs.plan([tfrecords], 16)
    fsync, calls = os.fsync, []

    def full(descriptor):
        calls.append(descriptor)
        if len(calls) > (0 if moment == "rows" else 1):
            raise OSError(28, "No space left on device")
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match=r"cannot be written, and nothing was changed: .*No space left"):
        shards.explain_shard(job, served, planned[0])
    assert not list(tmp_path.glob("reports/*"))
    assert not list((tmp_path / files.PARTIAL).iterdir())
    monkeypatch.undo()
    report = shards.explain_shard(job, served, planned[0])
    assert not report.resumed
    assert len(rows.decode(str(tmp_path / report.file))) == 16


def test_an_output_that_cannot_be_written_is_refused_before_anything_is_computed(model, tmp_path):
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(OSError, match="cannot be written"):
        jobs.begin(Job(model, str(tmp_path / "file" / "out")))


def test_lost_and_double_reports_are_noticed(model, tfrecords, tmp_path):
    job, planned = Job(model, str(tmp_path)), jobs.plan([tfrecords], 16)
    reports = list(jobs.run(job, planned))
    with pytest.raises(RuntimeError, match="no report or several"):
        jobs.finish(job, planned, reports[1:], "local")
    with pytest.raises(RuntimeError, match="no report or several"):
        jobs.finish(job, planned, [*reports, reports[0]], "local")


def test_a_killed_job_is_resumed_where_it_was(slow_model, few, undisturbed, tmp_path):
    script = (
        "import sys; from tf_ig2.serving import job as jobs; from tf_ig2.serving.shards import Job\n"
        "job = Job(sys.argv[1], sys.argv[2]); jobs.begin(job); planned = jobs.plan([sys.argv[3]], 4)\n"
        "jobs.finish(job, planned, jobs.run(job, planned), 'local')"
    )
    done = kill_when_begun([sys.executable, "-c", script, slow_model, str(tmp_path), few], tmp_path)
    whole = shard_bytes(undisturbed)
    assert shard_bytes(tmp_path).items() <= whole.items()  # no half file under its final name
    manifest = do(Job(slow_model, str(tmp_path)), [few], 4)
    assert manifest["run"]["shards_resumed"] == done
    assert manifest["run"]["shards_computed"] == 6 - done > 0
    assert shard_bytes(tmp_path) == whole
    assert result(tmp_path)[0]["shards"] == result(undisturbed)[0]["shards"]
    assert not (tmp_path / files.PARTIAL).exists()


FOREIGN = ["[]", "{}", "null", '{"name": 1}', "not json", '{"shard": {"path": "x"}, "rejected": 3}']


@pytest.mark.parametrize("content", FOREIGN)
def test_a_report_of_something_else_is_computed_again(model, tfrecords, plain, tmp_path, content):
    job = Job(model, str(shutil.copytree(plain, tmp_path / "out")))
    victim = sorted(Path(job.output, "reports").iterdir())[0]
    victim.write_text(content)
    assert do(job, [tfrecords])["run"]["shards_computed"] == 1
    assert shard_bytes(job.output) == shard_bytes(plain)


@pytest.mark.parametrize(("before", "after"), [(r'"explained": \d+', '"explained": 15'), ("shards/", "../shards/")])
def test_a_report_that_was_changed_is_noticed(plain, before, after):
    text = sorted(Path(plain, "reports").iterdir())[0].read_text()
    content = json.loads(re.sub(before, after, text))
    assert content != json.loads(text)
    with pytest.raises(ValueError, match="no report of a shard, or a damaged one: its checksum"):
        shards.Report.from_json(content)


def test_a_report_of_an_earlier_version_is_believed(plain):
    for file in Path(plain, "reports").iterdir():
        content = json.loads(file.read_text())
        del content["checksum"]
        assert shards.Report.from_json(content).to_json() == json.loads(file.read_text())


def test_a_folder_of_something_else_is_refused(model, tmp_path):
    (tmp_path / "job.json").write_text("[]")
    with pytest.raises(ValueError, match=r"job\.json' is damaged or something else"):
        jobs.begin(Job(model, str(tmp_path)))


def test_rows_that_are_not_what_their_report_says_are_noticed(plain, tmp_path):
    folder = shutil.copytree(plain, tmp_path / "out")
    first, second = sorted((folder / "shards").iterdir())[:2]
    first.write_bytes(second.read_bytes())
    with pytest.raises(ValueError, match="is damaged: it is not what its report says"):
        rows.decode(str(first))


def test_the_second_of_two_commands_on_one_folder_is_refused_and_both_leave_it_right(model, plain, tfrecords, tmp_path):
    from typer.testing import CliRunner

    from tf_ig2.cli import app

    folder = shutil.copytree(plain, tmp_path / "out")
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    script = "import sys, time; from tf_ig2 import files\nwith files.alone(sys.argv[1]): print(1, flush=True); input()"
    command = [sys.executable, "-c", script, str(folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as first:
        assert first.stdout.readline() == b"1\n"
        words = ["batch", model, "--input", tfrecords, "--output", str(folder)]
        refused = CliRunner().invoke(app, words)
        assert isinstance(refused.exception, files.BusyError)
        assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}.items() >= before.items()
        first.kill()  # a lock does not outlive who had it
    assert CliRunner().invoke(app, [*words, "--shard-size", "16"]).exit_code == 0
    assert shard_bytes(folder) == shard_bytes(plain)

"""Shards are explained whole or not at all, and every record is accounted for."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import keras
import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest
from keras import layers

from tests.serving.conftest import FEATURES, jpeg, result, shard_bytes, write_tfrecord
from tf_ig2 import IG2Explainer
from tf_ig2.serving import ServedExplainer, export, files, rows, shards
from tf_ig2.serving import job as jobs
from tf_ig2.serving.shards import Job


def do(job, patterns, shard_size=16):
    jobs.begin(job)
    planned = jobs.plan(patterns, shard_size)
    return jobs.finish(job, planned, jobs.run(job, planned), "local")


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
    with pytest.raises(ValueError, match="another job: explainer differ"):
        jobs.begin(Job(slow_model, str(tmp_path)))


@pytest.fixture(scope="module")
def thousand(tmp_path_factory):
    """1,000 records, of which 50 are bad in five ways; and what is wrong with them."""
    rng = np.random.default_rng(9)
    records = [{"x": x, "target": i % 4} for i, x in enumerate(rng.uniform(-1, 1, [1000, FEATURES]))]
    ways = [
        ("wrong shape", {"x": np.ones(5)}),
        ("NaN", {"x": np.full(FEATURES, np.nan)}),
        ("missing feature", {"y": np.ones(FEATURES)}),
        ("target out of range", {"x": np.ones(FEATURES), "target": 4}),
        ("not a tf.train.Example", b"\xff\xff\xff"),
    ]
    bad = {int(number): ways[i % 5] for i, number in enumerate(rng.choice(1000, 50, replace=False))}
    for number, (_, record) in bad.items():
        records[number] = record
    path = write_tfrecord(tmp_path_factory.mktemp("thousand") / "rows.tfrecord", records)
    return path, {number: reason for number, (reason, _) in bad.items()}


def test_bad_records_do_not_stop_a_job_and_do_not_disappear(model, thousand, tmp_path):
    path, bad = thousand
    manifest = do(Job(model, str(tmp_path)), [path], 128)
    assert (manifest["records"], manifest["explained"], manifest["rejected"]) == (1000, 950, 50)
    _, found = result(tmp_path)
    letters = {
        letter["row"]: letter for letter in map(json.loads, (tmp_path / "rejected.jsonl").read_text().splitlines())
    }
    assert set(letters) == set(bad)
    for row, reason in bad.items():
        assert reason in letters[row]["reason"]
        assert letters[row]["key"] == f"rows.tfrecord#{row}"
    assert set(found) == {f"rows.tfrecord#{row}" for row in set(range(1000)) - set(bad)}
    assert "950 explained, 50 rejected" in jobs.summary(Job(model, str(tmp_path)), manifest)


def test_images_are_decoded_and_a_corrupt_one_is_rejected(rng, tmp_path):
    keras.utils.set_random_seed(1)
    cnn = keras.Sequential(
        [keras.Input((8, 8, 3)), layers.Conv2D(4, 3), layers.GlobalAveragePooling2D(), layers.Dense(3)]
    )
    model = export(IG2Explainer(cnn, steps=2), tmp_path / "model", rng.uniform(0, 1, [1, 8, 8, 3]))
    good = jpeg(rng.integers(0, 255, [20, 30, 3], dtype=np.uint8))
    path = write_tfrecord(tmp_path / "in.tfrecord", [{"x": good}, {"x": good[: len(good) // 2]}, {"x": b"GIF"}])
    job = Job(model, str(tmp_path / "out"), pixel_range=(0.0, 1.0))
    manifest = do(job, [path])
    assert (manifest["explained"], manifest["rejected"]) == (1, 2)
    reasons = [json.loads(line)["reason"] for line in (tmp_path / "out" / "rejected.jsonl").read_text().splitlines()]
    assert all(reason.startswith("corrupt image: `x`") for reason in reasons)


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


def kill_when_half_done(command, output, enough, **options):
    """Starts a process group, and SIGKILLs it when there are `enough` reports."""
    process = subprocess.Popen(command, start_new_session=True, **options)
    deadline = time.monotonic() + 120
    while len(list(Path(output).glob("reports/*.json"))) < enough:
        assert process.poll() is None, "the job ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def test_a_killed_job_is_resumed_where_it_was(slow_model, tfrecords, tmp_path):
    script = (
        "import sys; from tf_ig2.serving import job as jobs; from tf_ig2.serving.shards import Job\n"
        "job = Job(sys.argv[1], sys.argv[2]); jobs.begin(job); planned = jobs.plan([sys.argv[3]], 4)\n"
        "jobs.finish(job, planned, jobs.run(job, planned), 'local')"
    )
    command = [sys.executable, "-c", script, slow_model, str(tmp_path / "killed"), tfrecords]
    kill_when_half_done(command, tmp_path / "killed", 5)
    done = len(list((tmp_path / "killed").glob("reports/*.json")))
    for file in (tmp_path / "killed" / "shards").iterdir():
        assert rows.decode(str(file))  # whole
    manifest = do(Job(slow_model, str(tmp_path / "killed")), [tfrecords], 4)
    assert manifest["run"]["shards_resumed"] == done
    assert manifest["run"]["shards_computed"] == 23 - done > 0
    do(Job(slow_model, str(tmp_path / "whole")), [tfrecords], 4)
    assert shard_bytes(tmp_path / "killed") == shard_bytes(tmp_path / "whole")
    assert not (tmp_path / "killed" / files.PARTIAL).exists()

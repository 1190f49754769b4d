"""The same job in Apache Beam: same rows, killed and resumed, and a model handler for pipelines of one's own."""

import json
import os
import sys

import numpy as np
import pytest

pytest.importorskip("apache_beam", reason="apache-beam is not installed: pip install tf_ig2[beam]")
pytest.importorskip("pyarrow", reason="pyarrow is not installed: pip install tf_ig2[beam]")

import apache_beam
from apache_beam.ml.inference.base import RunInference
from apache_beam.testing.util import assert_that

from tests.serving.conftest import FEATURES, kill_when_begun, processes, result, shard_bytes, write_tfrecord
from tf_ig2.serving import beam
from tf_ig2.serving import job as jobs
from tf_ig2.serving.records import Record, RejectedError
from tf_ig2.serving.shards import Job

pytestmark = pytest.mark.filterwarnings("ignore")  # Beam's own, of many kinds

TWO_PROCESSES = ["--direct_num_workers=2", "--direct_running_mode=multi_processing"]


@pytest.mark.parametrize("options", [[], TWO_PROCESSES], ids=["in process", "two processes"])
def test_beam_explains_as_the_plain_loop_does(model, plain, tfrecords, tmp_path, options, monkeypatch):
    # Worker processes have to find the package as this one does.
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, sys.path)))
    manifest = beam.run(Job(model, str(tmp_path)), jobs.plan([tfrecords], 16), options)
    assert (manifest["explained"], manifest["rejected"], manifest["run"]["runner"]) == (90, 0, "beam")
    assert result(tmp_path)[0]["shards"] == result(plain)[0]["shards"]
    assert shard_bytes(tmp_path) == shard_bytes(plain)


def test_dead_letters_and_metrics(model, values, tmp_path):
    records = [{"x": x} for x in values[:20]]
    records[7] = {"x": np.full(FEATURES, np.nan)}
    job, path = Job(model, str(tmp_path / "out")), write_tfrecord(tmp_path / "in.tfrecord", records)
    pipeline = apache_beam.Pipeline()
    explained = pipeline | apache_beam.Create(jobs.plan([path], 8)) | beam.ExplainShards(job)

    def one_letter(letters):
        assert [(letter["row"], letter["key"]) for letter in letters] == [(7, "in.tfrecord#7")]
        assert "NaN" in letters[0]["reason"]

    assert_that(explained["rejected"], one_letter)
    done = pipeline.run()
    done.wait_until_finish()
    counters = {c.key.metric.name: c.committed for c in done.metrics().query()["counters"]}
    assert (counters["explained"], counters["rejected"]) == (19, 1)
    (seconds,) = (d for d in done.metrics().query()["distributions"] if d.key.metric.name == "milliseconds")
    assert seconds.committed.count == 3


def workers(group):
    """One of the worker processes of a job on the direct runner."""
    found = processes(
        lambda command, _, its_group: its_group == group and "sdk_worker_main" in command and "\0-c\0" not in command
    )
    assert len(found) == 2
    return found[:1]


@pytest.mark.parametrize(
    ("options", "victims"), [([], lambda group: []), (TWO_PROCESSES, workers)], ids=["the job", "one worker of two"]
)
def test_a_killed_job_is_resumed_where_it_was(slow_model, few, undisturbed, tmp_path, options, victims):
    script = (
        "import sys; from tf_ig2.serving import beam, job as jobs; from tf_ig2.serving.shards import Job\n"
        "beam.run(Job(sys.argv[1], sys.argv[2]), jobs.plan([sys.argv[3]], 4), sys.argv[4:])"
    )
    command = [sys.executable, "-c", script, slow_model, str(tmp_path), few, *options]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = kill_when_begun(command, tmp_path, victims, env=environment)
    whole = shard_bytes(undisturbed)
    assert shard_bytes(tmp_path).items() <= whole.items()  # no half file under its final name
    planned = jobs.plan([few], 4)
    manifest = beam.run(Job(slow_model, str(tmp_path)), planned)
    assert manifest["run"]["shards_resumed"] == done
    assert manifest["run"]["shards_computed"] == len(planned) - done > 0
    assert shard_bytes(tmp_path) == whole
    assert result(tmp_path)[0]["shards"] == result(undisturbed)[0]["shards"]


def test_run_inference_answers_every_record(model, plain, values):
    records = [Record(str(i), {"x": x}) for i, x in enumerate(values[:12])]
    records += [Record("short", {"x": np.ones(5)}), Record("far", {"x": np.ones(FEATURES), "target": 9})]
    expected = result(plain)[1]

    def every_one(answers):
        found = {answer.example.key: answer.inference for answer in answers}
        assert set(found) == {record.key for record in records}
        for i in range(12):
            row = expected[f"a.tfrecord#{i}"]
            np.testing.assert_allclose(found[str(i)].attributions["attributions"], row["attributions"], atol=1e-5)
        assert isinstance(found["short"], RejectedError)
        assert "target out of range" in str(found["far"])

    with apache_beam.Pipeline() as pipeline:
        answers = pipeline | apache_beam.Create(records) | RunInference(beam.ExplainerModelHandler(model))
        assert_that(answers, every_one)
    assert json.dumps(beam.ExplainerModelHandler(model).batch_elements_kwargs())

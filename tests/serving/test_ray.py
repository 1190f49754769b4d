"""The same job on Ray: same rows, also when an actor is killed."""

import os
import signal
import sys
from pathlib import Path

import pytest

pytest.importorskip("ray", reason="ray is not installed: pip install tf_ig2[ray]")
pytest.importorskip("pyarrow", reason="pyarrow is not installed: pip install tf_ig2[ray]")

import ray as ray_

from tests.serving.conftest import processes, result, shard_bytes
from tf_ig2.serving import job as jobs
from tf_ig2.serving import ray
from tf_ig2.serving.shards import Job

pytestmark = pytest.mark.filterwarnings("ignore")  # Ray's own, of many kinds


@pytest.fixture(scope="module", autouse=True)
def cluster():
    environment = {"PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "TF_CPP_MIN_LOG_LEVEL": "2"}
    # No more processors than actors: nothing else may need one, or the job would wait for ever.
    ray_.init(num_cpus=2, include_dashboard=False, log_to_driver=False, runtime_env={"env_vars": environment})
    yield
    ray_.shutdown()


def test_two_actors_explain_as_the_plain_loop_does(model, plain, tfrecords, tmp_path):
    manifest = ray.run(Job(model, str(tmp_path)), jobs.plan([tfrecords], 16), actors=2)
    assert (manifest["explained"], manifest["run"]["runner"]) == (90, "ray")
    assert result(tmp_path)[0]["shards"] == result(plain)[0]["shards"]
    assert shard_bytes(tmp_path) == shard_bytes(plain)


def test_more_actors_than_processors(model, plain, tfrecords, tmp_path):
    with pytest.warns(UserWarning, match="3 actors need 3 processors, and Ray has 2"):
        ray.run(Job(model, str(tmp_path)), jobs.plan([tfrecords], 16), actors=3)
    assert shard_bytes(tmp_path) == shard_bytes(plain)


def actors():
    """The process ids of the actors that hold the model, among the descendants of this process."""

    def parent(pid):
        return int((Path("/proc") / str(pid) / "stat").read_text().rpartition(")")[2].split()[1])

    def ours(pid):
        while pid > 1 and pid != os.getpid():
            pid = parent(pid)
        return pid == os.getpid()

    return processes(lambda command, above, _: command.startswith("ray::") and "MapWorker" in command and ours(above))


def test_a_killed_actor_costs_no_row_and_doubles_none(slow_model, few, undisturbed, tmp_path):
    killed = []

    def kill_one(report):
        if not killed:
            killed.append(actors()[0])
            os.kill(killed[0], signal.SIGKILL)

    manifest = ray.run(Job(slow_model, str(tmp_path)), jobs.plan([few], 4), actors=2, on_report=kill_one)
    assert killed
    assert (manifest["records"], manifest["explained"], manifest["rejected"]) == (24, 24, 0)
    assert len(result(tmp_path)[1]) == 24
    assert shard_bytes(tmp_path) == shard_bytes(undisturbed)

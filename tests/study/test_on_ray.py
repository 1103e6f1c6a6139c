"""A study on a Ray cluster, of which a worker is killed, and clusters that cannot run one."""

import io
import json
import os
import signal
import sys
import threading
import time
from contextlib import nullcontext
from types import SimpleNamespace

import pytest
from rich.console import Console
from studies import content, run, runs_in, small

from jaxcurriculum.runs.errors import RunError
from jaxcurriculum.study import cluster as on_cluster
from jaxcurriculum.study.cluster import check_shared, find_places, gpus_of_a_job
from jaxcurriculum.study.on_ray import run_on_ray

STUDY = {"unlearnable": (0.1, 0.3), "steps": 4000}
REFUSED = {  # addresses and what a job is to have
    ("127.0.0.1:1", 1, None): "no Ray cluster at 127.0.0.1:1 to work on: .*refused",
    ("nonsense", 1, None): 'no Ray cluster at nonsense .* HOST:PORT, "auto" or "local"',
    ("host:port", 1, None): "no Ray cluster at host:port",
    ("local", 0, None): "must have a CPU, and may have GPUs, but was to have 0 CPUs",
    ("local", 1, -1): "must have a CPU, and may have GPUs, but was to have 1 CPUs and -1 GPUs",
}
PLACES = {  # CPUs and GPUs of a node, and of a job: jobs at a time
    (8, 2, 1, 0): 8,
    (8, 2, 1, 1): 2,
    (8, 2, 3, 0): 2,
    (8, 2, 8, 2): 1,
    (8, 2, 9, 0): 0,
    (8, 0, 1, 1): 0,
}


@pytest.fixture
def cluster(tmp_path_factory):
    """Ray of two workers in this process, which save a checkpoint at every evaluation."""
    ray = pytest.importorskip("ray")

    def save_always():
        from jaxcurriculum.runs import recorder

        recorder.SECONDS_BETWEEN_CHECKPOINTS = 0

    own = {"num_cpus": 2, "include_dashboard": False, "object_store_memory": 100 * 2**20}
    hook = {"worker_process_setup_hook": save_always}
    ray.init("local", runtime_env=hook, log_to_driver=False, logging_level="ERROR", **own)
    yield ray
    ray.shutdown()


def kill_a_worker(folder, killed):
    """Kill the worker of the first job that has a checkpoint, in the middle of it."""
    for _ in range(20_000):
        for path in folder.glob("jobs/*/checkpoints/[0-9]*"):
            job = path.parents[1]
            if not (job / "done.json").exists() and (job / "claim.json").exists():
                process = json.loads((job / "claim.json").read_text())["process"]
                os.kill(process, signal.SIGKILL)
                killed[job.name] = process
                return
        time.sleep(0.01)


def everything(folder):
    return {
        name: [content(run, seed) for seed in range(3)] for name, run in runs_in(folder).items()
    }


@pytest.mark.slow  # four processes that import JAX
def test_a_study_whose_worker_is_killed_ends_as_one_on_this_machine(cluster, tmp_path, monkeypatch):
    killed, said, there = {}, io.StringIO(), tmp_path / "there"
    killer = threading.Thread(target=kill_a_worker, args=(there, killed))
    killer.start()
    run_on_ray(small(**STUDY), there, console=Console(file=said))
    killer.join()
    assert "2 of 2 runs are complete" in said.getvalue()
    done = {path.parent.name: path.read_bytes() for path in there.glob("jobs/*/done.json")}
    assert len(killed) == 1 and len(done) == 3
    (job,) = killed
    assert json.loads(done[job])["process"] not in (killed[job], os.getpid())

    run(small(**STUDY), tmp_path / "here")
    assert everything(there) == everything(tmp_path / "here")
    again = io.StringIO()
    run_on_ray(small(**STUDY), there, console=Console(file=again))
    assert "0 jobs to go, 2 at a time" in again.getvalue()
    assert all((there / "jobs" / job / "done.json").read_bytes() == done[job] for job in done)

    elsewhere = lambda **_: nullcontext(SimpleNamespace(name="/nowhere/seen"))
    monkeypatch.setattr(on_cluster.tempfile, "NamedTemporaryFile", elsewhere)
    with pytest.raises(RunError, match="does not see .*there: choose a `folder` that all nodes"):
        check_shared(cluster, there, [node["NodeID"] for node in cluster.nodes()])


@pytest.mark.parametrize("asked", REFUSED)
def test_what_no_study_can_run_on(asked, tmp_path):
    pytest.importorskip("ray")
    with pytest.raises(RunError, match=REFUSED[asked]):
        run_on_ray(small(), tmp_path, *asked)


def test_without_ray_it_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(
        RunError, match=r"needs the package ray: pip install 'jaxcurriculum\[ray\]'"
    ):
        run_on_ray(small(), tmp_path)


def node(cpus, gpus, name="a"):
    has = {"CPU": float(cpus)} | ({"GPU": float(gpus)} if gpus else {})
    return {"NodeID": name, "Resources": has}


@pytest.mark.parametrize("case", PLACES)
def test_jobs_at_a_time_on_a_node(case):
    cpus, gpus, *job = case
    beside = node(64, 8, "b")
    assert find_places([node(cpus, gpus), beside], *job).get("a", 0) == PLACES[case]


def test_a_job_that_no_node_has_room_for_is_refused_not_waited_for():
    nodes = [node(8, 2, "a"), node(4, 0, "b"), node(4, 0, "c")]
    with pytest.raises(RunError, match=r"has the 1 CPUs and 3 GPUs .*: 4 and 0, 8 and 2\."):
        find_places(nodes, 1, 3)
    assert gpus_of_a_job(nodes) == 1 and gpus_of_a_job(nodes[1:]) == 0

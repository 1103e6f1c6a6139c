"""A Ray cluster: connecting to it, how many jobs it has room for, and what its nodes see."""

from __future__ import annotations

import importlib
import pathlib
import platform
import socket
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from jaxcurriculum.runs.errors import RunError

SMALL = 100 * 2**20  # bytes: results are files, so that Ray's own store stays empty


@contextmanager
def connected(address: str) -> Iterator[Any]:
    """Ray, connected to the cluster at `address` inside."""
    try:
        ray = importlib.import_module("ray")
    except ImportError:
        raise RunError(
            "A study on a cluster needs the package ray: pip install 'jaxcurriculum[ray]'."
        ) from None
    if ray.is_initialized():
        yield ray
        return
    own = {"include_dashboard": False, "object_store_memory": SMALL} if address == "local" else {}
    try:
        _check_answers(address)
        ray.init(address=address, log_to_driver=False, logging_level="ERROR", **own)
    except Exception as error:  # Ray raises plain ones when it comes to nothing in time
        reason = str(error).strip().partition("\n")[0].rstrip(".")
        raise RunError(f"There is no Ray cluster at {address} to work on: {reason}.") from None
    try:
        yield ray
    finally:
        ray.shutdown()


def _check_answers(address: str) -> None:
    """Ray itself would try for minutes."""
    if address not in ("local", "auto"):
        host, _, port = address.rpartition(":")
        if not host or not port.isdecimal():
            raise ValueError('an address is HOST:PORT, "auto" or "local"')
        socket.create_connection((host, int(port)), timeout=10).close()


def gpus_of_a_job(nodes: Sequence[dict[str, Any]]) -> int:
    """One where any node has one."""
    return int(any(node["Resources"].get("GPU", 0) >= 1 for node in nodes))


def find_places(nodes: Sequence[dict[str, Any]], cpus: int, gpus: int) -> dict[str, int]:
    """How many jobs each of `nodes` that has room for any can run at a time, by its ID.

    Raises:
      RunError: when there is none; Ray would wait for one for ever.
    """
    places = {node["NodeID"]: places_on(node, cpus, gpus) for node in nodes}
    if any(places.values()):
        return {node: num for node, num in places.items() if num}
    have = [[f"{node['Resources'].get(kind, 0):g}" for kind in ("CPU", "GPU")] for node in nodes]
    known = ", ".join(sorted({" and ".join(one) for one in have}))
    raise RunError(
        f"No node of the cluster has the {cpus} CPUs and {gpus} GPUs that a job is to have;"
        f" its nodes have (CPUs and GPUs): {known}."
    )


def places_on(node: dict[str, Any], cpus: int, gpus: int) -> int:
    """How many jobs a node can run at a time."""
    has = node["Resources"]
    places = has.get("CPU", 0) // cpus
    return int(min(places, has.get("GPU", 0) // gpus) if gpus else places)


def check_shared(ray: Any, folder: pathlib.Path, nodes: Iterable[str]) -> None:
    """Check that all `nodes`, by their IDs, see `folder`.

    Raises:
      RunError: naming one that does not.
    """
    folder.mkdir(parents=True, exist_ok=True)
    at = ray.util.scheduling_strategies.NodeAffinitySchedulingStrategy
    with tempfile.NamedTemporaryFile(prefix=".seen-", dir=folder) as file:
        path = pathlib.Path(file.name)
        sees = ray.remote(num_cpus=0)(lambda: None if path.exists() else platform.node())
        on = [sees.options(scheduling_strategy=at(node, soft=False)).remote() for node in nodes]
        for host in filter(None, result(ray, on)):
            raise RunError(f"{host} does not see {folder}: choose a `folder` that all nodes share.")


def result(ray: Any, task: Any) -> Any:
    """What a task, or each of a list of them, returns.

    Raises:
      RunError: when it raised one, and when it lost its worker too often.
    """
    try:
        return ray.get(task)
    except ray.exceptions.RayTaskError as error:
        raise (error.cause if isinstance(error.cause, RunError) else error) from None
    except ray.exceptions.RayError as error:
        reason = str(error).strip().partition("\n")[0].rstrip(".")
        told = "what the worker said is in /tmp/ray/session_latest/logs of its node"
        raise RunError(f"Workers were lost again and again; {told}. Ray: {reason}.") from None

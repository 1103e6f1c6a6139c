"""A policy as a file that needs neither JAX nor this library: arrays in an .npz, and a header."""

from __future__ import annotations

import importlib.metadata
import json
import pathlib
from typing import Any

import jax
import numpy as np

from jaxcurriculum.fields import check_kind
from jaxcurriculum.records import PyTree
from jaxcurriculum.runs.errors import RunError
from jaxcurriculum.runs.files import write_file
from jaxcurriculum.runs.policy import Policy
from jaxcurriculum.runs.policy_file import HEADER
from jaxcurriculum.spaces import Box, Discrete, Product


def export_policy(policy: Policy, path: str | pathlib.Path) -> pathlib.Path:
    """Write `policy` as an .npz file: its weights by name, what it remembers before an episode
    ("memory"), and a JSON text "header" that says what is in it, with the settings of its run.

    `load_policy` and `render` read it; `docs/examples/numpy_policy.py` plays one of PPO with NumPy
    alone. Returns the path.

    Raises:
      TypeError: when `policy` is none.
      RunError: when `path` is no .npz file in a folder that exists.
    """
    check_kind("export_policy.policy", policy, Policy)
    path = pathlib.Path(path)
    if path.suffix != ".npz" or not path.parent.is_dir():
        raise RunError(f"A policy is an .npz file in a folder that exists, got {path}.")
    remembered = named(policy.initial_memory)
    memory = {f"memory.{name}".rstrip("."): leaf for name, leaf in remembered.items()}
    arrays: dict[str, Any] = {
        name: np.asarray(leaf) for name, leaf in {**policy.weights, **memory}.items()
    }
    arrays[HEADER] = np.array(json.dumps(header(policy, list(memory)), indent=2))

    def write(temporary: pathlib.Path) -> None:
        with open(temporary, "wb") as file:
            np.savez(file, **arrays)

    write_file(path, write)
    return path


def header(policy: Policy, memory: list[str]) -> dict[str, Any]:
    """What the arrays of an exported policy are, as JSON holds it."""
    source = policy.source
    seeding = {"seeds": 1, "seed": source.seed, "group": 1}
    observation = [
        {"name": name, "shape": list(leaf.shape), "dtype": str(leaf.dtype)}
        for name, leaf in named(source.obs_shapes).items()
    ]
    return {
        "jaxcurriculum": importlib.metadata.version("jaxcurriculum"),
        "run": source.run.path.resolve().name,
        "seed": source.seed,
        "student": source.student,
        "environment": source.environment.name,
        "observation": observation,
        "action": about_space(source.environment.action_space),
        "memory": memory,
        "weights": {name: list(leaf.shape) for name, leaf in policy.weights.items()},
        "config": source.run.config | seeding,
        "rebuild": source.run.meta.get("rebuild"),
    }


def about_space(space: Any) -> dict[str, Any]:
    """A space of actions as JSON holds it.

    >>> about_space(Discrete(num=3))
    {'kind': 'Discrete', 'num': 3}
    >>> about_space(Box(names=("force",), low=(-1,), high=(1,)))
    {'kind': 'Box', 'names': ['force'], 'low': [-1.0], 'high': [1.0]}
    """
    about: dict[str, Any] = {"kind": type(space).__name__}
    if isinstance(space, Discrete):
        about["num"] = space.num
    if isinstance(space, Box):
        about |= {"names": [*space.names], "low": [*space.low], "high": [*space.high]}
    if isinstance(space, Product):
        about["parts"] = {name: about_space(part) for name, part in space.parts.items()}
    return about


def named(tree: PyTree) -> dict[str, Any]:
    """The leaves of `tree` by their paths, in its order; a single one is called ""."""
    return {
        jax.tree_util.keystr(path, simple=True, separator="."): leaf
        for path, leaf in jax.tree_util.tree_leaves_with_path(tree)
    }

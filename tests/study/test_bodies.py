"""Cells that differ in a walker's body: those of one shape share a program."""

import dataclasses

import jax
import pytest
from studies import content, run

from jaxcurriculum.cli.settings import parameters
from jaxcurriculum.cli.tables import ENVIRONMENTS
from jaxcurriculum.study import Study
from jaxcurriculum.study.plan import Plan

SMALL = {
    "hidden": (8,),
    "minibatch_size": 32,
    "num_epochs": 1,
    "rollout.num_envs": 4,
    "rollout.num_steps": 16,
    "rollout.pool_size": 16,
}


def walkers(*bodies, **tracks):
    """A study of walkers with these bodies, on such tracks."""
    settings = {"stump-tracks": {"body": bodies} | tracks, "ppo": SMALL}
    lengths = {"seeds": 1, "group": 2, "steps": 64, "evaluate_every": 64}
    return Study(teachers=("random",), envs=("stump-tracks",), settings=settings, **lengths)


def told(body, **fields):
    """What a program is told of a body in a world with these settings."""
    config = dataclasses.replace(ENVIRONMENTS["stump-tracks"].config, **fields)
    (parameter,) = [each for each in parameters(config) if each.name == "body"]
    return parameter.arrays(body)


def test_bodies_of_one_shape_are_told_as_arrays_and_others_are_not():
    structures = [jax.tree.structure(told(body)) for body in ("default", "short", "long")]
    assert structures[0] == structures[1] == structures[2]
    assert told("quadruped") is None
    assert told("short", sizes=("leg_width",)) is None


@pytest.fixture
def hardly_optimised():
    """A walker's PPO is compiled in a third of the time."""
    jax.config.update("jax_disable_most_optimizations", True)
    yield
    jax.config.update("jax_disable_most_optimizations", False)


@pytest.mark.slow  # a walker's PPO is compiled, and tested on tracks
def test_two_bodies_share_a_program_and_nothing_else(tmp_path, untraced, hardly_optimised):
    both = run(walkers("default", "short"), tmp_path / "both")
    assert len(Plan.read(tmp_path / "both").programs) == 1
    default, short = both.values()
    (alone,) = run(walkers("short"), tmp_path / "alone").values()
    assert content(short, 0) == content(alone, 0) != content(default, 0)
    assert (default.config["env.body"], short.config["env.body"]) == ("default", "short")

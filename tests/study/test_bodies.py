"""Cells that differ in a walker's body: those of one shape share a program."""

import jax
import pytest
from studies import content, run

from jaxcurriculum.study import Study
from jaxcurriculum.study.cells import cells_of
from jaxcurriculum.study.plan import Plan
from jaxcurriculum.study.programs import place

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


@pytest.fixture
def all_traceable(untraced, monkeypatch):
    """A walker's PPO takes seconds to trace; that it can be told its body is tested where it is."""
    trust = lambda setup, candidates, trace: candidates
    monkeypatch.setattr("jaxcurriculum.study.programs._traceable", trust)


def test_bodies_of_one_shape_share_a_program(all_traceable):
    cells = cells_of(walkers("default", "short", "quadruped", "long"))
    default, short, quadruped, long = place(cells)
    assert default.program == short.program == long.program != quadruped.program
    assert "env.body" in default.arguments and "env.body" not in quadruped.arguments


def test_a_body_that_shares_with_none_is_a_constant(all_traceable):
    for placed in place(cells_of(walkers("short", "quadruped"))):
        assert "env.body" not in placed.arguments


def test_bodies_whose_sizes_tasks_choose_share_none(all_traceable):
    default, short = place(cells_of(walkers("default", "short", sizes=("leg_width",))))
    assert default.program != short.program


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
    _, again = run(walkers("long", "short"), tmp_path / "again").values()
    assert content(short, 0) == content(again, 0) != content(default, 0)
    assert (default.config["env.body"], short.config["env.body"]) == ("default", "short")

"""Cells that differ in the bounds of their tasks: one program, and the numbers of each as alone."""

import dataclasses

import pytest
from studies import content, run, small

from jaxcurriculum.study import Study
from jaxcurriculum.study.plan import Plan, cut

SMALL = {
    "hidden": (8,),
    "minibatch_size": 32,
    "num_epochs": 1,
    "rollout.num_envs": 4,
    "rollout.num_steps": 16,
    "rollout.pool_size": 16,
}
WIDE, NARROW = (5.0, 20.0), (7.0, 9.0)


def poles(gravity, **fields):
    """A study of poles in worlds of these bounds of gravity, and of one length."""
    pole = {"gravity": gravity, "mass_cart": None, "mass_pole": None, "force": None}
    known = {"teachers": ("random",), "envs": ("cart-pole",), "seeds": 1, "group": 2}
    known |= {"steps": 256, "evaluate_every": 128, "settings": {"cart-pole": pole, "ppo": SMALL}}
    return Study(**(known | fields))


@pytest.mark.slow  # a PPO is compiled, and tested on 100 poles at every evaluation
def test_two_bounds_share_a_program_and_nothing_else(tmp_path):
    both = run(poles((WIDE, NARROW)), tmp_path / "both")
    plan = Plan.read(tmp_path / "both")
    assert len(plan.programs) == len(plan.jobs) == 1
    for (low, high), one in zip((WIDE, NARROW), both.values(), strict=True):
        (alone,) = run(poles(((low, high),)), tmp_path / f"{low}").values()
        assert content(one, 0) == content(alone, 0)
        assert one.meta["axes"]["low"][0] == low and one.meta["axes"]["high"][0] == high
        for table in one.episodes(), one.evaluations():
            assert table["gravity"].min() >= low and table["gravity"].max() <= high


def test_bounds_that_are_equal_keep_a_program_of_their_own():
    assert len(cut(poles((WIDE, NARROW, (9.8, 9.8)))).programs) == 2


def test_a_cell_that_was_planned_before_keeps_its_program():
    """Another version may cut its cells otherwise; what was begun goes on in what it began in."""
    (program, planned), before = *cut(small()).programs.items(), cut(small())
    cells = {
        name: dataclasses.replace(cell, program="earlier") for name, cell in before.cells.items()
    }
    jobs = {name: dataclasses.replace(job, program="earlier") for name, job in before.jobs.items()}
    earlier = Plan(cells, {"earlier": planned}, jobs, before.versions)
    after = cut(small((0.1, 0.3, 0.5), seeds=4), earlier)
    assert set(after.programs) == {"earlier", program}
    assert {cell.program for cell in after.cells.values()} == {"earlier", program}
    assert len(after.jobs) == 3 + 1 + 2

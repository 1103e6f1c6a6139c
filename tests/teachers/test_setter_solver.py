"""Setter-Solver: an exact density, a calibrated judge, and tasks whose success rate is the one
that was wanted.
"""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxcurriculum import Box, teachers
from jaxcurriculum.records import fresh_proposals
from jaxcurriculum.teachers import SetterSolverConfig
from jaxcurriculum.teachers.parts.flow import Flow
from jaxcurriculum.teachers.setter_solver import Judge
from jaxcurriculum.testing import laws
from jaxcurriculum.testing.compiling import quick_jit
from jaxcurriculum.testing.trials import made_up_episodes

SPACE = Box(names=("height", "constant", "spacing"), low=(0.0, 2.0, 0.0), high=(3.0, 2.0, 6.0))
SMALL = SetterSolverConfig(
    setter_hidden=16, judge_hidden=(32, 32), num_blocks=2, learning_rate=3e-3, noise=0.02
)


def perturbed(flow, dims, key):
    """Parameters far from the identity."""
    params = quick_jit(flow.init)(key, jnp.zeros(dims), jnp.float32(0.5))
    return jax.tree.map(lambda x: x + 0.1 * jax.random.normal(key, x.shape), params)


@pytest.mark.parametrize(("dims", "num_blocks"), [(1, 2), (2, 2), (3, 1)])
def test_the_density_is_that_of_the_map(dims, num_blocks):
    """Inverse of forward is the identity; log p(g) = log N(z) - log |det dg/dz|, by the
    Jacobian.
    """
    flow = Flow(dims=dims, hidden=8, num_blocks=num_blocks)
    params = perturbed(flow, dims, jax.random.key(0))
    noise, condition = jax.random.normal(jax.random.key(1), (6, dims)), jnp.linspace(0.05, 0.95, 6)

    @quick_jit
    @jax.vmap
    def run(z, f):
        forward = lambda z: flow.apply(params, z, f)
        point, log_density = forward(z)
        back, again = flow.apply(params, point, f, method=Flow.inverse)
        _, log_det = jnp.linalg.slogdet(jax.jacfwd(lambda z: forward(z)[0])(z))
        normal = -0.5 * jnp.sum(z**2 + jnp.log(2 * jnp.pi))
        return point, back, log_density, again, normal - log_det

    point, back, log_density, again, truth = run(noise, condition)
    assert np.all((point > 0) & (point < 1)) and np.std(point) > 0.05
    np.testing.assert_allclose(back, noise, atol=2e-3)
    np.testing.assert_allclose(log_density, truth, atol=2e-3)
    np.testing.assert_allclose(again, truth, atol=2e-2)


def success(place, middle, width):
    """Probability of success by the place ([num], in [0, 1]) on the first axis: a slope at
    `middle`.
    """
    return jax.nn.sigmoid((middle - place) / width)


def episodes_of(key, proposals, middle=0.5, width=0.5):
    episodes = made_up_episodes(key, SPACE, proposals)
    solved = jax.random.uniform(key, (proposals.seeds.shape[0],)) < success(
        proposals.tasks[:, 0] / 3.0, middle, width
    )
    return episodes.replace(
        tasks=proposals.tasks,
        solved=solved,
        returns=solved.astype(jnp.float32),
        valid=jnp.ones_like(solved),
    )


@quick_jit
def places_wanted(setter, feasibility):
    """Where on the first axis of the cube the setter puts 1000 tasks of one wanted feasibility."""
    flow = Flow(dims=2, hidden=SMALL.setter_hidden, num_blocks=SMALL.num_blocks)
    noise = jax.random.normal(jax.random.key(0), (1000, 2))
    return jax.vmap(lambda z: flow.apply(setter, z, jnp.float32(feasibility))[0][0])(noise)


@pytest.fixture(scope="module")
def practise():
    """(state, middle, width, seed) -> the state after 800 rounds of 50 episodes, and all tasks."""
    teacher = teachers.setter_solver(SPACE, SMALL)

    @jax.jit
    def run(state, middle, width, seed):
        def one_round(state, key):
            keys = jax.random.split(key, 3)
            state, proposals = teacher.propose(keys[0], state, 50)
            state, _ = teacher.update(
                keys[1], state, episodes_of(keys[2], proposals, middle, width), None
            )
            return state, proposals.tasks

        return jax.lax.scan(one_round, state, jax.random.split(jax.random.key(seed), 800))

    return run


@pytest.mark.slow
def test_tasks_are_of_all_feasibilities_and_follow_the_student(practise):
    """Success is a steep slope at 0.3, later at 0.7, of an axis. Uniform tasks have a success rate
    of 0.3, then 0.7; wanted ones of feasibility U(0, 1) have 0.5, and lie by the slope, where
    success is neither sure nor hopeless; there the judge is calibrated.
    """
    state = teachers.setter_solver(SPACE, SMALL).init(jax.random.key(0))
    for middle, seed in ((0.3, 1), (0.7, 2)):
        state, tasks = practise(state, middle, 0.05, seed)
        assert np.all(np.asarray(tasks)[..., 1] == 2.0)
        latest = jnp.asarray(tasks)[-200:].reshape(-1, 3)
        places = latest[:, 0] / 3.0
        assert (
            np.mean(np.abs(places - middle) < 0.15) > 0.55
        )  # success between 5 and 95 %: 0.3 of the axis
        truth = success(places, middle, 0.05)
        quarters = np.histogram(latest[:, 2] / 6.0, bins=4, range=(0, 1))[0] / len(latest)
        assert np.all(np.abs(quarters - 0.25) < 0.1), (
            "an axis on which success does not depend is covered evenly"
        )
        assert abs(np.mean(truth) - 0.5) < 0.15
        points = latest[:, np.array([0, 2])] / jnp.array([[3.0, 6.0]])
        judged = jax.nn.sigmoid(
            jax.vmap(Judge(hidden=SMALL.judge_hidden).apply, in_axes=(None, 0))(state.judge, points)
        )
        assert np.mean(np.abs(judged - truth)) < 0.1
        hard, easy = (
            np.mean(success(places_wanted(state.setter, f), middle, 0.05)) for f in (0.1, 0.9)
        )
        assert hard < 0.35 and easy > 0.7, "a task depends on the feasibility that is wanted"


@pytest.mark.slow
@pytest.mark.parametrize(("middle", "solved"), [(-100.0, 0), (100.0, 1)])
def test_nothing_breaks_without_success_or_without_failure(practise, middle, solved):
    state, tasks = practise(
        teachers.setter_solver(SPACE, SMALL).init(jax.random.key(0)), middle, 0.05, 4
    )
    assert int(state.num_updates) == 800 and np.all(state.episodes.values[-1] == solved)
    assert (
        all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(state)) and np.isfinite(tasks).all()
    )


@quick_jit
def one_update(noise, key, state, episodes):
    return teachers.setter_solver(SPACE, dataclasses.replace(SMALL, noise=noise)).update(
        key, state, episodes, None
    )[0]


@pytest.fixture(scope="module")
def fresh():
    return quick_jit(teachers.setter_solver(SPACE, SMALL).init)(jax.random.key(0))


def random_episodes(key, num, middle=0.5):
    """Of uniform tasks."""
    return episodes_of(
        key, fresh_proposals(key, jax.vmap(SPACE.sample)(jax.random.split(key, num))), middle
    )


def networks_equal(a, b):
    return all(
        np.array_equal(x, y)
        for x, y in zip(*(jax.tree.leaves((state.setter, state.judge)) for state in (a, b)))
    )


def test_networks_change_once_in_so_many_episodes(fresh):
    """Batches of 20, a step on each 50: after 60, 120, 180 (each time the count begins anew);
    nan and infinite returns are absent.
    """
    state, changes = fresh, []
    for round in range(9):
        episodes = random_episodes(jax.random.key(round), 20)
        new = one_update(0.02, jax.random.key(round), state, episodes)
        changes, state = [*changes, not networks_equal(state, new)], new
    assert changes == [False, False, True] * 3
    broken = episodes.replace(returns=jnp.tile(jnp.array([jnp.nan, jnp.inf]), 10))
    laws.assert_equal(one_update(0.02, jax.random.key(9), state, broken), state)


@pytest.mark.parametrize(("middle", "term_counts"), [(-100.0, False), (0.5, True)])
def test_without_success_the_validity_term_is_exactly_0(fresh, middle, term_counts):
    """The noise about solved tasks stands in that term alone: a step depends on it only where a
    task was solved.
    """
    state = fresh
    for round in range(2):
        state = one_update(
            0.02, jax.random.key(round), state, random_episodes(jax.random.key(round), 20, middle)
        )
    last = random_episodes(jax.random.key(2), 20, middle)
    narrow, wide = (one_update(noise, jax.random.key(2), state, last) for noise in (0.02, 0.9))
    assert int(narrow.num_updates) == 1 and networks_equal(narrow, wide) != term_counts


@pytest.mark.parametrize(
    "bad",
    [
        {"update_every": 0},
        {"noise": -0.1},
        {"learning_rate": 2.0},
        {"num_blocks": 0},
        {"judge_hidden": ()},
        {"judge_hidden": (8.0,)},
        {"judge_hidden": 8},
    ],
)
def test_bad_configurations_are_named(bad):
    with pytest.raises(ValueError, match=f"SetterSolverConfig.{next(iter(bad))}"):
        SetterSolverConfig(**bad)

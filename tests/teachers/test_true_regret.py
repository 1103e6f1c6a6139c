"""The oracle of replay: levels by how far their return is from the highest that is possible."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from levels import SQUARE, practise

from jaxcurriculum import Box, Context, Teacher, make_loop, teachers
from jaxcurriculum.challenges.views import View, in_view
from jaxcurriculum.interop.host_teacher import HostTeacher
from jaxcurriculum.records import Episodes
from jaxcurriculum.rollout import RolloutConfig
from jaxcurriculum.students import PpoConfig, ppo
from jaxcurriculum.teachers import AccelConfig, PlrConfig, accel, plr
from jaxcurriculum.testing import probes
from jaxcurriculum.testing.compiling import quick_jit

REGRET = PlrConfig(capacity=50, score="true_regret", robust=True)
KNOWN = dataclasses.replace(probes.target(), optimal_return=lambda task: 0.0 * task[0])


def student_of(env):
    rollout = RolloutConfig(num_envs=8, num_steps=16, pool_size=64)
    return ppo(env, PpoConfig(hidden=(8,), minibatch_size=64), rollout)


def test_it_replays_what_could_be_done_better_and_no_hopeless_level():
    """Left of x = 5 nothing can be reached, and nothing is; right of it 1 - y / 10 is, of 1."""

    def optimal(task):
        return jnp.where(task[0] < 5, 0.0, 1.0)

    def student(key, proposals):
        x, y = proposals.tasks.T
        returns = jnp.where(x < 5, 0.0, 1 - y / 10)
        return Episodes.of(proposals, returns, returns > 0.5)

    context = Context(jnp.int32(0), jnp.int32(0), lambda *_: None, optimal)
    teacher = plr(SQUARE, dataclasses.replace(REGRET, staleness=0.1))
    told = dataclasses.replace(teacher, update=lambda *given: teacher.update(*given[:-1], context))
    _, proposals = practise(told, student, 8, 200, jax.random.key(0))
    late = np.asarray(proposals.origin)[100:] >= 0
    x, y = np.asarray(proposals.tasks)[100:][late].T
    assert np.mean((x > 5) & (y > 7)) > 0.8


def test_a_world_that_does_not_know_it_is_refused():
    tasks = jnp.array([[0.5]])
    with pytest.raises(ValueError, match="needs the optimal return of a task, which the world of"):
        make_loop(plr(KNOWN.task_space, REGRET), student_of(probes.target()), tasks)


@pytest.mark.parametrize(
    "make",
    [
        lambda: accel(SQUARE, AccelConfig(replay=REGRET)),
        lambda: teachers.mix(teachers.random(SQUARE), plr(SQUARE, REGRET), 0.5),
        lambda: teachers.schedule([(teachers.random(SQUARE), 10), (plr(SQUARE, REGRET), 10)]),
        lambda: teachers.normalise_returns(plr(SQUARE, REGRET), -1.0, 0.0),
        lambda: teachers.in_subspace(lambda space: plr(space, REGRET), SQUARE, {"y": 4.0}),
    ],
    ids=["accel", "mix", "schedule", "normalise-returns", "in-subspace"],
)
def test_who_is_made_of_it_needs_it_too(make):
    assert make().needs_optimal_return and not teachers.random(SQUARE).needs_optimal_return


def test_a_host_teacher_does_not_know_it():
    with pytest.raises(ValueError, match="optimal return of a task, which a HostTeacher does not"):
        HostTeacher(plr(SQUARE, REGRET))


@pytest.mark.slow
def test_a_loop_scores_levels_by_it():
    """The best return is 0, so that a level's score is minus its mean return."""
    config = dataclasses.replace(REGRET, capacity=200)
    loop = make_loop(plr(KNOWN.task_space, config), student_of(KNOWN), jnp.array([[0.5]]))
    state = quick_jit(loop.init)(jax.random.key(0))
    state, episodes = quick_jit(loop.round)(state, jnp.int32(0))
    buffer, valid = state.teacher.buffer, np.asarray(episodes.valid)
    scores = dict(zip(np.asarray(buffer.seeds).tolist(), np.asarray(buffer.scores)))
    returns = {}
    for seed, value in zip(np.asarray(episodes.seeds)[valid].tolist(), episodes.returns[valid]):
        returns.setdefault(seed, []).append(float(value))
    assert len(returns) > 10
    for seed, values in returns.items():
        np.testing.assert_allclose(scores[seed], -np.mean(values), rtol=1e-5)


def test_a_view_of_a_world_knows_it_too():
    space = Box(names=("x",), low=(-1.0,), high=(1.0,))
    view = View(
        name="doubled",
        space=space,
        to_original=lambda task: 2 * task,
        is_feasible=lambda task: task[0] > 0,
        lowest=-3.0,
    )
    env = dataclasses.replace(probes.target(), optimal_return=lambda task: task[0])
    optimal = in_view(env, view).optimal_return
    assert [float(optimal(jnp.array([x]))) for x in (0.25, -0.25)] == [0.5, -3.0]
    assert in_view(probes.target(), view).optimal_return is None


def test_combinators_hand_it_on():
    """On the axis that is left, in the unit that returns are scaled to, and of points."""
    told = {}

    def listening(space):
        base = teachers.random(space)

        def update(key, state, episodes, context):
            told[space.dims] = context.optimal_return
            return base.update(key, state, episodes, context)

        return dataclasses.replace(base, update=update)

    context = Context(jnp.int32(0), jnp.int32(0), lambda *_: None, lambda task: task[0] + task[1])
    scaled = teachers.normalise_returns(listening(SQUARE), 0.0, 20.0)
    fixed = teachers.in_subspace(listening, SQUARE, {"y": 4.0})
    cube = Box(names="abc", low=[0.0] * 3, high=[1.0] * 3)
    decoded = teachers.in_latent_space(listening, cube, lambda key, point: 10 * point[:2])
    for teacher in (scaled, fixed, decoded):
        assert isinstance(teacher, Teacher)
        proposals = teacher.propose(jax.random.key(0), teacher.init(jax.random.key(0)), 2)[1]
        episodes = Episodes.of(proposals, jnp.zeros(2), jnp.zeros(2, bool))
        teacher.update(jax.random.key(0), teacher.init(jax.random.key(0)), episodes, context)
    assert float(told[1](jnp.array([3.0]))) == 7.0
    assert float(told[2](jnp.array([3.0, 2.0]))) == 0.25
    assert float(told[3](jnp.array([0.5, 0.25, 0.0]))) == 7.5

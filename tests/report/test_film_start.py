"""A film shows how its episode began."""

import types

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxcurriculum import envs
from jaxcurriculum.records import level_key
from jaxcurriculum.report import film
from jaxcurriculum.viewer import frames_of


def push_right(key, state, memory, obs, first, deterministic):
    return memory, jnp.ones(len(first), jnp.int32)


@pytest.fixture(scope="module")
def poles():
    """Two episodes that end after a few pushes, and the positions and angles of each by hand."""
    env = envs.cart_pole({"length": (0.1, 3.0)})
    student = types.SimpleNamespace(
        act=push_right, memory=lambda num: (), task_space=env.task_space
    )
    tasks = jnp.array([[0.5], [0.2]])
    actor = film.Actor(None, env, env.viewer, student, (), tasks, 0, True)
    key_reset = jax.random.split(jax.random.key(0))[0]
    by_hand = []
    for task, seed in zip(tasks, [3, 4]):
        level = env.generate(level_key(jnp.uint32(seed)), task)
        state, timestep = env.reset(key_reset, level)
        seen = [(state.x, state.angle)]
        while not timestep.terminated:
            state, timestep = env.step(key_reset, level, state, jnp.int32(1))
            seen.append((state.x, state.angle))
        by_hand.append(np.array(seen))
    return env, film.play(actor, tasks, [3, 4]), by_hand


def test_frames_go_from_the_start_to_the_end(poles):
    env, films, by_hand = poles
    assert {len(seen) % 2 for seen in by_hand} == {0, 1}, "one of even length, one of odd"
    for played, seen in zip(films, by_hand):
        shown = frames_of(len(seen) - 1, env.viewer.steps_per_frame)
        np.testing.assert_allclose(played.looks, seen[shown], atol=1e-5)
        np.testing.assert_allclose(played.seconds, shown / 50)
        np.testing.assert_allclose(played.returns, shown)  # 1 a step


@pytest.mark.parametrize("num_steps, every", [(1, 1), (1, 3), (6, 3), (7, 3), (500, 7)])
def test_first_and_last_step_are_shown(num_steps, every):
    shown = frames_of(num_steps, every)
    assert shown[0] == 0 and shown[-1] == num_steps and (np.diff(shown) > 0).all()
    assert (np.diff(shown)[1:] == every).all() and np.diff(shown)[0] <= every


def drawn_unless_best(key, state, memory, obs, first, deterministic):
    drawn = jax.random.bernoulli(key, shape=first.shape).astype(jnp.int32)
    return memory, jnp.ones_like(drawn) if deterministic else drawn


def test_actions_are_those_of_the_tests(poles):
    """The mean action, or sampled ones, which another number draws anew."""
    env, films, _ = poles
    student = types.SimpleNamespace(act=drawn_unless_best, memory=lambda num: ())
    tasks = jnp.array([[0.5], [0.2]])
    best, sampled = (
        film.Actor(None, env, env.viewer, student, (), tasks, 0, deterministic)
        for deterministic in (True, False)
    )
    trace = lambda actor, first: [
        np.concatenate(jax.tree.leaves(each.looks), axis=None).tolist()
        for each in film.play(actor, tasks, [first, 4])
    ]
    pushed = [np.concatenate(jax.tree.leaves(each.looks), axis=None).tolist() for each in films]
    assert trace(best, 3) == pushed
    once, again, anew = trace(sampled, 3), trace(sampled, 3), trace(sampled, 5)
    assert once == again and once != pushed and once != anew

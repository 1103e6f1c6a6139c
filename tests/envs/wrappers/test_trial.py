"""Several attempts as one episode: where they begin and end, and what can be learned within."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxcurriculum import LoopConfig, envs, make_loop, students, teachers
from jaxcurriculum.records import random_seeds
from jaxcurriculum.rollout import RolloutConfig
from jaxcurriculum.students import PpoConfig, simulated
from jaxcurriculum.testing import probes
from jaxcurriculum.testing.compiling import quick_jit


def play(env, task, num_steps):
    """All time steps of one episode [num_steps + 1], and its last state."""
    level = env.generate(jax.random.key(0), jnp.array([task]))
    state, start = env.reset(jax.random.key(1), level)

    def step(state, key):
        return env.step(key, level, state, env.action_space.sample(key))

    state, later = jax.lax.scan(step, state, jax.random.split(jax.random.key(2), num_steps))
    both = jax.tree.map(lambda one, more: jnp.concatenate([one[None], more]), start, later)
    return both, state, level


def test_attempts_follow_each_other_on_one_level():
    """Three steps each, in which the level's number is paid; four attempts."""
    env = envs.trial(probes.counting(), attempts=4)
    seen, state, level = play(env, 0.3, 12)
    assert seen.obs["begins"][:, 0].tolist() == [1, 0, 0] * 4 + [0]
    assert seen.obs["attempt"][:, 0].tolist() == [0] * 3 + [0.25] * 3 + [0.5] * 3 + [0.75] * 3 + [1]
    assert seen.terminated.tolist() == [False] * 12 + [True] and not seen.truncated.any()
    np.testing.assert_allclose(state.returns, [3 * level["number"]] * 4, rtol=1e-6)


def test_an_attempt_that_is_cut_ends_too():
    env = envs.trial(probes.endless(max_episode_steps=5), attempts=3)
    seen, state, _ = play(env, 0.5, 15)
    assert np.flatnonzero(seen.obs["begins"][:, 0]).tolist() == [0, 5, 10]
    assert seen.terminated.tolist() == [False] * 15 + [True]
    assert state.returns.tolist() == [5, 5, 5] and env.max_episode_steps == 15


DOORS, ATTEMPTS = 3, 4
CONFIG = PpoConfig(
    hidden=(16,),
    memory="gru",
    memory_size=16,
    minibatch_size=256,
    learning_rate=1e-2,
    entropy_coefficient=0.01,
    discount=1.0,
)
ROLLOUT = RolloutConfig(num_envs=64, num_steps=16, pool_size=320)


@pytest.mark.slow
def test_who_remembers_attempts_finds_the_hidden_door():
    """In attempt k of the three doors k are known: 1/3, 2/3, 1, 1 at best, and 1/3 without."""
    env = envs.with_previous(envs.trial(probes.hidden_door(DOORS), ATTEMPTS))
    student = students.ppo(env, CONFIG, ROLLOUT)
    loop = make_loop(
        teachers.random(env.task_space), student, [[0.5]], LoopConfig(rounds_per_evaluation=100)
    )
    tasks, seeds = jnp.full((600, 1), 0.5), random_seeds(jax.random.key(1), 600)

    @quick_jit
    def learned(key):
        state, _ = loop.advance(loop.init(key), jnp.int32(0))
        return envs.attempt_returns(key, student, state.student, tasks, seeds)

    returns = learned(jax.random.key(0)).mean(0)
    np.testing.assert_allclose(returns, [1 / 3, 2 / 3, 1, 1], atol=0.06)


def test_attempt_returns_are_those_of_trials():
    refused = (students.ppo(probes.hidden_door(), CONFIG, ROLLOUT), simulated.toy_grid())
    for student in refused:
        with pytest.raises(ValueError, match=f"{student.name!r} must play trials"):
            envs.attempt_returns(
                jax.random.key(0),
                student,
                jax.eval_shape(student.init, jax.random.key(0)),
                jnp.zeros((2, 1)),
                jnp.zeros(2, jnp.uint32),
            )


@pytest.mark.parametrize("attempts", [0, -1, 2.5, True])
def test_what_is_no_number_of_attempts_is_refused(attempts):
    with pytest.raises(ValueError, match="trial.attempts must be a positive integer"):
        envs.trial(probes.hidden_door(), attempts)

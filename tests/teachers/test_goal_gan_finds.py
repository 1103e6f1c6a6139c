"""GoalGAN that practises: it finds tasks of intermediate difficulty."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from goal_gan_runs import KEY, SMALL, SPACE, attempts

from jaxcurriculum import teachers
from jaxcurriculum.testing.compiling import quick_jit

BAND = dataclasses.replace(
    SMALL,
    noise=0.1,
    p_old=0.1,
    update_every=50,
    num_iterations=150,
    pretrain_iterations=100,
    generator_hidden=(32, 32),
    discriminator_hidden=(32, 32),
    initial_mean=(-0.8, 2.0, 3.0),
    initial_std=0.2,
)


def practise(teacher, key, success, num, rounds):
    """Final state and the tasks of every round; `success(tasks [num, dims], round)` is the
    probability of solving them.
    """

    def one_round(state, inputs):
        key, round = inputs
        key_propose, key_solve, key_update = jax.random.split(key, 3)
        state, proposals = teacher.propose(key_propose, state, num)
        solved = jax.random.bernoulli(key_solve, success(proposals.tasks, round))
        return teacher.update(key_update, state, attempts(proposals, solved), None)[
            0
        ], proposals.tasks

    key_init, key_rounds = jax.random.split(key)
    inputs = jax.random.split(key_rounds, rounds), jnp.arange(rounds)
    return jax.lax.scan(one_round, teacher.init(key_init), inputs)


def test_pretraining_finds_the_easy_tasks():
    teacher = teachers.goal_gan(
        SPACE,
        dataclasses.replace(
            BAND, initial_mean=(-0.8, 2.0, 5.4), initial_std=0.1, pretrain_iterations=300
        ),
    )
    shown = quick_jit(jax.vmap(lambda key: teacher.report(teacher.init(key)).generated))(
        jax.random.split(KEY, 3)
    )
    assert bool(jnp.all(jax.vmap(jax.vmap(SPACE.contains))(shown)))
    off = (shown.mean(axis=1) - jnp.array([-0.8, 2.0, 5.4])[None]) / jnp.array([2.0, 1.0, 6.0])[
        None
    ]
    assert float(jnp.max(jnp.abs(off))) < 0.25, off  # an untrained generator is off by about 0.4


def band(tasks, left):
    """Success is certain left of the band, [left, left + 0.4] on x (a fifth of the space), and
    out of reach right of it.
    """
    x = tasks[..., 0]
    return jnp.where(x < left, 1.0, jnp.where(x > left + 0.4, 0.0, 0.5))


@pytest.mark.slow
def test_it_finds_the_band_of_intermediate_difficulty_and_follows_it():
    teacher = teachers.goal_gan(SPACE, BAND)
    left = lambda round: jnp.clip(0.01 * (round - 40) - 0.6, -0.6, 0.2)
    run = lambda key: practise(
        teacher, key, lambda tasks, round: band(tasks, left(round)), 20, 140
    )[1]
    tasks = quick_jit(jax.vmap(run))(jax.random.split(KEY, 3))
    share = np.mean(band(tasks, left(jnp.arange(140))[None, :, None]) == 0.5, axis=2)
    shares = share[:, 20:40].mean(axis=1), share[:, -20:].mean(axis=1)
    assert np.min(shares) > 0.4, shares  # the band is a fifth of the space


@pytest.mark.slow
def test_nothing_is_nan_without_success_or_without_failure():
    teacher = teachers.goal_gan(SPACE, dataclasses.replace(SMALL, p_old=0.1))
    run = lambda probability: practise(
        teacher, KEY, lambda tasks, round: jnp.full(tasks.shape[0], probability), 10, 20
    )
    state, tasks = quick_jit(jax.vmap(run))(jnp.array([0.0, 1.0]))
    report = jax.vmap(teacher.report)(state)
    assert all(
        bool(jnp.all(jnp.isfinite(leaf))) for leaf in jax.tree.leaves((state, tasks, report))
    )
    assert state.num_trainings.tolist() == [0, 0] and np.all(
        (report.num_mastered > 0) == np.array([False, True])
    )

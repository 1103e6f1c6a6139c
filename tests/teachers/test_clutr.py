"""CLUTR: its updates against NumPy, what it reaches, and what it refuses."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from building import CONTEXT, SPACE, layers, of_both

from jaxcurriculum import Box, Discrete, learners, teachers
from jaxcurriculum.teachers.parts.building import relive
from jaxcurriculum.testing.compiling import quick_jit
from references.clutr_numpy import Beta
from references.ppo_numpy import Ppo

NUM, ROUNDS = 16, 200
BUILDER = dataclasses.replace(
    teachers.ClutrConfig().builder, hidden=(6,), num_epochs=1, minibatch_size=NUM
)
CONFIG = teachers.ClutrConfig(
    num_levels=NUM, builder=BUILDER, editor=teachers.EditorConfig(noise_size=5)
)


def learned(teacher, editor, learner, returns):
    """States, and what was seen and chosen in each round of students with `returns`."""

    def one_round(state, inputs):
        key, (first, second) = inputs
        state, proposals = teacher.propose(key, state, NUM)
        after, _ = teacher.update(key, state, of_both(proposals, first, second), CONTEXT)
        seen = relive(state.key, editor, learner, state.moves, first, second)
        unit = jax.vmap(SPACE.to_unit)(proposals.tasks)
        return after, (seen.obs["noise"][0], seen.extras[0], unit)

    keys = jax.random.split(jax.random.key(1), ROUNDS)
    start = teacher.init(jax.random.key(0))
    return start, *jax.lax.scan(one_round, start, (keys, returns))


@pytest.mark.slow
def test_two_hundred_updates_are_numpys_on_the_same_random_numbers():
    editor = teachers.point_editor(SPACE, CONFIG.editor)
    learner = learners.ppo(editor.env, BUILDER, NUM)
    returns = np.random.default_rng(0).normal(size=(ROUNDS, 2, NUM)).astype(np.float32)
    returns[np.random.default_rng(1).random(returns.shape) < 0.1] = np.nan  # did not end
    returns[7] = np.nan
    run = quick_jit(lambda: learned(teachers.clutr(SPACE, CONFIG), editor, learner, returns))
    start, end, rounds = run()
    begun = [layers(start.learner.params[name]) for name in ("policy", "value")]
    bandit = Ppo(*begun, BUILDER, Beta)
    width = np.log(np.prod(np.subtract(SPACE.high, SPACE.low)))
    worth = np.maximum(np.nan_to_num(returns[:, 1] - returns[:, 0]), 0)
    known = np.isfinite(returns).all(1)
    for noise, said, unit, *outcome in zip(*map(np.float64, rounds), worth, known):
        np.testing.assert_allclose(said, bandit.log_prob(noise, unit) - width, atol=1e-4)
        bandit.learn(noise[None], unit[None], *outcome, np.arange(NUM))
    ours = layers(end.learner.params["policy"]) + layers(end.learner.params["value"])
    for mine, theirs in zip(ours, bandit.layers):
        np.testing.assert_allclose(mine[0], theirs[0], atol=1e-4)
        np.testing.assert_allclose(mine[1], theirs[1], atol=1e-4)
    assert np.abs(ours[1][0] - begun[0][1][0]).max() > 0.01, "it has learned"


def test_the_whole_box_is_in_reach():
    """The published builder's numbers are in the unit cube, a corner of the box."""
    box = Box(names=("x", "y"), low=(-4.0, -4.0), high=(4.0, 4.0))
    config = dataclasses.replace(CONFIG, num_levels=512, builder=teachers.ClutrConfig().builder)
    teacher = teachers.clutr(box, config)
    tasks = quick_jit(lambda key: teacher.propose(key, teacher.init(key), 512)[1].tasks)(
        jax.random.key(0)
    )
    assert (tasks.min(0) < -3).all() and (tasks.max(0) > 3).all()
    assert bool(jnp.all(jax.vmap(box.contains)(tasks)))


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: teachers.clutr(Discrete(num=3)), "clutr.task_space must be of the type Box"),
        (lambda: teachers.clutr(SPACE, teachers.PairedConfig()), "must be of the type ClutrConfig"),
        (lambda: teachers.ClutrConfig(num_students=1), "num_students must be at least 2"),
        (
            lambda: teachers.clutr(
                SPACE, teachers.ClutrConfig(editor=teachers.EditorConfig(noise_size=0))
            ),
            "noise_size must be positive where nothing else is seen",
        ),
    ],
)
def test_refuses(make, words):
    with pytest.raises((ValueError, TypeError), match=words):
        make()

"""PAIRED is a plain NumPy loop, fed the same random numbers over 500 updates."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from building import CONTEXT, layers, of_both

from jaxcurriculum import Box, learners, teachers
from jaxcurriculum.learners.shuffle import random_order
from jaxcurriculum.teachers.parts.building import relive
from jaxcurriculum.testing.compiling import quick_jit
from references import paired_numpy
from references.ppo_numpy import Ppo

NUM, ROUNDS, MOVES, EACH = 8, 500, 3, 2
SPACE = Box(names=("x", "y", "z"), low=(0.0,) * MOVES, high=(1.0, 4.0, 2.0))
EDITOR = teachers.box_editor(SPACE, teachers.BoxEditorConfig(num_bins=4, noise_size=2))
BUILDER = teachers.BuilderConfig(
    memory="none",
    hidden=(6,),
    num_epochs=2,
    minibatch_size=4,
    learning_rate=3e-3,
    clip_ratio=0.03,  # so small that it matters
)


def told():
    """Returns of both students on every level; a fifth did not end, and in round 7 nothing did."""
    random = np.random.default_rng(0)
    returns = random.normal(size=(ROUNDS, 2, EACH * NUM)).astype(np.float32)
    returns[random.random(returns.shape) < 0.2] = np.nan
    returns[7] = np.nan
    return returns


def played(config, returns):
    """A run on students with `returns`: its first and last states, and each round."""
    teacher = teachers.paired(EDITOR, config)
    sizes = dataclasses.replace(BUILDER, minibatch_size=BUILDER.minibatch_size * MOVES)
    learner = learners.ppo(EDITOR.env, sizes, NUM)

    def one_round(state, inputs):
        key, (first, second) = inputs
        state, proposals = teacher.propose(key, state, EACH * NUM)
        after, _ = teacher.update(key, state, of_both(proposals, first, second), CONTEXT)
        blank = jnp.zeros(NUM)
        moves = relive(state.key, EDITOR, learner, state.moves, blank, blank)
        seen = jnp.concatenate([moves.obs[name] for name in ("built", "move", "noise")], axis=-1)
        keys = jax.random.split(key, BUILDER.num_epochs)
        orders = jax.vmap(lambda key: random_order(key, MOVES * NUM))(keys)
        return after, (seen, moves.action, orders, moves.extras, after.regret)

    keys = jax.random.split(jax.random.key(1), ROUNDS)
    start = teacher.init(jax.random.key(0))
    return start, *jax.lax.scan(one_round, start, (keys, returns))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("objective", "clamp"), [("paired", True), ("paired", False), ("flexible", True)]
)
def test_five_hundred_updates_are_numpys(objective, clamp):
    config = teachers.PairedConfig(
        num_levels=NUM, builder=BUILDER, objective=objective, clamp=clamp
    )
    returns = told()
    start, end, rounds = quick_jit(lambda: played(config, returns))()
    begun = [layers(start.learner.params[name]) for name in ("policy", "value")]
    builder = Ppo(*begun, BUILDER, paired_numpy.Categorical)
    latest = np.zeros(NUM)
    for i, (seen, chosen, orders, said, regret) in enumerate(zip(*map(np.asarray, rounds))):
        seen, words = np.float64(seen), f"round {i}"
        np.testing.assert_allclose(said, builder.log_prob(seen, chosen), atol=3e-5, err_msg=words)
        by_level = np.moveaxis(returns[i].reshape(2, EACH, NUM), -1, 0)
        each = [paired_numpy.regret(level, objective, clamp) for level in by_level]
        worth, known = map(np.array, zip(*each))
        latest = worth if known.any() else latest
        np.testing.assert_allclose(regret, latest, atol=1e-5, err_msg=words)
        builder.learn(seen, chosen, worth, known, orders)
    ours = layers(end.learner.params["policy"]) + layers(end.learner.params["value"])
    for mine, theirs in zip(ours, builder.layers):
        np.testing.assert_allclose(mine[0], theirs[0], atol=3e-5)
        np.testing.assert_allclose(mine[1], theirs[1], atol=3e-5)
    assert np.abs(ours[1][0] - begun[0][1][0]).max() > 0.1, "it has learned"

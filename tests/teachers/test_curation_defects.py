"""What went wrong elsewhere in the curation of levels, each a test that fails where it does."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from levels import SQUARE, episodes_of

from jaxcurriculum import Context, Episodes, envs, tree
from jaxcurriculum.records import attempts, fresh_proposals, level_key
from jaxcurriculum.rollout import RolloutConfig
from jaxcurriculum.rollout.collect import collect, init_rollout
from jaxcurriculum.teachers import (
    AccelConfig,
    BuilderConfig,
    LearnabilityConfig,
    PairedConfig,
    PlrConfig,
    RepairedConfig,
    accel,
    learnability,
    plr,
    repaired,
)
from jaxcurriculum.testing import probes
from jaxcurriculum.testing.compiling import quick_jit

NUM = 12


def seen(teacher, state, tasks, seeds, origin=None, **fields):
    """The teacher's state after an episode on each of the levels."""
    episodes = episodes_of(tasks, seeds, origin, **fields)
    return teacher.update(jax.random.key(0), state, episodes, None)[0]


@pytest.mark.parametrize("rounds", ["alternating", "parallel"])
def test_children_come_from_all_parents(rounds):
    """dcd edited the first parent only (its issue 11, mended after the paper)."""
    replay = PlrConfig(
        robust=True,
        capacity=NUM,
        rounds=rounds,
        replay_prob=1.0,
        schedule="fixed",
        distinct=True,
    )
    config = AccelConfig(replay=replay, num_candidates=NUM, num_parents=NUM, edit_size=0.0)
    teacher, tasks = accel(SQUARE, config), jnp.arange(2.0 * NUM).reshape(NUM, 2) / 5
    seeds = np.arange(NUM)

    def two_rounds(key):
        state = teacher.init(key)
        state = seen(teacher, state, tasks, seeds, positive_value_loss=seeds / 10)
        state, replayed = teacher.propose(key, state, 3 * NUM)
        if rounds == "parallel":
            return replayed, replayed
        fields = {"positive_value_loss": jnp.ones(3 * NUM)}
        state = seen(teacher, state, replayed.tasks, replayed.seeds, replayed.origin, **fields)
        return replayed, teacher.propose(key, state, 3 * NUM)[1]

    replayed, children = quick_jit(two_rounds)(jax.random.key(3))
    of_edited = np.round(children.tasks, 3)[np.asarray(children.origin) == -2]
    of_parents = np.round(replayed.tasks, 3)[np.asarray(replayed.origin) >= 0]
    assert len(np.unique(of_parents, axis=0)) == NUM
    found, times = np.unique(of_edited, axis=0, return_counts=True)
    np.testing.assert_array_equal(found, np.unique(of_parents, axis=0))
    assert set(times) == {1 if rounds == "parallel" else 3}


@pytest.mark.parametrize("assign", ["slot", "pool"])
def test_what_is_trained_on_is_a_replayed_level_all_through_the_rollout(assign):
    """minimax trained on random levels after the first episode of each rollout (its issue 6)."""
    env = probes.counting(max_length=3)
    replayed = np.arange(8) % 2 == 0
    config = RolloutConfig(num_envs=8, num_steps=40, pool_size=8, assign=assign, carry=False)
    proposals = fresh_proposals(jax.random.key(0), jnp.arange(8)[:, None] / 8)
    proposals = proposals.replace(weight=1.0 * replayed)

    def act(key, memory, obs, first):
        return memory, jnp.zeros((8, *env.action_space.sample(key).shape)), ()

    def steps(key):
        state = init_rollout(env, 8, ())
        levels = jax.vmap(env.generate)(jax.vmap(level_key)(proposals.seeds), proposals.tasks)
        _, rollout = collect(key, env, config, state, proposals, act)
        return levels["number"], rollout.experience

    numbers, experience = jax.tree.map(np.asarray, quick_jit(steps)(jax.random.key(1)))
    is_played = experience.reward[..., None] == numbers  # a level pays its own number
    assert is_played.sum() == 40 * 8
    level = is_played.argmax(-1)
    np.testing.assert_array_equal(experience.weight, replayed[level])
    assert assign == "pool" or (level == np.arange(8)).all()
    assert experience.terminated.sum(0).min() > 5 and 0.2 < experience.weight.mean() < 0.8


def test_the_best_return_of_a_level_never_falls():
    """minimax keeps that of the latest rollout, whatever was reached before."""
    teacher = plr(SQUARE, PlrConfig(capacity=4, score="max_mc"))
    update = quick_jit(
        lambda state, returns: seen(
            teacher, state, jnp.ones((1, 2)), [7], returns=returns, mean_value=jnp.zeros(1)
        )
    )
    state, best = teacher.init(jax.random.key(0)), []
    for reached in (0.2, 0.9, 0.1, 0.5):
        state = update(state, jnp.array([reached]))
        best.append(float(state.buffer.scores[0]))
    np.testing.assert_allclose(best, [0.2, 0.9, 0.9, 0.9], rtol=1e-6)


def test_a_level_that_nobody_finished_is_not_kept_for_learnability():
    """In SFL its success rate is nan, which sorts as the best."""
    config = LearnabilityConfig(num_candidates=8, num_attempts=2, capacity=4)
    teacher = learnability(SQUARE, config)

    def probe(key, tasks, seeds, num_episodes, deterministic):
        given = attempts(tasks, seeds, num_episodes)
        level = jnp.arange(16) // 2
        return episodes_of(
            given.tasks,
            given.seeds,
            valid=level < 3,
            solved=jnp.arange(16) % 2,
            returns=jnp.where(level < 3, 1.0, jnp.nan),
        )

    context = Context(jnp.int32(0), jnp.int32(0), probe)
    nothing = episodes_of(jnp.zeros((1, 2)), [0], valid=[False])
    update = quick_jit(lambda key: teacher.update(key, teacher.init(key), nothing, context))
    state, _ = update(jax.random.key(0))
    assert int(state.num_filled) == 3 and np.all(np.isfinite(state.learnability))


def test_equal_mazes_are_one_level_whoever_drew_them():
    """A maze that is drawn or edited into being a second time updates the slot that it has."""
    space = envs.Mazes(num_walls=0)
    config = dataclasses.replace(PlrConfig.maze(), capacity=6, score="return_change")
    teacher = plr(space, config)
    mazes = jax.vmap(space.sample)(jax.random.split(jax.random.key(0), 4))
    twice = tree.take(mazes, jnp.array([0, 1, 2, 3, 2, 0]))
    seeds = jax.vmap(tree.fingerprint)(twice)
    assert len(set(seeds.tolist())) == 4

    def update(state, returns):
        episodes = episodes_of(jnp.zeros((6, 2)), seeds, returns=returns).replace(tasks=twice)
        return teacher.update(jax.random.key(0), state, episodes, None)[0]

    update = quick_jit(update)
    state = update(teacher.init(jax.random.key(0)), jnp.zeros(6))
    state = update(state, jnp.array([1.0, 2, 3, 4, 5, 6]))
    np.testing.assert_allclose(state.buffer.scores, [3.5, 2, 4, 4, -np.inf, -np.inf])


def replay_of(teacher):
    """In mazes of 3 by 3 cells, of which there are few, and its buffers, by the teacher's name."""
    space, buffers = envs.Mazes(size=3, num_walls=0), lambda state: [state.buffer]
    replay = dataclasses.replace(PlrConfig.maze(), capacity=300, score="return_change")
    if teacher == "plr":
        return plr(space, replay), buffers
    if teacher == "accel":
        config = AccelConfig(replay=replay, num_candidates=8, num_parents=4)
        return accel(space, config), lambda state: [state.replay.buffer]
    builder = PairedConfig(num_levels=16, builder=BuilderConfig(memory="none", minibatch_size=16))
    editor = envs.maze_editor(space, envs.MazeEditorConfig(noise_size=0))
    config = RepairedConfig(builder=builder, replay=replay)
    return repaired(editor, config), lambda state: [mine.buffer for mine in state.replays]


@pytest.mark.parametrize("name", ["plr", "accel", "repaired"])
def test_no_maze_has_two_slots(name):
    teacher, buffers_of = replay_of(name)

    def round(state, key):
        state, proposals = teacher.propose(key, state, 32)
        episodes = Episodes.of(proposals, jnp.zeros(32), jnp.zeros(32, bool))
        if name == "repaired":
            episodes = episodes.replace(learner=jnp.arange(32) // 16)
        probe = lambda *_: episodes
        return teacher.update(key, state, episodes, Context(jnp.int32(0), jnp.int32(0), probe))

    start = teacher.init(jax.random.key(0))
    keys = jax.random.split(jax.random.key(1), 12)
    state, _ = quick_jit(lambda: jax.lax.scan(round, start, keys))()
    for buffer in buffers_of(state):
        num = int(buffer.num_filled)
        held = tree.take(buffer.tasks, jnp.arange(num))
        assert len(set(np.asarray(jax.vmap(tree.fingerprint)(held)).tolist())) == num > 32


def test_a_round_replays_many_levels_where_the_peers_replay_one():
    """At temperature 0.3 the best of 4,000 levels has 87 % of the rank weights."""
    config = PlrConfig(
        capacity=4000, temperature=0.3, staleness=0.0, replay_prob=1.0, schedule="fixed"
    )
    effective = {}
    for distinct in (False, True):
        teacher = plr(SQUARE, dataclasses.replace(config, distinct=distinct))
        state = teacher.init(jax.random.key(0))
        weights = np.arange(1, 4001) ** (-1 / 0.3)
        buffer = state.buffer.replace(
            replay_probs=jnp.asarray(weights / weights.sum()), num_filled=jnp.int32(4000)
        )
        propose = quick_jit(teacher.propose, static_argnums=2)
        state, proposals = propose(jax.random.key(2), state.replace(buffer=buffer), 32)
        report = teacher.report(state)
        times = np.bincount(proposals.origin)
        expected = 32**2 / np.sum(times**2)
        np.testing.assert_allclose(report.effective_levels, expected, rtol=1e-5)
        np.testing.assert_allclose(report.effective_share, expected / 32, rtol=1e-5)
        effective[distinct] = expected
    assert weights[0] / weights.sum() == pytest.approx(0.872, abs=0.001)
    assert effective[False] < 2 and effective[True] == 32

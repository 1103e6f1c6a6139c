"""The task pool: every episode is played on the level that its record names, once, in order,
across rounds.
"""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxcurriculum.records import Critique, Proposals, level_key
from jaxcurriculum.rollout import RolloutConfig
from jaxcurriculum.rollout.collect import collect, init_rollout
from jaxcurriculum.rollout.evaluate import attempt
from jaxcurriculum.rollout.scoring import init_tally, score_episodes
from jaxcurriculum.testing import probes
from jaxcurriculum.testing.compiling import quick_jit

ENV = probes.counting()


def propose(round, num):
    """Tasks and seeds that are never the same twice; origin numbers them."""
    index = jnp.arange(num) + round * num
    tasks = jax.random.uniform(jax.random.key(round), (num, 1))
    return Proposals(
        tasks=tasks,
        seeds=index.astype(jnp.uint32),
        origin=index.astype(jnp.int32),
        weight=jnp.ones(num),
    )


def stand(key, memory, obs, first):
    """A policy that does nothing."""
    return memory, jnp.zeros((obs.shape[0], 1)), None


def play(config, rounds):
    """Episodes of each round as NumPy records, and the counts of each round."""
    state, records, counts = init_rollout(ENV, config.num_envs, ()), [], []
    tally = init_tally(config.num_envs, has_critic=True)

    @quick_jit
    def one_round(key, state, tally, proposals):
        over = state.over if config.carry else jnp.ones_like(state.over)
        tally = jax.tree.map(lambda leaf: jnp.where(over, 0, leaf), tally)
        state, rollout = collect(key, ENV, config, state, proposals, stand)
        values = jnp.ones_like(rollout.experience.reward)
        critique = Critique(values, -2 * values, jnp.float32(0.5))
        tally, episodes, dropped = score_episodes(ENV, rollout, tally, critique)
        return state, tally, episodes, {**rollout.counts, "dropped": dropped}

    for round in range(rounds):
        proposals = propose(round, config.pool_size)
        state, tally, episodes, count = one_round(jax.random.key(round), state, tally, proposals)
        valid = np.asarray(episodes.valid)
        records.append(jax.tree.map(lambda x, valid=valid: np.asarray(x)[valid], episodes))
        counts.append({name: int(value) for name, value in count.items()})
    return state, records, counts


def assert_true_records(episodes):
    """Length and return of every episode are those of the level that its own task and seed make."""
    for task, seed, length, returns, discounted in zip(
        episodes.tasks,
        episodes.seeds,
        episodes.lengths,
        episodes.returns,
        episodes.critic.discounted_returns,
    ):
        level = ENV.generate(level_key(jnp.uint32(seed)), jnp.array(task))
        assert length == int(level["length"])
        np.testing.assert_allclose(returns, length * float(level["number"]), rtol=1e-5)
        np.testing.assert_allclose(
            discounted, float(level["number"]) * (1 - 0.5**length) / 0.5, rtol=1e-5
        )


def test_episodes_are_played_on_the_level_they_name_and_go_on_over_rounds():
    config = RolloutConfig(
        num_envs=5, num_steps=3, pool_size=20
    )  # episodes of up to 8 steps span several rounds
    _, records, counts = play(config, rounds=6)
    for episodes in records:
        assert_true_records(episodes)
    origins = np.concatenate([episodes.origin for episodes in records])
    assert len(set(origins)) == len(origins), "without a wrap no proposal is played twice"
    assert all(
        count["pool_wraps"] == count["dropped"] == count["repeated_starts"] == 0 for count in counts
    )
    assert (
        max(int(episodes.lengths.max()) for episodes in records if len(episodes.lengths))
        > config.num_steps
    )


def test_value_fields_are_means_over_the_episode():
    _, records, _ = play(RolloutConfig(num_envs=5, num_steps=3, pool_size=20), rounds=6)
    for episodes in records:
        np.testing.assert_allclose(episodes.critic.mean_value, 1.0)
        np.testing.assert_allclose(episodes.critic.initial_value, 1.0)
        np.testing.assert_allclose(episodes.critic.positive_value_loss, 0.0)
        np.testing.assert_allclose(episodes.critic.l1_value_loss, 2.0)
        np.testing.assert_allclose(episodes.critic.signed_gae, -2.0)


def test_pool_is_taken_in_the_order_of_ending():
    config = RolloutConfig(num_envs=3, num_steps=16, pool_size=64)
    _, (episodes,), _ = play(config, rounds=1)
    # A plain simulation of the rule: at each step, environments that end take the next proposals,
    # lowest index first.
    proposals = propose(0, config.pool_size)
    lengths = [
        int(ENV.generate(level_key(s), t)["length"])
        for s, t in zip(proposals.seeds, proposals.tasks)
    ]
    running, left, cursor, ended = [0, 1, 2], [lengths[i] for i in range(3)], 3, []
    for _ in range(config.num_steps):
        left = [n - 1 for n in left]
        for env in range(3):
            if left[env] == 0:
                ended.append(running[env])
                running[env], left[env], cursor = cursor, lengths[cursor], cursor + 1
    assert episodes.origin.tolist() == ended


def test_a_short_pool_wraps_and_says_so():
    config = RolloutConfig(num_envs=4, num_steps=32, pool_size=4)
    _, (episodes,), (count,) = play(config, rounds=1)
    assert_true_records(episodes)
    # each ending starts another episode
    starts = 4 + int(np.bincount(episodes.origin).sum()) + count["dropped"]
    assert count["repeated_starts"] == starts - 4
    assert count["pool_wraps"] == (starts - 1) // 4
    assert len(episodes.origin) == 8 and count["dropped"] > 0, (
        "pool_size + num_envs slots, the rest counted"
    )


def test_episodes_per_task_repeats_each_proposal():
    config = RolloutConfig(num_envs=2, num_steps=64, pool_size=32, episodes_per_task=2)
    _, (episodes,), (count,) = play(config, rounds=1)
    attempts = np.bincount(episodes.origin)
    assert count["repeated_starts"] == 0
    assert set(attempts[: attempts.size - 3]) == {2}, (
        "all but the last few, which may still be running, were tried twice"
    )


def test_slot_assignment_keeps_each_environment_on_its_level():
    config = RolloutConfig(num_envs=4, num_steps=40, pool_size=4, assign="slot", carry=False)
    _, records, counts = play(config, rounds=2)
    for round, episodes in enumerate(records):
        assert set(episodes.origin) <= set(range(4 * round, 4 * round + 4))
        assert_true_records(episodes)
        proposals = propose(round, 4)
        lengths = np.array(
            [
                int(ENV.generate(level_key(s), t)["length"])
                for s, t in zip(proposals.seeds, proposals.tasks)
            ]
        )
        expected = 40 // lengths
        played = np.bincount(episodes.origin - 4 * round, minlength=4)
        assert (played <= expected).all() and played.sum() + counts[round][
            "dropped"
        ] == expected.sum()


def test_without_carry_running_episodes_are_dropped_at_the_end_of_a_round():
    _, records, _ = play(
        RolloutConfig(num_envs=5, num_steps=3, pool_size=20, carry=False), rounds=4
    )
    assert max(int(episodes.lengths.max()) for episodes in records if len(episodes.lengths)) <= 3


def test_the_cap_truncates_and_keeps_the_true_last_observation():
    env = probes.endless(max_episode_steps=5)
    config = RolloutConfig(num_envs=2, num_steps=7, pool_size=8)
    start = init_rollout(env, 2, ())
    _, rollout = collect(jax.random.key(0), env, config, start, propose(0, 8), stand)
    trajectory = rollout.experience
    assert trajectory.first[:, 0].tolist() == [True] + [False] * 4 + [True, False]
    assert trajectory.truncated[:, 0].tolist() == [False] * 4 + [True] + [False] * 2
    assert not bool(trajectory.terminated.any())
    np.testing.assert_array_equal(trajectory.next_obs[4], np.ones((2, 1)))


def test_attempt_plays_whole_episodes_of_the_named_levels():
    proposals = propose(3, 6)
    levels = proposals.tasks, proposals.seeds
    episodes = attempt(jax.random.key(0), ENV, stand, (), *levels, num_episodes=2)
    assert episodes.returns.shape == (12,)
    for i in range(12):
        level = ENV.generate(level_key(proposals.seeds[i // 2]), proposals.tasks[i // 2])
        assert int(episodes.lengths[i]) == int(level["length"])
        np.testing.assert_allclose(
            episodes.returns[i], episodes.lengths[i] * level["number"], rtol=1e-5
        )
    assert episodes.critic is None


@pytest.mark.parametrize(
    "settings, word",
    [
        (dict(num_envs=0), "num_envs.*from 1 to 2147483647, got 0"),
        (dict(num_steps=1.5), "num_steps.*1.5"),
        (dict(assign="random"), '"pool" or "slot".*random'),
        (dict(assign="slot", num_envs=4, pool_size=5), "got 5 for 4"),
    ],
)
def test_bad_sizes_are_refused_in_one_sentence(settings, word):
    with pytest.raises(ValueError, match=word):
        RolloutConfig(**settings)

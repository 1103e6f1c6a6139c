"""The replay against one that stores every step whole, and what it refuses."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxcurriculum.records import Experience
from jaxcurriculum.rollout import ReplayConfig, RolloutConfig
from jaxcurriculum.rollout.replay import check_replay, init_replay, remember, sample
from jaxcurriculum.students import sac
from jaxcurriculum.testing import probes
from jaxcurriculum.testing.compiling import quick_jit

NUM_STEPS, NUM_ENVS, KEPT = 6, 3, 4  # KEPT: rounds
STEPS = NUM_STEPS * NUM_ENVS
ADD, DRAW = quick_jit(remember), quick_jit(sample, static_argnums=3)


def rounds(num, seed=0):
    """Rounds in which every observation has a number of its own, and episodes end at random."""
    random = np.random.default_rng(seed)
    numbers = iter(range(1, 10**6))
    now = [next(numbers) for _ in range(NUM_ENVS)]
    for _ in range(num):
        over = random.choice(3, (NUM_STEPS, NUM_ENVS), p=[0.6, 0.2, 0.2])  # 1: terminated, 2: cut
        obs, following = np.zeros((2, NUM_STEPS, NUM_ENVS), int)
        for step, env in np.ndindex(NUM_STEPS, NUM_ENVS):
            obs[step, env] = now[env]
            following[step, env] = now[env] = next(numbers)
            if over[step, env]:
                now[env] = next(numbers)
        number = lambda: jnp.array(random.normal(size=(NUM_STEPS, NUM_ENVS)), jnp.float32)
        yield Experience(
            obs=observation(obs),
            next_obs=observation(following),
            action=number()[..., None],
            extras=number(),
            reward=number(),
            terminated=jnp.array(over == 1),
            truncated=jnp.array(over == 2),
            first=jnp.zeros((NUM_STEPS, NUM_ENVS), bool),
            weight=jnp.array(1 + obs, jnp.float32),
            memory=(),
        )


def observation(numbers):
    """A number as an image of bytes and as a float."""
    bytes = np.stack([numbers // 256, numbers % 256], axis=-1).astype(np.uint8)
    return {"image": jnp.array(bytes), "number": jnp.array(numbers, jnp.float32)}


def number_of(obs):
    image = np.asarray(obs["image"], int)
    assert obs["image"].dtype == jnp.uint8
    np.testing.assert_array_equal(image @ [256, 1], obs["number"])
    return np.asarray(obs["number"])


def steps_of(experience):
    """{number of the observation: (all else of the step, whether its next observation counts)}."""
    flat = jax.tree.map(lambda leaf: np.asarray(leaf).reshape(-1, *leaf.shape[2:]), experience)
    columns = zip(flat.action[:, 0], flat.extras, flat.reward, flat.terminated, flat.truncated)
    following, weight = number_of(flat.next_obs), np.asarray(flat.weight)
    known = zip(number_of(flat.obs), columns, following, weight)
    return {now: (*step, np.where(step[3], 0, then), weight) for now, step, then, weight in known}


@pytest.mark.parametrize("num_rounds", [1, 3, 4, 9])
def test_every_step_comes_back_as_it_was(num_rounds):
    """And none that is older than the last KEPT rounds; but one that is cut twice has no weight."""
    played = list(rounds(num_rounds))
    replay = init_replay(played[0], KEPT * STEPS)
    lost = 0
    for round, experience in enumerate(played):
        replay, num_lost = ADD(replay, experience, jnp.int32(round))
        lost += int(num_lost) if round >= num_rounds - KEPT else 0
    drawn = DRAW(jax.random.key(0), replay, jnp.int32(num_rounds - 1), 6000)
    expected, got = {}, steps_of(drawn)
    for experience in played[-KEPT:]:
        expected |= steps_of(experience)
    assert got.keys() == expected.keys()
    without_weight = [now for now in expected if got[now][-1] == 0]
    assert len(without_weight) == lost and (num_rounds < 4 or lost > 0)
    for now in expected.keys() - without_weight:
        np.testing.assert_array_equal(got[now], expected[now])
    assert bool(drawn.first.all()) and drawn.reward.shape == (1, 6000)
    _, counts = np.unique(number_of(drawn.obs), return_counts=True)
    usual = 6000 / len(expected)
    assert np.abs(counts - usual).max() < 5 * np.sqrt(usual), "every step is as likely"


@pytest.mark.slow
def test_seeds_write_side_by_side_with_one_slice():
    experience = jax.tree.map(lambda leaf: jnp.stack([leaf, leaf]), next(rounds(1)))
    replay = jax.vmap(lambda one: init_replay(one, KEPT * STEPS))(experience)
    write = jax.vmap(remember, in_axes=(0, 0, None))
    program = jax.jit(write).lower(replay, experience, jnp.int32(2)).compile().as_text()
    assert "dynamic-update-slice(" in program and " scatter(" not in program
    replay, _ = write(replay, experience, jnp.int32(2))
    assert np.flatnonzero(replay.steps.weight.any(axis=(0, 2, 3))).tolist() == [2]


@pytest.mark.parametrize(
    "capacity, message",
    [
        (100, "capacity must be a multiple of num_envs \\* num_steps = 18, got 100"),
        (18 * 10**8, "1800000000 steps takes .* GiB a seed, but there are .* GiB of memory"),
    ],
)
def test_what_cannot_be_kept_is_refused(capacity, message):
    with pytest.raises(ValueError, match=message):
        check_replay(ReplayConfig(capacity=capacity), next(rounds(1)))
    rollout = RolloutConfig(num_envs=NUM_ENVS, num_steps=NUM_STEPS, pool_size=3)
    with pytest.raises(ValueError, match="ReplayConfig.capacity"):
        sac(probes.target(), rollout=rollout, replay=ReplayConfig(capacity=capacity))

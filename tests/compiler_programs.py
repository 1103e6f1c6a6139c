"""Ordinary programs that write two arrays of one shape at the same place, each with its answer in
NumPy.

    python tests/compiler_programs.py NAME

runs one after `use_cores`, as a user would: jitted, mapped over seeds, and by `map_seeds`.
"""

from __future__ import annotations

import sys

import jax
import jax.numpy as jnp
import numpy as np

from jaxcurriculum import LoopConfig, Teacher, fresh_proposals, make_loop, map_seeds, use_cores
from jaxcurriculum.students import simulated

NUM_SEEDS, NUM_STEPS, NUM_SLOTS = 4, 50, 8
RNG = np.random.default_rng(0)
SLOTS = RNG.integers(0, NUM_SLOTS, (NUM_SEEDS, NUM_STEPS)).astype(np.int32)
VALUES = RNG.uniform(0, 1, (NUM_SEEDS, NUM_STEPS)).astype(np.float32)


def bandit(slots, values):
    """How often each arm was drawn, and what it paid."""

    def step(state, drawn):
        count, total = state
        arm, reward = drawn
        return (count.at[arm].add(1.0), total.at[arm].add(reward)), None

    return jax.lax.scan(step, (jnp.zeros(NUM_SLOTS), jnp.zeros(NUM_SLOTS)), (slots, values))[0]


def bandit_in_numpy(slots, values):
    return np.bincount(slots, minlength=NUM_SLOTS), np.bincount(slots, values, NUM_SLOTS)


def replay(slots, values):
    """A ring of observations and one of actions; every seed has its own pointer."""

    def step(state, seen):
        pointer, observations, actions = state
        observations = observations.at[pointer].set(seen)
        actions = actions.at[pointer].set(-seen)
        return ((pointer + 1) % NUM_SLOTS, observations, actions), None

    start = (slots[0], jnp.zeros(NUM_SLOTS), jnp.zeros(NUM_SLOTS))
    return jax.lax.scan(step, start, values)[0][1:]


def replay_in_numpy(slots, values):
    ring = np.zeros(NUM_SLOTS)
    for time, value in enumerate(values):
        ring[(slots[0] + time) % NUM_SLOTS] = value
    return ring, -ring


def level_buffer(slots, values):
    """The score of each level, and when it was last played."""

    def step(state, played):
        scores, times = state
        slot, score, time = played
        return (scores.at[slot].set(score), times.at[slot].set(time)), None

    times = jnp.arange(NUM_STEPS, dtype=jnp.float32)
    start = (jnp.zeros(NUM_SLOTS), jnp.full(NUM_SLOTS, -1.0))
    return jax.lax.scan(step, start, (slots, values, times))[0]


def level_buffer_in_numpy(slots, values):
    scores, times = np.zeros(NUM_SLOTS), np.full(NUM_SLOTS, -1.0)
    scores[slots], times[slots] = values, np.arange(NUM_STEPS)
    return scores, times


def grid_world(slots, values):
    """Two maps of one world: how often a cell was visited, and what lies there."""

    def step(state, move):
        visits, height = state
        cell, value = move
        row, column = cell // 4, cell % 4
        return (visits.at[row, column].add(1.0), height.at[row, column].set(value)), None

    return jax.lax.scan(step, (jnp.zeros((2, 4)), jnp.zeros((2, 4))), (slots, values))[0]


def grid_world_in_numpy(slots, values):
    visits, height = np.bincount(slots, minlength=NUM_SLOTS), np.zeros(NUM_SLOTS)
    height[slots] = values
    return visits.reshape(2, 4), height.reshape(2, 4)


PROGRAMS = {
    "bandit": (bandit, bandit_in_numpy),
    "replay": (replay, replay_in_numpy),
    "level buffer": (level_buffer, level_buffer_in_numpy),
    "grid world": (grid_world, grid_world_in_numpy),
}


def check(program, in_numpy) -> None:
    """Compare every way to run `program` with NumPy."""
    inputs = (jnp.asarray(SLOTS), jnp.asarray(VALUES))
    one = lambda both: program(*both)
    answers = [in_numpy(*pair) for pair in zip(SLOTS, VALUES)]
    for run in (
        jax.jit(jax.vmap(one)),
        map_seeds(one, NUM_SEEDS, group=1),
        map_seeds(one, NUM_SEEDS, group=2),
    ):
        for seed, (*found,) in enumerate(zip(*run(inputs))):
            for got, wanted in zip(found, answers[seed], strict=True):
                np.testing.assert_allclose(got, wanted, rtol=1e-6)


def ucb(space, num_arms: int = NUM_SLOTS) -> Teacher:
    """A bandit over strips of the first axis, as one would write it on a first day."""
    low, width = space.low[0], (space.high[0] - space.low[0]) / num_arms

    def init(key):
        return {"count": jnp.zeros(num_arms), "total": jnp.zeros(num_arms)}

    def propose(key, state, size):
        mean = state["total"] / jnp.maximum(state["count"], 1)
        bonus = jnp.sqrt(jnp.log(state["count"].sum() + 1) / jnp.maximum(state["count"], 0.1))
        arm = jnp.argmax(mean + bonus)
        tasks = jax.vmap(space.sample)(jax.random.split(key, size))
        return state, fresh_proposals(key, tasks.at[:, 0].set(low + (arm + 0.5) * width))

    def update(key, state, episodes, context):
        def learn(state, episode):
            task, reward, valid = episode
            arm = jnp.clip((task[0] - low) / width, 0, num_arms - 1).astype(jnp.int32)
            count = state["count"].at[arm].add(jnp.where(valid, 1.0, 0.0))
            total = state["total"].at[arm].add(jnp.where(valid, reward, 0.0))
            return {"count": count, "total": total}, None

        played = (episodes.tasks, episodes.returns, episodes.valid)
        return jax.lax.scan(learn, state, played)[0], jnp.int32(0)

    return Teacher(
        name="ucb", init=init, propose=propose, update=update, report=lambda state: state
    )


def check_ucb() -> None:
    """All episodes are counted, and two seeds learn the same in a group of `map_seeds` as under
    plain `vmap`.
    """
    config = simulated.ToyGridConfig(cells=4, episodes_per_round=5)
    student, tasks = simulated.toy_grid(config), simulated.toy_grid_test_tasks(config)
    loop = make_loop(ucb(student.task_space), student, tasks, LoopConfig(rounds_per_evaluation=9))
    start = jax.jit(jax.vmap(loop.init))(jax.random.split(jax.random.key(0), 2))
    mapped, _ = map_seeds(loop.advance, 2, group=2)(start, jnp.int32(0))
    plain, _ = jax.jit(jax.vmap(loop.advance, in_axes=(0, None)))(start, jnp.int32(0))
    for state in (mapped, plain):
        np.testing.assert_array_equal(state.teacher["count"].sum(1), 45)
    np.testing.assert_allclose(mapped.teacher["total"], plain.teacher["total"], rtol=1e-5)


if __name__ == "__main__":
    use_cores(2)
    if sys.argv[1] == "ucb":
        check_ucb()
    else:
        check(*PROGRAMS[sys.argv[1]])
    print("right")

"""Laws that every teacher, student and environment keeps. Each takes one role and asserts; `test_laws.py` runs them over tables.

A role of your own passes if its functions keep the contract of `roles.py`: run these over it.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
from compiling import quick_jit

from jaxcurriculum import Context, Environment, Episodes, Loop, Space, Student, Teacher
from jaxcurriculum.checks import check_environment, check_no_weak_types, check_same
from jaxcurriculum.types import Proposals, PyTree, fresh_proposals, level_key


def assert_equal(a: PyTree, b: PyTree) -> None:
    """The same structure and the same bits; nan equals nan."""
    assert jax.tree.structure(a) == jax.tree.structure(b)
    for x, y in zip(jax.tree.leaves(a), jax.tree.leaves(b)):
        if jnp.issubdtype(x.dtype, jax.dtypes.prng_key):
            x, y = jax.random.key_data(x), jax.random.key_data(y)
        np.testing.assert_array_equal(x, y)


def assert_close(a: PyTree, b: PyTree, tolerance: float) -> None:
    for x, y in zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True):
        if jnp.issubdtype(x.dtype, jax.dtypes.prng_key):
            x, y = jax.random.key_data(x), jax.random.key_data(y)
        np.testing.assert_allclose(np.asarray(x, np.float64), np.asarray(y, np.float64), rtol=tolerance, atol=tolerance)


def made_up_episodes(key: jax.Array, space: Space, proposals: Proposals, return_scale: float = 100.0) -> Episodes:
    """What a student could report of `proposals`: returns that depend smoothly on the task, some slots invalid and full of nan."""
    num = proposals.seeds.shape[0]
    key_noise, key_valid = jax.random.split(key)
    position = jnp.stack([leaf.reshape(num, -1).mean(1) for leaf in jax.tree.leaves(proposals.tasks)]).mean(0)
    returns = return_scale * (jnp.sin(position) + 0.1 * jax.random.normal(key_noise, (num,)))
    valid = jax.random.bernoulli(key_valid, 0.7, (num,))
    blank = jnp.where(valid, 0.1 * returns, jnp.nan)
    return Episodes(
        tasks=jax.tree.map(lambda x: jnp.where(valid.reshape(-1, *[1] * (x.ndim - 1)), x, jnp.nan), proposals.tasks),
        seeds=proposals.seeds,
        origin=proposals.origin,
        returns=jnp.where(valid, returns, jnp.nan),
        discounted_returns=blank,
        lengths=jnp.full((num,), 10, jnp.int32),
        solved=returns > 0,
        initial_value=blank,
        mean_value=blank,
        positive_value_loss=blank,
        l1_value_loss=blank,
        signed_gae=blank,
        valid=valid,
    )


def _context(round: jax.Array, space: Space) -> Context:
    def probe(key, tasks, seeds, num_episodes, deterministic):
        key_proposals, key_episodes = jax.random.split(key)
        tasks, seeds = (jax.tree.map(lambda x: jnp.repeat(x, num_episodes, axis=0), tree) for tree in (tasks, seeds))
        return made_up_episodes(key_episodes, space, fresh_proposals(key_proposals, tasks).replace(seeds=seeds))

    return Context(round=round, num_steps=(round + 1) * 1000, probe=probe)


def teacher_round(teacher: Teacher, space: Space, num: int):
    """One round of propose and update as a function of (key, state, round) -> (state, (proposals, probe steps))."""

    def one_round(key, state, round):
        key_propose, key_student, key_update = jax.random.split(key, 3)
        state, proposals = teacher.propose(key_propose, state, num)
        episodes = made_up_episodes(key_student, space, proposals)
        state, probe_steps = teacher.update(key_update, state, episodes, _context(round, space))
        return state, (proposals, probe_steps)

    return one_round


def run_teacher(teacher: Teacher, space: Space, key: jax.Array, num: int, rounds: int) -> tuple[PyTree, Proposals]:
    """Final state and the proposals of every round, [rounds, num, ...]."""
    one_round = teacher_round(teacher, space, num)

    def step(state, inputs):
        state, (proposals, _) = one_round(inputs[0], state, inputs[1])
        return state, proposals

    keys = jax.random.split(key, rounds)
    return jax.lax.scan(step, teacher.init(key), (keys, jnp.arange(rounds, dtype=jnp.int32)))


def tasks_stay_in_the_space(teacher: Teacher, space: Space) -> None:
    """And a seed comes twice only where its level is replayed, task and all."""
    _, proposals = quick_jit(lambda key: run_teacher(teacher, space, key, 64, 20))(jax.random.key(0))
    assert bool(jnp.all(jax.vmap(jax.vmap(space.contains))(proposals.tasks)))
    seeds = np.asarray(proposals.seeds).reshape(-1, 1)
    leaves = [np.asarray(leaf).reshape(len(seeds), -1) for leaf in jax.tree.leaves(proposals.tasks)]
    num_levels = len(np.unique(np.concatenate([seeds, *leaves], axis=1, dtype=np.float64), axis=0))
    assert proposals.seeds.dtype == jnp.uint32 and len(np.unique(seeds)) == num_levels > 300
    assert bool(jnp.all(jnp.isfinite(proposals.weight) & (proposals.weight >= 0)))


def invalid_slots_change_nothing(teacher: Teacher, space: Space) -> None:
    """Neither a round of nothing but nan, nor what stands in the invalid slots beside valid ones."""
    state, _ = quick_jit(lambda key: run_teacher(teacher, space, key, 64, 8))(jax.random.key(1))
    update = quick_jit(lambda episodes: teacher.update(jax.random.key(3), state, episodes, _context(jnp.int32(8), space))[0])
    _, proposals = teacher.propose(jax.random.key(2), state, 64)
    episodes = made_up_episodes(jax.random.key(4), space, proposals)
    nothing = episodes.replace(valid=jnp.zeros_like(episodes.valid))
    assert_equal(_without_keys(update(nothing)), _without_keys(state))
    clean = lambda x: jnp.nan_to_num(x, nan=0.5) if jnp.issubdtype(x.dtype, jnp.floating) else x
    assert_equal(update(episodes), update(jax.tree.map(clean, episodes)))


def broken_returns_are_as_if_they_were_not_there(teacher: Teacher, space: Space) -> None:
    """An episode that came back with a return of nan, infinity or beyond all measure is a slot that holds none, whatever else it says."""
    state, _ = quick_jit(lambda key: run_teacher(teacher, space, key, 64, 8))(jax.random.key(1))
    update = quick_jit(lambda episodes: teacher.update(jax.random.key(3), state, episodes, _context(jnp.int32(8), space))[0])
    _, proposals = teacher.propose(jax.random.key(2), state, 64)
    episodes = made_up_episodes(jax.random.key(4), space, proposals)
    for broken in (jnp.nan, jnp.inf, -jnp.inf, 3e38, -3e38):
        is_broken = jnp.arange(64) % 3 == 0
        spoilt = episodes.replace(returns=jnp.where(is_broken, broken, episodes.returns))
        assert_equal(update(spoilt), update(episodes.replace(valid=episodes.valid & ~is_broken)))


def _without_keys(state: PyTree) -> list[jax.Array]:
    return [leaf for leaf in jax.tree.leaves(state) if not jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key)]


def is_traced_once(teacher: Teacher, space: Space) -> None:
    """State and probe steps keep their shapes and types, so that one trace serves every round."""
    traces = []

    @quick_jit
    def one_round(key, state, round):
        traces.append(round)
        return teacher_round(teacher, space, 16)(key, state, round)

    state = teacher.init(jax.random.key(0))
    check_no_weak_types(teacher.name, state)
    for round in range(3):
        new, (_, probe_steps) = one_round(jax.random.key(round), state, jnp.int32(round))
        check_same(teacher.name, state, new)
        assert probe_steps.shape == () and probe_steps.dtype == jnp.int32 and int(probe_steps) >= 0
        state = new
    assert len(traces) == 1


def vmapped_equals_a_loop(teacher: Teacher, space: Space) -> None:
    keys = jax.random.split(jax.random.key(5), 3)
    run = lambda key: run_teacher(teacher, space, key, 64, 8)
    together = quick_jit(jax.vmap(run))(keys)
    for i in range(3):
        assert_close(jax.tree.map(lambda x, i=i: x[i], together), quick_jit(run)(keys[i]), 1e-3)


def a_checkpoint_in_the_middle_changes_nothing(loop: Loop) -> None:
    """The whole state goes through plain NumPy arrays, as on a disk, between two advances."""
    advance = quick_jit(loop.advance)
    state, _ = advance(loop.init(jax.random.key(6)), jnp.int32(0))
    leaves, structure = jax.tree.flatten(state)
    is_key = [jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key) for leaf in leaves]
    saved = [np.array(jax.random.key_data(leaf) if key else leaf) for leaf, key in zip(leaves, is_key)]
    loaded = [jax.random.wrap_key_data(jnp.array(leaf)) if key else jnp.array(leaf) for leaf, key in zip(saved, is_key)]
    round = jnp.int32(loop.config.rounds_per_evaluation)
    assert_equal(advance(jax.tree.unflatten(structure, loaded), round), advance(state, round))


def evaluating_teaches_nothing_and_keeps_the_order(student: Student) -> None:
    """`evaluate` gives num_tasks * num_episodes valid records, task-major, with the tasks and seeds that were asked for."""
    state = student.init(jax.random.key(7))
    tasks = jax.vmap(student.task_space.sample)(jax.random.split(jax.random.key(8), 5))
    seeds = jnp.arange(5, dtype=jnp.uint32)
    episodes = quick_jit(student.evaluate, static_argnums=(4, 5))(jax.random.key(9), state, tasks, seeds, 3, True)
    assert episodes.valid.shape == (15,) and bool(episodes.valid.all())
    assert_equal(episodes.tasks, jnp.repeat(tasks, 3, axis=0))
    assert_equal(episodes.seeds, jnp.repeat(seeds, 3))


def keeps_its_contract(env: Environment) -> None:
    """Shapes and dtypes, and finite observations and rewards under 300 random actions on random tasks."""
    check_environment(env)

    def episode(key):
        key_task, key_level, key_reset, key_steps = jax.random.split(key, 4)
        level = env.generate(level_key(jax.random.bits(key_level)), env.task_space.sample(key_task))
        state, first = env.reset(key_reset, level)

        def step(state, key):
            key_action, key_step = jax.random.split(key)
            return env.step(key_step, level, state, env.action_space.sample(key_action))

        _, timesteps = jax.lax.scan(step, state, jax.random.split(key_steps, 300))
        return first, timesteps

    first, timesteps = quick_jit(jax.vmap(episode))(jax.random.split(jax.random.key(10), 16))
    for leaf in jax.tree.leaves((first, timesteps)):
        assert bool(jnp.all(jnp.isfinite(leaf)))
    assert not bool(jnp.any(first.terminated | first.truncated)), "an episode does not begin at its end"
    assert bool(jnp.all(first.reward == 0))


def the_same_level_replays_the_same_episode(env: Environment) -> None:
    def returns(key):
        level = env.generate(level_key(jnp.uint32(7)), env.task_space.sample(jax.random.key(11)))
        state, _ = env.reset(key, level)
        step = lambda state, action: env.step(key, level, state, action)
        actions = jax.vmap(env.action_space.sample)(jax.random.split(jax.random.key(12), 50))
        return jax.lax.scan(step, state, actions)[1].obs

    assert_equal(quick_jit(returns)(jax.random.key(0)), quick_jit(returns)(jax.random.key(0)))


def mapped_equals_single(env: Environment) -> None:
    """A vmap over environments, and a vmap of a vmap, give what each environment gives alone."""
    keys = jax.random.split(jax.random.key(13), 6)

    def episode(key):
        level = env.generate(key, env.task_space.sample(key))
        state, _ = env.reset(key, level)
        step = lambda state, action: env.step(key, level, state, action)
        actions = jax.vmap(env.action_space.sample)(jax.random.split(key, 10))
        return jax.lax.scan(step, state, actions)[1]

    alone = jax.tree.map(lambda *x: jnp.stack(x), *[quick_jit(episode)(key) for key in keys])
    nested = quick_jit(jax.vmap(jax.vmap(episode)))(keys.reshape(2, 3))
    assert_close(quick_jit(jax.vmap(episode))(keys), alone, 2e-3)
    assert_close(jax.tree.map(lambda x: x.reshape(6, *x.shape[2:]), nested), alone, 2e-3)

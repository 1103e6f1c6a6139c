"""Many worlds of one environment, stepped from the host by one compiled call.

Levels are made for the worlds whose episodes begin, in blocks of one size: whether one episode ends
or all do, there is one program. All that a world draws comes from a generator of its own, so that
it does not matter which worlds stand beside it.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import struct
from gymnasium.utils import seeding

from jaxcurriculum import tree
from jaxcurriculum.checks import check_environment
from jaxcurriculum.fields import check_kind, is_integer
from jaxcurriculum.interop.task_source import BLOCK, TaskSource, TicketTeacher, blocks
from jaxcurriculum.records import Key, PyTree, TimeStep, level_key
from jaxcurriculum.roles import Environment, strong_environment


class Running(struct.PyTreeNode):
    """The episodes under way."""

    levels: PyTree  # [num, ...]
    env_state: PyTree  # the batch lies on the environment's `batch_axis`
    keys: Key  # [num], of the episodes' steps


class Worlds:
    """`num` worlds of `env`: their episodes on the device, their tasks and returns here.

    Raises:
      ValueError: when `num` is no positive integer, or the environment breaks its contract.
      TypeError: when `env` is something else.
    """

    def __init__(self, env: Environment, num: int, teacher: TicketTeacher | None = None):
        check_kind("env", env, Environment)
        if not is_integer(num, 1):
            raise ValueError(f"num_envs must be a positive integer, got {num!r}.")
        check_environment(env)
        self.env = env
        self.num = num
        self.source = TaskSource(env.task_space, num, teacher)
        self.generators: list[np.random.Generator] = []  # one a world, from the first `seed` on
        self.running = _nothing(env, num)
        self.tasks = _zeros(self.source.shapes, num)
        self.obs = _zeros(env.observation_shapes(), num)  # what each world shows now
        self.returns = np.zeros(num, np.float32)
        self.lengths = np.zeros(num, np.int32)

    def seed(self, seeds: Sequence[int | None]) -> None:
        """Give each world a generator of its own; None leaves the one that it has."""
        if len(seeds) != self.num:
            raise ValueError(f"seed must be one for each of {self.num} worlds, got {len(seeds)}.")
        if not self.generators:
            self.generators = [seeding.np_random(seed)[0] for seed in seeds]
            return
        for world, seed in enumerate(seeds):
            if seed is not None:
                self.generators[world] = seeding.np_random(seed)[0]

    def begin(self, worlds: np.ndarray) -> None:
        """Begin an episode in each of `worlds`."""
        draws = [self.generators[world].integers(2**32, size=3) for world in worlds]
        seeds = np.stack(draws).astype(np.uint32)
        tasks, level_seeds = self.source.next(worlds, seeds[:, :2])
        _write(self.tasks, worlds, tasks)
        self.returns[worlds] = 0
        self.lengths[worlds] = 0
        for rows in blocks(len(worlds), min(BLOCK, self.num)):
            is_new = np.append(True, np.diff(rows) > 0)
            self.running, obs = begin(
                self.env,
                self.running,
                np.where(is_new, worlds[rows], self.num).astype(np.int32),
                tree.take(tasks, rows),
                level_seeds[rows],
                seeds[rows, 2],
            )
            begun = tree.take(jax.device_get(obs), is_new)
            _write(self.obs, worlds[rows[is_new]], begun)

    def step(self, actions: PyTree) -> TimeStep:
        """Step every world with its own of `actions` ([num, ...])."""
        self.running, timestep = step(self.env, self.running, self.lengths.copy(), actions)
        timestep = jax.device_get(timestep)
        self.obs = jax.tree.map(np.array, timestep.obs)
        self.returns += timestep.reward
        self.lengths += 1
        is_last = self.lengths >= self.env.max_episode_steps
        truncated = ~timestep.terminated & (timestep.truncated | is_last)
        return timestep.replace(truncated=truncated)

    def end(self, world: int) -> dict[str, Any]:
        """The last info of the episode of `world`, which the teacher is told of."""
        episode_return = self.returns[world]
        solved = bool(episode_return > self.env.solved_above)
        self.source.ended(world, float(episode_return), int(self.lengths[world]), solved)
        return {**self.info(world), "solved": solved}

    def info(self, world: int) -> dict[str, Any]:
        """What is told of the episode of `world`."""
        return {"task": self.source.layout.plain(tree.take(self.tasks, world))}


def _zeros(shapes: PyTree, num: int) -> PyTree:
    return jax.tree.map(lambda leaf: np.zeros((num, *leaf.shape), leaf.dtype), shapes)


def _write(table: PyTree, rows: np.ndarray, values: PyTree) -> None:
    """Put `values` ([num_rows, ...]) into the rows `rows` of every leaf of `table`."""
    for leaf, new in zip(jax.tree.leaves(table), jax.tree.leaves(values)):
        leaf[rows] = new


def _nothing(env: Environment, num: int) -> Running:
    """Worlds in which no episode has begun."""
    key = jax.eval_shape(lambda: jax.random.key(0))
    task = jax.eval_shape(env.task_space.sample, key)
    level = jax.eval_shape(strong_environment(env).generate, key, task)
    state, _ = jax.eval_shape(strong_environment(env).reset, key, level)
    return Running(
        levels=tree.blank(level, num),
        env_state=tree.move_axis(tree.blank(state, num), 0, env.batch_axis),
        keys=jax.random.split(jax.random.key(0), num),
    )


@functools.partial(jax.jit, static_argnums=0, donate_argnums=1)
def begin(
    env: Environment,
    running: Running,
    worlds: jax.Array,
    tasks: PyTree,
    level_seeds: jax.Array,
    episode_seeds: jax.Array,
) -> tuple[Running, PyTree]:
    """Begin an episode in each of `worlds` ([block] int32; those beyond the last are none).

    Returns:
      the episodes under way, and what the new ones see, [block, ...].
    """
    env = strong_environment(env)
    levels = jax.vmap(lambda seed, task: env.generate(level_key(seed), task))(level_seeds, tasks)
    keys = jax.vmap(lambda seed: jax.random.split(jax.random.key(seed)))(episode_seeds)
    env_state, timestep = jax.vmap(env.reset)(keys[:, 0], levels)

    def put(leaf: jax.Array, rows: jax.Array) -> jax.Array:
        return leaf.at[worlds].set(rows, mode="drop")

    def put_state(leaf: jax.Array, rows: jax.Array) -> jax.Array:
        if env.batch_axis == 0:
            return put(leaf, rows)
        return leaf.at[..., worlds].set(jnp.moveaxis(rows, 0, -1), mode="drop")

    running = Running(
        levels=jax.tree.map(put, running.levels, levels),
        env_state=jax.tree.map(put_state, running.env_state, env_state),
        keys=put(running.keys, keys[:, 1]),
    )
    return running, timestep.obs


@functools.partial(jax.jit, static_argnums=0, donate_argnums=1)
def step(
    env: Environment, running: Running, lengths: jax.Array, actions: PyTree
) -> tuple[Running, TimeStep]:
    """One step of every world, each with its own of `actions` and of `lengths` ([num] int32)."""
    env, axis = strong_environment(env), env.batch_axis
    env_step = jax.vmap(env.step, in_axes=(0, 0, axis, 0), out_axes=(axis, 0))
    env_state, timestep = env_step(
        jax.vmap(jax.random.fold_in)(running.keys, lengths),
        running.levels,
        running.env_state,
        jax.vmap(env.action_space.clip)(actions),
    )
    return running.replace(env_state=env_state), timestep

"""ProCuRL: practise tasks of a pool that are neither too easy nor too hard yet.

    propose: task i of the pool with probability $softmax_i(beta p_i (1 - p_i))$
    p:       share of `num_attempts` attempts that solve the task, every `probe_every` rounds,
             or the critic's value of the task's first observation, scaled over the pool:
             $p_i = (V_i - min V) / (max V - min V)$

Source: G. Tzannetos, B. Gomes Ribeiro, P. Kamalaruban, A. Singla, "Proximal curriculum for
reinforcement learning agents", TMLR 2023.
"""

from __future__ import annotations

import dataclasses
from typing import Literal

import jax
import jax.numpy as jnp
from flax import struct

from jaxcurriculum.configs import Config, Swept, field
from jaxcurriculum.fields import given
from jaxcurriculum.records import Episodes, Key, Proposals, PyTree, fresh_proposals, random_seeds
from jaxcurriculum.roles import Context, Teacher
from jaxcurriculum.spaces import Space
from jaxcurriculum.teachers.parts.probing import check_attempts, spent_steps, success_rates
from jaxcurriculum.teachers.parts.ring import is_measured, usable

UNKNOWN = 0.5  # the probability of success of a task of which nothing is known yet


@dataclasses.dataclass(frozen=True, kw_only=True)
class ProcurlConfig(Config):
    """The published pool and probes, but these far less often: they count as steps."""

    pool_size: int = field(100, low=2, high=10_000, help="tasks to choose from, drawn at first")
    beta: Swept = field(20.0, low=0, help="how sharply the best tasks are preferred; 0: uniform")
    success: Literal["probes", "value"] = field(
        "probes",
        help="where the probability of success comes from: attempts that count, or the critic",
    )
    num_attempts: int = field(20, low=1, help="episodes of a probe on each task")
    probe_every: int = field(
        50, low=1, help="rounds between two probes of the student; the first follows the first"
    )

    def __post_init__(self):
        super().__post_init__()
        check_attempts(self, "pool_size")


class ProcurlState(struct.PyTreeNode):
    """The pool and what is known of it."""

    tasks: PyTree  # [pool_size, ...]
    known: jax.Array  # [pool_size], bool
    success: jax.Array  # [pool_size], share of attempts that succeed, or the latest value


def procurl(task_space: Space, config: ProcurlConfig | None = None) -> Teacher:
    """A teacher that draws tasks of intermediate success from a fixed pool.

    A task of which nothing is known counts as solved half of the time, so that all are tried. A
    proposal's `origin` is its place in the pool, its level is new each time.

    Differs from the paper: the value of a task is the one of its latest episode, where the code
    asks the critic anew for the whole pool. An attempt that ends invalid does not count. The
    probe's steps are returned as `probe_steps`. A student whose attempts cannot differ, as the
    simulated ones without noise, is taught uniformly from the pool.

    >>> from jaxcurriculum.spaces import Box
    >>> teacher = procurl(Box(names=("height",), low=(0.0,), high=(3.0,)))
    >>> _, proposals = teacher.propose(jax.random.key(1), teacher.init(jax.random.key(0)), 3)
    >>> proposals.tasks.shape
    (3, 1)
    """
    config = given(config, ProcurlConfig)
    num_tasks = config.pool_size

    def init(key: Key) -> ProcurlState:
        return ProcurlState(
            tasks=jax.vmap(task_space.sample)(jax.random.split(key, num_tasks)),
            known=jnp.zeros((num_tasks,), bool),
            success=jnp.zeros((num_tasks,)),
        )

    def propose(key: Key, state: ProcurlState, num: int) -> tuple[ProcurlState, Proposals]:
        key_pick, key_seeds = jax.random.split(key)
        logits = config.beta * proximity(state, config)
        chosen = jax.random.categorical(key_pick, logits, shape=(num,)).astype(jnp.int32)
        tasks = jax.tree.map(lambda leaf: leaf[chosen], state.tasks)
        return state, fresh_proposals(key_seeds, tasks).replace(origin=chosen)

    def probed(key: Key, state: ProcurlState, context: Context) -> tuple[ProcurlState, jax.Array]:
        key_seeds, key_probe = jax.random.split(key)
        seeds = random_seeds(key_seeds, num_tasks)
        episodes = context.probe(key_probe, state.tasks, seeds, config.num_attempts, False)
        rate, num = success_rates(episodes, config.num_attempts)
        return state.replace(known=num > 0, success=rate), spent_steps(episodes)

    def update(
        key: Key, state: ProcurlState, episodes: Episodes, context: Context
    ) -> tuple[ProcurlState, jax.Array]:
        if config.success == "value":
            return _with_values(state, episodes), jnp.int32(0)
        due = context.round % config.probe_every == 0  # not mapped over seeds: a true branch
        return jax.lax.cond(due, lambda: probed(key, state, context), lambda: (state, jnp.int32(0)))

    def report(state: ProcurlState) -> dict[str, PyTree]:
        return {"tasks": state.tasks, "proximity": proximity(state, config)}

    return Teacher(
        name="procurl",
        init=init,
        propose=propose,
        update=update,
        report=report,
        needs_critic=config.success == "value",
        config=config,
    )


def proximity(state: ProcurlState, config: ProcurlConfig) -> jax.Array:
    """p (1 - p) of each task of the pool, [pool_size], at most 1/4."""
    success = state.success
    if config.success == "value":
        low = jnp.min(jnp.where(state.known, success, jnp.inf))
        high = jnp.max(jnp.where(state.known, success, -jnp.inf))
        width = high - low
        success = jnp.where(width > 0, (success - low) / jnp.where(width > 0, width, 1.0), UNKNOWN)
    success = jnp.where(state.known, success, UNKNOWN)
    return success * (1 - success)


def _with_values(state: ProcurlState, episodes: Episodes) -> ProcurlState:
    """`state` with the critic's value of each task's latest episode."""
    assert episodes.critic is not None, "a loop refuses this teacher a student without one"
    values = episodes.critic.initial_value
    counts = usable(episodes) & is_measured(values)
    num_tasks = state.known.shape[0]
    order = jnp.arange(1, counts.shape[0] + 1)
    slot = jnp.where(counts, episodes.origin, num_tasks)
    latest = jnp.zeros(num_tasks, jnp.int32).at[slot].max(order, mode="drop")
    value = values[jnp.maximum(latest - 1, 0)]
    return state.replace(
        known=state.known | (latest > 0), success=jnp.where(latest > 0, value, state.success)
    )

"""The three roles: bundles of pure functions, made by a factory that closes over what is static (as in optax).

    teacher_state, proposals   = teacher.propose(key, teacher_state, num)
    student_state, episodes    = student.train(key, student_state, proposals)
    teacher_state, probe_steps = teacher.update(key, teacher_state, episodes, context)

Nothing here is a base class and nothing is registered. A role of your own is an instance with your functions in it.
All compute in float32: none can be made while `jax_enable_x64` is on.
Functions of an environment are about ONE environment; batching is `jax.vmap` at one visible place (`rollout.py`).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import jax

from jaxcurriculum.device.switches import check_switches
from jaxcurriculum.records import Episodes, Key, Proposals, PyTree, TimeStep
from jaxcurriculum.spaces import Box, Space


@dataclasses.dataclass(frozen=True, kw_only=True)
class Environment:
    """A family of tasks with one transition function; `step` never resets by itself.

    The rollout ends an episode after `max_episode_steps` (as a truncation), so `step` need not count.
    An episode is solved when its undiscounted return is above `solved_above` (strictly).
    """

    name: str
    task_space: Space
    action_space: Box
    obs_dim: int
    max_episode_steps: int
    solved_above: float
    generate: Callable[[Key, PyTree], PyTree]  # (key, task) -> level
    reset: Callable[[Key, PyTree], tuple[PyTree, TimeStep]]  # (key, level) -> (state, time step)
    step: Callable[[Key, PyTree, PyTree, jax.Array], tuple[PyTree, TimeStep]]  # (key, level, state, action) -> (state, time step)

    def __post_init__(self):
        check_switches("jax_enable_x64")


Probe = Callable[[Key, PyTree, jax.Array, int, bool], Episodes]  # (key, tasks, seeds, num_episodes, deterministic)


@dataclasses.dataclass(frozen=True)
class Context:
    """What a teacher may know beside the episodes.

    `round` and `num_steps` are not mapped over seeds: a `lax.cond` on them is a true branch even under `vmap`.
    `probe` evaluates the student as it is now; report the environment steps that it spends as `probe_steps`.
    """

    round: jax.Array  # [], int32: rounds finished before this one
    num_steps: jax.Array  # [], int32: environment steps (episodes for simulated students) a seed has trained, this round included
    probe: Probe


@dataclasses.dataclass(frozen=True, kw_only=True)
class Teacher:
    """Chooses tasks. `report(state)` is a small pytree for plots, stored at every evaluation."""

    name: str
    init: Callable[[Key], PyTree]  # (key) -> state
    propose: Callable[[Key, PyTree, int], tuple[PyTree, Proposals]]  # (key, state, num) -> (state, proposals)
    update: Callable[[Key, PyTree, Episodes, Context], tuple[PyTree, jax.Array]]  # -> (state, probe_steps [] int32)
    report: Callable[[PyTree], Any]  # (state) -> small pytree

    def __post_init__(self):
        check_switches("jax_enable_x64")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Student:
    """Practises tasks: a simulated learner without any environment, or PPO on a walker.

    A round takes `num_proposals` proposals and spends `steps_per_round` of `step_unit` ("environment steps" or "episodes").
    `act` is the policy on one observation, None where there is no environment; `report` shows the last round's training.
    """

    name: str
    task_space: Space
    num_proposals: int
    steps_per_round: int
    step_unit: str
    init: Callable[[Key], PyTree]  # (key) -> state
    train: Callable[[Key, PyTree, Proposals], tuple[PyTree, Episodes]]  # (key, state, proposals) -> (state, episodes)
    evaluate: Callable[[Key, PyTree, PyTree, jax.Array, int, bool], Episodes]  # (key, state, tasks, seeds, num_episodes, deterministic)
    report: Callable[[PyTree], dict[str, jax.Array]]  # (state) -> scalars of the last round
    act: Callable[[Key, PyTree, jax.Array, bool], jax.Array] | None = None  # (key, state, obs, deterministic) -> action

    def __post_init__(self):
        check_switches("jax_enable_x64")
